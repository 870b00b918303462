"""Families written here against slow references, straight from their definitions in the papers."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from tasks.features.feature import Curves, FeatureConfig
from tasks.features.harmonic_power import FACTORS, compute_harmonic_power
from tasks.features.sequence import compute_sequence
from tasks.features.shared import alternation, compute_shared, minima_ratio
from tasks.features.timescales import compute_timescales
from tasks.features.walk import compute_walk, minus_log_likelihood
from tasks.lightcurves import LightCurveBatch


def random_walk(seed: int, n: int = 60, tau: float = 20.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time (day), magnitude and error of a damped random walk of 0.3 mag, drawn from its covariance."""
    rng = np.random.default_rng(seed)
    time, err = np.sort(rng.uniform(0, 500, n)), rng.uniform(0.01, 0.05, n).astype(np.float32)
    covariance = 0.09 * np.exp(-np.abs(time[:, None] - time) / tau)
    mag = 15 + np.linalg.cholesky(covariance + 1e-10 * np.eye(n)) @ rng.normal(size=n) + rng.normal(0, err)
    return time, mag.astype(np.float32), err


def curves_of(time, mag, err, **config) -> Curves:
    batch = LightCurveBatch.from_epochs(np.zeros(time.size), time, mag, err, np.zeros(time.size), None, ("g",))
    return Curves.of(batch, FeatureConfig(**config))


@pytest.fixture(params=range(4))
def curve(request):
    return random_walk(request.param)


def test_sequence(curve):
    mag = curve[1]
    found = {name: value[0, 0] for name, value in compute_sequence(curves_of(*curve), {}).items()}
    mag = mag.astype(float)
    residual, n = mag - mag.mean(), mag.size
    acf = np.array([np.sum(residual[lag:] * residual[: n - lag]) for lag in range(n)]) / np.sum(residual**2)
    assert found["autocorrelation_length_{band}"] == np.flatnonzero(acf < np.exp(-1))[0]
    beyond = np.abs(residual) > 2 * mag.std()
    assert found["con_{band}"] == pytest.approx(np.mean(beyond[:-2] & beyond[1:-1] & beyond[2:]))
    step = np.diff(mag[-30:])
    assert found["pair_slope_trend_{band}"] == pytest.approx((np.sum(step > 0) - np.sum(step <= 0)) / 30)
    low, high = np.percentile(mag, [3, 97])
    expected = np.median(mag[mag <= low]) + np.median(mag[mag >= high]) - 2 * np.median(mag)
    assert found["gskew_mag_{band}"] == pytest.approx(expected, abs=1e-9)


def test_con_counts_runs_of_three():
    mag = np.full(40, 15.0)
    mag[20:24] = 17.0  # four in a row are two triples
    found = compute_sequence(curves_of(np.arange(40.0), mag, np.full(40, 0.01)), {})
    assert found["con_{band}"][0, 0] == pytest.approx(2 / 38)


def exact_likelihood(time, y, noise, variance, tau):
    """-2 ln L of the Gaussian with the full covariance."""
    covariance = variance * np.exp(-np.abs(time[:, None] - time) / tau) + np.diag(noise)
    return np.linalg.slogdet(covariance)[1] + y @ np.linalg.solve(covariance, y)


@pytest.mark.parametrize(("variance", "tau"), [(0.09, 20.0), (0.3, 1.0), (0.01, 400.0)])
def test_the_filter_is_the_full_gaussian(curve, variance, tau):
    time, mag, err = (part.astype(float) for part in curve)
    y = mag - mag.mean()
    fast = minus_log_likelihood(time, y, err**2, np.array([variance, 2 * variance]), tau)[0]
    assert fast == pytest.approx(exact_likelihood(time, y, err**2, variance, tau), rel=1e-9)


def test_walk_is_the_most_likely_one(curve):
    time, mag, err = (part.astype(float) for part in curve)
    y, found = mag - mag.mean(), compute_walk(curves_of(*curve), {})
    sigma, tau, phi = (value[0, 0] for value in found.values())
    grid = [
        exact_likelihood(time, y, err**2, y.var() * 10**v, 10**t)
        for v in np.linspace(-2, 2, 41) for t in np.linspace(-1, np.log10(10 * np.ptp(time)), 41)
    ]  # fmt: skip
    assert exact_likelihood(time, y, err**2, sigma**2, tau) < min(grid) + 1e-3
    best = minimize_scalar(
        lambda p: exact_likelihood(time, y, err**2, y.var(), -1 / np.log(p)), bounds=(1e-4, 0.9999), method="bounded"
    )
    assert phi == pytest.approx(best.x, abs=2e-3)


def test_a_long_walk_gives_its_parameters():
    fits = [compute_walk(curves_of(*random_walk(seed, n=300, tau=10.0)), {}) for seed in range(10)]
    assert np.median([fit["drw_sigma_mag_{band}"] for fit in fits]) == pytest.approx(0.3, rel=0.15)
    assert np.median([fit["drw_tau_day_{band}"] for fit in fits]) == pytest.approx(10.0, rel=0.35)


def test_structure_function(curve):
    time, mag, err = (part.astype(float) for part in curve)
    i, j = np.triu_indices(time.size, k=1)
    lag, square = time[j] - time[i], (mag[i] - mag[j]) ** 2 - err[i] ** 2 - err[j] ** 2
    edges, x, y = 5 * 10 ** (0.1 * np.arange(27)), [], []
    for low, high in pairwise(edges):
        inside = (lag >= low) & (lag < high)
        if inside.any() and square[inside].mean() > 0 and (low + high) / 2 <= 0.5 * 365:
            x.append(np.log10((low + high) / 2 / 365))
            y.append(np.log10(square[inside].mean()) / 2)
    slope, level = np.polyfit(x, y, 1)
    found = compute_timescales(curves_of(*curve), {})
    assert found["sf_amplitude_mag_{band}"][0, 0] == pytest.approx(10**level, rel=1e-6)
    assert found["sf_gamma_{band}"][0, 0] == pytest.approx(slope, rel=1e-6)


