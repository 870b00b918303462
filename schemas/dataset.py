"""How to read a folder that somebody brought: the mapping from its files and columns to ours, as data (TOML)."""

from __future__ import annotations

import difflib
import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from schemas.errors import BadInput
from schemas.sniff import sniff

DATASET_FILE = "dataset.toml"
PRESET_FOLDER = Path(__file__).with_name("datasets")

MJD_ZERO_JD = 2_400_000.5  # JD of MJD 0, IAU 1997 resolution B1
DAYS_PER_UNIT = {"d": 1.0, "h": 1 / 24, "min": 1 / 1440, "s": 1 / 86_400, "yr": 365.25}  # yr: Julian year
ZERO_POINT = re.compile(r"^[hb]?jd(?:-(\d+(?:\.\d+)?))?$")

ColumnName = Annotated[str, Field(min_length=1)]
FileName = Annotated[str, Field(pattern=r"^[^/\\\x00]+$", description="a file in the folder itself")]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class Frozen(BaseModel):
    """A node of the mapping: immutable, and refusing any key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Blankable(Frozen):
    """A node whose optional columns may also be written as "", which says that there is none."""

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value


class ObjectColumns(Blankable):
    """Columns of the table of objects: the id, and the position in degrees (ICRS) where there is one."""

    file: FileName = "objects.parquet"
    id: ColumnName = "object_id"
    ra: ColumnName | None = None
    dec: ColumnName | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.ra is None) != (self.dec is None):
            raise ValueError("a position needs both ra and dec")
        return self


class LightCurveColumns(Blankable):
    """Columns of the table of epochs; `band` is None for a table in one band, `mag_err` None without errors."""

    file: FileName = "lightcurves.parquet"
    id: ColumnName = "object_id"
    time: ColumnName = "time"
    mag: ColumnName = "mag"
    mag_err: ColumnName | None = None
    band: ColumnName | None = None
    flags: ColumnName | None = None


class Band(Frozen):
    """One band: what the file calls it (`value`), what we call it (`name`), and its photometric system.

    `wavelength_nm` is the effective or pivot wavelength. `mag` and `mag_err` are columns of the table of objects,
    for mean photometry alone.
    """

    name: Identifier
    value: str = ""
    survey: str = ""
    system: Literal["AB", "Vega", "instrumental"] = "instrumental"
    wavelength_nm: float | None = Field(None, gt=0)
    mag: ColumnName | None = None
    mag_err: ColumnName | None = None

    @field_validator("value", mode="before")
    @classmethod
    def _numbers_are_names(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @property
    def in_file(self) -> str:
        """The band's name in the file of epochs."""
        return self.value or self.name


class ClassLabel(Frozen):
    """The column that holds the classes; `rename` maps its words to others, and what it does not name stays."""

    column: ColumnName
    origin: str = "objects"
    rename: dict[str, str] = {}


class Parameter(Blankable):
    """A column with a published quantity; `quantity` carries its unit, as in teff_k, radius_rsun, feh_dex, period_day.

    `err` is the column of its standard error, `is_photometric` says that it was itself derived from photometry.
    """

    quantity: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    column: ColumnName
    err: ColumnName | None = None
    origin: str = "objects"
    is_photometric: bool = False


