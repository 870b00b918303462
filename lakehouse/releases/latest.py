"""Which release readers find under the name `latest`."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from lakehouse.disk import sync


def point_latest(folder: Path) -> None:
    """Makes `latest` beside `folder` a link to it, in one step: a reader finds the old release or the new one."""
    draft = folder.with_name(f".latest.{secrets.token_hex(4)}.tmp")
    draft.symlink_to(folder.name, target_is_directory=True)
    os.replace(draft, folder.with_name("latest"))
    sync(folder.parent)
