"""The parts of a mapping: which columns of a folder hold what, its bands, its labels and its published quantities."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.quantities import QUANTITIES, QUANTITY_NAME, Quantity, is_ucd, is_vounit, quantity, suggest_vounit
from schemas.values import AB_ZERO_POINTS, BLANKS

ColumnName = Annotated[str, Field(min_length=1)]
FileName = Annotated[str, Field(pattern=r"^[^/\\\x00]+$")]
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

    file: FileName = Field("objects.parquet", description="File of the table of objects, in the folder itself.")
    id: ColumnName = Field("object_id", description="Column of the object's id: text, or whole numbers.")
    ra: ColumnName | None = Field(None, description="Column of the right ascension, degrees (ICRS).")
    dec: ColumnName | None = Field(None, description="Column of the declination, degrees (ICRS).")
    fold: ColumnName | None = Field(  # left out of dumps where not given, as those of the epochs below
        None, exclude_if=is_absent, description="Column of the published fold: whole numbers; none where held out."
    )

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.ra is None) != (self.dec is None):
            raise ValueError("a position needs both ra and dec")
        return self


class LightCurveColumns(Blankable):
    """Columns of the table of epochs; `band` is None for a table in one band, `mag_err` None without errors.

    Fluxes stand in for magnitudes where `flux` is named: `zero_point` is the magnitude of flux 1, or the unit of
    fluxes on the AB scale.
    """

    file: FileName = Field("lightcurves.parquet", description="File of the table of epochs, in the folder itself.")
    id: ColumnName = Field("object_id", description="Column of the object's id, as in the table of objects.")
    time: ColumnName = Field("time", description="Column of the times, or of the phases of folded curves.")
    mag: ColumnName | None = Field("mag", description="Column of the magnitudes; none where fluxes are.")
    mag_err: ColumnName | None = Field(None, description="Column of their errors, mag; none where none are quoted.")
    # Left out of dumps where not given: the fingerprint of a folder that never had them stays what it was.
    flux: ColumnName | None = Field(None, exclude_if=is_absent, description="Column of the fluxes instead.")
    flux_err: ColumnName | None = Field(None, exclude_if=is_absent, description="Column of the errors of the fluxes.")
    snr: ColumnName | None = Field(
        None, exclude_if=is_absent, description="Column of flux over its error, from which errors of magnitudes follow."
    )
    zero_point: Annotated[float, Field(ge=-100, le=100)] | str | None = Field(
        None, exclude_if=is_absent, description="Magnitude of flux 1, or nJy, uJy, Jy for AB."
    )
    upper_limit: ColumnName | None = Field(
        None, exclude_if=is_absent, description="Column that is true, or not 0, where the brightness is a limit."
    )
    band: ColumnName | None = Field(None, description="Column that says which band; none for a single band.")
    flags: ColumnName | None = Field(None, description="Column of flags; an epoch with any other than 0 is bad.")
    good_flags: tuple[str, ...] | None = Field(
        None, exclude_if=is_absent, description="Flags of a good epoch, instead of 0 alone: words, or numbers."
    )
    sentinels: tuple[float, ...] | None = Field(
        None,
        exclude_if=is_absent,
        description="Magnitudes that stand for none: looked for if left out, [] if all count.",
    )

    @model_validator(mode="before")
    @classmethod
    def _fluxes_stand_in(cls, tree: Any) -> Any:
        return {"mag": None, **tree} if isinstance(tree, dict) and tree.get("flux") else tree

    @field_validator("zero_point")
    @classmethod
    def _is_magnitude_or_unit(cls, value: float | str | None) -> float | str | None:
        if not isinstance(value, str) or value in AB_ZERO_POINTS:
            return value
        raise ValueError(f"write the magnitude of flux 1, or one of {', '.join(AB_ZERO_POINTS)}")

    @field_validator("good_flags", mode="before")
    @classmethod
    def _are_words(cls, values: Any) -> Any:
        return [as_word(value) for value in values] if isinstance(values, (list, tuple)) else values

    @model_validator(mode="after")
    def _magnitudes_or_fluxes(self) -> Self:
        if (self.mag is None) == (self.flux is None):
            raise ValueError("name the column of magnitudes as mag, or that of fluxes as flux")
        if (self.flux is None) != (self.zero_point is None):
            raise ValueError('flux needs a zero_point: the magnitude of flux 1, or "nJy", "uJy", "Jy"; mag has none')
        if (self.mag_err if self.flux else self.flux_err) is not None:
            raise ValueError("errors of fluxes are flux_err, those of magnitudes mag_err")
        if self.snr and (self.flux or self.mag_err):
            raise ValueError("snr gives the errors of magnitudes that have no mag_err")
        if self.good_flags is not None and self.flags is None:
            raise ValueError("good_flags needs flags, the column that holds them")
        return self

    @property
    def value(self) -> str:
        """The column of the brightness, magnitudes or fluxes."""
        return self.flux or self.mag or ""

    @property
    def error(self) -> str | None:
        """The column of the errors of the brightness, None where none are quoted."""
        return self.flux_err if self.flux else self.mag_err or self.snr

    @property
    def zero_mag(self) -> float | None:
        """Magnitude of flux 1; None for magnitudes."""
        return AB_ZERO_POINTS[self.zero_point] if isinstance(self.zero_point, str) else self.zero_point


def as_word(value: Any) -> Any:
    """The word that the reader makes of a name: 2 and 2.0 are "2", blanks around it say nothing."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, (int, float)):
        return str(value)
    return value.strip(BLANKS) if isinstance(value, str) else value


