"""Stars are consistent with themselves: periods, shapes, [Fe/H], colours, distances, and what defects do to them."""

import numpy as np
import pytest

from tasks.lightcurves.fourier import fit_fourier
from tasks.sky import BANDS
from tasks.sky.bands import absolute_g, colours
from tasks.sky.constants import EXTINCTION
from tasks.sky.noise import true_error
from tasks.sky.rrlyrae import feh_rrab, phi31_rrab
from tasks.sky.shapes import GRID, PHASE, contact, harmonics, hidden_fraction, pulsation, separation

PERIOD_DAY = {
    "RRab": (0.40, 0.90),
    "RRc": (0.22, 0.45),
    "RRd": (0.32, 0.43),
    "CEP": (0.7, 90),
    "T2CEP": (1.0, 35),
    "DSCT_SXPHE": (0.03, 0.25),
    "ECL": (0.2, 25.1),
    "MIRA_SR": (30, 600),
}


def good_curves(sky, band, ids):
    batch = next(batch for batch in sky.epochs.values() if np.any(batch.band == BANDS.index(band)))
    batch = batch.select(np.flatnonzero(np.isin(batch.source_id, ids)))
    return batch.keep((batch.flags == 0) & (batch.band == BANDS.index(band)))


@pytest.mark.parametrize("name", PERIOD_DAY)
def test_periods_lie_in_the_range_of_the_class(truth, name):
    period = truth.loc[truth["class"] == name, "period_day"]
    assert period.notna().all() and period.between(*PERIOD_DAY[name]).all()


def test_constants_have_no_period_and_no_amplitude(truth):
    star = truth[truth["class"] == "CONST"]
    assert star["period_day"].isna().all() and (star["amplitude_g_mag"] == 0).all() and star["r21"].isna().all()


def test_double_mode_stars_follow_the_petersen_diagram(truth):
    star = truth[truth["class"] == "RRd"]
    assert (star["period_day"] / star["period2_day"]).between(0.742, 0.748).all()
    assert truth.loc[truth["class"] != "RRd", "period2_day"].isna().all()


def test_feh_is_recovered_from_true_period_and_phi31(truth):
    """The stated scatter of phi31, 0.11 rad, is 0.15 dex."""
    star = truth[(truth["class"] == "RRab") & ~truth["is_duplicate"]]
    error = feh_rrab(star["period_day"], star["phi31"]) - star["feh_dex"]
    assert abs(error.median()) < 0.03 and 0.12 < error.std() < 0.19
    assert star["feh_dex"].std() > 0.35  # so the relation explains most of the variance


def test_feh_relation_inverts():
    assert np.allclose(feh_rrab(0.61, phi31_rrab(0.61, -1.1)), -1.1)


def test_measured_light_curves_carry_the_true_shape(sky, truth):
    """Period and Fourier parameters of noisy ZTF curves are those of the truth, phases shifted by the band."""
    star = truth[
        (truth["class"] == "RRab")
        & (truth["subclass"] == "RRab")
        & truth["mean_g_mag"].between(13.5, 16)
        & ~truth["is_wrong_match_ztf"]
    ]
    curves = good_curves(sky, "r_ztf", star.index)
    true = star.loc[curves.source_id]
    fit = fit_fourier(curves, true["period_day"], 5, floor=0.01, epochs_per_term=2)
    wide = fit.n_harmonics == 5
    assert wide.sum() > 100
    assert abs(np.median((fit.ratio(2) - true["r21"])[wide])) < 0.02
    turn = np.angle(np.exp(1j * (fit.phase_difference(3) - true["phi31"])))[wide]
    assert abs(np.median(turn)) < 0.12 and np.std(turn) < 0.5
    wrong = fit_fourier(curves, true["period_day"] * 1.01, 5, floor=0.01)
    assert np.nanmedian(wrong.chi2) > 10 * np.nanmedian(fit.chi2)


def test_amplitudes_fall_with_wavelength(sky, truth):
    star = truth[truth["class"].isin(["RRab", "CEP", "MIRA_SR"]) & (truth["mean_g_mag"] < 17)]
    spread = {}
    for band in ("BP", "RP", "g_ztf", "r_ztf"):
        curves = good_curves(sky, band, star.index)
        row, n = curves.row, len(curves)
        mean = np.bincount(row, curves.mag, n) / np.maximum(curves.n_epoch, 1)
        spread[band] = np.median(np.sqrt(np.bincount(row, (curves.mag - mean[row]) ** 2, n) / curves.n_epoch.clip(1)))
    assert spread["BP"] > 1.4 * spread["RP"] and spread["g_ztf"] > 1.2 * spread["r_ztf"]


def test_cepheids_show_the_hertzsprung_progression(truth):
    star = truth[(truth["class"] == "CEP") & (truth["subclass"] == "F")]
    short, ten, long = (
        star.loc[star["period_day"].between(*span), "r21"].median() for span in ((2, 5), (9.5, 12.5), (18, 60))
    )
    assert ten < 0.6 * short and ten < 0.8 * long


