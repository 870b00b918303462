"""One Delta commit: files come, files go, and it happens once.

Writers of a table queue behind a lock file, so the check for an earlier commit with the same token and the commit
itself are one step. A commit is refused if another machine has written since the table was opened.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lakehouse.delta.damage import explain_damage
from lakehouse.delta.draft import Draft, clear_abandoned_drafts
from lakehouse.delta.files import DataFile
from lakehouse.delta.reference import Stamp, TableRef, Version
from lakehouse.disk import refuse_full_disk, sync
from schemas import BadInput, TableSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from deltalake import DeltaTable

SPEC_VERSION = "argelander.version"
CHECKPOINT = 10  # opening a table reads the commits since the last checkpoint, 0.1 ms each
CONFIGURATION = {
    # The defaults forget commits after 30 days; every version of a lake stays readable until it is removed on purpose.
    "delta.enableExpiredLogCleanup": "false",
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.checkpointInterval": str(CHECKPOINT),
}


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """One writer at a time in `folder`; the system frees the lock when its holder dies."""
    with open(folder / ".lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def has_table(folder: Path) -> bool:
    """True where the first commit of a table stands."""
    return (folder / "_delta_log" / f"{0:020d}.json").exists()


def create_table(folder: Path, spec: TableSpec) -> None:
    """Makes an empty table at version 0 unless there is one. Families of `spec` that are not bound come later."""
    from deltalake import CommitProperties, DeltaTable

    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder), explain_damage(folder):
        if has_table(folder):
            return
        DeltaTable.create(
            _uri(folder),
            spec.arrow().remove_metadata(),
            partition_by=list(spec.partition),
            name=spec.name,
            description=spec.doc,
            configuration={**CONFIGURATION, **_statistics(spec), SPEC_VERSION: str(spec.version)},
            raise_if_key_not_exists=False,
            commit_properties=CommitProperties(custom_metadata={"run_id": "", "rows": 0}),
        )
        sync(folder / "_delta_log")


def _statistics(spec: TableSpec) -> dict[str, str]:
    # The log says which columns have statistics: readers take a column without them for one that is all null.
    if (column := spec.columns_by_name.get("source_id")) and not column.nullable:
        return {"delta.dataSkippingStatsColumns": "source_id"}
    return {"delta.dataSkippingNumIndexedCols": "0"}


def list_live_files(table: DeltaTable) -> list[DataFile]:
    """The files of the opened version, with their partitions and source_id spans, from the log alone."""
    # Not pa.table(...): that imports pandas first, and a query has no time for it.
    actions = pa.RecordBatchReader.from_stream(table.get_add_actions(flatten=True)).read_all()
    columns = {name: actions[name].to_pylist() for name in actions.column_names if _is_needed(name)}
    nothing = [None] * actions.num_rows
    partitions = {name.split(".", 1)[1]: values for name, values in columns.items() if name.startswith("partition.")}
    return [
        DataFile(path, size, rows, {name: str(values[i]) for name, values in partitions.items()}, low, high)
        for i, (path, size, rows, low, high) in enumerate(
            zip(
                columns["path"],
                columns["size_bytes"],
                columns["num_records"],
                columns.get("min.source_id", nothing),
                columns.get("max.source_id", nothing),
                strict=True,
            )
        )
    ]


def _is_needed(name: str) -> bool:
    return name.startswith("partition.") or name in {
        "path",
        "size_bytes",
        "num_records",
        "min.source_id",
        "max.source_id",
    }


def read_history(table: DeltaTable) -> list[Version]:
    """Every version, newest first."""
    return [
        Version(
            entry["version"],
            datetime.fromtimestamp(entry["timestamp"] / 1000, UTC),
            entry.get("run_id", ""),
            entry.get("stage", ""),
            entry.get("step", entry["operation"].lower()),
            int(entry.get("rows", 0)),
            entry.get("source", ""),
        )
        for entry in table.history()
    ]


def find_commit(table: DeltaTable, token: str) -> TableRef | None:
    """What the commit with this token wrote, if there was one."""
    if table.transaction_version(token) is None:
        return None
    for entry in table.history():
        if entry.get("token") == token:
            return TableRef(table.metadata().name, entry["version"], int(entry["rows_written"]))
    return None


def is_newest_of_run(table: DeltaTable, stamp: Stamp) -> bool:
    """True where the run's last commit to the table carries the token of `stamp`."""
    mine = (entry["token"] for entry in table.history() if entry.get("run_id") == stamp.run_id and "token" in entry)
    return next(mine, None) == stamp.token


