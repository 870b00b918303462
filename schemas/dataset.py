"""How to read a folder that somebody brought: the mapping from its files and columns to ours, as data (TOML)."""

from __future__ import annotations

import operator
import re
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.errors import nearest
from schemas.quantities import QUANTITIES, Quantity, is_ucd, is_vounit, quantity
from schemas.tables.input import CATALOGUE_VALUES

DATASET_FILE = "dataset.toml"

MJD_ZERO_JD = 2_400_000.5  # JD of MJD 0, IAU 1997 resolution B1
DAYS_PER_UNIT = {"d": 1.0, "h": 1 / 24, "min": 1 / 1440, "s": 1 / 86_400, "yr": 365.25}  # yr: Julian year
ZERO_POINT = re.compile(r"^[hb]?jd(?:-(\d+(?:\.\d+)?))?$")

ColumnName = Annotated[str, Field(min_length=1)]
FileName = Annotated[str, Field(pattern=r"^[^/\\\x00]+$", description="a file in the folder itself")]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


def is_absent(value: Any) -> bool:
    """True for None: what a mapping does not say."""
    return value is None


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
    """A column with a published quantity: one of schemas/quantities.py (teff_k, radius_rsun, ...), or one of your own.

    `err` is the column of its standard error, `is_photometric` says that it was itself derived from photometry. Of a
    quantity of your own, `unit` (VOUnit), `ucd` (UCD1+) and `doc` describe its column in the catalogue, and `is_log`
    has it learnt as its log10, for what is positive and spreads over decades.
    """

    quantity: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    column: ColumnName
    err: ColumnName | None = None
    origin: str = "objects"
    is_photometric: bool = False
    # Left out of dumps where not given: the fingerprint of a folder that never had them stays what it was.
    unit: str | None = Field(None, exclude_if=is_absent)
    ucd: str | None = Field(None, exclude_if=is_absent)
    doc: str | None = Field(None, exclude_if=is_absent)
    is_log: bool | None = Field(None, exclude_if=is_absent)

    @field_validator("unit")
    @classmethod
    def _is_vounit(cls, unit: str | None) -> str | None:
        if unit is not None and not is_vounit(unit):
            raise ValueError(
                f'{unit!r} is no VOUnit; write "K", "solRad", "km.s**-1", or leave it out for a pure number'
            )
        return unit

    @field_validator("ucd")
    @classmethod
    def _is_ucd(cls, ucd: str | None) -> str | None:
        if ucd is not None and not is_ucd(ucd):
            raise ValueError(f'{ucd!r} is no UCD1+; write one such as "phys.temperature.effective", or leave it out')
        return ucd

    @model_validator(mode="after")
    def _changes_no_known_quantity(self) -> Self:
        known = QUANTITIES.get(self.quantity)
        for field, value in self.described.items() if known else ():
            if value != getattr(known, field):
                raise ValueError(
                    f"{self.quantity} has the {field} {getattr(known, field)!r} everywhere, not {value!r}: "
                    "give yours a name of its own"
                )
        return self

    @property
    def described(self) -> dict[str, Any]:
        """Unit, UCD, doc and is_log, where they are given."""
        return self.model_dump(include={"unit", "ucd", "doc", "is_log"})

    @property
    def declared(self) -> Quantity:
        """The quantity: as it is known, or as it is described here."""
        return replace(quantity(self.quantity), **self.described)


class DatasetSpec(Frozen):
    """A folder as an archive: kind, time scale, columns, labels and bands. See docs/your_light_curves.md.

    kind: "time" (epochs at times), "phase" (folded curves, phases in cycles) or "photometry" (mean magnitudes only).
    time_zero: "arbitrary", "mjd", or "jd", "hjd", "bjd" with an offset already taken off, as in "hjd-2450000".
    No light-travel correction is applied: heliocentric times stay heliocentric (up to 8.3 minutes off barycentric).
    `references` are loaded beside the parameters but are no targets; none of either is ever an input of a model.
    `inputs` names the column of each value of a catalogue that models may read beside the light curves.
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
    # Left out of dumps where there are none: the fingerprint of a folder that never had them stays what it was.
    inputs: dict[str, ColumnName] = Field({}, exclude_if=operator.not_)
    bands: Annotated[tuple[Band, ...], Field(min_length=1, max_length=127)]  # the band code is an int8

    @field_validator("time_zero")
    @classmethod
    def _known_zero(cls, value: str) -> str:
        text = value.lower().replace(" ", "")
        if text not in ("arbitrary", "mjd", "hmjd", "bmjd") and not ZERO_POINT.match(text):
            raise ValueError('write "arbitrary", "mjd", "jd", or an offset such as "hjd-2450000"')
        return text

    @field_validator("inputs")
    @classmethod
    def _are_catalogue_values(cls, inputs: dict[str, str]) -> dict[str, str]:
        if unknown := [name for name in inputs if name not in CATALOGUE_VALUES]:
            raise ValueError(
                f"there is no input {unknown[0]!r}; there are {', '.join(CATALOGUE_VALUES)}."
                f"{nearest(unknown[0], list(CATALOGUE_VALUES))}"
            )
        return inputs

    @model_validator(mode="after")
    def _is_coherent(self) -> Self:
        for what, names in {"name": self.band_names, "value": tuple(b.in_file for b in self.bands)}.items():
            if twice := repeated(names):
                raise ValueError(f"two bands have the {what} {twice!r}")
        published = (*self.parameters, *self.references)
        if twice := repeated(tuple(f"{p.quantity} of {p.origin}" for p in published)):
            raise ValueError(f"two columns are the {twice}: give one of them another origin")
        if twice := repeated(tuple(q.name for q in {p.declared for p in published})):
            raise ValueError(
                f"{twice!r} is described in two ways: give both columns the same unit, ucd, doc and is_log"
            )
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
        if self.inputs and not self.has_light_curves:
            raise ValueError("inputs are read beside light curves: mean photometry takes none")
        return self

    @cached_property
    def own_quantities(self) -> tuple[Quantity, ...]:
        """The quantities that the dataset describes itself, each once."""
        published = (*self.parameters, *self.references)
        return tuple({p.quantity: p.declared for p in published if p.quantity not in QUANTITIES}.values())

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


def repeated(names: tuple[str, ...]) -> str | None:
    """The first name that stands in `names` more than once, or None."""
    return next((name for k, name in enumerate(names) if name in names[:k]), None)
