"""How surveys measure: errors, limits, flags and outliers of single epochs."""

import numpy as np
import pytest

from tasks.sky.constants import BANDS, FLAGS, SURVEYS
from tasks.sky.noise import BRIGHT_MAG, FAINT_MAG, FLAG_BITS, FLAG_RATE, FLOOR, NOISE, observe, true_error

N = 200_000


def measured(mag: float, band: str, n: int = N, seed: int = 2):
    rng = np.random.default_rng(seed)
    return observe(rng, np.full(n, mag, np.float32), np.full(n, BANDS.index(band), np.int8))


def test_every_band_has_its_noise_and_limits_in_order():
    assert tuple(NOISE) == BANDS
    assert (BRIGHT_MAG < FAINT_MAG).all() and (FLOOR > 0).all()


@pytest.mark.parametrize("band", BANDS)
def test_bright_stars_are_measured_to_the_floor_and_faint_ones_to_a_fifth(band):
    code = np.array([BANDS.index(band)], np.int8)
    bright, faint = (true_error(limit[code], code)[0] for limit in (BRIGHT_MAG, FAINT_MAG))
    assert bright == pytest.approx(FLOOR[code[0]], rel=0.1)
    assert 0.05 < faint < 0.5


def test_the_background_rules_at_the_faint_end_and_photons_before():
    """Errors grow by 10^0.2 a magnitude where photons rule, and by 10^0.4 where the background does."""
    mag, code = np.array([15.0, 16.0, 23.0, 24.0], np.float32), np.zeros(4, np.int8)
    error = np.sqrt(true_error(mag, code).astype(float) ** 2 - float(FLOOR[0]) ** 2)
    assert error[1] / error[0] == pytest.approx(10**0.2, rel=0.03)
    assert error[3] / error[2] == pytest.approx(10**0.4, rel=0.08)


@pytest.mark.parametrize(("band", "mag"), [("G", 16.0), ("BP", 18.0), ("r_ps1", 18.0), ("g_ztf", 17.0)])
def test_scatter_is_the_true_error_and_the_quoted_one_is_too_small(band, mag):
    value, quoted, flags, _ = measured(mag, band)
    error = true_error(np.array([mag], np.float32), np.array([BANDS.index(band)], np.int8))[0]
    good = flags == 0
    assert 1.4826 * np.median(np.abs(value[good] - mag)) == pytest.approx(error, rel=0.02)
    assert np.median(quoted) == pytest.approx(0.95 * error, rel=0.01)
    assert quoted.min() > 0.6 * error


def test_magnitudes_are_not_biased():
    value, _, flags, _ = measured(17.0, "g_ztf")
    assert abs(np.median(value[flags == 0]) - 17.0) < 1e-3


def test_flags_come_at_their_rate_and_in_their_kinds():
    *_, flags, _ = measured(17.0, "g_ztf")
    assert np.mean(flags != 0) == pytest.approx(FLAG_RATE, rel=0.05)
    share = {name: np.mean(flags[flags != 0] == bit) for name, bit in FLAGS.items()}
    assert share["BAD_QUALITY"] == pytest.approx(0.4, abs=0.03)
    for name in ("SATURATED", "BLENDED", "MOONLIGHT"):
        assert share[name] == pytest.approx(0.2, abs=0.03)
    assert set(FLAG_BITS) == set(FLAGS.values())


def test_some_flagged_epochs_are_bad_and_some_bad_epochs_are_not_flagged():
    value, _, flags, _ = measured(15.0, "G")
    is_off = np.abs(value - 15.0) > 0.09
    assert np.mean(is_off[flags != 0]) == pytest.approx(0.4, abs=0.03)
    assert np.mean(is_off[flags == 0]) == pytest.approx(0.004, rel=0.2)
    assert np.abs(value - 15.0).max() < 1.05


def test_flagged_bits_are_different_bits():
    assert len(set(FLAGS.values())) == len(FLAGS)
    assert all(bit & (bit - 1) == 0 for bit in FLAGS.values())  # each a power of two


@pytest.mark.parametrize("survey", SURVEYS)
def test_stars_beyond_the_limits_are_not_detected(survey):
    for band in SURVEYS[survey]:
        code = BANDS.index(band)
        limits = (BRIGHT_MAG[code] - 0.5, FAINT_MAG[code] - 3, FAINT_MAG[code], FAINT_MAG[code] + 1)
        bright, seen, at_limit, faint = (measured(float(mag), band, 4000)[3].mean() for mag in limits)
        assert bright == 0 and seen > 0.99 and at_limit == pytest.approx(0.5, abs=0.04), band
        assert faint < 0.75 * at_limit, band


def test_at_the_faint_limit_those_scattered_brighter_are_detected():
    code = BANDS.index("g_ztf")
    value, _, _, detected = measured(float(FAINT_MAG[code]), "g_ztf")
    assert detected.mean() == pytest.approx(0.5, abs=0.01)
    assert value[detected].max() < FAINT_MAG[code] <= value[~detected].min()


def test_noise_is_a_function_of_its_generator():
    one, same, other = measured(17.0, "G", 100), measured(17.0, "G", 100), measured(17.0, "G", 100, seed=3)
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])