class Band(Frozen):
    """One band: what the file calls it (`value`), what we call it (`name`), and its photometric system.

    `wavelength_nm` is the effective or pivot wavelength. `mag` and `mag_err` are columns of the table of objects,
    for mean photometry alone.
    """

    name: Identifier = Field(description="Name of the band here, in columns of features: G, g_ztf, I_ogle.")
    value: str = Field("", description="Name of the band in the file of epochs, where it is another.")
    survey: str = Field("", description="The survey that observed in it.")
    system: Literal["AB", "Vega", "instrumental"] = Field("instrumental", description="Photometric system.")
    wavelength_nm: float | None = Field(None, gt=0, description="Effective or pivot wavelength, nm.")
    mag: ColumnName | None = Field(None, description="Of mean photometry: column of the mean magnitude.")
    mag_err: ColumnName | None = Field(None, description="Of mean photometry: column of its error, mag.")

    @field_validator("value", mode="before")
    @classmethod
    def _is_word(cls, value: Any) -> Any:
        return value if isinstance(value, bool) else as_word(value)

    @property
    def in_file(self) -> str:
        """The band's name in the file of epochs."""
        return self.value or self.name


class ClassLabel(Frozen):
    """The column that holds the classes; `rename` maps its words to others, and what it does not name stays."""

    column: ColumnName = Field(description="Column of the table of objects with the class.")
    origin: str = Field("objects", description="Who published the classes.")
    rename: dict[str, str] = Field({}, description="Other names of classes, by their name in the column.")


class Parameter(Blankable):
    """A column with a published quantity: one of schemas/quantities.py (teff_k, radius_rsun, ...), or one of your own.

    `err` is the column of its standard error, `is_photometric` says that it was itself derived from photometry. Of a
    quantity of your own, `unit` (VOUnit), `ucd` (UCD1+) and `doc` describe its column in the catalogue, and `is_log`
    has it learnt as its log10, for what is positive and spreads over decades.
    """

    quantity: str = Field(
        pattern=QUANTITY_NAME,
        description="Name of the quantity: teff_k, radius_rsun, feh_dex, ..., or one of your own.",
    )
    column: ColumnName = Field(description="Column of the table of objects with its values.")
    err: ColumnName | None = Field(None, description="Column of their standard errors.")
    origin: str = Field("objects", description="Who published the values.")
    is_photometric: bool = Field(False, description="Whether the values were themselves derived from photometry.")
    # Left out of dumps where not given: the fingerprint of a folder that never had them stays what it was.
    unit: str | None = Field(None, exclude_if=is_absent, description="Unit of your own quantity (VOUnit): km.s**-1.")
    ucd: str | None = Field(None, exclude_if=is_absent, description="UCD1+ of your own quantity.")
    doc: str | None = Field(None, exclude_if=is_absent, description="What your own quantity is.")
    is_log: bool | None = Field(None, exclude_if=is_absent, description="Learn your own quantity as its log10.")

    @field_validator("unit")
    @classmethod
    def _is_vounit(cls, unit: str | None) -> str | None:
        if unit is not None and not is_vounit(unit):
            raise ValueError(
                f'{unit!r} is no VOUnit; write "K", "solRad", "km.s**-1", or leave it out for a pure number.'
                f"{suggest_vounit(unit)}"
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
        for field, value in self.description.items() if known else ():
            if value != getattr(known, field):
                raise ValueError(
                    f"{self.quantity} has the {field} {getattr(known, field)!r} everywhere, not {value!r}: "
                    "give yours a name of its own"
                )
        return self

    @property
    def description(self) -> dict[str, Any]:
        """Unit, UCD, doc and is_log, where they are given."""
        return self.model_dump(include={"unit", "ucd", "doc", "is_log"})

    @property
    def as_quantity(self) -> Quantity:
        """The quantity: as it is known, or as it is described here."""
        return replace(quantity(self.quantity), **self.description)
