"""What the classes of pulsating stars draw: the relations of the literature, star by star, without noise."""

import numpy as np
import pytest

from tasks.sky.bands import absolute_g, radius
from tasks.sky.cepheids import (
    F_LOG_PERIOD,
    F_PHASE,
    F_RATIO,
    O_LOG_PERIOD,
    O_PHASE,
    O_RATIO,
    T2_LOG_PERIOD,
    T2_PHASE,
    T2_RATIO,
    cepheid,
    type_two,
)
from tasks.sky.constants import BANDS, SUN_MBOL_MAG, SUN_TEFF_K
from tasks.sky.draw import Draw
from tasks.sky.others import delta_scuti, mira
from tasks.sky.rrlyrae import (
    MASS_MSUN,
    PHI31_PERIOD,
    RRC_PHI31_FEH,
    RRC_PHI31_PERIOD,
    feh_rrab,
    feh_rrc,
    phi31_rrab,
    rrab,
    rrc,
    rrd,
)
from tasks.sky.shapes import GRID, interpolate_harmonics

N = 3000
PULSATORS = {"rrab": rrab, "rrc": rrc, "rrd": rrd, "cepheid": cepheid, "type_two": type_two,
             "delta_scuti": delta_scuti, "mira": mira}  # fmt: skip


def drawn(name: str, n: int = N, seed: int = 4) -> Draw:
    return PULSATORS[name](np.random.default_rng(seed), n)