def commit_draft(folder: Path, spec: TableSpec, stamp: Stamp, fill: Callable[[Draft], None]) -> TableRef:
    """Runs `fill` on a draft and commits it, unless a commit with the stamp's token stands already.

    Where the draft neither adds nor removes anything there is no commit, and the reference is to the current version.
    """
    with lock(folder), refuse_full_disk(spec.name):
        table = open_table(folder, spec)
        done = find_commit(table, stamp.token)
        # A run may write A, B and A again to one key or partition: only its latest write stands for "done already".
        if done and (stamp.operation in {"append", "publish"} or is_newest_of_run(table, stamp)):
            return done
        live = list_live_files(table)
        clear_abandoned_drafts(folder, live)
        with Draft(folder, spec, live) as draft:
            fill(draft)
            if not draft.added and not draft.removed:
                return TableRef(spec.name, table.version(), 0)
            held = sum(f.rows for f in live)
            _evolve(table, spec, stamp, held)
            total = held + sum(f.rows for f in draft.added) - sum(f.rows for f in draft.removed)
            version = _commit(table, spec, stamp, draft, total)
        return TableRef(spec.name, version, draft.rows)


def open_table(folder: Path, spec: TableSpec, version: int | None = None) -> DeltaTable:
    """The Delta table; BadInput where it is of a newer schema, or a column has another type than `spec` says."""
    from deltalake import DeltaTable

    with explain_damage(folder):
        table = DeltaTable(_uri(folder), version=version)
        _refuse_empty_commits(folder, table.version())
    written = int(table.metadata().configuration.get(SPEC_VERSION, 0))
    if written > spec.version:
        raise BadInput(
            f"{spec.name} was written with version {written} of its schema and this program knows version "
            f"{spec.version}: update argelander, or use another lake."
        )
    return table


def _refuse_empty_commits(folder: Path, version: int) -> None:
    """OSError where a commit since the last checkpoint has no content: it would count as one that changed nothing."""
    for number in range(max(version - CHECKPOINT, 0), version + 1):
        commit = folder / "_delta_log" / f"{number:020d}.json"
        if commit.exists() and not commit.stat().st_size:
            raise OSError(f"{commit.name} is empty")


def _uri(folder: Path) -> str:
    """The folder as deltalake takes it: a relative path with a colon would be an address."""
    return str(folder.absolute())


def _evolve(table: DeltaTable, spec: TableSpec, stamp: Stamp, rows: int) -> None:
    """Adds the columns of `spec` that the table lacks; older rows read null there."""
    from deltalake import CommitProperties, Schema

    about = {"run_id": stamp.run_id, "stage": stamp.stage, "step": "columns", "rows": rows}
    properties = CommitProperties(custom_metadata=about)
    known = pa.schema(table.schema().to_arrow())
    for field in spec.arrow():
        if field.name in known.names and known.field(field.name).type != field.type:
            raise BadInput(
                f"{spec.name}.{field.name} is {known.field(field.name).type} in the lake and {field.type} in version "
                f"{spec.version} of the schema: write to a new lake."
            )
    fresh = pa.schema([field.with_nullable(True) for field in spec.arrow() if field.name not in known.names])
    if len(fresh):
        table.alter.add_columns(Schema.from_arrow(fresh).fields, commit_properties=properties)
    if int(table.metadata().configuration.get(SPEC_VERSION, 0)) < spec.version:
        table.alter.set_table_properties(
            {SPEC_VERSION: str(spec.version)}, raise_if_not_exists=False, commit_properties=properties
        )


def _commit(table: DeltaTable, spec: TableSpec, stamp: Stamp, draft: Draft, total: int) -> int:
    from deltalake import CommitProperties, Transaction
    from deltalake.exceptions import CommitFailedError
    from deltalake.transaction import AddAction, RemoveAction

    now = int(time.time() * 1000)
    adds = [AddAction(f.path, f.size, f.partition, now, True, f.stats()) for f in draft.added]
    removes = [RemoveAction(f.path, True, now, f.size, {**f.partition}) for f in draft.removed]
    about: dict[str, Any] = {
        "run_id": stamp.run_id,
        "stage": stamp.stage,
        "step": stamp.operation,
        "token": stamp.token,
        "rows": total,
        "rows_written": draft.rows,
        "source": stamp.source,
    }
    version = table.version() + 1
    try:
        table.create_write_transaction(
            adds + removes,
            "append",
            table.schema(),
            list(spec.partition),
            # No retry inside: the draft was made from the opened version and is valid for that one alone.
            commit_properties=CommitProperties(about, 0, [Transaction(stamp.token, version)]),
        )
    except CommitFailedError as error:
        raise BadInput(f"{spec.name} was written by another program meanwhile; run the same command again.") from error
    sync(draft.folder / "_delta_log")
    return version
