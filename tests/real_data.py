"""Where the real data are: light curves of surveys, and answers that archives gave. A test without them is skipped."""

import os
from pathlib import Path

import astroquery
import pytest

ROOT = Path(os.environ.get("ARGELANDER_DATA") or Path(__file__).parents[2] / "shared" / "data")


def recorded(name: str) -> Path:
    """A recorded answer of an archive."""
    path = ROOT / "archive_responses" / name
    if not path.exists():
        pytest.skip(f"no recorded answer {name} in {path.parent}: set ARGELANDER_DATA to the folder above it")
    return path


def of_astroquery(module: str, name: str) -> Path:
    """An answer that astroquery's own tests of `module` (gaia, utils/tap, ...) read; its wheel brings them along."""
    path = Path(astroquery.__file__).parent / module / "tests" / "data" / name
    if not path.exists():
        pytest.skip(f"this astroquery was installed without its tests' data ({path})")
    return path