def test_mexican_hat(curve):
    time, mag, err = (part.astype(float) for part in curve)
    flux = 10 ** (-0.4 * (mag - mag.mean()))
    noise = (err * 0.4 * np.log(10) * flux) ** 2
    power = []
    for timescale in (100, 10):
        sigma = timescale / (np.sqrt(2) * np.pi)
        kernels = [
            np.exp(-0.5 * ((time[:, None] - time) / width) ** 2) for width in (sigma / np.sqrt(2), sigma * np.sqrt(2))
        ]
        hat = kernels[0] / kernels[0].sum(axis=1)[:, None] - kernels[1] / kernels[1].sum(axis=1)[:, None]
        power.append(np.mean((hat @ flux) ** 2 - hat**2 @ noise))
    found = compute_timescales(curves_of(*curve), {})
    assert found["mhps_low_{band}"][0, 0] == pytest.approx(power[0], rel=1e-6)
    assert found["mhps_high_{band}"][0, 0] == pytest.approx(power[1], rel=1e-6)


def test_power_at_multiples_of_the_period(curve):
    time, mag, err = (part.astype(float) for part in curve)
    found = compute_harmonic_power(curves_of(*curve), {"period_day": np.array([7.3])})

    def power(period: float) -> float:
        weight = 1 / np.hypot(err, FeatureConfig().period.error_floor)
        design = np.column_stack(
            [np.ones(time.size), np.cos(2 * np.pi * time / period), np.sin(2 * np.pi * time / period)]
        )
        solution = np.linalg.lstsq(design * weight[:, None], mag * weight)[0]
        mean = np.average(mag, weights=weight**2)
        return 1 - np.sum((weight * (mag - design @ solution)) ** 2) / np.sum((weight * (mag - mean)) ** 2)

    for name, factor in FACTORS.items():
        assert found[f"power_ratio_{name}"][0] == pytest.approx(power(7.3 * factor) / power(7.3), rel=1e-3), name


def test_shared_series():
    """One set of harmonics for all bands, an offset each, by plain least squares."""
    rng = np.random.default_rng(3)
    n, period = 90, 0.83
    time, band, err = np.sort(rng.uniform(0, 60, n)), rng.integers(0, 3, n), rng.uniform(0.02, 0.1, n)
    angle = 2 * np.pi * time / period
    mag = 15 - 0.3 * band + 0.3 * np.cos(angle) + 0.1 * np.cos(2 * angle + 1) + rng.normal(0, err)
    batch = LightCurveBatch.from_epochs(np.zeros(n), time, mag, err, band, None, ("g", "r", "i"))
    config = FeatureConfig(groups=(0, 0, 1), surveys=("one", "other"))
    found = compute_shared(Curves.of(batch, config), {"period_day": np.array([period])})

    def expected(some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        k = np.arange(1, 5)
        weight = 1 / np.hypot(err[some].astype(np.float32), config.period.error_floor)
        offsets = (band[some][:, None] == np.unique(band[some])).astype(float)
        design = np.hstack([np.cos(np.outer(angle[some], k)), np.sin(np.outer(angle[some], k)), offsets])
        solution = np.linalg.lstsq(design * weight[:, None], mag[some].astype(np.float32) * weight)[0]
        amplitude, phase = np.hypot(solution[:4], solution[4:8]), np.arctan2(-solution[4:8], solution[:4])
        return amplitude, phase - k * phase[0]

    for suffix, some, column in (("", band >= 0, ()), ("_{survey}", band < 2, (0,)), ("_{survey}", band == 2, (1,))):
        amplitude, phase = expected(some)
        value = {name: found[f"shared_{name}{suffix}"][(0, *column)] for name in
                 ("amplitude_mag", "r21", "r31", "cos_phi21", "sin_phi31")}  # fmt: skip
        assert value["amplitude_mag"] == pytest.approx(amplitude[0], rel=1e-3)
        assert value["r21"] == pytest.approx(amplitude[1] / amplitude[0], rel=1e-3)
        assert value["r31"] == pytest.approx(amplitude[2] / amplitude[0], rel=5e-3)
        assert value["cos_phi21"] == pytest.approx(np.cos(phase[1]), abs=2e-3)
        assert value["sin_phi31"] == pytest.approx(np.sin(phase[2]), abs=2e-2)


def test_minima_of_a_known_curve():
    """Depths 0.8 and 0.4: their ratio, and how much the halves of the curve folded at 2P differ."""
    grid = np.arange(128) / 128
    curve = sum(depth * np.exp(-0.5 * ((grid - at) / 0.04) ** 2) for depth, at in ((0.8, 0.25), (0.4, 0.75)))
    assert minima_ratio(curve[None])[0] == pytest.approx(0.5, abs=0.01)
    assert alternation(curve[None])[0] == pytest.approx(0.5, abs=0.01)
    alike = sum(np.exp(-0.5 * ((grid - at) / 0.04) ** 2) for at in (0.25, 0.75))
    assert minima_ratio(alike[None])[0] == pytest.approx(1.0, abs=0.01)
    assert alternation(alike[None])[0] == pytest.approx(0.0, abs=0.01)
