"""The data releases of Gaia, a file of values each, and the file that replaces some of them for a run.

Whatever the next release changes stands in such a file and nowhere else. Source ids of two releases are different
names: a dataset holds one release.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from schemas import BadInput
from schemas.errors import nearest
from tasks.surveys.data_files import FOLDER
from tasks.surveys.gaia_release import GaiaRelease

# Names of the two DataLink structures, first as astroquery 0.4.11 sends them, then as its main branch does (PR #3629,
# July 2026). Which of them the server takes today is its own choice: the client tries the other one on its message.
STRUCTURES = {"INDIVIDUAL": "DATAMODEL_STANDARD", "RAW": "DATAMODEL_GAIA"}
FILE_VARIABLE = "ARGELANDER_GAIA_RELEASE_FILE"  # names an override file where the settings name none
FIRST = "dr3"  # the release of every dataset that does not say otherwise


def read_tree(path: Path) -> dict[str, Any]:
    """The tree of a TOML file; BadInput where it is missing or no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The file of Gaia's release, {path}, cannot be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path} is not valid TOML: {error}.") from None


_TREES = {name: read_tree(FOLDER / f"gaia_{name}.toml") for name in ("dr3", "dr4")}
RELEASES = {name: GaiaRelease.model_validate(tree) for name, tree in _TREES.items()}


def find_release(name: str) -> GaiaRelease:
    """The release that the settings call `name`, as it was known; raises BadInput where it is not."""
    if name not in RELEASES:
        raise BadInput(f"There is no Gaia release {name!r} here; known are {', '.join(RELEASES)}.")
    return RELEASES[name]


def gaia_release(name: str, file: str = "") -> GaiaRelease:
    """The release that the settings call `name`, with what an override file says otherwise.

    `file` is that file; where it is empty, the one that the environment names counts, if it is about this release.
    Raises BadInput where the release is not known, or the file has a key or value that cannot be.
    """
    known = find_release(name)
    path = file or os.environ.get(FILE_VARIABLE, "")
    if not path:
        return known
    tree = read_tree(Path(path))
    if tree.get("release") != name:
        if not file:
            return known
        raise BadInput(
            f'{path} is about the release {tree.get("release")!r}, not {name!r}: it says release = "{name}".'
        )
    return override_release(name, tree, path)


def override_release(name: str, tree: Mapping[str, Any], where: str) -> GaiaRelease:
    """The release `name` with the values of `tree`, which replace its own key by key; `where` names it in errors."""
    try:
        return GaiaRelease.model_validate(merge_trees(_TREES[name] | {"marked_as": ""}, tree))
    except ValidationError as error:
        wrong = error.errors()
    first = next((each for each in wrong if each["type"] == "extra_forbidden"), wrong[0])
    key = ".".join(map(str, first["loc"])) or "release"
    if first["type"] == "extra_forbidden":
        known = _list_keys(first["loc"][:-1])
        raise BadInput(f"{where}: there is no key {key}.{nearest(str(first['loc'][-1]), known)}")
    reason = first["msg"].removeprefix("Value error, ").rstrip(".")
    raise BadInput(f"{where}: {key}: {reason[:1].lower()}{reason[1:]}.")


def merge_trees(tree: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`tree` with the values of `changes`, node by node."""
    nodes = {name for name, value in changes.items() if isinstance(value, dict) and isinstance(tree.get(name), dict)}
    return {**tree, **changes, **{name: merge_trees(tree[name], changes[name]) for name in nodes}}


def _list_keys(path: tuple[int | str, ...]) -> list[str]:
    """Keys that the node at `path` of a release may hold."""
    model: Any = GaiaRelease
    for part in path:
        field = model.model_fields.get(str(part)) if isinstance(model, type) and issubclass(model, BaseModel) else None
        model = field.annotation if field is not None else None
    fields = getattr(model, "model_fields", {})
    return [field.alias or name for name, field in fields.items()]
