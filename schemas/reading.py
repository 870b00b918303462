"""How a folder is read, in a few lines: which column is what, what times become, which bands, what is not used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from schemas.dataset import DatasetSpec
from schemas.files import column_names
from schemas.formats.files import list_candidates
from schemas.formats.opening import open_table

MAX_LISTED = 12  # columns or bands that a line names
WORDS = {"d": "days", "h": "hours", "min": "minutes", "s": "seconds", "yr": "years"}


def describe_reading(folder: Path, spec: DatasetSpec) -> list[str]:
    """A line for each file of `folder`, read as `spec` says; BadInput where one is missing or unreadable."""
    return [describe_objects(folder, spec), *([describe_epochs(folder, spec)] if spec.has_light_curves else [])]


def describe_objects(folder: Path, spec: DatasetSpec) -> str:
    """How the table of objects is read."""
    line = _line(open_table(folder, spec.objects.file), _objects(spec), _object_columns(spec))
    return line + _others(folder, "objects", spec.objects.file)


def describe_epochs(folder: Path, spec: DatasetSpec) -> str:
    """How the table of epochs is read."""
    columns = spec.lightcurves
    used = (columns.id, columns.time, columns.value, columns.error, columns.band, columns.flags, columns.upper_limit)
    line = _line(open_table(folder, spec.lightcurves.file), _epochs(spec), used)
    return line + _others(folder, "lightcurves", spec.lightcurves.file)


def describe_time(spec: DatasetSpec) -> str:
    """What the column of times holds and what it becomes: "HJD -> MJD", "t (days from an unknown zero)"."""
    column, unit = spec.lightcurves.time, WORDS[spec.time_unit]
    if spec.kind == "phase":
        return f"phase = {column}"
    if spec.zero_mjd is None:
        return f"time = {column} ({unit} from an unknown zero)"
    if spec.mixed_jd:
        return f"time = {column} (MJD, and JD above 2,400,000 -> MJD)"
    if spec.zero_mjd == 0 and spec.time_unit == "d":
        return f"time = {column} (MJD)"
    name, _, offset = spec.time_zero.upper().partition("-")
    scale = spec.time_zero.upper() if spec.time_unit == "d" else f"{unit} since {name} {offset or 0}"
    return f"time = {column} -> MJD" if scale == column.upper() else f"time = {column} ({scale}) -> MJD"


def _line(file: Path, roles: Iterable[str], used: Iterable[str | None]) -> str:
    known = {*used, *(f"{name}.mask" for name in used)}
    rest = [name for name in column_names(file) if name not in known]
    return f"{file.name}: {', '.join(roles)}; not used: {_some(rest, ', ') or 'nothing'}"


def _others(folder: Path, key: str, name: str) -> str:
    """What else in the folder is called as the table is, and is not read."""
    others = [each for each in list_candidates(folder, key) if each != name]
    return f"; {', '.join(others)} beside it: not read" if others else ""


def _objects(spec: DatasetSpec) -> list[str]:
    """What the columns of the table of objects are."""
    columns = spec.objects
    roles = {"id": columns.id, "ra": columns.ra, "dec": columns.dec, "label": spec.label and spec.label.column}
    roles |= {"fold": columns.fold, **spec.inputs}
    published = [*spec.parameters, *spec.references]
    lines = [f"{role} = {name}" for role, name in roles.items() if name]
    lines += [f"{each.quantity} = {each.column}" for each in published]
    lines += [f"{band.name} = {band.mag}" for band in spec.bands if band.mag]
    return lines if spec.label else [*lines, "no label"]


def _object_columns(spec: DatasetSpec) -> list[str | None]:
    """Every column of the table of objects that is read."""
    published = [*spec.parameters, *spec.references]
    label = spec.label.column if spec.label else None
    own = (*spec.objects.model_dump(exclude={"file"}).values(), label, *spec.inputs.values())
    pairs = [*((each.column, each.err) for each in published), *((band.mag, band.mag_err) for band in spec.bands)]
    return [*own, *(name for pair in pairs for name in pair)]


def _epochs(spec: DatasetSpec) -> list[str]:
    """What the columns of the table of epochs are."""
    columns = spec.lightcurves
    names = [band.name if band.name == band.in_file else f"{band.name} ({band.in_file})" for band in spec.bands]
    bands = f"bands {_some(names, ' ')} from {columns.band}" if columns.band else f"all in one band, {names[0]}"
    kind = "flux" if columns.flux else "mag"
    zero = f" (zero point {columns.zero_point})" if columns.flux else ""
    errors = f"{'snr' if columns.snr else f'{kind}_err'} = {columns.error}" if columns.error else "no errors"
    good = "" if columns.good_flags is None else f" (good: {_some(columns.good_flags, ' ')})"
    flags = [f"flags = {columns.flags}{good}"] if columns.flags else []
    limits = [f"upper_limit = {columns.upper_limit}"] if columns.upper_limit else []
    value = f"{kind} = {columns.value}{zero}"
    return [f"id = {columns.id}", describe_time(spec), value, errors, bands, *flags, *limits]


def _some(names: Sequence[str], between: str) -> str:
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return between.join(names[:MAX_LISTED]) + more
