"""What a folder's mapping must be, from the names of its columns: the defaults under a dataset.toml, or instead of one.

A name is recognised as written, or in other capitals. Nothing is guessed from the values but the names of the bands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa

from schemas.errors import BadInput

ID = ("object_id", "objectid", "obj_id", "source_id", "oid", "id", "name")
RA, DEC = ("ra", "ra_deg", "raj2000", "ra_icrs"), ("dec", "dec_deg", "dej2000", "decj2000", "de_icrs")
LABEL = ("label", "class")
TIME = {  # column name -> the zero point that it implies; a plain "time" implies none
    "mjd": "mjd", "hmjd": "mjd", "bmjd": "mjd", "jd": "jd", "hjd": "hjd", "bjd": "bjd",
    "time": "arbitrary", "t": "arbitrary", "time_days": "arbitrary",
}  # fmt: skip
PHASE = ("phase",)
MAG = ("mag", "magnitude")
MAG_ERR = ("mag_err", "magerr", "mag_error", "e_mag", "sigma_mag")
BAND = ("band", "filter", "passband", "filtercode")
FLAGS = ("flags", "flag", "catflags")
MAX_BANDS = 127  # the band code is an int8
SINGLE = "single"  # name of the band where no column says which


def sniff(folder: Path, declared: dict[str, Any]) -> dict[str, Any]:
    """`declared` (what dataset.toml says) completed by what the columns of `folder` show; a tree for DatasetSpec.

    Raises BadInput where a file is missing or is not Parquet, or no column can be the time or the magnitude.
    """
    objects, epochs = (_node(declared, key) for key in ("objects", "lightcurves"))
    tree = {"name": re.sub(r"[^A-Za-z0-9_.-]+", "_", folder.resolve().name).lstrip("_.-") or "folder", **declared}
    names = column_names(_file(folder, objects, "objects"))
    tree["objects"] = {**_objects(names), **objects}
    if "label" not in declared and (label := _find(LABEL, names)):
        tree["label"] = {"column": label}
    if declared.get("kind") == "photometry":
        return tree
    file = _file(folder, epochs, "lightcurves")
    if not file.is_file():
        raise BadInput(
            f"There is no {file.name} in {folder}: add it, name another as lightcurves.file in dataset.toml "
            f'or set kind = "photometry" there if objects.parquet holds mean magnitudes.'
        )
    names = column_names(file)
    tree["lightcurves"] = {**_epochs(names, epochs, file), **epochs}
    tree = {**_time_scale(tree["lightcurves"]["time"], declared), **tree}
    if "bands" not in declared:
        tree["bands"] = _bands(file, tree["lightcurves"].get("band"), names)
    return tree


def column_names(file: Path) -> list[str]:
    """Names of the columns of a Parquet file; raises BadInput where it is missing or is none."""
    return parquet_schema(file).names


def parquet_schema(file: Path) -> pa.Schema:
    """Arrow schema of a Parquet file; raises BadInput where it is missing or is none."""
    import pyarrow.parquet as pq

    if not file.is_file():
        raise BadInput(f"There is no {file.name} in {file.parent}: a dataset is a folder with that file in it.")
    try:
        return pq.read_schema(file)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(file, error) from None


def unreadable(file: Path, error: Exception) -> BadInput:
    """The one sentence for a file that is no Parquet, or is damaged."""
    reason = str(error).strip().splitlines()[0].rstrip(". ")
    return BadInput(f"{file} cannot be read as Parquet ({reason}): write it again.")


def _node(tree: dict[str, Any], key: str) -> dict[str, Any]:
    value = tree.get(key, {})
    return value if isinstance(value, dict) else {}


def _file(folder: Path, node: dict[str, Any], key: str) -> Path:
    name = node.get("file", f"{key}.parquet")
    if not isinstance(name, str) or Path(name).name != name:
        raise BadInput(f"{folder / 'dataset.toml'}: {key}.file must name a file in the folder itself (it is {name!r}).")
    return folder / name


def _find(wanted: Iterable[str], names: Iterable[str]) -> str | None:
    """The first of `wanted` among `names`, whatever its capitals."""
    folded = {name.lower(): name for name in names}
    return next((folded[name] for name in wanted if name in folded), None)


def _objects(names: list[str]) -> dict[str, str]:
    found = {"id": _find(ID, names)}
    if (ra := _find(RA, names)) and (dec := _find(DEC, names)):
        found |= {"ra": ra, "dec": dec}
    return {key: name for key, name in found.items() if name}


def _epochs(names: list[str], declared: dict[str, Any], file: Path) -> dict[str, str]:
    wanted = {"id": ID, "time": (*TIME, *PHASE), "mag": MAG, "mag_err": MAG_ERR, "band": BAND, "flags": FLAGS}
    found = {key: _find(choice, names) for key, choice in wanted.items()}
    for key in ("time", "mag"):
        if not found[key] and key not in declared:
            raise BadInput(
                f"{file}: no column looks like the {key} (it has {', '.join(names)}): "
                f"name it as lightcurves.{key} in dataset.toml."
            )
    return {key: name for key, name in found.items() if name}


def _time_scale(time: Any, declared: dict[str, Any]) -> dict[str, str]:
    name = str(time).lower()
    if declared.get("kind", "phase" if name in PHASE else "time") == "phase":
        return {"kind": "phase"}
    return {"kind": "time", "time_zero": TIME.get(name, "arbitrary")}


def _bands(file: Path, column: str | None, names: list[str]) -> list[dict[str, str]]:
    """One entry for each name in the band column, sorted."""
    if not column:
        return [{"name": SINGLE}]
    if column not in names:
        raise BadInput(f"{file} has no column {column!r} (it has {', '.join(names)}): set lightcurves.band.")
    try:
        values = sorted(_values(file, column))
    except (pa.ArrowException, OSError) as error:
        raise unreadable(file, error) from None
    if len(values) > MAX_BANDS:
        raise BadInput(f"{file}: column {column!r} has more than {MAX_BANDS} values: it cannot be the band.")
    if not values:
        raise BadInput(f"{file}: column {column!r} names no band in any row (or there are no rows): nothing to read.")
    return [{"name": name, "value": value} for name, value in zip(_identifiers(values), values, strict=True)]


def _values(file: Path, column: str) -> set[str]:
    """Different values of a column, as text; read piece by piece until there are too many, so the file may be huge."""
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    found: set[str] = set()
    for batch in ds.dataset(file).scanner(columns={"band": pc.field(column)}).to_batches():
        band = batch.column("band")
        while pa.types.is_list(band.type) or pa.types.is_large_list(band.type):
            band = band.flatten()
        once = pc.unique(band)
        once = once.dictionary_decode() if pa.types.is_dictionary(once.type) else once
        found |= {value for value in pc.cast(once, pa.string()).to_pylist() if value is not None}
        if len(found) > MAX_BANDS:
            break
    return found


def _identifiers(values: list[str]) -> list[str]:
    """Names of bands that are fit for column names, all different, from what a file calls them."""
    names: list[str] = []
    for value in values:
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", value.strip()).strip("_") or "band"
        name = plain if plain[0].isalpha() else f"band_{plain}"
        numbered = (f"{name}_{n}" for n in count(len(names)))
        names.append(name if name not in names else next(other for other in numbered if other not in names))
    return names
