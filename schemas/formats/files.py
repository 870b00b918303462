"""Which files of a folder are its tables: one file, a folder of parts, or one file for each star."""

from __future__ import annotations

from pathlib import Path

from schemas.errors import BadInput
from schemas.formats import FORMATS, format_of

WHOLE_FOLDER = "."  # name of a table whose files are all those of the folder itself
PARQUET_MAGIC = b"PAR1"
HATS_PROPERTIES = ("hats.properties", "properties")  # names of the file that says what a catalogue is
HATS_BESIDE = ("margin", "association", "index", "map")  # its dataproduct_type where its rows are none of a table's own


def find_table(folder: Path, key: str) -> str | None:
    """Name of the table `key` (objects, lightcurves) in `folder`: KEY.parquet where it is, else KEY in any format.

    None where there is none. Raises BadInput where there are several and none of them is KEY.parquet.
    """
    found = list_candidates(folder, key)
    if len(found) > 1 and f"{key}.parquet" not in found:
        raise BadInput(
            f"{folder} holds {', '.join(found)}: leave one of them there, or name one as {key}.file in dataset.toml.",
            f"{key}.file",
        )
    return next((name for name in found if name == f"{key}.parquet"), next(iter(found), None))


def list_candidates(folder: Path, key: str) -> list[str]:
    """Names of the files and folders that are called KEY, or KEY with the ending of a format, sorted."""
    return sorted(
        path.name
        for path in folder.iterdir()
        if (path.is_dir() and stem_of(path.name) == key and list_files(path))
        or (path.is_file() and stem_of(path.name) == key and format_of(path.name))
    )


def find_only_table(folder: Path) -> str | None:
    """The table of a folder that has neither objects nor lightcurves by name: its one file, or all of its files.

    None where there is no table; the files of a folder of several are those of single stars.
    """
    names = sorted(p.name for p in folder.iterdir() if p.is_file() and _is_table(p))
    return names[0] if len(names) == 1 else (WHOLE_FOLDER if names else None)


def name_tables(folder: Path, objects: str | None, epochs: str | None, has_curves: bool) -> dict[str, str]:
    """Names of the tables objects and lightcurves of `folder`, those that are not given found by their names.

    A folder whose light curves are its only tables has its objects in them; a table that is nowhere is left out.
    """
    known = objects or find_table(folder, "objects")
    if not has_curves:
        known = known or find_table(folder, "lightcurves") or find_only_table(folder)
        return {"objects": known} if known and known != WHOLE_FOLDER else {}
    epochs = epochs or find_table(folder, "lightcurves") or (None if known else find_only_table(folder))
    named = {"objects": known or epochs, "lightcurves": epochs}
    return {key: name for key, name in named.items() if name}


def table_files(folder: Path, name: str) -> list[Path]:
    """The files of the table `name` of `folder`: see `list_files`. Those of objects are not among WHOLE_FOLDER."""
    if name != WHOLE_FOLDER:
        return list_files(folder / name)
    return [path for path in list_files(folder, is_deep=False) if stem_of(path.name) != "objects"]


def list_files(source: Path, is_deep: bool = True) -> list[Path]:
    """The files of a table: itself, or those of a format in the folder that it is, sorted by their paths.

    Folders in the folder count where `is_deep`; names that begin with _ or . are those of metadata. Of a HATS catalogue
    its partitions alone hold rows, not its maps and lists, nor the thumbnail that repeats some; and a catalogue that
    lies beside another (its margin, an index) holds none. Raises BadInput where the files of a folder are of several
    formats.
    """
    if not source.is_dir():
        return [source]
    every = sorted(path for path in source.glob("**/*" if is_deep else "*") if path.is_file())
    files = [p for p in every if _is_table(p) and not p.relative_to(source).as_posix().startswith(("_", "."))]
    catalogues = [path for path in every if path.name in HATS_PROPERTIES]
    aside = {p.parent for p in catalogues if p.parent != source and _is_beside(p)}
    roots = {path.parent for path in catalogues} - aside
    files = [path for path in files if aside.isdisjoint(path.parents)]
    files = [path for path in files if roots.isdisjoint(path.parents) or _is_partition(path)]
    kinds = sorted({each.name for path in files if (each := format_of(path.name))})
    if len(kinds) > 1:
        raise BadInput(f"{source} holds files of {len(kinds)} formats ({', '.join(kinds)}): leave those of one there.")
    return files


def _is_partition(path: Path) -> bool:
    """Whether a file is one of the partitions of a HATS catalogue: dataset/Norder=K/Dir=D/Npix=N.parquet, or in it."""
    return any(part.startswith("Norder=") for part in path.parts)


def _is_beside(properties: Path) -> bool:
    """Whether the properties of a HATS catalogue say that it repeats rows of another, or points to them."""
    lines = (line.partition("=") for line in properties.read_text("utf-8", "replace").splitlines())
    return any(key.strip() == "dataproduct_type" and value.strip() in HATS_BESIDE for key, _, value in lines)


def stem_of(name: str) -> str:
    """The name of a file without the ending of its format; of one of another kind the name itself."""
    endings = [ending for each in FORMATS for ending in each.endings if name.lower().endswith(ending)]
    return name[: -max(map(len, endings))] if endings else name


def is_parquet(path: Path) -> bool:
    """True for a file that begins as Parquet does, whatever its name."""
    with path.open("rb") as stream:
        return stream.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC


def _is_table(path: Path) -> bool:
    return format_of(path.name) is not None and not path.name.startswith(("_", "."))
