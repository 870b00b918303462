"""Files that are whole or absent, and one clear sentence when the disk is full."""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from schemas import BadInput

FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
RUST_ERRNO = re.compile(r"os error (\d+)")


@contextmanager
def refuse_full_disk(what: str) -> Iterator[None]:
    """Turns a full disk (or a limit on file size) into BadInput; every other error passes."""
    try:
        yield
    except BadInput:
        raise
    except Exception as error:
        if not _is_full(error):
            raise
        raise BadInput(
            f"The disk is full or a file is larger than allowed: {what} was not written and nothing of it is visible; "
            "free some space and run the same command again."
        ) from error


def _is_full(error: Exception) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in FULL
    found = RUST_ERRNO.search(str(error))
    return found is not None and int(found.group(1)) in FULL


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name, synced to disk, when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield draft
        sync(draft)
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync(path.parent)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its name, replacing an older one, when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    draft.mkdir()
    try:
        yield draft
        for file in draft.rglob("*"):
            if file.is_file():
                sync(file)
        _replace_folder(draft, path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    sync(path.parent)


def _replace_folder(draft: Path, path: Path) -> None:
    old = path.with_name(f".{path.name}.{secrets.token_hex(4)}.old")
    if path.exists():
        os.rename(path, old)
    os.rename(draft, path)
    shutil.rmtree(old, ignore_errors=True)


def sync(path: Path) -> None:
    """Forces a file or a folder's entries to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as JSON; a reader sees the old file or the new one, never a part."""
    with whole_file(path) as draft:
        draft.write_text(json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n")


def read_json(path: Path) -> Any:
    """The JSON value in `path`; BadInput where it is not JSON."""
    try:
        return json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise BadInput(f"{path} is damaged ({error}); remove it and run again.") from error
