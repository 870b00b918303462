"""Why features are null: counts for each column, by the first reason that holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.features.feature import Feature, FeatureConfig, bands_of, expand

NO_EPOCH = "no epoch in the band"
FEW = "too few epochs in the band"
NO_ERROR = "an epoch of the band without a quoted error"
NO_INPUT = "the archives do not say it, or not well enough"  # such as a parallax of 2 sigma
FEW_FOR_PERIOD = "fewer epochs than a period needs"
PHASES = "times are phases"
NO_PERIOD = "no period"
UNDEFINED = "not defined for these epochs"


def null_reasons(
    rows: pa.Table, features: list[Feature], bands: tuple[str, ...], config: FeatureConfig
) -> Counter[tuple[str, str]]:
    """How many of `rows`, features as they are stored, are null in each column for each reason: {(column, reason): n}.

    A column of a pair of bands is null where one of them explains it. All reasons follow from the rows themselves.
    """
    epochs = _Epochs.of(rows, bands, config)
    counts: Counter[tuple[str, str]] = Counter()
    for feature, declared in [(each, column) for each in features for column in each.columns]:
        concrete = expand(declared, bands, config.surveys)
        for column, own in zip(concrete, bands_of(declared.name, len(concrete), bands), strict=True):
            unexplained = np.asarray(rows[column.name].is_null())
            for reason, holds in epochs.reasons(feature, declared.name, own):
                counts[column.name, reason] += int(np.count_nonzero(unexplained & holds))
                unexplained = unexplained & ~holds
    return +counts


@dataclass(frozen=True, eq=False)
class _Epochs:
    """Epochs of each row in each band, and those with an error, (S,B); which rows have no period, (S,)."""

    n_epoch: NDArray
    n_error: NDArray
    no_period: NDArray[np.bool_]
    config: FeatureConfig

    @classmethod
    def of(cls, rows: pa.Table, bands: tuple[str, ...], config: FeatureConfig) -> _Epochs:
        n_epoch, n_error = (
            np.stack([rows[f"{name}_{band}"].to_numpy() for band in bands], axis=1) for name in ("n_epoch", "n_error")
        )
        return cls(n_epoch, n_error, ~np.isfinite(rows["period_day"].to_numpy()) & config.has_time, config)

    def reasons(self, feature: Feature, name: str, own: list[int]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Each reason that the column `name` of the bands `own` may have, and where it holds, (S,), in their order."""
        every = np.ones(len(self.n_epoch), bool)
        if own:
            yield NO_EPOCH, np.any(self.n_epoch[:, own] == 0, axis=1)
            yield FEW, np.any(self.n_epoch[:, own] < self.config.min_epoch, axis=1)
            if name in feature.of_errors:
                yield NO_ERROR, np.any(self.n_error[:, own] < self.n_epoch[:, own], axis=1)
        if feature.inputs:
            yield NO_INPUT, every
        elif not own:
            yield NO_EPOCH, self.n_epoch.sum(axis=1) == 0
        if feature.needs or feature.name == "period":
            yield FEW_FOR_PERIOD, (self.n_epoch.sum(axis=1) < self.config.period.min_epoch) & self.no_period
        if feature.needs:
            yield NO_PERIOD, self.no_period
        if name in feature.of_times:
            yield PHASES, every & (not self.config.has_time)
        yield UNDEFINED, every
