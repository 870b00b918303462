"""The lake: one Delta table per table declaration, in one folder, read and written through its specs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from lakehouse.delta.commit import commit_draft, create_table, has_table, list_live_files, open_table, read_history
from lakehouse.delta.damage import explain_damage, read_guarded
from lakehouse.delta.draft import Draft
from lakehouse.delta.files import conform
from lakehouse.delta.filters import Where, select_partition, select_touched, to_expression
from lakehouse.delta.keys import find_duplicates, find_matches, sort_rows
from lakehouse.delta.reference import Stamp, TableRef, Version
from lakehouse.disk import read_json, require_local, write_json
from lakehouse.ids import TILE_ORDER
from schemas import TABLES, BadInput, TableSpec

if TYPE_CHECKING:
    from deltalake import DeltaTable
    from pyarrow.dataset import Dataset

FORMAT = 1
TABLE_FOLDER = "tables"
UNFIT = re.compile(r"[%#?\\\x00-\x1f\x7f]")


class Lake:
    """A folder of versioned tables. Readers see whole commits; every write is atomic and happens once.

    `Lake(path)` opens a lake, `Lake(path, create=True)` makes it where there is none. BadInput where there is no
    lake, or one of a newer format.
    """

    def __init__(self, path: str | Path, create: bool = False) -> None:
        self.path = require_local(path, "lake")
        _refuse_unfit(self.path.resolve())
        about = self.path / "lake.json"
        if not about.exists():
            if not create:
                raise BadInput(f"There is no lake at {self.path}: make one with `argelander refresh demo --lake DIR`.")
            self.path.mkdir(parents=True, exist_ok=True)
            write_json(about, {"format": FORMAT, "tile_order": TILE_ORDER})
        self.tile_order = _read_tile_order(about)

    def folder(self, spec: TableSpec | str) -> Path:
        """Folder of the Delta table."""
        return self.path / TABLE_FOLDER / _name(spec)

    def tables(self) -> list[str]:
        """Names of the tables that exist, sorted."""
        return sorted(folder.name for folder in (self.path / TABLE_FOLDER).glob("*") if has_table(folder))

    def exists(self, spec: TableSpec | str) -> bool:
        """True where the table has been created."""
        return has_table(self.folder(spec))

    def create(self, spec: TableSpec) -> None:
        """Makes an empty table unless there is one."""
        create_table(self.folder(spec), spec)

    def version(self, spec: TableSpec | str) -> int:
        """Newest version of the table."""
        return self.open(spec).version()

    def files(self, spec: TableSpec | str) -> list[str]:
        """Paths of the files that hold the newest rows, in order."""
        return sorted(file.path for file in list_live_files(self.open(spec)))

    def versions(self, spec: TableSpec | str) -> list[Version]:
        """Every version with its time, run, stage, operation and rows, newest first."""
        return read_history(self.open(spec))

    def source_of(self, spec: TableSpec | str, partition: Mapping[str, Any]) -> str:
        """Fingerprint of what the rows of a partition were made of, as the last `overwrite` said; "" where none is."""
        operation = _overwriting(partition)
        return next((version.source for version in self.versions(spec) if version.operation == operation), "")

    def count(self, spec: TableSpec | str, version: int | None = None, **partition: Any) -> int:
        """Rows of the table, or of one partition (`dataset="demo"`), from the log alone."""
        files = list_live_files(self.open(spec, version))
        return sum(file.rows for file in select_partition(_spec(spec), files, partition))

    def rows_of(self, dataset: str) -> dict[str, int]:
        """Rows of each table that belong to `dataset`; all rows of a table that does not tell datasets apart."""
        return {
            name: self.count(name, dataset=dataset) if "dataset" in _spec(name).partition else self.count(name)
            for name in self.tables()
        }

    def dataset(self, spec: TableSpec | str, version: int | None = None) -> Dataset:
        """The table as a pyarrow dataset: nothing is read before it is scanned."""
        from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

        files = SubTreeFileSystem(str(self.folder(spec).resolve()), LocalFileSystem())
        return self.open(spec, version).to_pyarrow_dataset(filesystem=files)

    def scan(
        self,
        spec: TableSpec | str,
        columns: Sequence[str] | None = None,
        where: Where = None,
        version: int | None = None,
        batch_rows: int = 16_384,
    ) -> pa.RecordBatchReader:
        """Rows in batches, lazily, in no particular order; only the files that `where` allows are opened."""
        data = self.dataset(spec, version)
        scanner = data.scanner(
            columns=list(columns) if columns is not None else None,
            filter=to_expression(where),
            batch_size=batch_rows,
            batch_readahead=2,
            fragment_readahead=1,
        )
        return read_guarded(self.folder(spec), scanner.to_reader())

    def read(
        self,
        spec: TableSpec | str,
        columns: Sequence[str] | None = None,
        where: Where = None,
        version: int | None = None,
    ) -> pa.Table:
        """Rows sorted by the table's key, so that equal contents are read in equal order.

        `where` is a pyarrow expression, or {column: value or values}. A declared column that this version of the
        table does not have yet is null. BadInput for a column that is neither in the table nor declared.
        """
        declared = _spec(spec)
        data = self.dataset(spec, version)
        wanted = list(columns) if columns is not None else _order(declared, data.schema.names)
        absent = self._absent(declared, wanted, data.schema)
        present = [name for name in wanted if name not in absent]
        key = [name for name in declared.key if name in data.schema.names]
        with explain_damage(self.folder(spec)):
            table = data.to_table(columns=list(dict.fromkeys([*present, *key])), filter=to_expression(where))
        table = sort_rows(table, key)
        for field in absent.values():
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
        return table.select(wanted)

    def append(
        self, run_id: str, spec: TableSpec, table: pa.Table, token: str | None = None, stage: str = ""
    ) -> TableRef:
        """Adds rows. Their keys must differ from each other and from those in the table (not checked)."""
        rows = self._checked(spec, table)
        return self._commit(run_id, spec, "append", rows, token, stage, lambda draft: draft.write(rows))

    def merge(
        self, run_id: str, spec: TableSpec, table: pa.Table, token: str | None = None, stage: str = ""
    ) -> TableRef:
        """Adds rows; a row of the table with the same key gives way."""
        rows = self._checked(spec, table)

        def fill(draft: Draft) -> None:
            key = [name for name in spec.key if name not in spec.partition]
            fixed = [name for name in spec.key if name in spec.partition]
            for values in rows.select(fixed).group_by(fixed).aggregate([]).to_pylist() if rows.num_rows else []:
                news = rows.filter(to_expression(values)) if values else rows
                files = select_touched(select_partition(spec, draft.live, values), _ids(news))
                draft.drop_rows(files, key, partial(_unmatched, news=news, key=key))
            draft.write(rows)

        return self._commit(run_id, spec, "merge", rows, token, stage, fill)

    def overwrite(
        self,
        run_id: str,
        spec: TableSpec,
        table: pa.Table,
        partition: Mapping[str, Any],
        token: str | None = None,
        stage: str = "",
        source: str = "",
    ) -> TableRef:
        """Replaces all rows of one partition, such as {"dataset": "demo"} or {"dataset": "demo", "tile": 3}.

        `source` is the fingerprint of what the rows were made of, for `source_of`. ValueError where a row of `table`
        lies outside the partition.
        """
        rows = self._checked(spec, table)
        for name, value in partition.items():
            outside = rows.num_rows - rows.filter(to_expression({name: value})).num_rows
            if outside:
                raise ValueError(f"{spec.name}: {outside:,} of {rows.num_rows:,} rows lie outside {name}={value!r}.")

        def fill(draft: Draft) -> None:
            draft.drop(select_partition(spec, draft.live, partition))
            draft.write(rows)

        return self._commit(run_id, spec, _overwriting(partition), rows, token, stage, fill, source)

    def replace(
        self, run_id: str, spec: TableSpec, table: pa.Table, where: Mapping[str, Any], stage: str = ""
    ) -> TableRef:
        """Replaces the rows that `where` selects, {column: value or values}, some of its columns no partition."""
        rows = self._checked(spec, table)
        partition = {name: value for name, value in where.items() if name in spec.partition}
        others = {name: value for name, value in where.items() if name not in spec.partition}

        def fill(draft: Draft) -> None:
            files = select_partition(spec, draft.live, partition)
            draft.drop_rows(files, list(others), partial(_unselected, where=others))
            draft.write(rows)

        return self._commit(run_id, spec, "replace", rows, None, stage, fill)

    def _commit(
        self,
        run_id: str,
        spec: TableSpec,
        operation: str,
        rows: pa.Table,
        token: str | None,
        stage: str,
        fill: Callable[[Draft], None],
        source: str = "",
    ) -> TableRef:
        self.create(spec)
        token = token or content_token(run_id, operation, spec.name, rows)
        return commit_draft(self.folder(spec), spec, Stamp(run_id, operation, token, stage, source), fill)

    def _checked(self, spec: TableSpec, table: pa.Table) -> pa.Table:
        rows = conform(spec, table)
        twice = int(find_duplicates(rows, spec.key).sum())
        if twice:
            raise BadInput(f"{spec.name}: {twice:,} of {rows.num_rows:,} rows repeat the key ({', '.join(spec.key)}).")
        return rows

    def open(self, spec: TableSpec | str, version: int | None = None) -> DeltaTable:
        """The Delta table itself, newest or at `version`; BadInput where there is no such table or version."""
        name = _name(spec)
        if not self.exists(name):
            raise BadInput(f"The lake at {self.path} has no table {name}; it has {', '.join(self.tables()) or 'none'}.")
        newest = None
        if version is not None:
            newest = open_table(self.folder(name), _spec(spec)).version()
            if not 0 <= version <= newest:
                raise BadInput(f"{name} has the versions 0 to {newest}, not {version}.")
        return open_table(self.folder(name), _spec(spec), version)

    def _absent(self, spec: TableSpec, wanted: Iterable[str], found: pa.Schema) -> dict[str, pa.Field]:
        absent = {name: spec.columns_by_name.get(name) for name in wanted if name not in found.names}
        for name, column in absent.items():
            if column is None:
                raise BadInput(f"{spec.name} has no column {name!r}; it has {', '.join(found.names)}.")
        return {name: column.field().with_nullable(True) for name, column in absent.items() if column is not None}


def _refuse_unfit(path: Path) -> None:
    """BadInput for a path that deltalake decodes as an address: it writes to one folder and reads another."""
    if found := UNFIT.search(str(path)):
        raise BadInput(
            f"The path of the lake {str(path)!r} holds {found[0]!r}, which its tables cannot have: choose a folder "
            "without % # ? \\ and control characters."
        )


def _read_tile_order(about: Path) -> int:
    """The order of the sky tiles of a lake, of its lake.json."""
    settings = read_json(about)
    written, order = (settings.get(name) for name in ("format", "tile_order"))
    if not isinstance(written, int) or not isinstance(order, int):
        whole = json.dumps({"format": FORMAT, "tile_order": TILE_ORDER})
        raise BadInput(f"{about} is damaged: put back a copy, or write {whole} into it.")
    if written > FORMAT:
        raise BadInput(
            f"The lake at {about.parent} has format {written} and this program knows format {FORMAT}: "
            "update argelander, or use another lake."
        )
    return order


def content_token(run_id: str, operation: str, table: str, rows: pa.Table) -> str:
    """Token of a write that names none: the same run writing the same rows in the same way makes the same token."""
    digest = hashlib.blake2b(f"{run_id}\0{operation}\0{table}\0".encode(), digest_size=16)

    class Sink:
        closed = False

        def write(self, data: Any) -> None:
            digest.update(data)

        def flush(self) -> None: ...

        def close(self) -> None: ...

    with pa.ipc.new_stream(pa.PythonFile(Sink(), "w"), rows.schema) as writer:
        writer.write_table(rows.combine_chunks())
    return digest.hexdigest()


def _unmatched(old: pa.Table, news: pa.Table, key: list[str]) -> np.ndarray:
    return ~find_matches(old, news, key)


def _unselected(old: pa.Table, where: Mapping[str, Any]) -> np.ndarray:
    number = pa.table({**{name: old[name] for name in where}, "row": np.arange(old.num_rows)})
    result = np.ones(old.num_rows, bool)
    result[number.filter(to_expression(where))["row"].to_numpy()] = False
    return result


def _ids(rows: pa.Table) -> np.ndarray | None:
    if "source_id" not in rows.column_names or rows["source_id"].null_count:
        return None
    return np.unique(rows["source_id"].to_numpy())


def _order(spec: TableSpec, names: Sequence[str]) -> list[str]:
    declared = [column.name for column in spec.columns if not column.is_family]
    return declared + [name for name in names if name not in set(declared)]


def _overwriting(partition: Mapping[str, Any]) -> str:
    values = ",".join(f"{name}={value}" for name, value in partition.items())
    return f"overwrite {values}".strip()


def _name(spec: TableSpec | str) -> str:
    return spec if isinstance(spec, str) else spec.name


def _spec(spec: TableSpec | str) -> TableSpec:
    if isinstance(spec, TableSpec):
        return spec
    if spec not in TABLES:
        raise BadInput(f"There is no table {spec!r}; the tables are {', '.join(TABLES)}.")
    return TABLES[spec]
