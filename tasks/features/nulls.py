"""Why features are null: counts for each column, by the first reason that holds."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.features.feature import Feature, FeatureConfig, band_pairs, expand

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

    A column of a pair of bands is null where one of them explains it. All reasons are read off the rows themselves.
    """
    n_epoch, n_error = (
        np.stack([rows[f"{name}_{band}"].to_numpy() for band in bands], axis=1) for name in ("n_epoch", "n_error")
    )
    is_folded = np.full(rows.num_rows, not config.has_time)
    few = n_epoch.sum(axis=1) < config.period.min_epoch
    no_period = ~np.isfinite(rows["period_day"].to_numpy()) & config.has_time
    counts: Counter[tuple[str, str]] = Counter()
    for feature, declared in [(each, column) for each in features for column in each.columns]:
        concrete = expand(declared, bands, config.surveys)
        for column, own in zip(concrete, _bands_of(declared.name, len(concrete), bands), strict=True):
            left = np.asarray(rows[column.name].is_null())
            reasons: list[tuple[str, NDArray]] = []
            if own:
                reasons += [
                    (NO_EPOCH, np.any(n_epoch[:, own] == 0, axis=1)),
                    (FEW, np.any(n_epoch[:, own] < config.min_epoch, axis=1)),
                ]
                if declared.name in feature.of_errors:
                    reasons.append((NO_ERROR, np.any(n_error[:, own] < n_epoch[:, own], axis=1)))
            elif not feature.inputs:
                reasons.append((NO_EPOCH, n_epoch.sum(axis=1) == 0))
            if feature.inputs:
                reasons.append((NO_INPUT, left))
            if feature.needs or feature.name == "period":
                reasons.append((FEW_FOR_PERIOD, few & no_period))
            if feature.needs:
                reasons.append((NO_PERIOD, no_period))
            for reason, holds in [*reasons, (PHASES, is_folded), (UNDEFINED, left)]:
                counts[column.name, reason] += int(np.count_nonzero(left & holds))
                left = left & ~holds
    return +counts


def _bands_of(name: str, n: int, bands: tuple[str, ...]) -> list[list[int]]:
    """The bands that each concrete column of a declared one is about; none where it is about all together."""
    if "{pair}" in name:
        return [list(pair) for pair in band_pairs(bands)]
    return [[band] for band in range(n)] if "{band}" in name else [[]] * n
