"""Many ragged light curves as flat arrays in Arrow list layout: one value per epoch, offsets per object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

DTYPES = {"time": np.float64, "mag": np.float32, "mag_err": np.float32, "band": np.int8, "flags": np.int32}
MAX_BANDS = 128  # that int8 tells apart
MISSING = {"mag_err": np.nan, "flags": 0}  # what stands in for a column that an archive does not have


@dataclass(frozen=True, eq=False)
class LightCurveBatch:
    """Light curves of S objects with N epochs in total; epochs of object i are `offsets[i]:offsets[i + 1]`.

    source_id (S,) int64; offsets (S+1,) int64 starting at 0; time (N,) float64 day; mag and mag_err (N,) float32 mag
    (NaN error: none was quoted); band (N,) int8, index into `bands`; flags (N,) int32 (see `flags.py`; 0 is good).
    Arrays may be read-only views of Arrow buffers: never write into them.
    """

    source_id: NDArray[np.int64]
    offsets: NDArray[np.int64]
    time: NDArray[np.float64]
    mag: NDArray[np.float32]
    mag_err: NDArray[np.float32]
    band: NDArray[np.int8]
    flags: NDArray[np.int32]
    bands: tuple[str, ...]

    def __post_init__(self) -> None:
        for name, dtype in {"source_id": np.int64, "offsets": np.int64, **DTYPES}.items():
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=dtype))
        object.__setattr__(self, "bands", tuple(self.bands))
        if self.band.size and not 0 <= self.band.min() <= self.band.max() < len(self.bands) <= MAX_BANDS:
            raise ValueError(
                f"LightCurveBatch: band codes from {self.band.min()} to {self.band.max()} for {len(self.bands)} bands; "
                f"they are places in `bands`, of which there may be {MAX_BANDS}."
            )
        if self.offsets.size != self.source_id.size + 1 or self.offsets[0] != 0:
            raise ValueError(
                f"LightCurveBatch: {self.source_id.size} objects need {self.source_id.size + 1} offsets "
                f"that start at 0, got {self.offsets.size} from {self.offsets[:1]}."
            )
        wrong = {name: getattr(self, name).size for name in DTYPES if getattr(self, name).size != self.offsets[-1]}
        if wrong:
            raise ValueError(f"LightCurveBatch: offsets end at {self.offsets[-1]} epochs, but the lengths are {wrong}.")

    def __len__(self) -> int:
        return self.source_id.size

    @property
    def n_epoch(self) -> NDArray[np.int64]:
        """Number of epochs of each object, (S,)."""
        return np.diff(self.offsets)

    @property
    def row(self) -> NDArray[np.int64]:
        """Index of the object that each epoch belongs to, (N,)."""
        return np.repeat(np.arange(len(self)), self.n_epoch)

    def select(self, index: slice | ArrayLike) -> LightCurveBatch:
        """The objects at `index` (slice, integers in any order, or an (S,) mask); a slice of step 1 copies nothing."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1 and stop >= start:
                return self._view(start, stop)
            index = np.arange(start, stop, step)
        index = np.asarray(index)
        index = np.flatnonzero(index) if index.dtype == bool else index.astype(np.int64)
        return self._gather(index)

    def _view(self, start: int, stop: int) -> LightCurveBatch:
        first, last = self.offsets[start], self.offsets[stop]
        return replace(
            self,
            source_id=self.source_id[start:stop],
            offsets=self.offsets[start : stop + 1] - first,
            **self._epochs(slice(first, last)),
        )

    def _gather(self, index: NDArray[np.int64]) -> LightCurveBatch:
        length = self.n_epoch[index]
        offsets = offsets_of(length)
        epoch = np.repeat(self.offsets[:-1][index] - offsets[:-1], length) + np.arange(offsets[-1])
        return replace(self, source_id=self.source_id[index], offsets=offsets, **self._epochs(epoch))

    def _epochs(self, index: NDArray | slice) -> dict[str, Any]:
        return {name: getattr(self, name)[index] for name in DTYPES}

    def keep(self, mask: NDArray[np.bool_]) -> LightCurveBatch:
        """Only the epochs where `mask` (N,) is true. Objects that lose every epoch stay, with none."""
        kept = np.concatenate([[0], np.cumsum(mask, dtype=np.int64)])[self.offsets]
        return replace(self, offsets=kept, **self._epochs(mask))

    def merge_rows(self) -> LightCurveBatch:
        """Adjacent rows with equal source_id (one object seen by several surveys) become one object."""
        if len(self) == 0:
            return self
        first = np.concatenate([[True], np.diff(self.source_id) != 0])
        offsets = np.concatenate([self.offsets[:-1][first], self.offsets[-1:]])
        return replace(self, source_id=self.source_id[first], offsets=offsets)

    def sort_by_time(self) -> LightCurveBatch:
        """Epochs of each object in order of time; epochs of equal time keep their order."""
        order = np.lexsort((self.time, self.row))
        return replace(self, **self._epochs(order))

    def by_band(self) -> tuple[LightCurveBatch, NDArray[np.int64]]:
        """Epochs sorted by object, band and time, with band_offsets (S*B+1,).

        Band b of object i is `band_offsets[i*B + b]:band_offsets[i*B + b + 1]`.
        """
        key = self.row * len(self.bands) + self.band
        order = np.lexsort((self.time, key))
        band_offsets = offsets_of(np.bincount(key, minlength=len(self) * len(self.bands)))
        return replace(self, **self._epochs(order)), band_offsets

    @classmethod
    def from_epochs(
        cls,
        source_id: ArrayLike,
        time: ArrayLike,
        mag: ArrayLike,
        mag_err: ArrayLike | None,
        band: ArrayLike,
        flags: ArrayLike | None,
        bands: Sequence[str],
    ) -> LightCurveBatch:
        """From flat epochs (N,) in any order: objects sorted by source_id, epochs by time.

        `mag_err` None: no errors were quoted; `flags` None: all good.
        """
        source_id, time = np.asarray(source_id, np.int64), np.asarray(time, np.float64)
        order = np.lexsort((time, source_id))
        ids, count = np.unique(source_id, return_counts=True)
        given = {"mag": mag, "mag_err": mag_err, "band": band, "flags": flags}
        epochs = {
            name: np.full(time.size, MISSING[name], DTYPES[name])
            if value is None
            else np.asarray(value, DTYPES[name])[order]
            for name, value in given.items()
        }
        return cls(source_id=ids, offsets=offsets_of(count), time=time[order], bands=tuple(bands), **epochs)

    @classmethod
    def from_arrow(cls, table: pa.Table | pa.RecordBatch, bands: Sequence[str]) -> LightCurveBatch:
        """From a table with source_id and list columns time, mag, mag_err, band, flags; one row per object.

        Copies nothing when each column is one chunk without nulls. mag_err and flags may be absent, or null in a row:
        then NaN (no error quoted) and 0 (good). Any other null raises ValueError.
        """
        time, offsets = _list_values(table, "time")
        epochs = {name: _aligned(table, name, offsets) for name in DTYPES if name != "time"}
        source_id = _combined(table, "source_id").to_numpy(zero_copy_only=False)
        return cls(source_id=source_id, offsets=offsets, time=time, bands=tuple(bands), **epochs)

    def to_arrow(self) -> pa.Table:
        """Table with source_id and list columns time, mag, mag_err, band, flags; values are not copied."""
        offsets = pa.array(self.offsets.astype(np.int32))
        lists = {name: pa.ListArray.from_arrays(offsets, pa.array(getattr(self, name))) for name in DTYPES}
        return pa.table({"source_id": self.source_id, **lists})


