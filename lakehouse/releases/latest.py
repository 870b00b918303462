"""Which release readers find under the name `latest`."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from lakehouse.disk import sync

OF_RUN = re.compile(r"-\d{8}T\d{6}Z-[0-9a-f]{4}\Z")  # the end of a release's name


def point_latest(folder: Path) -> None:
    """Makes `latest` beside `folder` a link to it, in one step: a reader finds the old release or the new one."""
    draft = folder.with_name(f".latest.{secrets.token_hex(4)}.tmp")
    draft.symlink_to(folder.name, target_is_directory=True)
    os.replace(draft, folder.with_name("latest"))
    sync(folder.parent)


def renew_latest(folder: Path, dataset: str) -> None:
    """Points `latest` at `folder` unless it is at a release of another dataset than `dataset`."""
    name = folder.with_name("latest").resolve().name
    if name != folder.name and OF_RUN.sub("", name) in (dataset, "latest"):
        point_latest(folder)
