"""From a draw to magnitudes at given times: clocks, bands, neighbours, and places in the Galaxy."""

import numpy as np
import pytest

from tasks.sky import defects, stars
from tasks.sky.bands import absolute_g, band_flux, bolometric_correction, colours, luminosity_from_g, radius
from tasks.sky.classes import CLASSES, draw_classes, draw_stars
from tasks.sky.constants import BANDS, EXTINCTION, SUN_MBOL_MAG, SUN_TEFF_K, SURVEYS, WAVELENGTH_NM
from tasks.sky.lightcurves import EPOCH_ZERO_MJD, Brightness, as_batch
from tasks.sky.shapes import GRID, PHASE
from tasks.sky.streams import BLOCK

SEED = 12


@pytest.fixture(scope="module")
def block():
    """Draw, star, neighbours of one block."""
    code = draw_classes(SEED, 0)
    draw = draw_stars(SEED, 0, code)
    star = stars.place(SEED, 0, code, draw)
    return code, draw, star, defects.neighbours(SEED, 0, star["mean_mag"])


def two_stars(**changes) -> Brightness:
    """A cosine of 1 mag and period 2 d beside a constant star, both at 15 mag, without neighbours."""
    draw = {
        "template": np.stack([0.5 * np.cos(2 * np.pi * PHASE), np.zeros(GRID)]), "component": np.zeros((2, GRID)),
        "scale": np.ones((2, 11)), "scale2": np.zeros((2, 11)), "period_day": np.array([2.0, np.nan]),
        "clock2_day": np.full(2, np.nan), "modulation": np.zeros(2), "jitter": np.zeros(2),
        "modulation_day": np.full(2, 100.0),
    }  # fmt: skip
    around = {"is_wrong": np.zeros((2, 11), bool), "is_blended": np.zeros((2, 11), bool), "mag": np.full((2, 11), 17.0)}
    star = {"mean_mag": np.full((2, 11), 15.0)}
    for name, value in changes.items():
        (draw if name in draw else around)[name] = value
    return Brightness(draw, star, around, np.full(2, EPOCH_ZERO_MJD))


def seen(brightness: Brightness, time: np.ndarray, row: int = 0, band: int = 0) -> np.ndarray:
    return brightness(np.full(time.size, row), EPOCH_ZERO_MJD + time, np.full(time.size, band, np.int8))


def test_a_pulsator_repeats_after_its_period_and_a_constant_star_stays():
    time = np.linspace(0, 2, 50)
    mag = seen(two_stars(), time)
    assert np.allclose(mag, 15 + 0.5 * np.cos(np.pi * time), atol=1e-3)
    assert np.allclose(mag, seen(two_stars(), time + 40.0), atol=1e-4)
    assert (seen(two_stars(), time, row=1) == 15).all()


def test_each_band_has_its_own_scale():
    scale = np.ones((2, 11))
    scale[:, BANDS.index("RP")] = 0.5
    time = np.linspace(0, 2, 200)
    swing = {band: np.ptp(seen(two_stars(scale=scale), time, band=BANDS.index(band))) for band in ("G", "RP")}
    assert swing["RP"] == pytest.approx(0.5 * swing["G"], rel=1e-3)


def test_a_second_mode_runs_by_its_own_clock():
    component = np.stack([np.cos(2 * np.pi * PHASE), np.zeros(GRID)])
    brightness = two_stars(component=component, scale2=np.full((2, 11), 0.2), clock2_day=np.array([3.0, np.nan]))
    time = np.linspace(0, 6, 100)
    expected = 15 + 0.5 * np.cos(np.pi * time) + 0.2 * np.cos(2 * np.pi * time / 3)
    assert np.allclose(seen(brightness, time), expected, atol=2e-3)


def test_a_modulation_changes_the_amplitude_by_its_share():
    brightness = two_stars(modulation=np.array([0.3, 0.0]), modulation_day=np.array([400.0, 100.0]))
    high, low = (np.ptp(seen(brightness, phase * 400.0 + np.linspace(0, 2, 100))) for phase in (0.25, 0.75))
    assert high == pytest.approx(1.3, abs=0.02) and low == pytest.approx(0.7, abs=0.02)


def test_a_neighbour_inside_the_aperture_adds_its_light():
    blended = np.zeros((2, 11), bool)
    blended[:, BANDS.index("BP")] = True
    brightness = two_stars(is_blended=blended)
    alone, both = (seen(brightness, np.zeros(1), row=1, band=BANDS.index(band))[0] for band in ("G", "BP"))
    assert alone == 15.0
    assert both == pytest.approx(-2.5 * np.log10(10**-6.0 + 10**-6.8), abs=1e-5)


def test_a_wrong_match_shows_the_neighbour_and_does_not_vary():
    brightness = two_stars(is_wrong=np.ones((2, 11), bool))
    assert (seen(brightness, np.linspace(0, 2, 30)) == 17.0).all()


def test_batches_hold_every_object_of_a_block_in_order():
    row = np.array([3, 3, 7])
    columns = [np.array([1.0, 2.0, 5.0]), np.full(3, 15.0), np.full(3, 0.1), np.zeros(3, np.int8), np.zeros(3, int)]
    batch = as_batch(np.arange(BLOCK), (row, *columns))
    assert len(batch) == BLOCK and batch.n_epoch[[3, 7]].tolist() == [2, 1] and batch.n_epoch.sum() == 3
    assert batch.bands == BANDS and batch.time.tolist() == [1.0, 2.0, 5.0]


