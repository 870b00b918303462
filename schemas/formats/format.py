"""What a format declares: its name, the endings of its files, and how its rows are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa


def is_never_in_place(path: Path) -> bool:
    """False: a file of the format is always written anew as Parquet."""
    return False


@dataclass(frozen=True)
class Format:
    """A format of tables.

    `read` gives the rows of a file in pieces. `max_bytes` is the size beyond which a file is refused because its
    format is read whole, with the advice `instead`; None for formats that are read piece by piece. `whole_endings`
    are those endings to which alone it applies, all where empty. `is_in_place` says whether a file can be read as it
    is, without being written anew.
    """

    name: str
    endings: tuple[str, ...]
    read: Callable[[Path], pa.RecordBatchReader]
    max_bytes: int | None = None
    whole_endings: tuple[str, ...] = ()
    is_in_place: Callable[[Path], bool] = is_never_in_place

    def exceeds(self, path: Path) -> bool:
        """True where the file is larger than what is read whole."""
        is_whole = path.name.lower().endswith(self.whole_endings or self.endings)
        return self.max_bytes is not None and is_whole and path.stat().st_size > self.max_bytes


MAX_WHOLE_BYTES = 256 << 20  # of a file that is read whole: its table takes several times as much memory
