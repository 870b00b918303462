"""Light curves on disk as fixed-width records, reached by the id they belong to.

They are only ever asked for by id, some hundreds at once, from anywhere on the sky: a memory map reads those pages and
no others, where Parquet would decode most of the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from tasks.lightcurves.batch import offsets_of

INDEX = np.dtype([("id", "<i8"), ("first", "<i8"), ("count", "<i4")])


class RecordsWriter:
    """Appends records of one dtype; use it in a `with`, which writes the index at the end."""

    def __init__(self, folder: Path, name: str) -> None:
        self.file = (folder / f"{name}.records").open("wb")
        self.path = folder / f"{name}.index"
        self.index: list[NDArray] = []
        self.size = 0

    def append(self, ids: NDArray[np.int64], records: NDArray) -> None:
        """Add `records` (N,), of which all with equal `ids` (N,) stand together."""
        first = np.flatnonzero(np.diff(ids, prepend=ids[0] - 1)) if ids.size else np.empty(0, np.int64)
        entry = np.empty(first.size, INDEX)
        entry["id"], entry["first"] = ids[first], first + self.size
        entry["count"] = np.diff(first, append=ids.size)
        records.tofile(self.file)
        self.index.append(entry)
        self.size += ids.size

    def __enter__(self) -> RecordsWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()
        if kind is None:
            index = np.concatenate([np.empty(0, INDEX), *self.index])
            index[np.argsort(index["id"])].tofile(self.path)


@dataclass(frozen=True, eq=False)
class Records:
    """Records of `RecordsWriter`, read-only: `count` records of each of `ids` (ascending) from `first` on."""

    ids: NDArray[np.int64]
    first: NDArray[np.int64]
    count: NDArray[np.int32]
    records: NDArray

    @classmethod
    def open(cls, folder: Path, name: str, dtype: np.dtype) -> Records:
        """The records called `name` in `folder`."""
        path = folder / f"{name}.records"
        is_empty = path.stat().st_size == 0  # which cannot be mapped
        index = np.fromfile(folder / f"{name}.index", INDEX)
        ids, first, count = (np.ascontiguousarray(index[field]) for field in ("id", "first", "count"))
        return cls(ids, first, count, np.empty(0, dtype) if is_empty else np.memmap(path, dtype, "r"))

    def of(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray]:
        """Id (N,), position within its id (N,) and record (N,) of all records of `ids`, ascending by id.

        Ids may be in any order, repeated (given once) or unknown (left out).
        """
        wanted = np.unique(np.asarray(ids, np.int64))
        place = np.searchsorted(self.ids, wanted)
        place, wanted = place[place < self.ids.size], wanted[place < self.ids.size]
        place = place[self.ids[place] == wanted]
        count = self.count[place]
        offsets = offsets_of(count)
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], count)
        return np.repeat(self.ids[place], count), within, self.records[np.repeat(self.first[place], count) + within]
