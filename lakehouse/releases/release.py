"""A release: flat Parquet files with units, a data dictionary and the run's manifest, in one folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from lakehouse.disk import refuse_full_disk, whole_folder, write_json
from lakehouse.releases.latest import point_latest
from lakehouse.releases.voparquet import write_voparquet
from schemas import TableSpec
from schemas.dictionary import dictionary


def write_release(
    folder: str | Path,
    tables: Mapping[str, tuple[TableSpec, pa.Table]],
    manifest: Mapping[str, Any],
    extra_files: Mapping[str, str | bytes | Path] | None = None,
) -> Path:
    """Writes `folder` whole and points its sibling `latest` at it.

    `tables` maps a file's stem to a bound spec and its rows; `extra_files` maps names to text, bytes or a file to
    copy. A folder of the same name is replaced. On a full disk (BadInput) neither the folder nor `latest` changes.
    """
    folder = Path(folder)
    with refuse_full_disk(f"release {folder.name}"), whole_folder(folder) as draft:
        for stem, (spec, table) in tables.items():
            write_voparquet(draft / f"{stem}.parquet", spec, table)
        (draft / "data_dictionary.md").write_text(dictionary(spec for spec, _ in tables.values()))
        write_json(draft / "manifest.json", manifest)
        for name, content in (extra_files or {}).items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / name).write_bytes(_bytes(content))
    point_latest(folder)
    return folder


def _bytes(content: str | bytes | Path) -> bytes:
    if isinstance(content, Path):
        return content.read_bytes()
    return content.encode() if isinstance(content, str) else content