class DatasetSpec(Frozen):
    """A folder as an archive: kind, time scale, columns, labels and bands. See docs/your_light_curves.md.

    kind: "time" (epochs at times), "phase" (folded curves, phases in cycles) or "photometry" (mean magnitudes only).
    time_zero: "arbitrary", "mjd", or "jd", "hjd", "bjd" with an offset already taken off, as in "hjd-2450000".
    No light-travel correction is applied: heliocentric times stay heliocentric (up to 8.3 minutes off barycentric).
    `references` are loaded beside the parameters but are no targets; none of either is ever an input of a model.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    doc: str = ""
    kind: Literal["time", "phase", "photometry"] = "time"
    time_unit: Literal["d", "h", "min", "s", "yr"] = "d"
    time_zero: str = "arbitrary"
    mixed_jd: bool = Field(False, description="values above 2,400,000 are JD among MJD")
    phase_end: float | None = Field(None, gt=0, description="phases from here on repeat earlier points; left out")
    objects: ObjectColumns = ObjectColumns()
    lightcurves: LightCurveColumns = LightCurveColumns()
    label: ClassLabel | None = None
    parameters: tuple[Parameter, ...] = ()
    references: tuple[Parameter, ...] = ()
    bands: Annotated[tuple[Band, ...], Field(min_length=1, max_length=127)]  # the band code is an int8

    @field_validator("time_zero")
    @classmethod
    def _known_zero(cls, value: str) -> str:
        text = value.lower().replace(" ", "")
        if text not in ("arbitrary", "mjd", "hmjd", "bmjd") and not ZERO_POINT.match(text):
            raise ValueError('write "arbitrary", "mjd", "jd", or an offset such as "hjd-2450000"')
        return text

    @model_validator(mode="after")
    def _is_coherent(self) -> Self:
        for what, names in {"name": self.band_names, "value": tuple(b.in_file for b in self.bands)}.items():
            if twice := repeated(names):
                raise ValueError(f"two bands have the {what} {twice!r}")
        published = (*self.parameters, *self.references)
        if twice := repeated(tuple(f"{p.quantity} of {p.origin}" for p in published)):
            raise ValueError(f"two columns are the {twice}: give one of them another origin")
        if wrong := [b.name for b in self.bands if (b.mag is None) == (self.kind == "photometry")]:
            needs = "needs" if self.kind == "photometry" else "must not name"
            raise ValueError(f"band {wrong[0]!r} {needs} a column of mean magnitudes (mag) when kind is {self.kind!r}")
        if self.has_light_curves and self.lightcurves.band is None and len(self.bands) > 1:
            raise ValueError("light curves in several bands need lightcurves.band, the column that says which")
        if self.mixed_jd and (self.zero_mjd != 0 or self.time_unit != "d"):
            raise ValueError('mixed_jd needs time_zero = "mjd" and time_unit = "d"')
        if self.kind != "time" and self.time_zero != "arbitrary":
            raise ValueError('only kind = "time" has a time_zero')
        if self.phase_end is not None and self.kind != "phase":
            raise ValueError('only kind = "phase" has a phase_end')
        return self

    @property
    def has_light_curves(self) -> bool:
        """False for a table of mean photometry."""
        return self.kind != "photometry"

    @property
    def has_errors(self) -> bool:
        """Whether the dataset quotes errors of its magnitudes."""
        if self.has_light_curves:
            return self.lightcurves.mag_err is not None
        return any(band.mag_err is not None for band in self.bands)

    @property
    def band_names(self) -> tuple[str, ...]:
        """Our names of the bands; their order is the band code."""
        return tuple(band.name for band in self.bands)

    @cached_property
    def zero_mjd(self) -> float | None:
        """MJD of time 0, in days; None where it is unknown."""
        if self.time_zero == "arbitrary":
            return None
        if self.time_zero.endswith("mjd"):
            return 0.0
        match = ZERO_POINT.match(self.time_zero)
        return float(match[1] or 0) - MJD_ZERO_JD if match else None


def preset_names() -> tuple[str, ...]:
    """Names of the presets, sorted."""
    return tuple(sorted(path.stem for path in PRESET_FOLDER.glob("*.toml")))


def load_preset(name: str) -> DatasetSpec:
    """The preset called `name`; raises BadInput where there is none."""
    known = preset_names()
    if name not in known:
        raise BadInput(f"There is no preset {name!r}; there are {', '.join(known)}.{nearest(name, known)}")
    return parse_spec((PRESET_FOLDER / f"{name}.toml").read_text(encoding="utf-8"), f"preset {name}")


def load_spec(folder: Path | str, preset_name: str | None = None) -> DatasetSpec:
    """How to read `folder`: the preset, else its dataset.toml completed by recognised columns, else those alone.

    Raises BadInput, in one sentence, for a folder, file or key that is missing, unknown or out of range.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}: give the one that holds objects.parquet and lightcurves.parquet.")
    if preset_name is not None:
        return load_preset(preset_name)
    path = folder / DATASET_FILE
    declared = _toml(path.read_bytes().decode("utf-8", "replace"), str(path)) if path.is_file() else {}
    where = str(path) if declared else f"{folder} (no {DATASET_FILE})"
    return _validated(sniff(folder, declared), where)


def parse_spec(text: str, where: str) -> DatasetSpec:
    """The mapping written in `text` (TOML), complete in itself; `where` names it in errors (BadInput)."""
    return _validated(_toml(text, where), where)


def repeated(names: tuple[str, ...]) -> str | None:
    """The first name that stands in `names` more than once, or None."""
    return next((name for k, name in enumerate(names) if name in names[:k]), None)


def nearest(name: str, names: tuple[str, ...] | list[str]) -> str:
    """ " Did you mean 'x'?" for the closest of `names`, or nothing where none is close."""
    folded = {known.lower(): known for known in names}
    found = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.5)
    return f" Did you mean {folded[found[0]]!r}?" if found else ""


def _toml(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{where} is not valid TOML: {error}.") from None


def _validated(tree: dict[str, Any], where: str) -> DatasetSpec:
    try:
        return DatasetSpec.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "the mapping"
    if first["type"] == "extra_forbidden":
        raise BadInput(f"{where}: unknown key {key}.{nearest(str(first['loc'][-1]), _known_keys(first['loc'][:-1]))}")
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    given = "" if first["type"] in ("missing", "value_error") else f" (it is {first['input']!r})"
    raise BadInput(f"{where}: {key}: {message[:1].lower()}{message[1:]}{given}.")


def _known_keys(path: tuple[int | str, ...]) -> list[str]:
    """Keys that the node at `path` of the mapping may hold."""
    nodes: dict[str, type[BaseModel]] = {
        "objects": ObjectColumns, "lightcurves": LightCurveColumns, "label": ClassLabel,
        "parameters": Parameter, "references": Parameter, "bands": Band,
    }  # fmt: skip
    return list(nodes.get(str(path[0]), DatasetSpec).model_fields if path else DatasetSpec.model_fields)
