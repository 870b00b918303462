"""What a data release of Gaia calls things, as one tree: the form of `gaia_dr3.toml` and of override files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from schemas.dataset_nodes import Frozen
from tasks.surveys.data_files import read_rows

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
SqlName = Annotated[str, Field(pattern=rf"^{NAME}$")]
TableName = Annotated[str, Field(pattern=rf"^{NAME}(\.{NAME})?$")]  # of the release's schema, or with another's
ColumnPath = Annotated[str, Field(pattern=rf"^{NAME}\.{NAME}$")]  # alias.column
BANDS = ("G", "BP", "RP")
NEEDED = ("source_id", "ra", "dec", "ref_epoch", "phot_g_mean_mag", "has_epoch_photometry")  # no run without them
OWN = {row["name"]: f"{row['alias']}.{row['column']}" for row in read_rows("gaia_columns.csv")}


def _listed(value: Any) -> Any:
    """One candidate as a list of it, and "" as none."""
    if value == "":
        return ()
    return (value,) if isinstance(value, str | Mapping) else value


Tables = Annotated[tuple[TableName, ...], BeforeValidator(_listed)]
Columns = Annotated[tuple[ColumnPath, ...], BeforeValidator(_listed)]
Names = Annotated[tuple[SqlName, ...], BeforeValidator(_listed)]


class FlagColumn(Frozen):
    """A column of epochs that rejects them where it, or a bit of it, is true; or where it is false ("used")."""

    column: SqlName = Field(description="Its name.")
    when: bool = Field(True, description="The value that rejects.")
    bit: int | None = Field(None, ge=0, le=62, description="Which bit counts, from 0, where it is a mask of bits.")


Flags = Annotated[tuple[FlagColumn, ...], BeforeValidator(_listed)]


class BandColumns(Frozen):
    """Columns of the epochs in one band: the first candidate that a file has; "" where there is none."""

    time: Names = Field(description="Time of the observation.")
    flux: Names = Field(description="Flux, electron/s.")
    flux_over_error: Names = Field(description="Flux over its error.")
    flux_error: Names = Field((), description="Error of the flux.")
    mag: Names = Field(description="Magnitude, Vega.")
    other_flags: Names = Field((), description="Bits about doubts short of rejection.")
    n_ccd: Names = Field((), description="How many CCDs the flux is of.")
    reject: Flags = Field((), description="Rejected by the photometric processing.")
    variability: Flags = Field((), description="Rejected by the variability processing.")

    @property
    def required(self) -> dict[str, Names]:
        """What no epoch can do without, but for the flux over its error where the error is there."""
        return {"time": self.time, "flux": self.flux, "flux_over_error": self.flux_over_error, "mag": self.mag}


class EpochColumns(Frozen):
    """Columns of epoch photometry with one row a transit, by what they mean."""

    transit_id: Names = Field(("transit_id",), description="Number of the transit.")
    needs_flags: bool = Field(False, description="A file without the flags is refused.")
    G: BandColumns = Field(description="In G.")
    BP: BandColumns = Field(description="In BP.")
    RP: BandColumns = Field(description="In RP.")

    @property
    def by_band(self) -> dict[str, BandColumns]:
        """The columns of each band, in the order of the bands' codes."""
        return {band: getattr(self, band) for band in BANDS}


class ChainStep(Frozen):
    """A table of neighbours in an earlier release.

    `leads_to` names that release ("dr2"), `own` and `earlier` are the columns of ids of the later and the earlier one,
    `probable` one that says which neighbour is the same star, where there is such a column.
    """

    alias: SqlName = Field(description="Its alias in queries.")
    table: TableName = Field(description="The table, with its schema where that is another one.")
    own: SqlName = Field(description="Column of the ids of the later release.")
    earlier: SqlName = Field(description="Column of the ids of the earlier release.")
    leads_to: Literal["dr2", "dr3"] = Field(description="The earlier release.")
    probable: SqlName | Literal[""] = Field("", description="Boolean column: probably the same star.")

    @property
    def name(self) -> str:
        """Our column for the ids of the earlier release."""
        return f"{self.leads_to}_source_id"


class Neighbours(Frozen):
    """The table in which sources near others are looked for."""

    table: SqlName = Field(description="Alias of the table.")
    g_mag: SqlName = Field("phot_g_mean_mag", description="Its column of the magnitude in G.")
    zero: SqlName | Literal[""] = Field("", description="A column that must be 0, such as quality_flag.")


class Datalink(Frozen):
    """What DataLink calls the release and its products."""

    release: str = Field(min_length=1, description="RELEASE.")
    retrieval_type: str = Field("EPOCH_PHOTOMETRY", pattern=r"^[A-Z0-9_]+$", description="Epoch photometry.")
    flags_type: str = Field(
        "", pattern=r"^[A-Z0-9_]*$", description="Flags of the variability processing, where they are a product."
    )


class TimeScale(Frozen):
    """Times of the epochs: BJD (TCB) minus `zero_jd`."""

    unit: Literal["auto", "day", "ns"] = Field("auto", description="Days, nanoseconds, or whichever their size says.")
    zero_jd: float = Field(2455197.5, description="BJD of time 0.")
    range_day: tuple[float, float] = Field(description="First and last time that can be, day.")


class Bulk(Frozen):
    """The bulk files of epoch photometry."""

    list: str = Field(min_length=1, description="Name of the list of checksums.")
    file: str = Field(min_length=1, description="Pattern of the files' names: first and last cell are its groups.")
    address: str = Field("", pattern=r"^(https?://.+)?$", description="Folder; the service's own where empty.")
    hats_source: str = Field("", description="Catalogue of gaia_source in which neighbours are found.")


