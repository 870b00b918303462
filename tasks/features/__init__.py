"""Features of light curves: a registry of families, each a file of its own, and the one function that runs them all."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.column import Column
from tasks.features.colours import colour_columns, compute_colours
from tasks.features.feature import Curves, Feature, FeatureConfig, expand
from tasks.features.folded import FOLDED
from tasks.features.fourier import FOURIER
from tasks.features.harmonic_power import HARMONIC_POWER
from tasks.features.period import PERIOD
from tasks.features.photometry import PHOTOMETRY
from tasks.features.sequence import SEQUENCE
from tasks.features.shared import SHARED
from tasks.features.statistics import STATISTICS
from tasks.features.timescales import TIMESCALES
from tasks.features.walk import WALK
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.scan import compile_kernels

__all__ = [
    "FEATURES",
    "FEATURES_VERSION",
    "Feature",
    "FeatureConfig",
    "colour_columns",
    "compile_all",
    "compute_colours",
    "compute_features",
    "feature_columns",
]

FEATURES_VERSION = 2  # raise it when a feature changes its meaning: features are then computed anew
FEATURES: dict[str, Feature] = {
    feature.name: feature
    for feature in (
        PHOTOMETRY,
        STATISTICS,
        SEQUENCE,
        TIMESCALES,
        WALK,
        PERIOD,
        HARMONIC_POWER,
        FOURIER,
        FOLDED,
        SHARED,
    )
}


def feature_columns(bands: tuple[str, ...], config: FeatureConfig | None = None) -> tuple[Column, ...]:
    """The columns of `compute_features` for these bands, but for source_id, in its order."""
    return tuple(column for feature in in_order() for declared in feature.columns for column in expand(declared, bands))


def in_order() -> list[Feature]:
    """The registered features, each after those it needs; ValueError where that is impossible."""
    done: dict[str, Feature] = {}
    waiting = dict(FEATURES)
    while waiting:
        ready = [feature for feature in waiting.values() if set(feature.needs) <= set(done)]
        if not ready:
            raise ValueError(f"features: {', '.join(waiting)} need one another, or one that is not in FEATURES.")
        done |= {feature.name: feature for feature in ready}
        waiting = {name: feature for name, feature in waiting.items() if name not in done}
    return list(done.values())


def compute_features(batch: LightCurveBatch, config: FeatureConfig | None = None) -> pa.Table:
    """source_id (S,) int64 and every feature, null where undefined; one row per object of `batch`.

    Features are float32, but for the period: over many cycles a phase needs more digits. `batch` holds all epochs of
    an object, of all surveys together, in any order; those without a finite time or magnitude are ignored.
    """
    curves = Curves.of(batch, config or FeatureConfig())
    earlier: dict[str, dict[str, NDArray]] = {}
    columns: list[tuple[Column, NDArray]] = []
    for feature in in_order():
        needed = {name: values for need in feature.needs for name, values in earlier[need].items()}
        earlier[feature.name] = dict(feature.compute(curves, needed))
        columns += named_columns(feature, earlier[feature.name], batch)
    arrays = [pa.array(batch.source_id), *(nullable(values, column.type) for column, values in columns)]
    names = pa.schema([pa.field("source_id", pa.int64(), nullable=False), *(column.field() for column, _ in columns)])
    return pa.Table.from_arrays(arrays, schema=names)


def compile_all(config: FeatureConfig) -> None:
    """Compiles what is compiled, into the cache on disk, before many workers begin: each would do it for itself."""
    compile_kernels()  # of the scan: long series take another way
    n_band = max(1, len(config.groups))
    band = np.tile(np.arange(n_band), 40)
    time, noise = np.arange(band.size) * 0.37, np.random.default_rng(0).normal(size=band.size)
    one = np.zeros(band.size, np.int64)
    names = tuple(f"band {number}" for number in range(n_band))
    compute_features(LightCurveBatch.from_epochs(one, time, 15 + noise, one + 0.1, band, None, names), config)


def named_columns(feature: Feature, found: dict[str, NDArray], batch: LightCurveBatch) -> list[tuple[Column, NDArray]]:
    """The concrete columns of a feature with their (S,) values."""
    named: list[tuple[Column, NDArray]] = []
    for declared in feature.columns:
        concrete = expand(declared, batch.bands)
        values = np.asarray(found[declared.name]).reshape(len(batch), len(concrete))
        named += zip(concrete, values.T, strict=True)
    return named


def nullable(values: NDArray, kind: pa.DataType) -> pa.Array:
    """Array of type `kind` with null for every value that is not finite, or not within that type."""
    with np.errstate(over="ignore"):
        stored = values.astype(kind.to_pandas_dtype())
    return pa.array(stored, kind, mask=~np.isfinite(stored))
