"""Every row of docs/alerce_features.md: our columns against slow definitions of theirs and of ours."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tasks.features import FeatureConfig, compute_features
from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.series import PeriodConfig
from tests.real_data import ROOT
from tests.unit.features.alerce import N_HARMONICS, THEIRS, Band, likelihood, series, weighted_mean

PAGE = (Path(__file__).parents[3] / "docs" / "alerce_features.md").read_text()
ROWS = {
    name: (re.findall(r"`([a-z0-9_]+)`", ours), relation)
    for name, ours, relation in re.findall(r"^\| ([\w/-]+) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    if name != "ALeRCE"
}
BANDS = ("g", "r")
FLOOR = FeatureConfig().period.error_floor
TRUE_PERIOD = 0.6437


@pytest.fixture(scope="module", params=range(3))
def star(request) -> tuple[dict[str, Band], dict[str, float]]:
    """A noisy pulsator in two bands, and its features."""
    rng = np.random.default_rng(request.param)
    n = 240
    time, band, err = np.sort(rng.uniform(0, 400, n)), rng.integers(0, 2, n), rng.uniform(0.02, 0.1, n)
    angle = 2 * np.pi * time / TRUE_PERIOD
    mag = 16 + 0.4 * band + 0.3 * np.cos(angle) + 0.15 * np.cos(2 * angle + 1) + 0.06 * np.cos(3 * angle + 2)
    mag += 0.1 * np.sin(time / 40) + rng.normal(0, err)
    batch = LightCurveBatch.from_epochs(np.zeros(n), time, mag, err, band, None, BANDS)
    found = compute_features(batch, FeatureConfig(period=PeriodConfig(f_max=6.0))).to_pylist()[0]
    batch = batch.sort_by_time()
    epochs = {
        name: Band(batch.time[batch.band == i], batch.mag[batch.band == i].astype(float),
                   batch.mag_err[batch.band == i].astype(float), found["period_day"])
        for i, name in enumerate(BANDS)
    }  # fmt: skip
    return epochs, found


def hat(b: Band, timescale: float) -> float:
    """Variance of the flux over its mean, filtered by a Mexican hat, above the noise (Arevalo et al. 2012)."""
    flux = 10 ** (-0.4 * (b.mag - b.mag.mean()))
    sigma = timescale / (np.sqrt(2) * np.pi)
    kernels = [np.exp(-0.5 * ((b.time[:, None] - b.time) / (sigma * factor)) ** 2) for factor in (0.5**0.5, 2**0.5)]
    difference = kernels[0] / kernels[0].sum(axis=1)[:, None] - kernels[1] / kernels[1].sum(axis=1)[:, None]
    return np.mean((difference @ flux) ** 2 - difference**2 @ (b.err * 0.4 * np.log(10) * flux) ** 2)


def ratio(b: Band) -> float:
    low, high = hat(b, 100), hat(b, 10)
    return low / high if low > 0 and high > 0 else np.nan


def best_iar(b: Band) -> float:
    phi = np.linspace(0.001, 0.999, 2000)
    return phi[np.argmin([likelihood(b, b.mag.var(), -1 / np.log(each), b.err**2) for each in phi])]


def closed_eta(b: Band) -> float:
    mag = b.folded(b.period)
    return np.sum((np.roll(mag, -1) - mag) ** 2) / np.sum(b.residual**2)


def cusum(mag: np.ndarray) -> float:
    return np.ptp(np.cumsum(mag - mag.mean())) / (mag.size * mag.std())


def hazen(b: Band) -> float:
    return np.subtract(*np.quantile(b.mag, [0.75, 0.25], method="hazen"))


def ours_of(b: Band) -> tuple[np.ndarray, np.ndarray]:
    """Amplitudes A_k and phases phi_k1 of the cosine series with + phi."""
    amplitude, phase, _ = series(b, N_HARMONICS, 1 / (b.err**2 + FLOOR**2))
    return amplitude, np.mod(phase[0] * np.arange(1, N_HARMONICS + 1) - phase, 2 * np.pi)


def scatter_ratio(b: Band) -> float:
    weight = 1 / (b.err**2 + FLOOR**2)
    residual = series(b, N_HARMONICS, weight)[2]
    return np.sqrt(np.sum(weight * residual**2) / np.sum(weight * (b.mag - np.average(b.mag, weights=weight)) ** 2))


def floored_mean(b: Band) -> float:
    return weighted_mean(b.mag, np.hypot(b.err, 0.05))


# What our column of a row that differs is, by its definition.
OURS: dict[str, Callable[[Band], float]] = {
    "amplitude_mag": lambda b: np.ptp(b.mag) / 2,
    "beyond_1_std": lambda b: np.mean(np.abs(b.residual) > b.mag.std(ddof=1)),
    "eta_e": lambda b: np.sum((np.diff(b.mag) / np.diff(b.time)) ** 2)
    * np.ptp(b.time) ** 2 / ((b.n - 1) ** 3 * b.mag.var(ddof=1)),
    "fourier_amplitude_mag": lambda b: ours_of(b)[0][0],
    **{f"fourier_a{k}_mag": lambda b, k=k: ours_of(b)[0][k - 1] for k in range(2, N_HARMONICS + 1)},
    **{f"phi{k}1_rad": lambda b, k=k: ours_of(b)[1][k - 1] for k in range(2, N_HARMONICS + 1)},
    "scatter_ratio": scatter_ratio,
    "folded_cusum": lambda b: cusum(b.folded(b.period)),
    "folded_eta": closed_eta,
    "iar_phi": best_iar,
    "mean_mag": floored_mean,
    "mhps_high": lambda b: hat(b, 10),
    "mhps_low": lambda b: hat(b, 100),
    "mhps_ratio": ratio,
    "range_25_75_mag": hazen,
    "reduced_chi2": lambda b: np.sum(((b.mag - weighted_mean(b.mag, b.err)) / b.err) ** 2) / (b.n - 1),
    "within_tenth": lambda b: np.mean(np.abs(b.mag - np.median(b.mag)) < np.ptp(b.mag) / 20),
}  # fmt: skip
TOLERANCE = {"IAR_phi": {"abs": 2e-3}, "GP_DRW_sigma": {"rel": 0.02}, "GP_DRW_tau": {"rel": 0.03}}


def per_band(star, name: str) -> list[tuple[Band, float]]:
    epochs, found = star
    return [(epochs[band], found[f"{name}_{band}"]) for band in BANDS]


ONE_BAND = [name for name in THEIRS if name in ROWS]


@pytest.mark.parametrize("name", ONE_BAND)
def test_row_of_one_band(star, name):
    columns, relation = ROWS[name]
    for b, ours in per_band(star, columns[0]):
        theirs, close = THEIRS[name](b), TOLERANCE.get(name, {"rel": 1e-4, "abs": 1e-7})
        if relation == "same":
            assert ours == pytest.approx(theirs, **close)
        elif relation.startswith("`"):
            known = {columns[0]: ours, "n": b.n, "mean": b.mag.mean(), "median": np.median(b.mag)}
            formula = relation.strip("`")
            others = {c: star[1][f"{c}_{band}"] for c in re.findall(r"[a-z_0-9]+_mag", formula)
                      for band in BANDS if star[0][band] is b}  # fmt: skip
            value = eval(formula, {"__builtins__": {}}, known | others | {"exp": np.exp, "sqrt": np.sqrt})
            assert value == pytest.approx(theirs, **close)
        else:
            assert relation.startswith("differs: ")
            assert ours == pytest.approx(OURS[columns[0]](b), **close)


@pytest.mark.parametrize("name", [name for name in ONE_BAND if ROWS[name][1].startswith("differs")])
def test_what_differs_does_differ(name):
    """A row is `same` where it can be: on skewed magnitudes with uneven errors the two definitions part."""
    rng = np.random.default_rng(5)
    b = Band(np.sort(rng.uniform(0, 90, 41)), 15 + rng.gamma(1.0, 0.3, 41), rng.uniform(0.01, 0.3, 41), 1.3)
    assert OURS[ROWS[name][0][0]](b) != pytest.approx(THEIRS[name](b), rel=1e-3)


@pytest.mark.parametrize("name", ["MHPS_high", "MHPS_low", "MHPS_ratio"])
def test_hat_powers_are_as_defined(star, name):
    for b, ours in per_band(star, ROWS[name][0][0]):
        expected = OURS[ROWS[name][0][0]](b)
        assert (ours is None and np.isnan(expected)) or ours == pytest.approx(expected, rel=1e-4, abs=1e-9)


def test_rows_of_the_whole_star(star):
    epochs, found = star
    assert found[ROWS["Multiband_period"][0][0]] == pytest.approx(TRUE_PERIOD, rel=1e-3)
    assert found["period_log_fap"] < -10
    assert 0.5 < found["period_prob"] <= 1
    first, last = (pick(pick(b.time) for b in epochs.values()) for pick in (min, max))
    assert found[ROWS["Timespan"][0][0]] == pytest.approx(last - first)
    grid = np.linspace(0, 1, 2000)
    curves = []
    for b in epochs.values():
        angle = 2 * np.pi * np.outer(b.time / b.period, np.arange(N_HARMONICS + 1))
        weight = np.sqrt(1 / (b.err**2 + FLOOR**2))[:, None]
        design = np.hstack([np.cos(angle), np.sin(angle[:, 1:])])
        solution = np.linalg.lstsq(design * weight, b.mag * weight[:, 0])[0]
        angle = 2 * np.pi * np.outer(grid, np.arange(N_HARMONICS + 1))
        curves.append(np.hstack([np.cos(angle), np.sin(angle[:, 1:])]) @ solution)
    bright = np.argmin(curves[0])
    assert found["bright_colour_mag_g_r"] == pytest.approx(curves[0][bright] - curves[1][bright], abs=5e-3)
    assert found["colour_mag_g_r"] == pytest.approx(floored_mean(epochs["g"]) - floored_mean(epochs["r"]), abs=1e-4)


FACTORS = {"1/4": 1 / 4, "1/3": 1 / 3, "1/2": 1 / 2, "2": 2, "3": 3, "4": 4}


@pytest.mark.parametrize("factor", FACTORS)
def test_power_rates(star, factor):
    epochs, found = star

    def power(period: float) -> float:
        left = total = 0.0
        for b in epochs.values():
            weight = 1 / (b.err**2 + FLOOR**2)
            residual = series(Band(b.time, b.mag, b.err, period), 1, weight)[2]
            left += np.sum(weight * residual**2)
            total += np.sum(weight * (b.mag - np.average(b.mag, weights=weight)) ** 2)
        return 1 - left / total

    ours = found[ROWS[f"Power_rate_{factor}"][0][0]]
    period = found["period_day"]
    assert ours == pytest.approx(power(period * FACTORS[factor]) / power(period), rel=1e-3, abs=1e-5)


def test_every_column_named_is_one_of_ours(star):
    for name, (columns, relation) in ROWS.items():
        assert bool(columns) != relation.startswith("not made: "), name
        for column in columns:
            assert column in star[1] or f"{column}_g" in star[1], f"{name}: {column}"


def test_no_feature_of_theirs_is_missing():
    """Against the names in their own sample of features, bands left out."""
    sample = ROOT / "alerce_ztf" / "features_sample.parquet"
    if not sample.exists():
        pytest.skip(f"no sample of ALeRCE's features {sample}: set ARGELANDER_DATA to the folder of the real sets")
    theirs = {re.sub(r"(?<!Power_rate)_[12]$", "", name) for name in pq.read_schema(sample).names} - {"oid"}
    unmade = re.findall(r"`([^`]+)`", PAGE.split("Not made, for want of data")[1])
    pattern = re.compile("|".join(re.escape(name).replace(r"\*", ".*") for name in unmade))
    colours = {"W1-W2", "W2-W3", "W2", "W3"}  # of "W1 to W4 and their colours"
    missing = {name for name in theirs if name not in ROWS and not pattern.fullmatch(name)} - colours
    renamed = {"MHAOV_Period": "Multiband_period"}  # the period in one band
    assert {name for name in missing if renamed.get(name) not in ROWS} == set()
