"""SQL that storage and science write for DuckDB."""

from __future__ import annotations

import os
import re
from pathlib import Path


def quote_name(name: str) -> str:
    """`name` as an SQL identifier, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """`text` as an SQL string, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"


def match_only(path: Path) -> str:
    """`path` as a pattern of DuckDB that matches it alone: as it stands, run[1] would match run1."""
    return re.sub(r"[*?[]", r"[\g<0>]", os.fspath(path))
