"""How to read a folder that somebody brought: the mapping from its files and columns to ours, as data (TOML)."""

from __future__ import annotations

import operator
import re
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from schemas.dataset_nodes import Band, ClassLabel, ColumnName, Frozen, LightCurveColumns, ObjectColumns, Parameter
from schemas.errors import nearest
from schemas.quantities import QUANTITIES, Quantity
from schemas.tables.input import CATALOGUE_VALUES

DATASET_FILE = "dataset.toml"

MJD_ZERO_JD = 2_400_000.5  # JD of MJD 0, IAU 1997 resolution B1
DAYS_PER_UNIT = {"d": 1.0, "h": 1 / 24, "min": 1 / 1440, "s": 1 / 86_400, "yr": 365.25}  # yr: Julian year
ZERO_POINT = re.compile(r"^[hb]?jd(?:-(\d+(?:\.\d+)?))?$")


class DatasetSpec(Frozen):
    """A folder as an archive: kind, time scale, columns, labels and bands. See docs/your_light_curves.md.

    kind: "time" (epochs at times), "phase" (folded curves, phases in cycles) or "photometry" (mean magnitudes only).
    time_zero: "arbitrary", "mjd", or "jd", "hjd", "bjd" with an offset already taken off, as in "hjd-2450000".
    No light-travel correction is applied: heliocentric times stay heliocentric (up to 8.3 minutes off barycentric).
    `references` are loaded beside the parameters but are no targets; none of either is ever an input of a model.
    `inputs` names the column of each value of a catalogue that models may read beside the photometry.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="Name of the dataset.")
    doc: str = Field("", description="What the folder holds, in one sentence.")
    kind: Literal["time", "phase", "photometry"] = Field(
        "time", description="Epochs at times, folded curves at phases, or mean magnitudes alone."
    )
    time_unit: Literal["d", "h", "min", "s", "yr"] = Field("d", description="Unit of the times.")
    time_zero: str = Field(
        "arbitrary", description='Zero of the times: arbitrary, mjd, jd, or with an offset taken off, as "hjd-2450000".'
    )
    mixed_jd: bool = Field(False, description="Whether values above 2,400,000 are JD among MJD.")
    coarse_time: bool = Field(
        False, exclude_if=operator.not_, description="Whether times stored in steps of hours are read all the same."
    )
    phase_end: float | None = Field(
        None, gt=0, description="Phases from here on repeat earlier points and are left out."
    )
    objects: ObjectColumns = Field(ObjectColumns(), description="The table of objects.")
    lightcurves: LightCurveColumns = Field(LightCurveColumns(), description="The table of epochs.")
    label: ClassLabel | None = Field(None, description="The published classes.")
    parameters: tuple[Parameter, ...] = Field((), description="Published quantities that models may learn.")
    references: tuple[Parameter, ...] = Field((), description="Published quantities to compare with, never learnt.")
    # Left out of dumps where there are none: the fingerprint of a folder that never had them stays what it was.
    inputs: dict[str, ColumnName] = Field(
        {}, exclude_if=operator.not_, description="Column of each catalogue value that models may read, by its name."
    )
    is_synthetic: bool = Field(
        False, exclude_if=operator.not_, description="Whether the light curves are simulated, not observed."
    )
    bands: tuple[Band, ...] = Field(  # 127: the code of a band is an int8
        min_length=1, max_length=127, description="The bands, in the order of their codes."
    )

    @field_validator("time_zero")
    @classmethod
    def _check_zero(cls, value: str) -> str:
        text = value.lower().replace(" ", "")
        if text not in ("arbitrary", "mjd", "hmjd", "bmjd") and not ZERO_POINT.match(text):
            raise ValueError('write "arbitrary", "mjd", "jd", or an offset such as "hjd-2450000"')
        return text

    @field_validator("label", mode="before")
    @classmethod
    def _no_column_is_no_label(cls, value: Any) -> Any:
        return None if value == {"column": ""} else value

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
            if twice := find_repeated(names):
                raise ValueError(f"two bands have the {what} {twice!r}")
        published = (*self.parameters, *self.references)
        if twice := find_repeated(tuple(f"{p.quantity} of {p.origin}" for p in published)):
            raise ValueError(f"two columns are the {twice}: give one of them another origin")
        if twice := find_repeated(tuple(q.name for q in {p.as_quantity for p in published})):
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
        return self

    @cached_property
    def own_quantities(self) -> tuple[Quantity, ...]:
        """The quantities that the dataset describes itself, each once."""
        published = (*self.parameters, *self.references)
        return tuple({p.quantity: p.as_quantity for p in published if p.quantity not in QUANTITIES}.values())

    @property
    def has_light_curves(self) -> bool:
        """False for a table of mean photometry."""
        return self.kind != "photometry"

    @property
    def has_errors(self) -> bool:
        """Whether the dataset quotes errors of its magnitudes."""
        if self.has_light_curves:
            return self.lightcurves.error is not None
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


def find_repeated(names: tuple[str, ...]) -> str | None:
    """The first name that stands in `names` more than once, or None."""
    return next((name for k, name in enumerate(names) if name in names[:k]), None)