class Statistics(Frozen):
    """Columns of statistics of the light curves: by them variables are selected without a light curve."""

    stetson: Columns = Field((), description="Stetson's index in G.")
    score: Columns = Field((), description="How likely a variable, 0 to 1.")


class Limits(Frozen):
    """How much is asked at once, where the release decides it."""

    datalink_chunk: int | None = Field(None, ge=1, le=5000, description="Sources a request for light curves.")
    datalink_timeout_s: float | None = Field(None, gt=0, description="Seconds for a reply of DataLink.")
    tap_sync: bool = Field(False, description="Ask TAP synchronously, in smaller ranges: its queue stands still.")
    sparser_with_epochs: int = Field(1, ge=1, description="One source in so many, at least, has epoch photometry.")
    indices_per_star: int = Field(1, ge=1, description="random_index values that hold one source with epochs.")


class GaiaRelease(Frozen):
    """Names and constants of one data release.

    `tables` are by the alias that queries use: g (sources), lite (the same with few columns), fl (flags), vc, rr, cep,
    eb, lpv (variability), ap, rvs (parameters), ps (best neighbour in PS1), ph (statistics of photometry). Tables and
    columns are candidates, the first is used. `columns` says which column of which alias ours is, where that differs
    from gaia_columns.csv. `words` translates values of text columns. `marked_as` is the text that stands for an
    unchanged release in the mark of a lake.
    """

    release: str = Field(description="What the settings call it.")
    name: str = Field(pattern=r"^[a-z0-9_]+$", description="Origin of its labels.")
    opens: str = Field("", description="When it opens, in words.")
    marked_as: str = Field("", description="Stands for the release in the marks of lakes.")
    ref_epoch: float = Field(description="Reference epoch of the positions, Julian year.")
    schema_name: SqlName = Field(alias="schema", description="Schema of its tables.")
    candidates: dict[SqlName, Tables] = Field(alias="tables", description="Tables by alias.")
    columns: dict[str, Columns] = Field({}, description="Ours: alias.column.")
    words: dict[str, dict[str, str]] = Field({}, description="Ours: their word = our word.")
    true_literal: Literal["'true'", "'t'", "true", "1", ""] = Field("'true'", description="What a true flag equals.")
    chain: tuple[ChainStep, ...] = Field(description="Neighbours in earlier releases, one step after the other.")
    healpix: Literal["id", "healpix29"] = Field("id", description="What says in which tile a source is.")
    last_id: int = Field(2**63 - 1, description="Last id of a range over the whole sky.")
    neighbours: Neighbours = Field(description="Where neighbours are looked for.")
    datalink: Datalink = Field(description="DataLink's words.")
    epochs: EpochColumns = Field(description="Columns of epoch photometry.")
    time: TimeScale = Field(description="Their times.")
    zero_point_error_mag: dict[str, float] | None = Field(None, description="Errors of the zero points by band, mag.")
    bulk: Bulk | None = Field(None, description="Bulk files, where they are known.")
    statistics: Statistics = Field(Statistics(), description="Statistics that a sample may be narrowed by.")
    limits: Limits = Field(Limits(), description="Limits by release.")

    @property
    def variability_origin(self) -> str:
        """Origin of the labels that its variability tables give."""
        return f"{self.name}_sos"

    @property
    def mark(self) -> str:
        """What stands for the release in the mark of a lake: everything, unless it is one that lakes knew before."""
        return self.marked_as or self.model_dump_json()

    @cached_property
    def tables(self) -> dict[str, str]:
        """Tables that are there, by alias, each with its schema; those of neighbours in earlier releases last."""
        named = {alias: names[0] for alias, names in self.candidates.items() if names}
        named |= {step.alias: step.table for step in self.chain}
        return {alias: table if "." in table else f"{self.schema_name}.{table}" for alias, table in named.items()}

    @cached_property
    def asked_columns(self) -> dict[str, tuple[str, str]]:
        """Alias and column of each of our columns that the release has, in our order."""
        found = {name: self._find(self.columns.get(name, (OWN[name],))) for name in OWN}
        return {name: path for name, path in found.items() if path}

    @cached_property
    def statistic_columns(self) -> dict[str, tuple[str, str]]:
        """Alias and column of each statistic that the release has."""
        found = {name: self._find(getattr(self.statistics, name)) for name in type(self.statistics).model_fields}
        return {name: path for name, path in found.items() if path}

    def _find(self, candidates: tuple[str, ...]) -> tuple[str, str] | None:
        """The first of the candidates whose table is there."""
        for path in candidates:
            alias, _, column = path.partition(".")
            if alias in self.tables:
                return alias, column
        return None

    @field_validator("columns", "words")
    @classmethod
    def _know_ours(cls, value: dict[str, Any]) -> dict[str, Any]:
        if unknown := sorted(set(value) - set(OWN)):
            raise ValueError(f"there is no column {unknown[0]!r} of ours; there are {', '.join(OWN)}")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if lost := [name for name in NEEDED if name not in self.asked_columns]:
            raise ValueError(f"no run can do without {lost[0]}: name its column")
        named = (*self.columns.values(), self.statistics.stetson, self.statistics.score)
        used = {path.partition(".")[0] for paths in named for path in paths}
        if strange := sorted(used - {*self.candidates, *self.tables}):
            raise ValueError(f"columns name the alias {strange[0]!r}, which is none of {', '.join(self.candidates)}")
        if self.neighbours.table not in self.tables:
            raise ValueError(
                f"neighbours are looked for in {self.neighbours.table!r}, which is no table of the release"
            )
        if self.zero_point_error_mag is not None and set(self.zero_point_error_mag) != set(BANDS):
            raise ValueError(f"zero_point_error_mag has one number for each of {', '.join(BANDS)}")
        return self
