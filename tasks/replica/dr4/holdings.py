"""The holdings of DR4 of one sky, made when they are first asked for and kept beside those of DR3."""

from __future__ import annotations

import shutil
import threading
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock
from numpy.typing import NDArray

from tasks.replica.dr4.declared import view
from tasks.replica.dr4.epochs import RECORD, Epochs
from tasks.replica.dr4.making import RECORDS, SOURCES, make
from tasks.replica.served import ServedTable
from tasks.replica.tables.held import sql_text
from tasks.replica.tables.records import Records

if TYPE_CHECKING:
    from tasks.replica.holdings import Holdings

VERSION = 1  # raise it when the same sky is held otherwise than before; that of DR3 is not touched by it


class Dr4Holdings:
    """DR4 of the sky of `holdings`; safe to share between threads."""

    def __init__(self, holdings: Holdings) -> None:
        self._dr3 = holdings
        self._lock = threading.Lock()

    @cached_property
    def folder(self) -> Path:
        """Where the files are, complete; they are made at the first call: some seconds for 3,000 stars."""
        place = self._place
        with self._lock, FileLock(place.parent.with_name(f"{place.parent.name}.{place.name}.lock")):
            if not place.exists():
                self._make(place)
        return place

    @property
    def _place(self) -> Path:
        return self._dr3.path / f"dr4-v{VERSION}"

    @property
    def is_made(self) -> bool:
        """Whether anything of DR4 was ever asked for."""
        return self._place.exists()

    def _make(self, place: Path) -> None:
        for left in place.parent.glob(f".{place.name}-*"):  # of a builder that was killed
            shutil.rmtree(left, ignore_errors=True)
        making = Path(mkdtemp(prefix=f".{place.name}-", dir=place.parent))
        try:
            with self._dr3.connect() as connection:
                make(making, self._dr3.n, self._dr3.seed, self._dr3.transits, connection)
            making.rename(place)
        finally:
            shutil.rmtree(making, ignore_errors=True)

    def attach(self, cursor: duckdb.DuckDBPyConnection, held: ServedTable, shown: ServedTable) -> None:
        """Add the view of a table to a session: `shown` as the switches have it."""
        cursor.execute(view(held, shown, sql_text(str(self.folder / f"{held.relation}.parquet"))))

    def epochs(self, source_ids: NDArray[np.int64]) -> Epochs:
        """The transits of the ids of DR4, in order of id and time; unknown ids have none."""
        source_id, _, record = self._records.of(source_ids)
        return Epochs(source_id, record)

    def published(self, source_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of the ids that the variability processing published."""
        return np.intersect1d(source_ids, self._published)

    def truth(self, source_ids: NDArray[np.int64]) -> pa.Table:
        """The truth of the sources that have another number than in DR3, as `Holdings.truth` has it of the others."""
        held, dr3 = (self._sources[name].to_numpy() for name in ("source_id", "dr3_source_id"))
        chosen = np.flatnonzero(np.isin(held, source_ids) & (held != dr3))
        chosen = chosen[np.argsort(dr3[chosen])]
        told = self._dr3.truth(dr3[chosen])
        place = chosen[np.searchsorted(dr3[chosen], told["source_id"].to_numpy())]
        return told.set_column(0, "source_id", pa.array(held[place]))

    @cached_property
    def _records(self) -> Records:
        return Records.open(self.folder, RECORDS, RECORD)

    @cached_property
    def _sources(self) -> pa.Table:
        return pq.read_table(self.folder / f"{SOURCES}.parquet", columns=["source_id", "dr3_source_id"])

    @cached_property
    def _published(self) -> NDArray[np.int64]:
        return pq.read_table(self.folder / "dr4_vari_summary.parquet", columns=["source_id"])["source_id"].to_numpy()