def test_colours_redden_as_stars_cool():
    teff = np.linspace(2600, 9600, 60)
    colour = colours(teff)
    for blue, red in (("BP", "RP"), ("g_ps1", "r_ps1"), ("g_ps1", "i_ps1"), ("r_ps1", "z_ps1"), ("g_ztf", "r_ztf")):
        assert (np.diff(colour[:, BANDS.index(blue)] - colour[:, BANDS.index(red)]) < 0.01).all(), (blue, red)


def test_magnitudes_distance_and_extinction_agree(sky, truth):
    """Mean apparent G of single stars is M_G(L, Teff) + distance modulus + extinction, to the intrinsic 0.012 mag."""
    star = truth[truth["class"] != "ECL"]
    luminosity = star["radius_rsun"] ** 2 * (star["teff_k"] / 5772) ** 4
    modulus = 5 * np.log10(star["distance_pc"]) - 5
    expected = absolute_g(luminosity, star["teff_k"]) + modulus + EXTINCTION[0] * star["ebv_mag"]
    assert np.abs(star["mean_g_mag"] - expected).max() < 0.06


def test_parallaxes_measure_the_distance(sky, truth):
    source = sky.sources.to_pandas().set_index("source_id")
    pull = (source["parallax"] - 1000 / truth["distance_pc"] + 0.03) / source["parallax_error"]
    assert abs(pull.mean()) < 0.05 and abs(pull.std() - 1) < 0.05
    assert (source["parallax"] < 0).any()  # as in Gaia


def test_observed_colours_follow_teff(sky, truth):
    """Mean BP-RP less the true reddening gives the colour of the true Teff."""
    star = truth[(truth["class"] == "CONST") & (truth["mean_g_mag"] < 16) & ~truth["is_blended"]]
    mean = {}
    for band in ("BP", "RP"):
        curves = good_curves(sky, band, star.index)
        mean[band] = dict(
            zip(
                curves.source_id,
                np.add.reduceat(np.append(curves.mag, 0), curves.offsets[:-1]) / curves.n_epoch.clip(1),
                strict=True,
            )
        )
    observed = np.array([mean["BP"].get(i, np.nan) - mean["RP"].get(i, np.nan) for i in star.index])
    intrinsic = colours(star["teff_k"])
    expected = (intrinsic[:, 1] - intrinsic[:, 2]) + (EXTINCTION[1] - EXTINCTION[2]) * star["ebv_mag"].to_numpy()
    usable = np.isfinite(observed) & (np.abs(observed) < 8)
    assert usable.sum() > 100 and np.median(np.abs(observed - expected)[usable]) < 0.03


@pytest.mark.parametrize("band", range(len(BANDS)))
def test_noise_grows_with_magnitude(band):
    mag = np.linspace(13, 20, 50, dtype=np.float32)
    assert (np.diff(true_error(mag, np.full(50, band, np.int8))) > 0).all()


def test_scatter_of_constant_stars_is_the_quoted_error(sky, truth):
    star = truth[(truth["class"] == "CONST") & ~truth["is_blended"]]
    curves = good_curves(sky, "G", star.index)
    mean = np.bincount(curves.row, curves.mag, len(curves)) / curves.n_epoch.clip(1)
    pull = (curves.mag - mean[curves.row]) / curves.mag_err
    robust = 1.4826 * np.median(np.abs(pull))
    assert 0.95 < robust < 1.2  # quoted errors are 5 per cent too small by construction
    assert 0.001 < np.mean(np.abs(pull) > 8) < 0.02  # outliers that no flag tells of


def test_pulsation_template_is_normalised_with_maximum_at_zero():
    template, component = pulsation(harmonics([np.array([0.4]), np.array([0.2])], [np.array([4.2]), np.array([2.3])]))
    assert template.shape == component.shape == (1, GRID)
    assert np.ptp(template) == pytest.approx(1.0) and np.argmin(template[0]) == 0
    wave = np.fft.rfft(template[0])
    assert abs(wave[2]) / abs(wave[1]) == pytest.approx(0.4)
    assert (np.angle(wave[2]) - 2 * np.angle(wave[1])) % (2 * np.pi) == pytest.approx(4.2)


def test_hidden_fraction_is_the_area_common_to_two_discs():
    """Against a count of points on a fine grid."""
    x, y = np.meshgrid(np.linspace(-1, 1, 2001), np.linspace(-1, 1, 2001))
    back = np.hypot(x, y) < 0.8
    for distance in (0.0, 0.3, 0.9, 1.2, 1.5):
        expected = np.mean((np.hypot(x - distance, y) < 0.5)[back])
        found = hidden_fraction(np.array([[distance]]), np.array([0.5]), np.array([0.8]))[0, 0]
        assert found == pytest.approx(expected, abs=2e-3)