def test_the_sun_has_its_magnitude_radius_and_colour():
    absolute = absolute_g(np.array([1.0]), np.array([SUN_TEFF_K]))
    assert absolute[0] == pytest.approx(4.67, abs=0.03)  # Casagrande & VandenBerg 2018
    assert radius(np.array([1.0]), np.array([SUN_TEFF_K]))[0] == pytest.approx(1.0)
    assert absolute[0] + bolometric_correction(np.array([SUN_TEFF_K]))[0] == pytest.approx(SUN_MBOL_MAG)
    colour = colours(np.array([SUN_TEFF_K]))[0]
    assert colour[1] - colour[2] == pytest.approx(0.82, abs=0.05)  # BP - RP of the Sun


def test_luminosity_and_magnitude_are_inverse():
    luminosity, teff = np.array([0.1, 1.0, 300.0]), np.array([4000.0, 5772.0, 7000.0])
    assert np.allclose(luminosity_from_g(absolute_g(luminosity, teff), teff), luminosity)


def test_the_light_of_two_equal_stars_is_three_quarters_of_a_magnitude_more():
    flux = band_flux(np.array([4.0]), np.array([6000.0]))
    assert np.allclose(-2.5 * np.log10(2 * flux), -2.5 * np.log10(flux) - 2.5 * np.log10(2))
    assert np.allclose(-2.5 * np.log10(flux[0]), 4.0 + colours(np.array([6000.0]))[0])


def test_passbands_are_in_order_and_dust_dims_the_blue_most():
    assert [len(bands) for bands in SURVEYS.values()] == [3, 5, 3] and sum(SURVEYS.values(), ()) == BANDS
    for survey in ("ps1", "ztf"):
        own = [BANDS.index(band) for band in SURVEYS[survey]]
        assert (np.diff(WAVELENGTH_NM[own]) > 0).all() and (np.diff(EXTINCTION[own]) < 0).all()


def test_dust_grows_with_distance_and_fades_with_latitude():
    near, far = (stars.reddening(np.full(2, kpc), np.array([2.0, 80.0]), np.ones(2)) for kpc in (0.5, 3.0))
    assert (far > near).all() and far[0] > 5 * far[1]
    assert stars.reddening(np.array([1.0]), np.array([0.0]), np.ones(1))[0] == pytest.approx(0.45, rel=0.01)
    assert stars.reddening(np.array([80.0]), np.array([0.0]), np.ones(1))[0] == stars.REDDENING_LIMIT_MAG


def test_stars_are_seen_inside_the_limits_of_their_class(block):
    code, _, star, _ = block
    for index, name in enumerate(CLASSES):
        home = stars.REGISTRY[name].home
        distance = star["distance_pc"][code == index] / 1000
        assert home.distance_kpc[0] * 0.999 <= distance.min() and distance.max() <= home.distance_kpc[1] * 1.001


def test_the_halo_moves_faster_than_the_disc(block):
    _, draw, star, _ = block
    speed = stars.KM_S_PER_KPC_MAS * np.hypot(star["pmra"], star["pmdec"]) * star["distance_pc"] / 1000
    assert np.median(speed[draw["is_halo"]]) > 3 * np.median(speed[~draw["is_halo"]])


def test_published_errors_grow_towards_faint_stars_and_are_those_of_the_scatter(block):
    star = block[2]
    published = stars.astrometry(SEED, 0, star)
    order = np.argsort(star["mean_mag"][:, 0])
    assert (np.diff(published["parallax_error"][order]) >= 0).all()
    pull = (published["pmra"] - star["pmra"]) / published["pmra_error"]
    assert abs(pull.mean()) < 0.12 and pull.std() == pytest.approx(1.0, abs=0.08)


def test_a_duplicate_is_an_odd_row_that_shows_the_star_before():
    origin = np.concatenate([defects.duplicate_origin(SEED, block) - np.arange(BLOCK) for block in range(30)])
    row = np.tile(np.arange(BLOCK), 30)
    assert set(origin) == {0, -1} and (row[origin == -1] % 2 == 1).all()
    assert np.mean(origin == -1) == pytest.approx(defects.DUPLICATE_RATE, rel=0.25)


def test_neighbours_blend_by_the_resolution_of_each_band(block):
    around = block[3]
    sep, blended, wrong = around["sep_arcsec"], around["is_blended"], around["is_wrong"]
    for survey, bands in SURVEYS.items():
        for band in bands:
            limit = defects.XP_BLEND_ARCSEC if band in ("BP", "RP") else defects.BLEND_ARCSEC[survey]
            index = BANDS.index(band)
            assert np.array_equal(blended[:, index], (sep < limit) & ~wrong[:, index]), band
    assert not wrong[:, :3].any()  # Gaia is the reference


def test_no_star_lacks_g_and_about_half_have_i():
    missing = np.concatenate([defects.missing_bands(SEED, block) for block in range(8)])
    assert not missing[:, BANDS.index("G")].any()
    assert np.mean(missing[:, BANDS.index("i_ztf")]) == pytest.approx(1 - 0.55 * 0.98, abs=0.02)
    assert np.mean(missing[:, BANDS.index("g_ps1")]) == pytest.approx(0.03, abs=0.006)
