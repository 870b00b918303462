"""Features of light curves: a registry of families, each a file of its own, and the one function that runs them all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from importlib import import_module
from itertools import combinations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.column import Column
from tasks.features.colours import DECLARED, DECLARED_BESIDE, colour_columns, colour_definitions, compute_colours
from tasks.features.feature import PERIOD_DAY, Arrays, Curves, Feature, FeatureConfig, expand
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.scan import compile_kernels

__all__ = [
    "FEATURES",
    "INPUTS",
    "Feature",
    "FeatureConfig",
    "chosen_period_columns",
    "colour_columns",
    "colour_definitions",
    "compile_all",
    "compute_colours",
    "compute_features",
    "declared_columns",
    "definitions",
    "feature_columns",
    "inputs_of",
    "keep_independent",
    "list_outdated",
    "order_features",
    "select_features",
]

# Modules of this folder, each with the family of its name, in the order of their columns.
FAMILIES = (
    "photometry",
    "statistics",
    "sequence",
    "timescales",
    "walk",
    "period",
    "harmonic_power",
    "fourier",
    "folded",
    "shared",
    "metallicity",
    "prewhitened",
    "gaia",
    "reddening",
    "vetted",
)
FEATURES: dict[str, Feature] = {name: getattr(import_module(f"{__name__}.{name}"), name.upper()) for name in FAMILIES}

INPUTS = tuple(sorted({name for feature in FEATURES.values() for name in feature.inputs}))  # beside the light curve


def feature_columns(
    bands: tuple[str, ...], config: FeatureConfig | None = None, families: Collection[str] | None = None
) -> tuple[Column, ...]:
    """The columns of `compute_features` for these bands, but for source_id, in its order; `families`: only of these."""
    config = config or FeatureConfig()
    return tuple(
        column
        for feature in select_features(config)
        if families is None or feature.name in families
        for declared in feature.columns
        for column in expand(declared, bands, config.surveys)
    )


def declared_columns(bands: tuple[str, ...], surveys: tuple[str, ...] = ()) -> dict[str, Column]:
    """For each column that a dataset of these bands can have, the declared one that it stands for.

    So colour_mag_g_r leads to colour_mag_{pair}; both `compute_features` and `compute_colours` are covered.
    """
    pairs = list(combinations(range(len(bands)), 2))
    found: dict[str, Column] = {}
    of_curves = (column for feature in FEATURES.values() for column in feature.columns)
    for declared in (*DECLARED, *DECLARED_BESIDE, *of_curves):
        found |= dict.fromkeys((column.name for column in expand(declared, bands, surveys, pairs)), declared)
    return found


def chosen_period_columns() -> tuple[Column, ...]:
    """The declared columns that would have another value if another candidate were the period."""
    return tuple(
        column
        for feature in FEATURES.values()
        for column in feature.columns
        if PERIOD_DAY.name in feature.needs or column.name in feature.of_period
    )


def keep_independent(names: Iterable[str], declared: Mapping[str, Column], sources: Collection[str]) -> tuple[str, ...]:
    """Of the columns `names`, those that were computed with none of the `sources` of the labels ("table.column").

    `declared` is that of `declared_columns`; a column that it lacks is left out, because its sources are unknown.
    """
    return tuple(name for name in names if name in declared and not declared[name].shares_source(sources))


def inputs_of(names: Iterable[str], declared: Mapping[str, Column]) -> tuple[str, ...]:
    """The values of catalogues that the columns `names` are computed with, by their names in a dataset's inputs."""
    paths = {path for name in names if name in declared for path in declared[name].derived_from}
    return tuple(sorted({path.rsplit(".", 1)[-1] for path in paths} & set(INPUTS)))


def order_features() -> list[Feature]:
    """The registered features, each after those whose columns it needs; ValueError where that is impossible."""
    done: dict[str, Feature] = {}
    waiting = dict(FEATURES)
    while waiting:
        known = {column.name for feature in done.values() for column in feature.columns}
        ready = [feature for feature in waiting.values() if set(feature.needs) <= known]
        if not ready:
            raise ValueError(f"features: {', '.join(waiting)} need columns of one another, or of none in FEATURES.")
        done |= {feature.name: feature for feature in ready}
        waiting = {name: feature for name, feature in waiting.items() if name not in done}
    return list(done.values())


def select_features(config: FeatureConfig) -> list[Feature]:
    """The features, in order, whose inputs the dataset has and whose setting is on."""
    return [
        feature
        for feature in order_features()
        if set(feature.inputs) <= set(config.inputs) and (not feature.setting or getattr(config, feature.setting))
    ]


def definitions(config: FeatureConfig) -> str:
    """What a row of features is made of: every family and the version of its definition."""
    return " ".join(sorted(f"{feature.name}:{feature.version}" for feature in select_features(config)))


def list_outdated(stored: str, config: FeatureConfig) -> tuple[str, ...]:
    """The families to compute again in a row of definitions `stored`: new, changed, and those that need one of them."""
    known, changed, columns = set(stored.split()), [], set[str]()
    for feature in select_features(config):
        if f"{feature.name}:{feature.version}" not in known or columns & set(feature.needs):
            changed.append(feature.name)
            columns |= {column.name for column in feature.columns}
    return tuple(changed)


def compute_features(
    batch: LightCurveBatch,
    config: FeatureConfig | None = None,
    objects: Arrays | None = None,
    families: Collection[str] | None = None,
    known: Arrays | None = None,
) -> pa.Table:
    """source_id (S,) int64 and every feature, null where undefined; one row per object of `batch`.

    Features are float32, but for the period: over many cycles a phase needs more digits. `batch` holds all epochs of
    an object, of all surveys together, in any order; those without a finite time or magnitude are ignored. `objects`:
    the inputs that `config` names, (S,) each, NaN where unknown. `families`: only these; what they need of others is
    then in `known`, (S,) each, NaN where null.
    """
    curves = Curves.of(batch, config or FeatureConfig(), objects)
    found: dict[str, NDArray] = dict(known or {})
    columns: list[tuple[Column, NDArray]] = []
    for feature in select_features(curves.config):
        if families is None or feature.name in families:
            values = feature.compute(curves, {name: found[name] for name in feature.needs})
            found |= values
            columns += name_columns(feature, values, curves)
    arrays = [pa.array(batch.source_id), *(to_nullable(values, column.type) for column, values in columns)]
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


def name_columns(feature: Feature, found: Arrays, curves: Curves) -> list[tuple[Column, NDArray]]:
    """The concrete columns of a feature with their (S,) values."""
    named: list[tuple[Column, NDArray]] = []
    for declared in feature.columns:
        concrete = expand(declared, curves.batch.bands, curves.config.surveys)
        values = np.asarray(found[declared.name]).reshape(len(curves.batch), len(concrete))
        named += zip(concrete, values.T, strict=True)
    return named


def to_nullable(values: NDArray, kind: pa.DataType) -> pa.Array:
    """Array of type `kind` with null for every value that is not finite, or not within that type."""
    with np.errstate(over="ignore"):
        stored = values.astype(kind.to_pandas_dtype())
    return pa.array(stored, kind, mask=~np.isfinite(stored))
