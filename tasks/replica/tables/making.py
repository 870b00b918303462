"""Makes holdings: writes the rows of each patch as they come, then sorts every file by its ids."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.sql import match_only
from tasks.replica.tables import registry, transits, truth, ztf
from tasks.replica.tables.held import sql_text
from tasks.replica.tables.patch import make_patch
from tasks.replica.tables.records import RecordsWriter
from tasks.sky import generate

PATCH = 4096  # objects at a time: a multiple of the sky's blocks, so that none is made twice
MEMORY = "1GB"  # of the sort; more goes to disk
GAIA_RECORDS, ZTF_RECORDS = "gaia_transits", "ztf_epochs"


class TableWriter:
    """One Parquet file for each table, appended to patch by patch."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.writers: dict[str, pq.ParquetWriter] = {}

    def write(self, file: str, table: pa.Table) -> None:
        """Append rows to `file`; all tables given for one file have one schema."""
        if file not in self.writers:
            writer = pq.ParquetWriter(self.folder / f"{file}.unsorted", table.schema, compression="lz4")
            self.writers[file] = self.stack.enter_context(writer)
        if table.num_rows:
            self.writers[file].write_table(table)


def make(folder: Path, n: int, seed: int) -> None:
    """Write the holdings of the sky of `n` objects with `seed` into the empty `folder`."""
    with ExitStack() as stack:
        tables = TableWriter(folder, stack)
        gaia_records = stack.enter_context(RecordsWriter(folder, GAIA_RECORDS))
        ztf_records = stack.enter_context(RecordsWriter(folder, ZTF_RECORDS))
        for start in range(0, n, PATCH):
            patch = make_patch(generate(n, seed, start, min(start + PATCH, n)), seed, start)
            seen = transits.make_transits(patch)
            gaia_records.append(*transits.records(patch, seen))
            for held, rows in registry.gaia_rows(patch, seen):
                tables.write(held.file, rows)
            for held, rows in registry.other_rows(patch):
                tables.write(held.file, rows)
            objects, oid, record = ztf.rows(patch)
            tables.write(ztf.OBJECTS_HELD.file, objects)
            ztf_records.append(oid, record)
            tables.write(truth.HELD.file, truth.rows(patch))
    _sort(folder)


def _sort(folder: Path) -> None:
    """Turn every unsorted file into the Parquet file that is kept."""
    every = {held.file: held for held in (truth.HELD, *reversed(registry.EVERY))}  # of a file with two views the first
    with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(folder / "sorting")}) as connection:
        for file, source in ((path.stem, path) for path in sorted(folder.glob("*.unsorted"))):
            held = every[file]
            query, target = held.sorting(sql_text(match_only(source))), sql_text(str(folder / f"{file}.parquet"))
            connection.execute(
                f"COPY ({query}) TO {target} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {held.row_group})"
            )
            source.unlink()
    shutil.rmtree(folder / "sorting", ignore_errors=True)
