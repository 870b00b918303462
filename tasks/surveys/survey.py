"""What a survey is: what it declares, and how it fetches what it knows about some Gaia sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas import TableSpec
from schemas.dataset import Band
from tasks.archives.question import Question
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.flags import Flag
from tasks.lightcurves.passbands import Passband

# Asks a question about a table of items and gives the rows of all answers; chunks, limits, retries and the store of
# verbatim answers are the asker's business, not the survey's.
Ask = Callable[[Question, pa.Table], pa.Table]

# The sources of a sample, from Gaia, one row each, ascending by source_id. Positions are ICRS at `ref_epoch`.
SOURCES = pa.schema(
    [
        ("source_id", pa.int64()),
        ("ra", pa.float64()),  # deg
        ("dec", pa.float64()),  # deg
        ("ref_epoch", pa.float64()),  # Julian year
        ("parallax", pa.float64()),  # mas; this and the next are null for two-parameter solutions
        ("parallax_error", pa.float32()),
        ("pmra", pa.float64()),  # mas/yr, with cos(dec)
        ("pmra_error", pa.float32()),
        ("pmdec", pa.float64()),
        ("pmdec_error", pa.float32()),
        ("phot_g_mean_mag", pa.float32()),
        ("phot_bp_mean_mag", pa.float32()),
        ("phot_rp_mean_mag", pa.float32()),
        ("ruwe", pa.float32()),
        ("has_epoch_photometry", pa.bool_()),
        ("phot_variable_flag", pa.string()),
        ("dr2_source_id", pa.int64()),  # of dr2_neighbourhood: the nearest with a small magnitude difference
        ("ps1_objid", pa.int64()),  # of panstarrs1_best_neighbour; null where there is none
        ("ps1_sep_arcsec", pa.float64()),
        ("ps1_n_neighbour", pa.int32()),
        ("ps1_n_mate", pa.int32()),
    ]
)
# Other Gaia sources near those of the sample: positions for telling whose light a survey measured.
GAIA_NEIGHBOURS = pa.schema(
    [
        ("source_id", pa.int64()),
        ("neighbour_source_id", pa.int64()),
        ("ra", pa.float64()),
        ("dec", pa.float64()),
        ("pmra", pa.float64()),
        ("pmdec", pa.float64()),
        ("phot_g_mean_mag", pa.float32()),
    ]
)
# Which object of a survey belongs to which source: all objects within reach, the chosen ones with rank 1.
MATCHES = pa.schema(
    [
        ("source_id", pa.int64()),
        ("survey", pa.string()),
        ("objid", pa.int64()),  # PS1 objID, ZTF oid, TIC ID
        ("sep_arcsec", pa.float64()),  # at the survey's epoch
        (
            "rank",
            pa.int16(),
        ),  # 1: the counterpart (several oids of one star are all of rank 1); 2, 3, ...: farther ones
        ("n_candidates", pa.int16()),  # distinct stars of the survey within reach
        ("n_mates", pa.int16()),  # other Gaia sources as near to the object as this one could be
        ("is_ambiguous", pa.bool_()),
        ("method", pa.string()),  # gaia_best_neighbour, position, dr2_source_id
    ]
)
CLASS_LABELS = pa.schema(
    [
        ("source_id", pa.int64()),
        ("origin", pa.string()),
        ("class", pa.string()),
        ("score", pa.float32()),
        ("is_photometric", pa.bool_()),
    ]
)
PARAMETER_LABELS = pa.schema(
    [
        ("source_id", pa.int64()),
        ("origin", pa.string()),
        ("quantity", pa.string()),  # teff_k, radius_rsun, logg_dex, mh_dex, feh_dex, mass_msun, period_day, ...
        ("value", pa.float64()),
        ("err", pa.float64()),
        ("lo", pa.float64()),  # published interval, where there is one
        ("hi", pa.float64()),
        ("is_photometric", pa.bool_()),
        ("is_reference", pa.bool_()),  # to compare with, never learnt: periods, amplitudes, log g, masses
    ]
)
REJECTED = pa.schema([(name, pa.string()) for name in ("object_id", "table", "key", "column", "check", "value")])


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
class Survey:
    """A survey: `fetch(ask, sources, neighbours, options)` reads top to bottom; the door calls it field by field.

    `sources` has the columns of SOURCES (a few thousand rows), `neighbours` those of GAIA_NEIGHBOURS; `options` are
    the survey's settings (radii, releases, layouts). `version` goes up when the same answers are tidied otherwise.
    `label_origins` are the origins of the labels that it brings.
    `live_catalogues` are the values of options that name HATS catalogues, for the real archives. `is_simulated`: a
    replica's sky has it, no real archive does. `flags` are the survey's own bits and `cuts` what they drive; `tables`
    hold what it tells beside light curves, matches and labels; `symbol` marks its points in figures (matplotlib).
    """

    name: str
    fetch: Callable[[Ask, pa.Table, pa.Table, Mapping[str, Any]], SurveyResult]
    bands: tuple[Passband, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1
    label_origins: tuple[LabelOrigin, ...] = ()
    live_catalogues: Mapping[str, str] = field(default_factory=dict)
    is_simulated: bool = False
    flags: tuple[Flag, ...] = ()
    cuts: tuple[FlagCut, ...] = ()
    tables: tuple[TableSpec, ...] = ()
    symbol: str = "o"

    @property
    def dataset_bands(self) -> tuple[Band, ...]:
        """The bands as a dataset lists them."""
        return tuple(
            Band.model_validate(
                {"name": band.name, "survey": self.name, "system": band.system, "wavelength_nm": band.wavelength_nm}
            )
            for band in self.bands
        )
