"""The table of objects of a folder, made of the light curves where the folder has none of its own."""

from __future__ import annotations

import functools
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from schemas.dataset import DatasetSpec
from schemas.files import parquet_schema, unreadable
from schemas.formats.opening import Table, open_table
from schemas.formats.scratch import scratch_folder
from schemas.sql import match_only, quote_name
from schemas.values import is_list
from tasks.folder.columns import check_schema, connect, name_place, name_table

BATCH_ROWS = 65_536


def open_objects(folder: Path, spec: DatasetSpec) -> Path:
    """The table of objects of `folder`; one row for each id of the light curves where the mapping names their file."""
    file = open_table(folder, spec.objects.file)
    if not spec.has_light_curves or spec.objects.file != spec.lightcurves.file or not file.is_file():
        return file
    check_schema(file, {"objects.id": spec.objects.id})
    at = file.stat()
    return Table.of(file, _collect_objects(file, spec.objects.id, _columns(file, spec), at.st_size, at.st_mtime_ns))


def _columns(file: Path, spec: DatasetSpec) -> tuple[str, ...]:
    """The columns of the file, besides the id, that the mapping reads of objects and that hold one value in a row."""
    published = [*spec.parameters, *spec.references]
    wanted = {spec.objects.ra, spec.objects.dec, spec.label and spec.label.column, *spec.inputs.values()}
    wanted |= {name for each in published for name in (each.column, each.err)}
    schema = parquet_schema(file)
    return tuple(
        field.name
        for field in schema
        if field.name.removesuffix(".mask") in wanted - {spec.objects.id} and not is_list(field.type)
    )


@functools.lru_cache(maxsize=16)
def _collect_objects(file: Path, id_column: str, columns: tuple[str, ...], size: int, changed: int) -> Path:
    """A Parquet file with a row for each id, in their order; its values are those of one row, the least of them all."""
    names = parquet_schema(file).names
    at = {name: name_place(name, names) for name in (id_column, *columns)}
    row = f"min(struct_pack({', '.join(f'{at[name]} := {at[name]}' for name in columns)}))" if columns else "NULL"
    chosen = [f"id AS {quote_name(id_column)}", *(f"row.{at[name]} AS {quote_name(name)}" for name in columns)]
    grouped = f"SELECT {at[id_column]} AS id, {row} AS row FROM {name_table(names)} GROUP BY 1"
    target = scratch_folder() / f"objects-{_collect_objects.cache_info().misses}.parquet"
    try:
        with closing(connect()) as con:
            query = f"SELECT {', '.join(chosen)} FROM ({grouped}) WHERE id IS NOT NULL ORDER BY id"
            rows = con.execute(query, [match_only(file)]).to_arrow_reader(BATCH_ROWS)
            with pq.ParquetWriter(target, rows.schema, compression="zstd") as writer:
                for batch in rows:
                    writer.write_batch(batch)
    except duckdb.Error as error:
        raise unreadable(file, error) from None
    return target
