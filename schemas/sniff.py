"""What a folder's mapping must be, from the names of its columns: the defaults under a dataset.toml, or instead of one.

Nothing is guessed from the values but the names of the bands; what no name decides is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa

from schemas.errors import BadInput, Guard, settled_by
from schemas.files import column_names, find_few_values, find_varying, holds_numbers, parquet_schema
from schemas.formats.files import WHOLE_FOLDER, name_tables
from schemas.formats.opening import open_table
from schemas.recognition import (
    BAND,
    DEC,
    FLAGS,
    ID,
    LABEL,
    MAG,
    MAG_ERR,
    PHASE,
    RA,
    TIME_SYSTEM,
    TimeName,
    find_column,
    find_time,
    is_recognised,
    read_time_name,
)
from schemas.values import value_type

MAX_BANDS = 127  # the band code is an int8
MAX_LIKELY_BANDS = 20  # a column that nobody named with at most so many values may say which band
ARBITRARY = "arbitrary"  # zero of times that nothing names
SINGLE = "single"  # name of the band where no column says which
BAND_KEY = "lightcurves.band"
EPOCHS = {"mag": MAG, "mag_err": MAG_ERR, "band": BAND, "flags": FLAGS}
NEEDED = ("id", "time", "mag")


def sniff(folder: Path, declared: dict[str, Any], guard: Guard = nullcontext) -> dict[str, Any]:
    """`declared` (what dataset.toml says) completed by what the columns of `folder` show; a tree for DatasetSpec.

    Raises BadInput where a file is missing or is not Parquet, no column or more than one can be what is needed, or one
    may say which band and nobody knows. A `guard` that holds these back gets a tree of what is known.
    """
    has_curves = declared.get("kind") != "photometry"
    objects, epochs = (_node(declared, key) for key in ("objects", "lightcurves"))
    with guard():
        objects, epochs = _name_files(folder, objects, epochs, has_curves)
    tree = {"name": re.sub(r"[^A-Za-z0-9_.-]+", "_", folder.resolve().name).lstrip("_.-") or "folder", **declared}
    of_objects, of_epochs, names = folder, folder, list[str]()
    with guard(), settled_by("objects.file"):
        of_objects = _file(folder, objects, "objects")
        names = column_names(of_objects)
    schema: pa.Schema | None = None
    with guard(), settled_by("lightcurves.file"):
        of_epochs = _file(folder, epochs, "lightcurves")
        schema = _epoch_schema(of_epochs) if has_curves else None
    if names:
        tree["objects"] = {**_objects(of_objects, names, schema.names if schema else (), objects, guard), **objects}
    if "label" not in declared:
        tree |= _label(names, guard)
    if schema is None:
        return {"bands": [{"name": SINGLE}], **tree} if has_curves else tree
    tree["lightcurves"] = {**_epochs(of_epochs, schema.names, names, declared, guard), **epochs}
    scale = {"kind": "time", "time_zero": ARBITRARY}
    with guard():
        scale = _time_scale(of_epochs, str(tree["lightcurves"].get("time", "")), schema.names, declared)
    tree = {**scale, **tree}
    if "bands" not in declared:
        tree["bands"] = [{"name": SINGLE}]
        with guard():
            tree["bands"] = _bands(of_epochs, tree["lightcurves"], schema)
    return tree


def _node(tree: dict[str, Any], key: str) -> dict[str, Any]:
    value = tree.get(key, {})
    return value if isinstance(value, dict) else {}


def _name_files(
    folder: Path, objects: dict[str, Any], epochs: dict[str, Any], has_curves: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The nodes with the files that nobody named, where they are not those that a mapping has by itself."""
    found = name_tables(folder, objects.get("file"), epochs.get("file"), has_curves)
    usual = {key: name for key, name in found.items() if name != f"{key}.parquet"}
    named = [{"file": usual[key]} if key in usual else {} for key in ("objects", "lightcurves")]
    return {**named[0], **objects}, {**named[1], **epochs}