def fourier(curve: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    """R_k1 and phi_k1 of curves (n, GRID), cosine convention."""
    wave = np.fft.rfft(curve, axis=1)
    return np.abs(wave[:, order] / wave[:, 1]), (np.angle(wave[:, order]) - order * np.angle(wave[:, 1])) % (2 * np.pi)


@pytest.mark.parametrize("name", PULSATORS)
def test_a_draw_has_a_value_of_each_field_for_each_star(name):
    draw = drawn(name, 50)
    filled = draw.fill()
    assert filled["template"].shape == filled["component"].shape == (50, GRID)
    assert filled["scale"].shape == filled["scale2"].shape == (50, len(BANDS))
    assert all(value.shape[0] == 50 for value in filled.values())
    for field in ("feh_dex", "teff_k", "luminosity_lsun", "period_day", "template", "scale"):
        assert np.isfinite(filled[field]).all(), field
    assert (filled["luminosity_lsun"] > 0).all() and (filled["period_day"] > 0).all()


@pytest.mark.parametrize("name", PULSATORS)
def test_templates_have_height_one_and_maximum_light_at_phase_zero(name):
    template = drawn(name, 200).template
    assert np.allclose(np.ptp(template, axis=1), 1.0)
    assert (np.argmin(template, axis=1) == 0).all()


@pytest.mark.parametrize("name", PULSATORS)
def test_a_draw_is_a_function_of_its_generator(name):
    one, same, other = drawn(name, 20).fill(), drawn(name, 20).fill(), drawn(name, 20, seed=5).fill()
    assert all(np.array_equal(one[field], same[field], equal_nan=one[field].dtype.kind == "f") for field in one)
    assert not np.array_equal(one["period_day"], other["period_day"])


@pytest.mark.parametrize("name", ["rrab", "rrc", "cepheid", "delta_scuti", "mira"])
def test_amplitudes_fall_from_blue_to_red(name):
    scale = drawn(name, 100).scale
    for blue, red in (("BP", "G"), ("G", "RP"), ("g_ps1", "r_ps1"), ("r_ps1", "i_ps1"), ("g_ztf", "r_ztf")):
        assert (scale[:, BANDS.index(blue)] > scale[:, BANDS.index(red)]).all(), (blue, red)


def test_rrab_follow_the_relation_of_period_phi31_and_metallicity():
    draw = drawn("rrab")
    phi31 = fourier(draw.template, 3)[1]
    residual = phi31 - phi31_rrab(draw.period_day, draw.feh_dex)
    assert abs(residual.mean()) < 0.01 and residual.std() == pytest.approx(0.11, abs=0.01)


def test_rrab_with_longer_periods_have_smaller_amplitudes_and_fewer_metals():
    draw = drawn("rrab")
    period, amplitude = draw.period_day, draw.scale[:, 0]
    assert np.corrcoef(period, amplitude)[0, 1] < -0.4
    assert np.corrcoef(period, draw.feh_dex)[0, 1] < -0.25
    assert amplitude.min() >= 0.12 and amplitude.max() <= 1.35 + 1e-9


def test_rrab_have_the_share_of_blazhko_stars_and_only_they_are_modulated():
    draw = drawn("rrab")
    is_blazhko = draw.subclass == "Blazhko"
    assert is_blazhko.mean() == pytest.approx(0.15, abs=0.025)
    assert (np.asarray(draw.modulation)[~is_blazhko] == 0).all()
    assert np.all((draw.modulation[is_blazhko] > 0.05) & (draw.modulation[is_blazhko] < 0.25))


@pytest.mark.parametrize(("name", "fundamental"), [("rrab", 1.0), ("rrc", 10**0.127)])
def test_rr_lyrae_obey_the_pulsation_equation(name, fundamental):
    """van Albada & Baker 1971, solved for the period again; the bolometric correction is iterated, so to 1 per cent."""
    draw = drawn(name)
    log_period = 11.497 + 0.84 * np.log10(draw.luminosity_lsun) - 0.68 * np.log10(MASS_MSUN)
    assert np.allclose(10 ** (log_period - 3.48 * np.log10(draw.teff_k)), draw.period_day * fundamental, rtol=0.01)
    assert np.percentile(draw.teff_k, 1) > 5400 and np.percentile(draw.teff_k, 99) < 8200  # the instability strip


def test_rr_lyrae_have_the_luminosities_of_their_metallicity():
    draw = drawn("rrab")
    residual = absolute_g(draw.luminosity_lsun, draw.teff_k) - (0.32 * draw.feh_dex + 1.11)
    assert abs(residual.mean()) < 0.01 and residual.std() == pytest.approx(0.08, abs=0.01)


def test_overtones_are_nearly_sinusoidal():
    overtone, fundamental = fourier(drawn("rrc").template, 2)[0], fourier(drawn("rrab").template, 2)[0]
    assert np.median(overtone) < 0.2 < 0.4 < np.median(fundamental)


def test_metallicities_come_back_from_both_relations():
    period, feh = np.array([0.3, 0.33, 0.4]), np.array([-2.0, -1.5, -0.7])
    assert np.allclose(feh_rrab(period, phi31_rrab(period, feh)), feh)
    phi31 = 3.15 + RRC_PHI31_PERIOD * (period - 0.33) + RRC_PHI31_FEH * (feh + 1.5)
    assert np.allclose(feh_rrc(period, phi31), feh)
    assert phi31_rrab(0.68, -1.0) - phi31_rrab(0.58, -1.0) == pytest.approx(0.1 * PHI31_PERIOD)


def test_double_mode_stars_carry_both_clocks():
    draw = drawn("rrd")
    assert np.array_equal(draw.period2_day, draw.clock2_day)
    assert (draw.period_day < draw.period2_day).all()  # the main period is the overtone's
    second = np.ptp(draw.component, axis=1)
    assert np.allclose(second, 1.0) and ((draw.scale2 / draw.scale > 0.2) & (draw.scale2 / draw.scale < 0.85)).all()


def test_cepheids_follow_the_leavitt_law_with_its_width():
    draw = drawn("cepheid")
    log_period = np.log10(draw.period_day) + 0.155 * (draw.subclass == "1O")
    bolometric = SUN_MBOL_MAG - 2.5 * np.log10(draw.luminosity_lsun)
    residual = bolometric + 4.15 + 2.43 * (log_period - 1)
    assert abs(residual.mean()) < 0.015 and residual.std() == pytest.approx(0.15, abs=0.01)


def test_cepheids_have_the_radii_of_their_periods():
    draw = drawn("cepheid")
    log_period = np.log10(draw.period_day) + 0.155 * (draw.subclass == "1O")
    residual = np.log10(radius(draw.luminosity_lsun, draw.teff_k)) - 0.68 * log_period - 1.146
    assert abs(residual.mean()) < 0.002 and residual.std() == pytest.approx(0.015, abs=0.002)


def test_cepheids_of_the_overtone_are_a_third_and_have_short_periods():
    draw = drawn("cepheid")
    is_overtone = draw.subclass == "1O"
    assert is_overtone.mean() == pytest.approx(0.35, abs=0.03)
    assert draw.period_day[is_overtone].max() <= 10**0.80 + 1e-9
    assert np.median(draw.period_day[is_overtone]) < np.median(draw.period_day[~is_overtone])


@pytest.mark.parametrize(("knots", "ratio", "phase"), [
    (F_LOG_PERIOD, F_RATIO, F_PHASE), (O_LOG_PERIOD, O_RATIO, O_PHASE), (T2_LOG_PERIOD, T2_RATIO, T2_PHASE),
])  # fmt: skip
def test_tables_of_shapes_are_met_at_their_knots(knots, ratio, phase):
    assert (np.diff(knots) > 0).all() and ratio.shape == phase.shape == (knots.size, ratio.shape[1])
    found = interpolate_harmonics(knots, knots, ratio, phase)
    assert np.allclose(np.abs(found), ratio) and np.allclose(np.angle(found) % (2 * np.pi), phase % (2 * np.pi))
    assert ((ratio > 0) & (ratio < 1)).all() and ((phase >= 0) & (phase < 2 * np.pi)).all()


@pytest.mark.parametrize(("kind", "low", "high", "share"), [
    ("BLHer", 1.0, 4.0, 0.45), ("WVir", 7.9, 20.0, 0.45), ("RVTau", 19.9, 35.0, 0.10),
])  # fmt: skip
def test_kinds_of_type_two_cepheids_have_their_periods_and_shares(kind, low, high, share):
    draw = drawn("type_two")
    period = draw.period_day[draw.subclass == kind]
    assert low <= period.min() and period.max() <= high
    assert period.size / N == pytest.approx(share, abs=0.03)


def test_type_two_cepheids_are_fainter_than_classical_ones_of_the_same_period():
    classical, old = drawn("cepheid"), drawn("type_two")
    near = [(draw.period_day > 8) & (draw.period_day < 12) for draw in (classical, old)]
    ratio = np.median(classical.luminosity_lsun[near[0]]) / np.median(old.luminosity_lsun[near[1]])
    assert ratio > 3  # more than 1.2 mag
    assert (old.is_halo == (old.feh_dex < -1.0)).all()


def test_delta_scuti_stars_follow_their_period_luminosity_relation():
    draw = drawn("delta_scuti")
    visual = SUN_MBOL_MAG - 2.5 * np.log10(draw.luminosity_lsun)
    residual = visual + 1.34 + 2.94 * np.log10(draw.period_day)
    assert abs(residual.mean()) < 0.015 and residual.std() == pytest.approx(0.15, abs=0.01)


def test_kinds_of_delta_scuti_stars_differ_in_amplitude_and_metals():
    draw = drawn("delta_scuti")
    amplitude = {kind: draw.scale[draw.subclass == kind, 0] for kind in ("HADS", "LADS", "SXPHE")}
    assert amplitude["LADS"].max() < 0.13 and np.median(amplitude["HADS"]) > 0.25
    assert np.median(draw.feh_dex[draw.subclass == "SXPHE"]) < -1.0 < np.median(draw.feh_dex[draw.subclass == "HADS"])
    assert (draw.is_halo == (draw.subclass == "SXPHE")).all()


def test_miras_are_cool_and_follow_the_relation_of_feast():
    draw = drawn("mira")
    residual = SUN_MBOL_MAG - 2.5 * np.log10(draw.luminosity_lsun) - 2.85 + 3.0 * np.log10(draw.period_day)
    assert abs(residual.mean()) < 0.015 and residual.std() == pytest.approx(0.20, abs=0.01)
    assert draw.teff_k.max() <= 3800 < SUN_TEFF_K


def test_semiregular_stars_are_smaller_and_less_regular_than_miras():
    draw = drawn("mira")
    regular = draw.subclass == "Mira"
    assert np.median(draw.scale[regular, 0]) > 2 * np.median(draw.scale[~regular, 0])
    assert draw.modulation[~regular].mean() > draw.modulation[regular].mean()
    assert draw.jitter[~regular].min() >= draw.jitter[regular].max() - 1e-12
    ratio = draw.clock2_day / draw.period_day
    assert ratio.min() >= 5 and ratio.max() <= 12  # long secondary periods
