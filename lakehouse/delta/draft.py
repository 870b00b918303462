"""The files that one commit adds and removes, and what a killed writer leaves behind."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lakehouse.delta.files import DataFile, remove, rewrite, write_files
from schemas import BadInput, TableSpec

JOURNAL = ".draft-"


def clear_abandoned_drafts(folder: Path, live: list[DataFile]) -> None:
    """Deletes the uncommitted files of writers that were killed; the caller holds the table's lock.

    A draft leaves its journal only if its writer died, before its commit or just after it: what is live then stays.
    """
    kept = {file.path for file in live}
    for journal in folder.glob(f"{JOURNAL}*"):
        stem = journal.name.removeprefix(JOURNAL)
        for path in folder.rglob(f"*{stem}*.parquet*"):
            if path.relative_to(folder).as_posix() not in kept:
                path.unlink()
        journal.unlink()


class Draft:
    """The files that one commit adds and removes; on an error, those it wrote are deleted again."""

    def __init__(self, folder: Path, spec: TableSpec, live: list[DataFile]) -> None:
        self.folder, self.spec, self.live = folder, spec, live
        self.added: list[DataFile] = []
        self.removed: list[DataFile] = []
        self.rows = 0
        self._stem = secrets.token_hex(8)
        self._own: list[DataFile] = []

    def __enter__(self) -> Draft:
        self._journal = self.folder / f"{JOURNAL}{self._stem}"
        self._journal.touch()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            remove(self.folder, self._own)
        self._journal.unlink()

    def write(self, table: pa.Table) -> None:
        """New rows, to new files."""
        self._own += (new := write_files(self.folder, self.spec, table, self._stem))
        self.added += new
        self.rows += table.num_rows

    def adopt(self, staging: Path, files: list[DataFile]) -> None:
        """Moves staged files in; a repeated attempt finds some moved already."""
        for file in files:
            source, target = staging / file.path, self.folder / file.path
            if source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(source, target)
            elif not target.exists():
                raise BadInput(f"{self.spec.name}: the staged file {file.path} is gone; run the stage again.")
        self.added += files
        self.rows += sum(file.rows for file in files)

    def drop(self, files: list[DataFile]) -> None:
        """Whole files go."""
        self.removed += files

    def drop_rows(
        self, files: list[DataFile], columns: list[str], keep: Callable[[pa.Table], NDArray[np.bool_]]
    ) -> None:
        """The rows whose `columns` `keep` does not keep go; a file that holds none of them stays as it is."""
        for old in files:
            new = rewrite(self.folder, old, self._stem, columns, keep)
            if new is old:
                continue
            self.removed.append(old)
            if new is not None:
                self._own.append(new)
                self.added.append(new)