def _file(folder: Path, node: dict[str, Any], key: str) -> Path:
    name = node.get("file", f"{key}.parquet")
    if not isinstance(name, str) or (Path(name).name != name and name != WHOLE_FOLDER):
        raise BadInput(f"{folder / 'dataset.toml'}: {key}.file must name a file in the folder itself (it is {name!r}).")
    return open_table(folder, name)


def _epoch_schema(file: Path) -> pa.Schema:
    if not file.is_file():
        raise BadInput(
            f"There is no {file.name} in {file.parent}: add it, name another as lightcurves.file in dataset.toml "
            f'or set kind = "photometry" there if objects.parquet holds mean magnitudes.'
        )
    return parquet_schema(file)


def _objects(
    file: Path, names: list[str], of_epochs: Sequence[str], declared: dict[str, Any], guard: Guard
) -> dict[str, str]:
    """Columns of the table of objects by role; a position needs both coordinates, as numbers."""
    found: dict[str, str | None] = {}
    if "id" not in declared:
        with guard():
            found["id"] = _require(_find_id(names, of_epochs, "objects.id"), "objects.id", names, file)
    for key, words in {"ra": RA, "dec": DEC}.items():
        if key not in declared:
            with guard():
                column = find_column(words, names, f"objects.{key}")
                found[key] = column if column and holds_numbers(file, column) else None
    if not all({**found, **declared}.get(key) for key in ("ra", "dec")):
        found = {"id": found.get("id")}
    return {key: name for key, name in found.items() if name}


def _label(names: list[str], guard: Guard) -> dict[str, Any]:
    with guard():
        if column := find_column(LABEL, names, "label.column"):
            return {"label": {"column": column}}
    return {}


def _epochs(
    file: Path, names: list[str], of_objects: Sequence[str], declared: dict[str, Any], guard: Guard
) -> dict[str, str]:
    """Columns of the table of epochs by role."""
    find: dict[str, Callable[[], str | None]] = {
        "id": lambda: _find_id(names, of_objects, "lightcurves.id"),
        "time": lambda: _find_time(names, declared.get("kind")),
        **{key: partial(find_column, words, names, f"lightcurves.{key}") for key, words in EPOCHS.items()},
    }
    found: dict[str, str | None] = {}
    said = _node(declared, "lightcurves")
    settled = {*said, *(("mag", "mag_err") if said.get("flux") else ("mag_err",) if said.get("snr") else ())}
    for key in (key for key in find if key not in settled):
        with guard():
            column = find[key]()
            found[key] = _require(column, f"lightcurves.{key}", names, file) if key in NEEDED else column
    return {key: name for key, name in found.items() if name}


def _find_id(names: list[str], others: Sequence[str], key: str) -> str | None:
    """The column of ids: one that both files have comes first."""
    return find_column(ID, [name for name in names if name in others], key) or find_column(ID, names, key)


def _find_time(names: list[str], kind: Any) -> str | None:
    """The column of times, or of phases where there is none or the dataset is one of phases."""
    phase = find_column(PHASE, names, "lightcurves.time")
    return (phase if kind == "phase" else None) or find_time(names, "lightcurves.time") or phase


def _require(column: str | None, key: str, names: list[str], file: Path) -> str:
    if column is None:
        raise BadInput(
            f"{file}: no column looks like the {key.rpartition('.')[2]} (it has {', '.join(names)}): "
            f"name it as {key} in dataset.toml.",
            key,
        )
    return column


def _time_scale(file: Path, column: str, names: list[str], declared: dict[str, Any]) -> dict[str, str]:
    """Kind, zero and unit of the times by the name of their column, or by another that names the system of each."""
    is_phase = find_column(PHASE, [column], "") is not None
    if declared.get("kind", "phase" if is_phase else "time") == "phase":
        return {"kind": "phase"}
    said = read_time_name(column)
    if said is None or said.zero == ARBITRARY:
        said = _read_system(file, column, names, declared) or said
    if said is None:
        return {"kind": "time", "time_zero": ARBITRARY}
    unit = {} if said.unit == "d" else {"time_unit": said.unit}
    return {"kind": "time", "time_zero": said.zero, **unit}


