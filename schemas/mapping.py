"""The mapping of a folder as it is given: a preset, a dataset.toml, or the names of its columns alone."""

from __future__ import annotations

import tomllib
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.dataset import DATASET_FILE, DatasetSpec
from schemas.dataset_nodes import Band, ClassLabel, LightCurveColumns, ObjectColumns, Parameter
from schemas.errors import BadInput, Guard, nearest
from schemas.formats.files import name_tables
from schemas.sniff import sniff

PRESET_FOLDER = Path(__file__).with_name("datasets")
PRESET_KEY = "preset"  # of a dataset.toml that says only what differs from a preset


def preset_names() -> tuple[str, ...]:
    """Names of the presets, sorted."""
    return tuple(sorted(path.stem for path in PRESET_FOLDER.glob("*.toml")))


def load_preset(name: str) -> DatasetSpec:
    """The preset called `name`; raises BadInput where there is none."""
    return _validate(_preset_tree(name), f"preset {name}")


def _preset_tree(name: str, where: str = "") -> dict[str, Any]:
    """What the file of a preset says; BadInput, with `where` before it, for a name that is none."""
    known = preset_names()
    if name not in known:
        raise BadInput(f"{where}There is no preset {name!r}; there are {', '.join(known)}.{nearest(str(name), known)}")
    return _toml((PRESET_FOLDER / f"{name}.toml").read_text(encoding="utf-8"), f"preset {name}")


def advise_under_preset(sentence: str, name: str | None) -> str:
    """`sentence`, and where it speaks of a dataset.toml how the preset `name` for folders takes one."""
    if DATASET_FILE not in sentence or name not in preset_names():
        return sentence
    return (
        f"{sentence} The preset {name} reads a {DATASET_FILE} in the folder where its first line is "
        f'{PRESET_KEY} = "{name}" and the others say what differs.'
    )


def load_spec(folder: Path | str, preset_name: str | None = None, guard: Guard = nullcontext) -> DatasetSpec:
    """How to read `folder`: the preset, else its dataset.toml completed by recognised columns, else those alone.

    A dataset.toml that names a preset (`preset = "tess_fits"`) says what differs from it, also where it is asked for.
    Raises BadInput, in one sentence, for a folder, file or key that is missing, unknown or out of range; those of the
    columns inside `guard`.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}: give the one that holds objects.parquet and lightcurves.parquet.")
    path = folder / DATASET_FILE
    declared: dict[str, Any] = {}
    if path.is_file():
        with nullcontext() if preset_name is None else suppress(BadInput):  # what a preset does not read may be broken
            declared = _toml(path.read_bytes().decode("utf-8", "replace"), str(path))
    named = declared.pop(PRESET_KEY, None)
    if preset_name not in (None, named):
        return _find_files(folder, load_preset(preset_name))
    if named is not None:
        return _find_files(folder, _validate(_join(_preset_tree(named, f"{path}: "), declared), str(path), guard))
    where = str(path) if declared else f"{folder} (no {DATASET_FILE})"
    return _validate(sniff(folder, declared, guard), where, guard)


def _join(tree: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """`tree` with the entries of `own`: those of a table one by one, a list of tables ([[bands]]) as a whole."""
    tables = {
        key: {**tree[key], **value} for key, value in own.items() if _is_table(value) and _is_table(tree.get(key))
    }
    return {**tree, **own, **tables}


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _find_files(folder: Path, spec: DatasetSpec) -> DatasetSpec:
    """`spec` with the tables as the folder has them, where those that it names are not there."""
    objects, epochs = (
        file if (folder / file).exists() else None for file in (spec.objects.file, spec.lightcurves.file)
    )
    found = name_tables(folder, objects, epochs, spec.has_light_curves)
    return spec.model_copy(
        update={
            "objects": spec.objects.model_copy(update={"file": found.get("objects", spec.objects.file)}),
            "lightcurves": spec.lightcurves.model_copy(
                update={"file": found.get("lightcurves", spec.lightcurves.file)}
            ),
        }
    )


def parse_spec(text: str, where: str) -> DatasetSpec:
    """The mapping written in `text` (TOML), complete in itself; `where` names it in errors (BadInput)."""
    return _validate(_toml(text, where), where)


def _toml(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{where} is not valid TOML: {error}.") from None


def _validate(tree: dict[str, Any], where: str, guard: Guard = nullcontext) -> DatasetSpec:
    """The mapping of `tree`; BadInput with the first thing that is wrong in it, and with each inside `guard`."""
    try:
        return DatasetSpec.model_validate(tree)
    except ValidationError as error:
        # A misspelt key says more than the one that is missing because of it.
        wrong = sorted(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    for each in wrong:
        with guard():
            raise _explain(each, where)
    raise _explain(wrong[0], where)  # behind a guard that held it back


def _explain(error: ErrorDetails, where: str) -> BadInput:
    """The sentence for one thing that is wrong in a mapping."""
    key = ".".join(str(part) for part in error["loc"]) or "the mapping"
    if error["type"] == "extra_forbidden":
        near = nearest(str(error["loc"][-1]), _list_keys(error["loc"][:-1]))
        return BadInput(f"{where}: unknown key {key}.{near}")
    message = error["msg"].removeprefix("Value error, ").rstrip(".")
    given = "" if error["type"] in ("missing", "value_error") else f" (it is {error['input']!r})"
    return BadInput(f"{where}: {key}: {message[:1].lower()}{message[1:]}{given}.")


def _list_keys(path: tuple[int | str, ...]) -> list[str]:
    """Keys that the node at `path` of the mapping may hold."""
    nodes: dict[str, type[BaseModel]] = {
        "objects": ObjectColumns,
        "lightcurves": LightCurveColumns,
        "label": ClassLabel,
        "parameters": Parameter,
        "references": Parameter,
        "bands": Band,
    }
    return list(nodes.get(str(path[0]), DatasetSpec).model_fields if path else DatasetSpec.model_fields)
