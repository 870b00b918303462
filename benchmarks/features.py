"""What do features cost? Microseconds per Gaia-like star of each family, and stars per second from file to file.

    argelander bench features [stars, default 1000]

Stars of 3 bands with 36 epochs each and a grid of 50,000 frequencies. End to end: light curves read from the lake, cut,
all features computed, rows written. Once with the first period alone, once more for stars whose 108 epochs are spread
over 9 sparse bands, which share a phase, with a second period. Beside it NumPy, one star and band after the other, for
the statistics and the Fourier series. Processor time of one core, the least of several runs.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.stage import DATASET, fill, stars
from lakehouse.delta.staging import stage_rows
from lakehouse.delta.store import Lake
from lakehouse.run import Run
from schemas import TABLES
from tasks.features import FeatureConfig, compile_all, compute_features, feature_columns, select_features
from tasks.features.feature import Curves
from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.cuts import apply_cuts
from tasks.stages.inputs import read_light_curves
from tasks.surveys.cuts import CutConfig

ROUNDS = 3
TARGETS = {"statistics": 80.0, "all but the period": 500.0, "one period": 400.0, "sparse, two periods": 120.0}


def seconds(work: Callable[[], object]) -> float:
    """Processor time of `work`."""
    began = time.process_time()
    work()
    return time.process_time() - began


def slices(curves: Curves) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Time, magnitude and error of every object-band pair with at least ten epochs, float64."""
    b, edges = curves.batch, curves.band_offsets
    return [
        (b.time[i:j], b.mag[i:j].astype(float), b.mag_err[i:j].astype(float)) for i, j in pairwise(edges) if j - i >= 10
    ]


def numpy_statistics(time_: np.ndarray, mag: np.ndarray, err: np.ndarray) -> list[float]:
    """The statistics of tasks/features/statistics.py, but for Anderson-Darling, in plain NumPy."""
    n, mean, std, median = mag.size, mag.mean(), mag.std(ddof=1), np.median(mag)
    q = np.quantile(mag, [0.02, 0.05, 0.1, 0.2, 0.25, 0.4, 0.6, 0.75, 0.8, 0.9, 0.95, 0.98])
    z, step = (mag - mean) / std, np.diff(mag)
    weighted = np.average(mag, weights=err**-2)
    slope, level = np.polyfit(time_, mag, 1)
    running = np.cumsum(mag - mean) / (n * std)
    residual = (mag - weighted) / err
    return [
        np.ptp(mag) / 2,
        np.mean(np.abs(mag - weighted) > std),
        np.mean(np.abs(mag - weighted) > 2 * std),
        np.ptp(running),
        np.sum(step**2) / std**2,
        np.sum((step / np.diff(time_)) ** 2),
        (std**2 - np.mean(err**2)) / mean**2,
        q[-1] - q[0],
        q[-3] - q[2],
        q[7] - q[4],
        np.mean(z**4) - 3,
        slope,
        np.std(mag - slope * time_ - level),
        (q[6] - q[5]) / (q[-2] - q[1]),
        (q[8] - q[3]) / (q[-3] - q[2]),
        np.max(np.abs(step / np.diff(time_))),
        np.median(np.abs(mag - median)),
        np.mean(np.abs(mag - median) < 0.1 * np.ptp(mag)),
        np.max(np.abs(mag - median)),
        np.sum(residual**2) / (n - 1),
        np.mean(np.abs(mag - median) / err),
        np.mean(z**3),
        std,
        np.mean(np.abs(residual)) / np.sqrt(np.mean(residual**2)),
    ]


def numpy_fourier(time_: np.ndarray, mag: np.ndarray, err: np.ndarray, period: float, n_harmonics: int = 7) -> object:
    """One weighted least-squares Fourier fit."""
    angle = 2 * np.pi * np.outer(time_ / period, np.arange(1, n_harmonics + 1))
    design = np.hstack([np.ones((mag.size, 1)), np.cos(angle), np.sin(angle)])
    return np.linalg.lstsq(design / err[:, None], mag / err, rcond=None)


def least(work: Callable[[], object]) -> float:
    """The least processor time of several runs."""
    return min(seconds(work) for _ in range(ROUNDS))


def families(batch: LightCurveBatch, config: FeatureConfig) -> dict[str, float]:
    """Microseconds per star of every family, each given what it needs."""
    curves, found, cost = Curves.of(batch, config), {}, {}
    for feature in select_features(config):
        needed = {name: found[name] for name in feature.needs}
        cost[feature.name] = least(lambda feature=feature, needed=needed: found.update(feature.compute(curves, needed)))
    return {name: spent * 1e6 / len(batch) for name, spent in cost.items()}


def sparse(batch: LightCurveBatch) -> LightCurveBatch:
    """The same epochs, spread over three times as many bands."""
    names = tuple(f"{band}{k}" for band in batch.bands for k in range(3))
    transit = np.arange(batch.time.size) // len(batch.bands)
    return replace(batch, band=batch.band * 3 + transit % 3, bands=names)


def end_to_end(run: Run, batch: LightCurveBatch, config: FeatureConfig) -> float:
    """Stars per second of one core: as many light curves read, those of `batch` cut and computed, rows written."""
    columns, n = feature_columns(batch.bands, config), len(batch)

    def work() -> None:
        read_light_curves(run, batch.source_id)
        kept = apply_cuts(batch, CutConfig(has_error=True))[0]
        features = compute_features(kept, config)
        same = {"dataset": [DATASET] * n, "tile": np.zeros(n, np.int32), "input_hash": batch.source_id,
                "curve_hash": batch.source_id, "definitions": [""] * n}  # fmt: skip
        for name, values in same.items():
            features = features.append_column(name, [values])
        stage_rows(run.lake, TABLES["feature_sample__source"].bind(columns), features, "bench", 0)

    return n / least(work)


def main(n: int = 1000) -> dict[str, float]:
    """Prints the costs, rates and ratios; returns what has a target."""
    config = FeatureConfig(groups=(0, 0, 0))
    compile_all(config)
    batch = next(stars(n))
    cost = families(batch, config)
    for name, spent in cost.items():
        print(f"{name:16s} {spent:8,.0f} us per star")
    cost["all but the period"] = sum(cost.values()) - cost["period"]
    parts = slices(Curves.of(batch.select(slice(0, 40)), config))
    for name, peer in (("statistics", lambda: [numpy_statistics(*part) for part in parts]),
                       ("fourier", lambda: [numpy_fourier(*part, 0.57) for part in parts])):  # fmt: skip
        print(f"{name:16s} {least(peer) * 1e6 / 40 / cost[name]:8.1f} times faster than NumPy one by one")
    wide = replace(config, groups=(0,) * 9, second_period=True)
    with tempfile.TemporaryDirectory() as folder:
        fill(Lake(Path(folder), create=True), n)
        run = Run("r", folder, DATASET, "")
        cost["one period"] = end_to_end(run, batch, config)
        cost["sparse, two periods"] = end_to_end(run, sparse(batch), wide)
    for name, target in TARGETS.items():
        unit = "stars/s/core, at least" if target in (400.0, 120.0) else "us per star, at most"
        print(f"{name:20s} {cost[name]:8,.0f} {unit} {target:,.0f}")
    return {name: cost[name] for name in TARGETS}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