def _read_system(file: Path, column: str, names: list[str], declared: dict[str, Any]) -> TimeName | None:
    """What a column such as time_system says of all times; BadInput where it names several and nobody chose one."""
    system = find_column(TIME_SYSTEM, names, "lightcurves.time")
    if system is None or "time_zero" in declared:
        return None
    values = find_few_values(file, [system], MAX_LIKELY_BANDS).get(system, ())
    dates = [said for value in values if (said := read_time_name(value)) is not None and said.zero != ARBITRARY]
    if not dates or len(dates) < len(values):
        return None
    if len({said.zero for said in dates}) > 1:
        raise BadInput(
            f"{file}: column {system!r} says that the times of column {column!r} count from {len(values)} zeros "
            f"({_some(values)}): write them anew from one, as a column mjd (JD - 2400000.5), or set time_zero in "
            "dataset.toml to that of the rows which are to be read.",
            "time_zero",
        )
    return dates[0]


def _bands(file: Path, columns: dict[str, Any], schema: pa.Schema) -> list[dict[str, str]]:
    """One entry for each name in the band column, sorted; a single band where no column can say which."""
    column = columns.get("band")
    if column is None:
        _refuse_unnamed_bands(file, columns, schema)
    if not column:
        return [{"name": SINGLE}]
    if column not in schema.names:
        raise BadInput(f"{file} has no column {column!r} (it has {', '.join(schema.names)}): set lightcurves.band.")
    values = find_few_values(file, [column], MAX_BANDS).get(column)
    if values is None:
        raise BadInput(f"{file}: column {column!r} has more than {MAX_BANDS} values: it cannot be the band.", BAND_KEY)
    if not values:
        raise BadInput(
            f"{file}: column {column!r} names no band in any row (or there are no rows): nothing to read.", BAND_KEY
        )
    return [{"name": name, "value": value} for name, value in zip(_identifiers(values), values, strict=True)]


def _refuse_unnamed_bands(file: Path, columns: dict[str, Any], schema: pa.Schema) -> None:
    """BadInput where columns of few values stand beside epochs of which nothing says the band: one of them may.

    A column that is the same in all epochs of a star says something of the star: the name of a field.
    """
    unknown = [
        field.name
        for field in schema
        if field.name not in columns.values() and not is_recognised(field.name) and _may_be_names(field.type)
    ]
    found = find_few_values(file, unknown, MAX_LIKELY_BANDS)
    names = {name: tuple(value for value in values if value.casefold() != "nan") for name, values in found.items()}
    few = {name: values for name, values in names.items() if len(values) > 1 and all(map(_is_whole, values))}
    if few and columns.get("id") in schema.names:
        few = {name: few[name] for name in find_varying(file, columns["id"], list(few))}
    if few:
        listed = "; ".join(f"{name!r}: {_some(values)}" for name, values in few.items())
        raise BadInput(
            f"{file}: no column is called as bands are, but some have few values ({listed}): write under [lightcurves] "
            f'in dataset.toml band = "{next(iter(few))}" if that says the band of an epoch, or band = "" if all epochs '
            "are in one.",
            BAND_KEY,
        )


def _may_be_names(kind: pa.DataType) -> bool:
    """True for text, whole numbers, and floats, as which whole numbers with gaps are often kept."""
    item, of = value_type(kind), pa.types
    tests = (of.is_integer, of.is_floating, of.is_string, of.is_large_string, of.is_string_view, of.is_binary)
    return any(test(item) for test in tests)


def _is_whole(value: str) -> bool:
    """False for the text of a number with a fraction."""
    try:
        return float(value).is_integer()
    except ValueError:
        return True


def _some(values: tuple[str, ...]) -> str:
    return ", ".join(values[:5]) + (f" and {len(values) - 5} more" if len(values) > 5 else "")


def _identifiers(values: Iterable[str]) -> list[str]:
    """Names of bands that are fit for column names, all different, from what a file calls them."""
    names: list[str] = []
    for value in values:
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", value.strip()).strip("_") or "band"
        name = plain if plain[0].isalpha() else f"band_{plain}"
        numbered = (f"{name}_{n}" for n in count(len(names)))
        names.append(name if name not in names else next(other for other in numbered if other not in names))
    return names
