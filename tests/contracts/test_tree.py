"""The tree in the docs is the tree on disk, and every door and room stands where the docs say."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
TREE = re.compile(r"^```tree\n(.*?)^```", re.M | re.S)


def listed() -> set[str]:
    """Paths named in the tree of docs/architecture.md: the first word of each line, indented by its folder."""
    block = TREE.search((ROOT / "docs" / "architecture.md").read_text())
    assert block, "docs/architecture.md has no tree"
    folders: list[str] = []
    found = set()
    for line in block[1].splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        names = re.match(r"\s*((?:\S+, )*\S+)", line)[1].split(", ")
        folders = folders[:depth]
        found |= {"/".join([*folders, name.rstrip("/")]) for name in names}
        if names[0].endswith("/"):
            folders.append(names[0].rstrip("/"))
    return found


def on_disk() -> set[str]:
    """Every folder and module of the rooms, and everything at the top, as git would keep them."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    names = [name for name in names if (ROOT / name).exists()]
    rooms = ("flows/", "tasks/", "lakehouse/", "schemas/")
    found = {name.split("/")[0] for name in names}
    for name in (name for name in names if name.startswith(rooms) and not name.endswith("__init__.py")):
        found.add("/".join(name.split("/")[:2]))
    return found


def test_the_tree_in_the_docs_is_the_tree_on_disk():
    assert listed() == on_disk()
