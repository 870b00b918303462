"""Files that are whole or absent, and one clear sentence when the disk is full."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from schemas import BadInput

FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
# A path loses one of the two slashes; a drive letter is no scheme.
ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
DRAFT = re.compile(r"\..+\.[0-9a-f]{8}\.(tmp|old)\Z")
GRACE_S = 2.0  # from the making of a draft to its lock
RUST_ERRNO = re.compile(r"os error (\d+)")


class FullDisk(BadInput):
    """There is no room for a file: whatever was to be written, nothing else will be either."""


@contextmanager
def refuse_full_disk(what: str) -> Iterator[None]:
    """Turns a full disk (or a limit on file size) into FullDisk; every other error passes."""
    try:
        yield
    except BadInput:
        raise
    except Exception as error:
        if not _is_full(error):
            raise
        raise FullDisk(
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
        draft.touch()
        with _held(draft):
            yield draft
            sync(draft)
            os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync(path.parent)


@cache
def private_folder() -> Path:
    """A folder for what lives no longer than the machine runs, of this user and closed to others."""
    folder = Path(tempfile.gettempdir()) / f"argelander-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():  # somebody else was there first
        return Path(tempfile.mkdtemp(prefix="argelander-"))
    folder.chmod(0o700)
    return folder


def plain_link(folder: Path) -> Path:
    """A link to `folder` with a plain name, the same whenever it is asked for.

    For libraries to which something in a path has a meaning: [1] is a pattern, key=value a column.
    """
    target = folder.absolute()
    link = private_folder() / hashlib.blake2b(os.fsencode(target), digest_size=10).hexdigest()
    with suppress(FileExistsError):
        link.symlink_to(target, target_is_directory=True)
    return link


@contextmanager
def named_file(path: Path) -> Iterator[Path]:
    """As `whole_file`, for a file that a user names: a link stays, and what it points to is replaced.

    A device or a pipe stays what it is: the bytes are written to it when the block ends well. BadInput for a folder.
    """
    if path.is_dir():
        raise BadInput(f"{path} is a folder: name the file to write.")
    if path.is_file() or not path.exists():
        with whole_file(path.resolve()) as draft:
            yield draft
        return
    with tempfile.TemporaryDirectory(prefix="argelander-") as scratch:
        draft = Path(scratch) / "draft"
        yield draft
        with draft.open("rb") as source, path.open("wb") as sink:
            shutil.copyfileobj(source, sink)


def require_local(path: str | Path, what: str) -> Path:
    """`path` as a place on this machine; BadInput for "" and for an address such as s3://bucket."""
    if not str(path):
        raise BadInput(f"The {what} has no name: give a path on this machine.")
    if (found := ADDRESS.match(str(path))) and not Path(path).exists():
        raise BadInput(f"The {what} is at {found[1]}://, which is not supported yet: give a path on this machine.")
    return Path(path)


def require_writable(folder: Path, what: str) -> None:
    """BadInput where `folder`, or the place in which it would be made, cannot be written; nothing is made."""
    place = folder.absolute()
    while not (place.exists() or place.is_symlink()):
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise BadInput(
            f"The {what} {folder} cannot be written ({place} refuses it): choose another or change its rights."
        )


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its name, replacing an older one, when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    draft.mkdir()
    try:
        with _held(draft):
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


@contextmanager
def _held(draft: Path) -> Iterator[None]:
    """A lock on a draft, which ends with its writer: so `clear_drafts` tells what a killed one left."""
    handle = os.open(draft, os.O_RDONLY)
    try:
        with suppress(OSError):  # storage without locks: drafts stay there
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def clear_drafts(folder: Path) -> int:
    """Remove the drafts in `folder` whose writers were killed; returns how many."""
    left = [path for path in folder.glob(".*") if DRAFT.match(path.name) and _is_abandoned(path)]
    for path in left:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(left)


def _is_abandoned(draft: Path) -> bool:
    try:
        if time.time() - draft.lstat().st_mtime < GRACE_S:
            return False
        handle = os.open(draft, os.O_RDONLY)
    except OSError:
        return draft.is_symlink()  # to a release that is gone; any other draft has just taken its name
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


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


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; BadInput where there is none."""
    try:
        value = json.loads(path.read_text())
    except ValueError as error:  # no JSON, or no text
        raise BadInput(f"{path} is damaged ({error}); remove it and run again.") from error
    if not isinstance(value, dict):
        raise BadInput(f"{path} is damaged (it holds no JSON object); remove it and run again.")
    return value
