"""Stages written by many workers and committed at once.

A worker stages its rows as files in a folder of their own, where no reader looks; the record of a finished part
appears last, in one step, so that a stage begun again finds the parts that are whole. `commit_staged` names them in one
Delta commit: a part that fills its partitions is moved in as it is, the rows of many small parts are gathered first,
for a table of a thousand tiny files is slow to read (12 parts in 48 tiles: 574 files, read in 1.8 s instead of 0.3 s).
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lakehouse.delta.commit import commit_draft, open_table
from lakehouse.delta.draft import Draft
from lakehouse.delta.files import DataFile, conform, write_files, write_table
from lakehouse.delta.filters import select_touched
from lakehouse.delta.keys import encode_keys, find_duplicates
from lakehouse.delta.reference import Stamp, TableRef
from lakehouse.delta.store import Lake
from lakehouse.disk import read_json, refuse_full_disk, write_json
from schemas import TABLES, BadInput, TableSpec

STAGING_FOLDER = "staging"
WHOLE_BYTES = 16 * 2**20  # in memory, about 6 MB on disk: from here on a file is worth keeping as it is
GATHER_BYTES = 128 * 2**20  # twice as much is held while they are written
KEY = re.compile(r"[\w.-]+\Z", re.ASCII)
OLD_KEY = re.compile(r"[a-z]+-[0-9a-f]{16}\Z")
KEY_LENGTH = 48  # of a stage's key, in the names of its files


@dataclass(frozen=True)
class StagedPart:
    """One finished part of a stage, small enough to cross task borders: files by partition, or one loose file."""

    table: str
    stage_key: str
    part: str
    rows: int
    files: tuple[DataFile, ...] = ()
    loose: str | None = None


def stage_rows(lake_path: str | Path, spec: TableSpec, table: pa.Table, stage_key: str, part: int | str) -> StagedPart:
    """Writes one part of a stage, unseen by readers until `commit_staged`; called in workers.

    `stage_key` names the stage and its inputs: another input must have another key. Raises BadInput on a full disk.
    """
    folder = _folder(lake_path, spec, stage_key)
    rows = conform(spec, table)
    with refuse_full_disk(f"part {part} of {spec.name}"):
        stem = f"{stage_key[:KEY_LENGTH]}-{_checked_name(part)}"
        files, loose = [], None
        if rows.nbytes >= WHOLE_BYTES * max(1, _n_partitions(spec, rows)):
            files = write_files(folder, spec, rows, stem)
        elif rows.num_rows:
            loose = f"{stem}-{secrets.token_hex(6)}.parquet"
            write_table(folder / loose, rows.schema, [rows])
        record = {"rows": rows.num_rows, "files": [file.as_dict() for file in files], "loose": loose}
        write_json(folder / f"{_checked_name(part)}.json", record)
    return StagedPart(spec.name, stage_key, str(part), rows.num_rows, tuple(files), loose)


def list_finished_parts(lake_path: str | Path, spec: TableSpec, stage_key: str) -> set[str]:
    """Names of the parts of the stage that are whole on disk."""
    return {record.stem for record in _folder(lake_path, spec, stage_key).glob("*.json")}


def read_part(lake_path: str | Path, spec: TableSpec, stage_key: str, part: int | str) -> StagedPart:
    """A finished part as `stage_rows` returned it."""
    folder = _folder(lake_path, spec, stage_key)
    record = read_json(folder / f"{_checked_name(part)}.json")
    try:
        files = tuple(DataFile(**file) for file in record["files"])
        return StagedPart(spec.name, stage_key, str(part), record["rows"], files, record["loose"])
    except (KeyError, TypeError) as error:
        raise BadInput(f"A staged part is damaged ({error}): remove {folder} and run again.") from error


def commit_staged(
    lake: Lake,
    run_id: str,
    spec: TableSpec,
    stage_key: str,
    parts: Iterable[StagedPart] | None = None,
    replace_sources: NDArray[np.int64] | None = None,
    dataset: str | None = None,
    stage: str = "",
) -> TableRef:
    """One commit that adds the staged parts (all finished ones where `parts` is None), at most once per `stage_key`.

    Rows of `dataset` whose source_id is in `replace_sources` (R,) leave in the same commit, whether or not the parts
    hold new rows for them. No commit where nothing is added or removed.
    """
    staging = _folder(lake.path, spec, stage_key)
    if parts is None:
        names = sorted(list_finished_parts(lake.path, spec, stage_key), key=lambda name: (len(name), name))
        parts = [read_part(lake.path, spec, stage_key, name) for name in names]
    parts = tuple(parts)
    gone = np.unique(np.asarray([] if replace_sources is None else replace_sources, np.int64))
    if gone.size and dataset is None:
        raise ValueError(f"{spec.name}: replace_sources needs the dataset whose sources they are.")

    def fill(draft: Draft) -> None:
        if gone.size:
            files = [file for file in draft.live if file.partition.get("dataset") == dataset]
            draft.drop_rows(select_touched(files, gone), ["source_id"], lambda rows: ~np.isin(rows["source_id"], gone))
        for rows in _gather_loose(spec, staging, parts):
            _refuse_overlap(lake, spec, stage_key, rows)
            draft.write(rows)
            del rows  # before the next are read
        draft.adopt(staging, [file for part in parts for file in part.files])

    lake.create(spec)
    ref = commit_draft(lake.folder(spec), spec, Stamp(run_id, "publish", stage_key, stage), fill)
    discard(lake.path, spec, stage_key)
    return ref


def _refuse_overlap(lake: Lake, spec: TableSpec, stage_key: str, rows: pa.Table) -> None:
    if twice := int(find_duplicates(rows, spec.key).sum()):
        discard(lake.path, spec, stage_key)
        raise BadInput(
            f"{spec.name}: {twice:,} of {rows.num_rows:,} rows of stage {stage_key} repeat the key of another; "
            "what was staged is discarded, run the same command again."
        )


def clear_committed(lake: Lake) -> int:
    """Remove what stages left that were killed between their commit and the end of `commit_staged`; a run begins so.

    Not the next stage of the table alone: one that finds all its rows there has nothing to commit. Returns how many.
    """
    cleared = 0
    for name in sorted(path.name for path in (lake.path / STAGING_FOLDER).glob("*")):
        if (spec := TABLES.get(name)) and lake.exists(spec):
            table = open_table(lake.folder(spec), spec)
            for folder in (lake.path / STAGING_FOLDER / name).iterdir():
                if table.transaction_version(folder.name) is not None:
                    shutil.rmtree(folder, ignore_errors=True)
                    cleared += 1
    return cleared


def dataset_mark(dataset: str) -> str:
    """What the keys of all stages of a dataset have in common."""
    return hashlib.blake2b(dataset.encode(), digest_size=4).hexdigest()


def clear_staged(lake: Lake, dataset: str) -> int:
    """Remove all that stages of `dataset` staged and did not commit; returns how many stages.

    So go the stages of older programs, whose keys do not say the dataset and which nobody takes up any more.
    """
    left = [
        folder
        for folder in (lake.path / STAGING_FOLDER).glob("*/*")
        if f"-{dataset_mark(dataset)}-" in folder.name or OLD_KEY.match(folder.name)
    ]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


def _gather_loose(spec: TableSpec, staging: Path, parts: Iterable[StagedPart]) -> Iterator[pa.Table]:
    """The rows of the loose files, in tables of about GATHER_BYTES."""
    from pyarrow.parquet import ParquetFile

    waiting: list[pa.Table] = []
    size = 0
    for part in parts:
        if part.loose is None:
            continue
        try:
            with ParquetFile(staging / part.loose) as file:
                waiting.append(file.read())
        except (OSError, pa.ArrowException) as error:
            reason = str(error).splitlines()[0].rstrip(". ")
            raise BadInput(
                f"The staged file {part.loose} is damaged ({reason}): remove {staging} and run again."
            ) from error
        size += waiting[-1].nbytes  # asked once: of wide rows it takes a millisecond
        if size >= GATHER_BYTES:
            yield _concatenate(waiting)
            size = 0
    if waiting:
        yield _concatenate(waiting)


def _concatenate(tables: list[pa.Table]) -> pa.Table:
    """One table of all, which empties the list: memory is the reader's to give back."""
    table = pa.concat_tables(tables, promote_options="default")
    tables.clear()
    return table


def _n_partitions(spec: TableSpec, rows: pa.Table) -> int:
    return len(np.unique(encode_keys(rows, spec.partition)))


def discard(lake_path: str | Path, spec: TableSpec, stage_key: str) -> None:
    """Removes what a stage staged and did not commit."""
    shutil.rmtree(_folder(lake_path, spec, stage_key), ignore_errors=True)


def _folder(lake_path: str | Path, spec: TableSpec, stage_key: str) -> Path:
    return Path(lake_path) / STAGING_FOLDER / spec.name / _checked_name(stage_key)


def _checked_name(name: int | str) -> str:
    if not KEY.match(str(name)):
        raise BadInput(f"{name!r} cannot name a stage or a part: letters, digits, . _ and - only.")
    return str(name)