def concatenate(batches: Sequence[LightCurveBatch]) -> LightCurveBatch:
    """One batch with the objects of all `batches` in order; they must share one tuple of bands (ValueError)."""
    different = {batch.bands for batch in batches}
    if len(different) != 1:
        raise ValueError(f"concatenate: need batches with one common tuple of bands, got {sorted(different)}.")
    epochs = {name: np.concatenate([getattr(batch, name) for batch in batches]) for name in ("source_id", *DTYPES)}
    return LightCurveBatch(
        offsets=offsets_of(np.concatenate([batch.n_epoch for batch in batches])), bands=batches[0].bands, **epochs
    )


def offsets_of(length: ArrayLike) -> NDArray[np.int64]:
    """Offsets (S+1,) of consecutive slices with the given lengths (S,)."""
    return np.concatenate([[0], np.cumsum(np.asarray(length, np.int64))]).astype(np.int64)


def _combined(table: pa.Table | pa.RecordBatch, name: str) -> pa.Array:
    column = table.column(name)
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _list_values(table: pa.Table | pa.RecordBatch, name: str) -> tuple[NDArray, NDArray[np.int64]]:
    """Values (N,) and offsets (S+1,) of a list column; a sliced column gives offsets that start at 0 all the same."""
    column = _combined(table, name)
    if column.null_count and name not in MISSING:
        raise ValueError(f"column {name}: {column.null_count} of {len(column)} lists are null; give an empty list.")
    if len(column) == 0:
        return np.empty(0, DTYPES[name]), np.zeros(1, np.int64)
    offsets = column.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    values = column.values.slice(offsets[0], offsets[-1] - offsets[0])
    if values.null_count and name not in MISSING:
        raise ValueError(f"column {name}: {values.null_count} of {len(values)} values are null; drop those epochs.")
    if values.null_count:
        values = values.fill_null(MISSING[name])
    return values.to_numpy(zero_copy_only=False).astype(DTYPES[name], copy=False), offsets - offsets[0]


def _aligned(table: pa.Table | pa.RecordBatch, name: str, offsets: NDArray[np.int64]) -> NDArray:
    """Values of list column `name`, checked to have the same offsets as time; absent or null rows are filled."""
    if name in MISSING and name not in table.schema.names:
        return np.full(offsets[-1], MISSING[name], DTYPES[name])
    column = _combined(table, name)
    if column.null_count and name in MISSING:
        valid = np.repeat(column.is_valid().to_numpy(zero_copy_only=False), np.diff(offsets))
        filled = np.full(offsets[-1], MISSING[name], DTYPES[name])
        filled[valid] = column.drop_null().flatten().fill_null(MISSING[name]).to_numpy(zero_copy_only=False)
        return filled
    values, own = _list_values(table, name)
    if not np.array_equal(own, offsets):
        wrong = int(np.count_nonzero(np.diff(own) != np.diff(offsets)))
        raise ValueError(f"column {name}: {wrong} of {offsets.size - 1} lists have another length than time.")
    return values
