"""What a survey is: what it declares, and how it fetches what it knows about some Gaia sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas import TABLES, TableSpec
from schemas.dataset_nodes import Band
from schemas.inputs import Sample
from schemas.rejections import REJECTED
from tasks.archives.question import Question
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.flags import Flag
from tasks.lightcurves.passbands import Passband

# Asks a question about a table of items and gives the rows of all answers; chunks, limits, retries and the store of
# verbatim answers are handled by the asker, not by the survey.
Ask = Callable[[Question, pa.Table], pa.Table]


def columns_of(table: str) -> list[tuple[str, pa.DataType]]:
    """Name and type of the columns that a survey fills in of a declared table; the lake adds dataset, tile and run."""
    return [(column.name, column.type) for column in TABLES[table].columns if column.name not in FROM_THE_LAKE]


FROM_THE_LAKE = ("dataset", "tile", "run_id")
# The sources of a sample, from Gaia, one row each, ascending by source_id. Positions are ICRS at `ref_epoch`. The last
# three say how panstarrs1_best_neighbour found `ps1_objid`.
SOURCES = pa.schema(
    [
        *columns_of("core_gaia__source"),
        ("ps1_sep_arcsec", pa.float64()),
        ("ps1_n_neighbour", pa.int32()),
        ("ps1_n_mate", pa.int32()),
    ]
)
# Other Gaia sources near those of the sample, at its epoch: positions for telling whose light a survey measured.
GAIA_NEIGHBOURS = pa.schema(
    [("source_id", pa.int64()), ("neighbour_source_id", pa.int64())]
    + [SOURCES.field(name) for name in ("ra", "dec", "pmra", "pmdec", "phot_g_mean_mag")]
)
# Which object of a survey belongs to which source: all objects within reach, the chosen ones with rank 1.
MATCHES = pa.schema(columns_of("assn_sample__match"))
CLASS_LABELS = pa.schema(columns_of("label_sample__class"))
PARAMETER_LABELS = pa.schema(columns_of("label_sample__parameter"))


@dataclass(frozen=True, eq=False)
class Curves:
    """Light curves by (source, object of the survey): rows of `batch` with the object's id beside, (R,) int64.

    Several rows may have one source_id. Band codes of the batch count within the survey's own bands, times are
    BJD_TCB - 2400000.5, Gaia magnitudes Vega and the others AB.
    """

    batch: LightCurveBatch
    objid: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SurveyResult:
    """What a survey knows about some sources; tables with the schemas above."""

    curves: Curves | None = None
    matches: pa.Table = field(default_factory=MATCHES.empty_table)
    class_labels: pa.Table = field(default_factory=CLASS_LABELS.empty_table)
    parameter_labels: pa.Table = field(default_factory=PARAMETER_LABELS.empty_table)
    tables: Mapping[str, pa.Table] = field(default_factory=dict)  # rows of other tables of the lake, by source_id
    rejected: pa.Table = field(default_factory=REJECTED.empty_table)
    notes: tuple[str, ...] = ()  # what the user should know, each once in a run


@dataclass(frozen=True, eq=False)
class SampleChunk:
    """Some sources of the sample, ascending, with what Gaia publishes about them; tables with the schemas above.

    `rejected`: ids of files that could not be used, and published values that cannot be (the last chunk may hold
    nothing but these).
    """

    sources: pa.Table
    class_labels: pa.Table
    parameter_labels: pa.Table
    rejected: pa.Table


@dataclass(frozen=True, eq=False)
class SampleReader:
    """The sample of a run, as the survey that provides it reads it; nothing is asked before a chunk is wanted.

    `identity` is what makes two samples of one archive differ: the release, and the selections. `chunks(ask)` gives the
    sources, `neighbours(ask, sources)` the others near them (GAIA_NEIGHBOURS). `absence` is the sentence for a sample
    that turns out to have no source, "" where there is nothing particular to say. `count(ask)`: how many there are at
    most, without any of them being read.
    """

    identity: tuple[Any, Any]
    chunks: Callable[[Ask], Iterator[SampleChunk]]
    neighbours: Callable[[Ask, pa.Table], pa.Table]
    absence: str = ""
    count: Callable[[Ask], int] = lambda ask: 0


@dataclass(frozen=True)
class Variant:
    """What options of the survey that provides the sample change of a preset.

    `name` tells the variants of one archive's sources apart, whose ids are different names: a dataset holds one.
    `suffix` ends the name of a dataset that is not named otherwise, and a `share` of the random indices of a preset
    brings as many sources with light curves.
    """

    name: str = ""
    suffix: str = ""
    share: float = 1.0


def find_no_variant(options: Mapping[str, Any]) -> Variant:
    """The one variant of a survey that has no others."""
    return Variant()


# What became of ids (S,) of the sources of a dataset with the second options among the sources of one with the first:
# SUCCESSORS of `tasks.surveys.successors`. The table has the ids of those sources, as the survey's first table does.
FollowIds = Callable[[Ask, NDArray[np.int64], pa.Table, Mapping[str, Any], Mapping[str, Any]], pa.Table]

# Opens the sample that the settings describe, with the options of the survey, to a limit of sources (None: all).
OpenSample = Callable[[Sample, Mapping[str, Any], int | None], SampleReader]


@dataclass(frozen=True)
class FileCatalogue:
    """An option that holds the address of a catalogue in files (HATS or Parquet), which the bulk route reads.

    `live_address` is the option's value where the real archives are asked. Without a catalogue that is not required,
    the bulk route asks a service.
    """

    option: str
    live_address: str
    is_required: bool = True


@dataclass(frozen=True)
class LabelOrigin:
    """Whose labels a survey brings, by the name in the column `origin` of the label tables.

    `derived_from` holds what their authors estimated on the way to them, each value as "table.column": it carries the
    errors of the labels, so no regressor that learns them may read it. A measurement such as a parallax or a magnitude
    is not listed, although labels rest on it: it is the same for every star, labelled or not. `quantities` are those
    that the origin gives values of ("class" for classes). Where several origins label a star, the one with the lowest
    `rank` counts first, unless the settings say otherwise.
    """

    name: str
    derived_from: tuple[str, ...] = ()
    quantities: tuple[str, ...] = ()
    rank: int = 100


@dataclass(frozen=True)
class FlagCut:
    """A cut that removes the epochs with any of some flags; `is_default`: a run makes it unless it names its cuts."""

    name: str
    flags: tuple[Flag, ...]
    is_default: bool = True

    @property
    def bits(self) -> int:
        """The bits of its flags."""
        return sum(flag.bit for flag in self.flags)


@dataclass(frozen=True)
class Load:
    """What a survey asks of a service about a source of the sample, on average: items, and KiB that come for them.

    `chunk`: items a request, where that is less than the service's limits say.
    """

    service: str
    items: float
    kib: float
    chunk: int | None = None


@dataclass(frozen=True)
class Survey:
    """A survey: `fetch(ask, sources, neighbours, options)` reads top to bottom; the door calls it field by field.

    `sources` has the columns of SOURCES (a few thousand rows), `neighbours` those of GAIA_NEIGHBOURS; `options` are
    the survey's settings (radii, releases, layouts). `version` goes up when the same answers are tidied otherwise.
    `label_origins` are the origins of the labels that it brings.
    `catalogues` are the options that hold addresses of catalogues in files. `is_simulated`: a replica's sky has it, no
    real archive does. `flags` are the survey's own bits and `cuts` what they drive; `tables` hold what it tells beside
    light curves, matches and labels; `symbol` marks its points in figures (matplotlib). `open_sample` is declared by
    the one survey that provides the sources of a run; their columns that its first table has become rows of it, and
    `find_variant` says what its options change of a preset, `follow_ids` what became of the ids of another variant.
    `unmarked` are options that do not count in the mark of a lake, since what they lead to counts. `only_with` names
    the option without which the survey is not asked: no service has it, and its catalogue has no public address.
    `loads` is what it asks of services about each source, as counted on the embedded sky (`python -m benchmarks.cost`):
    by them the cost of a run is reckoned.
    """

    name: str
    fetch: Callable[[Ask, pa.Table, pa.Table, Mapping[str, Any]], SurveyResult]
    bands: tuple[Passband, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1
    label_origins: tuple[LabelOrigin, ...] = ()
    catalogues: tuple[FileCatalogue, ...] = ()
    is_simulated: bool = False
    flags: tuple[Flag, ...] = ()
    cuts: tuple[FlagCut, ...] = ()
    tables: tuple[TableSpec, ...] = ()
    symbol: str = "o"
    open_sample: OpenSample | None = None
    find_variant: Callable[[Mapping[str, Any]], Variant] = find_no_variant
    follow_ids: FollowIds | None = None
    unmarked: tuple[str, ...] = ()
    only_with: str = ""
    loads: tuple[Load, ...] = ()

    @property
    def dataset_bands(self) -> tuple[Band, ...]:
        """The bands as a dataset lists them."""
        return tuple(
            Band.model_validate(
                {"name": band.name, "survey": self.name, "system": band.system, "wavelength_nm": band.wavelength_nm}
            )
            for band in self.bands
        )