def test_orbit_has_primary_conjunction_at_phase_zero():
    for eccentricity, omega in ((0.0, 0.0), (0.3, 1.0), (0.3, 4.0)):
        distance, in_front = separation(np.array([0.02]), np.array([eccentricity]), np.array([omega]))
        assert in_front[0, 0] and distance[0, 0] < 0.04
        assert np.argmin(distance[0][PHASE < 0.02]) == 0


def test_contact_binary_has_two_nearly_equal_minima():
    curve = contact(np.array([-0.01]), np.array([-0.15]))[0]
    assert curve[0] > curve[GRID // 2] > 0.9 * curve[0] and curve.min() == pytest.approx(0)


def test_defects_come_at_their_stated_rates(truth):
    n = len(truth)
    rates = {"is_duplicate": 0.006, "is_wrong_match_ps1": 0.008, "is_wrong_match_ztf": 0.008}
    for name, rate in rates.items():
        assert abs(truth[name].mean() - rate) < 4 * np.sqrt(rate / n), name
    assert abs(truth["neighbour_sep_arcsec"].notna().mean() - 0.08) < 4 * np.sqrt(0.08 / n)
    assert 0.003 < truth["is_blended"].mean() < 0.02
    assert (truth.loc[truth["is_wrong_match_ztf"], "neighbour_sep_arcsec"] > 0.8).all()


def test_flags_and_missing_bands_come_at_their_stated_rates(sky):
    for survey, batch in sky.epochs.items():
        assert np.mean(batch.flags != 0) == pytest.approx(0.02, abs=0.002), survey
    gaia = sky.epochs["gaia"]
    seen = [np.bincount(gaia.row[gaia.band == code], minlength=len(gaia)) > 0 for code in range(3)]
    assert np.mean(~seen[1] & seen[0]) > 0.015 and np.mean(~seen[2] & seen[0]) > 0.015


def test_duplicates_are_one_star_with_two_ids(sky, truth):
    twin = truth[truth["is_duplicate"]]
    first = truth.loc[sky.truth["duplicate_of"].drop_null().to_numpy()]  # from Arrow: pandas would make floats of ids
    for name in ("class", "distance_pc", "mean_g_mag"):
        assert (twin[name].to_numpy() == first[name].to_numpy()).all()
    source = sky.sources.to_pandas().set_index("source_id")
    assert np.allclose(source.loc[twin.index, "dec"].to_numpy() - source.loc[first.index, "dec"].to_numpy(), 0.2 / 3600)
    ztf = sky.epochs["ztf"]
    count = dict(zip(ztf.source_id, ztf.n_epoch, strict=True))
    assert all(count.get(a) == count.get(b) for a, b in zip(twin.index, first.index, strict=True))


def test_a_wrong_match_shows_the_neighbour(sky, truth):
    star = truth[truth["is_wrong_match_ztf"] & (truth["amplitude_g_mag"] > 0.4) & (truth["mean_g_mag"] < 17)]
    curves = good_curves(sky, "r_ztf", star.index)
    curves = curves.select(curves.n_epoch > 50)
    assert len(curves) > 3
    spread = [
        np.std(np.clip(curves.mag[a:b] - np.median(curves.mag[a:b]), -0.3, 0.3))
        for a, b in zip(curves.offsets[:-1], curves.offsets[1:], strict=True)
    ]
    assert np.median(spread) < 0.1  # the neighbour does not vary


def test_neighbours_brighten_blended_stars(sky, truth):
    """A neighbour inside the BP window adds its light to BP, which is then brighter than the star alone."""
    star = truth[
        (truth["neighbour_sep_arcsec"] < 1.8)
        & (truth["neighbour_delta_g_mag"] < 2.0)
        & truth["class"].isin(["CONST", "RRab", "RRc", "DSCT_SXPHE"])
        & truth["mean_g_mag"].between(13, 18.5)
    ]
    curves = good_curves(sky, "BP", star.index)
    curves = curves.select(curves.n_epoch > 10)
    assert len(curves) >= 5
    star = truth.loc[curves.source_id]
    assert star["is_blended"].all()
    measured = np.add.reduceat(curves.mag, curves.offsets[:-1]) / curves.n_epoch
    reddening = (EXTINCTION[1] - EXTINCTION[0]) * star["ebv_mag"]
    alone = star["mean_g_mag"] + colours(star["teff_k"])[:, 1] + reddening
    assert np.median(measured - alone) < -0.1


def test_the_disc_lies_along_the_galactic_plane_of_astropy(sky):
    from astropy.coordinates import SkyCoord

    name = np.array(sky.truth["class"].to_pylist())
    place = SkyCoord(sky.sources["ra"].to_numpy(), sky.sources["dec"].to_numpy(), unit="deg").galactic
    assert np.median(np.abs(place.b.deg[name == "CEP"])) < 6  # young stars
    assert np.median(np.abs(place.b.deg[name == "RRab"])) > 15  # the halo
