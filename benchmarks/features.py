"""What do features cost? Prints microseconds per object of each family, and ratios to one-by-one numpy and astropy.

OMP_NUM_THREADS=1 python -m benchmarks.features [n_objects]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from astropy.timeseries import LombScargle

from tasks.features import FeatureConfig, compute_features, in_order
from tasks.features.feature import Curves
from tasks.lightcurves import LightCurveBatch, concatenate
from tasks.lightcurves.cuts import apply_cuts
from tasks.replica.sky import generate

SURVEYS = {"gaia": 0, "ps1": 1, "ztf": 2}
N_PEER = 40  # objects for the peers, which are slow


def sky_batch(n: int) -> tuple[LightCurveBatch, tuple[int, ...]]:
    """Clean light curves of n objects of the embedded sky, all surveys together, and the survey of each band."""
    epochs = generate(n, seed=1).epochs
    kept = concatenate([apply_cuts(epochs[survey])[0] for survey in SURVEYS])
    merged = kept.select(np.argsort(kept.source_id, kind="stable")).merged().sorted_by_time()
    groups = tuple(SURVEYS[name.split("_")[-1]] if "_" in name else 0 for name in merged.bands)
    return merged, groups


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
    """The statistics of tasks/features/statistics.py, but for Anderson-Darling, in plain numpy."""
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


def numpy_fourier(time_: np.ndarray, mag: np.ndarray, err: np.ndarray, period: float, n_harmonics: int = 6) -> object:
    """One weighted least-squares Fourier fit."""
    angle = 2 * np.pi * np.outer(time_ / period, np.arange(1, n_harmonics + 1))
    design = np.hstack([np.ones((mag.size, 1)), np.cos(angle), np.sin(angle)])
    return np.linalg.lstsq(design / err[:, None], mag / err, rcond=None)


def astropy_powers(curves: Curves, config: FeatureConfig) -> None:
    """astropy's fast Lomb-Scargle of every survey of every object, on the grid of our scan and without refinement."""
    for i in range(len(curves.batch)):
        one = curves.batch.select([i])
        for group in set(config.groups):
            part = one.keep(np.isin(one.band, np.flatnonzero(np.array(config.groups) == group))).sorted_by_time()
            if part.time.size < 10:
                continue
            step = 1 / (config.period.oversampling * np.ptp(part.time))
            LombScargle(part.time, part.mag, part.mag_err).power(
                np.arange(config.period.f_min, config.period.f_max, step), method="fast", assume_regular_frequency=True
            )


def main(n: int = 300) -> dict[str, float]:
    """Prints the costs and the ratios; returns microseconds of processor time per object of every family."""
    batch, groups = sky_batch(n)
    config = FeatureConfig(groups=groups)
    curves, few = Curves.of(batch, config), Curves.of(batch.select(slice(0, N_PEER)), config)
    compute_features(few.batch, config)  # imports and first allocations are not the features' cost
    found, cost = {}, {}
    print(f"{len(batch)} objects of the embedded sky, {batch.time.size / len(batch):.0f} epochs each, 11 bands")
    for feature in in_order():
        cost[feature.name] = seconds(lambda feature=feature: found.update(feature.compute(curves, found)))
        cost[feature.name] *= 1e6 / len(batch)
        print(f"{feature.name:12s} {cost[feature.name]:10,.0f} us per object")
    parts = slices(few)
    peers = {
        "statistics": seconds(lambda: [numpy_statistics(*part) for part in parts]),
        "fourier": seconds(lambda: [numpy_fourier(*part, 0.57) for part in parts]),
        "period": seconds(lambda: astropy_powers(few, config)),
    }
    for name, spent in peers.items():
        per_object = spent * 1e6 / len(few.batch)
        print(
            f"{name:12s} {per_object / cost[name]:6.1f} times faster than its one-by-one peer "
            f"({per_object:,.0f} us per object)"
        )
    return cost


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
