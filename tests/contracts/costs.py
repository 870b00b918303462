"""What CONTRIBUTING.md says that an addition costs, and what the additions of the tests cost."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "CONTRIBUTING.md"
ROW = re.compile(r"^\| (?P<what>[^|]+) \| (?P<file>[^|]*) \| (?P<line>[^|]*) \| (?P<cost>[^|]+) \|$", re.M)


def rows() -> dict[str, re.Match[str]]:
    """Rows of the table of additions by what is added."""
    return {row["what"]: row for row in ROW.finditer(PAGE.read_text()) if row["what"] not in ("what", "---")}


def stated_cost(what: str) -> str:
    """The last cell of a row: "1 file of 20 lines, 2 lines"."""
    return rows()[what]["cost"]


def cost(n_line: int, *files: Path | str) -> str:
    """Cost of an addition of these files that needs `n_line` lines in files which are there already."""
    of = [len(Path(file).read_text().splitlines()) for file in files]
    lines = f"{n_line} line{'' if n_line == 1 else 's'}"
    return ", ".join([*(f"1 file of {n} lines" for n in of), lines])


def lines_with(path: str, name: str) -> int:
    """How many lines of a file name a registered member: what its registration took."""
    return sum(bool(re.search(rf"(?<!\w){name}(?!\w)", line)) for line in (ROOT / path).read_text().splitlines())
