"""The benchmarks of a checkout: one file per question in benchmarks/, run as a program of its own."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from schemas import BadInput
from schemas.errors import nearest

ROOT = Path(__file__).resolve().parents[1]


def questions(root: Path = ROOT) -> dict[str, str]:
    """Name of each benchmark and what it asks, the first line of its docstring; BadInput outside of a checkout."""
    files = sorted((root / "benchmarks").glob("[!_]*.py"))
    if not files:
        raise BadInput(
            f"there are no benchmarks in {root}: they come with a checkout of the project, not with its wheel."
        )
    return {file.stem: (ast.get_docstring(ast.parse(file.read_text())) or "").split("\n")[0] for file in files}


def run(name: str, arguments: Sequence[str] = (), data: Path | None = None, root: Path = ROOT) -> int:
    """Exit status of a benchmark; `data` is the folder of the real sets. BadInput where either is not there."""
    if name not in (known := questions(root)):
        raise BadInput(f"no benchmark {name!r}; there are {', '.join(known)}.{nearest(name, [*known])}")
    if data is not None and not data.is_dir():
        raise BadInput(f"{data} is not a folder: --data names the folder of the real sets.")
    environment = {"OMP_NUM_THREADS": "1"} | os.environ | ({"ARGELANDER_DATA": str(data.resolve())} if data else {})
    return subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *arguments], cwd=root, env=environment
    ).returncode
