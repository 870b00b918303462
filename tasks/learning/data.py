"""The inputs of a model: feature columns and light curves, row by row for the same objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from tasks.learning.inputs.matrix import feature_matrix
from tasks.lightcurves import LightCurveBatch


@dataclass(frozen=True, eq=False)
class Examples:
    """S objects: source_id (S,) int64, features (S, F) float32 with NaN where missing, and their light curves.

    `batch` is None where there are none; otherwise its source_id is this source_id, in the same order.
    `period_day` (S,) are the published periods of objects that train, NaN where there is none; None of objects to
    predict.
    """

    source_id: NDArray[np.int64]
    features: NDArray[np.float32]
    feature_names: tuple[str, ...]
    batch: LightCurveBatch | None = None
    period_day: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "source_id", np.asarray(self.source_id, np.int64))
        features = np.asarray(self.features, np.float32)
        object.__setattr__(self, "features", np.where(np.isinf(features), np.float32(np.nan), features))
        object.__setattr__(self, "feature_names", tuple(self.feature_names))
        expected = (self.source_id.size, len(self.feature_names))
        if self.features.shape != expected:
            raise ValueError(
                f"Examples: features have shape {self.features.shape}, but the ids and names give {expected}."
            )
        if self.batch is not None and not np.array_equal(self.batch.source_id, self.source_id):
            raise ValueError(
                f"Examples: the {len(self.batch)} light curves are not those of the {len(self)} "
                "source_ids in the same order; select the batch by the feature rows first."
            )

    def __len__(self) -> int:
        return self.source_id.size

    def select(self, index: ArrayLike) -> Examples:
        """The objects at `index`: integers in any order, or an (S,) mask."""
        index = np.asarray(index)
        index = np.flatnonzero(index) if index.dtype == bool else index.astype(np.int64)
        batch = None if self.batch is None else self.batch.select(index)
        period = None if self.period_day is None else self.period_day[index]
        return Examples(self.source_id[index], self.features[index], self.feature_names, batch, period)

    def only(self, names: Sequence[str]) -> Examples:
        """The same objects with the features `names` alone, in this order; ValueError where one is absent."""
        return replace(self, features=self.matrix(names), feature_names=tuple(names))

    def matrix(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Features (S, len(names)) float32 in the order of `names`, whatever the order here; ValueError if absent."""
        return feature_matrix(self.features, self.feature_names, names)


def examples_from_table(table: pa.Table, names: Sequence[str], batch: LightCurveBatch | None = None) -> Examples:
    """Examples of a feature table: its source_id and the columns `names`, with NaN for null."""
    columns = [table[name].combine_chunks().cast(pa.float32()).to_numpy(zero_copy_only=False) for name in names]
    features = np.stack(columns, axis=1) if columns else np.empty((table.num_rows, 0), np.float32)
    return Examples(table["source_id"].to_numpy(), features, tuple(names), batch)
