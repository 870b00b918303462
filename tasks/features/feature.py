"""What a feature is: its columns, what it needs, and a function from light curves to arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Annotated

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from schemas.column import Column
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.candidates import N_CANDIDATE
from tasks.lightcurves.fourier import fit_fourier, weights
from tasks.lightcurves.passbands import Passband
from tasks.lightcurves.segments import segment_sum
from tasks.lightcurves.series import PeriodConfig
from tasks.surveys import list_passbands

Arrays = Mapping[str, NDArray]
COLOUR = Column(  # of light curves and of mean photometry alike
    "colour_mag_{pair}", pa.float32(), "Difference of the mean magnitudes.", "mag", "phot.color", nullable=True
)
PERIOD_DAY = Column(
    "period_day",
    pa.float64(),
    "Most probable period of the multiband search.",
    "d",
    "time.period",
    nullable=True,
    range=(0, None),
)
CANDIDATE_PERIOD_DAY = replace(
    PERIOD_DAY,
    name="candidate_period_day_{candidate}",
    doc="Candidate periods, the chosen one first, then the most probable.",
)
CANDIDATE_PROB = Column(
    "candidate_prob_{candidate}",
    pa.float32(),
    "Probability that the candidate is the period, within 1 %.",
    ucd="stat.probability;time.period",
    nullable=True,
    range=(0, 1),
)
# An epoch of a variable star is off the mean by more than its error: a floor limits the weight of the few exact ones.
MEAN_ERROR_FLOOR = 0.05  # mag
OF_THE_DATASET = Field(exclude=True)  # no setting: the stage fills it in
SWING = 5.0  # how much farther a Fourier series may swing in a gap in phase than on the data, at the worst


@dataclass(frozen=True)
class FeatureConfig:
    """How the features of one dataset are computed.

    `groups`: survey of each band, aligned to the batch's bands; () means one survey. `surveys`: their names; columns of
    each survey are there only where there are several. `has_time` False: the times are
    phases in [0, 1), so there is no period to search and nothing per day. `period`: the period search.
    `min_epoch`: a band with fewer epochs has no statistics. `inputs`: what the dataset holds of its objects beside
    their light curves; a family that needs more than these is left out. `passbands`: what surveys declare of bands, by
    name; no part of the text of a configuration, which lakes keep hashes of. `second_period`: whether to search one.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    groups: Annotated[SkipJsonSchema[tuple[int, ...]], OF_THE_DATASET] = ()
    surveys: Annotated[SkipJsonSchema[tuple[str, ...]], OF_THE_DATASET] = ()
    has_time: Annotated[SkipJsonSchema[bool], OF_THE_DATASET] = True
    period: Annotated[PeriodConfig, Field(description="The period search.")] = field(default_factory=PeriodConfig)
    min_epoch: Annotated[int, Field(ge=1, description="Epochs below which a band has no statistics.")] = 5
    inputs: Annotated[SkipJsonSchema[tuple[str, ...]], OF_THE_DATASET] = ()
    second_period: Annotated[
        bool, Field(description="Search a second period in what the first leaves; doubles the cost.")
    ] = False
    passbands: Annotated[SkipJsonSchema[Mapping[str, Passband]], OF_THE_DATASET] = field(
        default_factory=list_passbands, repr=False, compare=False, hash=False
    )

    @property
    def reference(self) -> Passband | None:
        """The band in which published absolute magnitudes and the relation between [Fe/H] and phi31 are."""
        return next((band for band in self.passbands.values() if band.is_reference), None)

    def extinctions(self, bands: Sequence[str]) -> NDArray[np.float64]:
        """A_b / E(B-V) of each band, (B,); NaN where none is known."""
        return np.array([self.passbands[band].extinction if band in self.passbands else np.nan for band in bands])

    @property
    def n_survey(self) -> int:
        """How many surveys have columns of their own: none where there is but one."""
        return len(self.surveys) if len(self.surveys) > 1 else 0


@dataclass(frozen=True, eq=False)
class Curves:
    """What every feature reads: the light curves sorted by object, band and time, and the settings.

    Band b of object i is `band_offsets[i*B + b]:band_offsets[i*B + b + 1]`. All magnitudes and times are finite.
    `objects` has the inputs of the settings, (S,) each, NaN where unknown.
    """

    batch: LightCurveBatch
    band_offsets: NDArray[np.int64]
    config: FeatureConfig
    objects: Arrays

    @classmethod
    def of(cls, batch: LightCurveBatch, config: FeatureConfig, objects: Arrays | None = None) -> Curves:
        """Sort `batch` and leave out epochs without a time or a magnitude."""
        finite = np.isfinite(batch.time) & np.isfinite(batch.mag)
        unknown = np.full(len(batch), np.nan)
        known = {name: (objects or {}).get(name, unknown) for name in config.inputs}
        return cls(*(batch if finite.all() else batch.keep(finite)).by_band(), config, known)

    def per_band(self, values: NDArray) -> NDArray:
        """(S*B, ...) as (S, B, ...)."""
        return values.reshape(len(self.batch), len(self.batch.bands), *values.shape[1:])

    @property
    def n_epoch(self) -> NDArray[np.int64]:
        """Epochs of each object in each band, (S,B)."""
        return self.per_band(np.diff(self.band_offsets))

    @cached_property
    def mean_mag(self) -> NDArray[np.float64]:
        """Mean magnitude of each band, weighted by 1 / (err^2 + MEAN_ERROR_FLOOR^2), (S,B); NaN without epochs."""
        weight = weights(self.batch.mag_err, MEAN_ERROR_FLOOR)
        total = self.per_band(segment_sum(weight, self.band_offsets))
        summed = self.per_band(segment_sum(weight * self.batch.mag, self.band_offsets))
        return np.divide(summed, total, out=np.full(total.shape, np.nan), where=total > 0)

    @property
    def n_error(self) -> NDArray[np.int64]:
        """Epochs of each object in each band with a quoted error, (S,B)."""
        quoted = np.concatenate([[0], np.cumsum(np.isfinite(self.batch.mag_err))])
        return self.per_band(np.diff(quoted[self.band_offsets]))

    @property
    def has_errors(self) -> NDArray[np.bool_]:
        """True where every epoch of a band has a quoted error, (S,B)."""
        return self.n_error == self.n_epoch

    @property
    def has_spread(self) -> NDArray[np.bool_]:
        """True where a band has two different times, (S,B)."""
        offsets = self.band_offsets
        filled = np.diff(offsets) > 0
        spread = np.zeros(filled.size, bool)
        spread[filled] = self.batch.time[offsets[1:][filled] - 1] > self.batch.time[offsets[:-1][filled]]
        return self.per_band(spread)

    def explained_variance(self, fold: NDArray, n_harmonics: int) -> NDArray[np.float64]:
        """1 - chi2 / chi2_constant of a series of `n_harmonics` per band at each period, all bands together, (S,)."""
        fit = fit_fourier(
            self.batch,
            np.repeat(fold, len(self.batch.bands)),
            n_harmonics,
            self.band_offsets,
            floor=self.config.period.error_floor,
            epochs_per_term=2.0,
        )
        chi2, constant = (np.nansum(self.per_band(value), axis=1) for value in (fit.chi2, fit.chi2_constant))
        known = (constant > 0) & np.isfinite(fold)
        return np.where(known, 1 - chi2 / np.where(known, constant, 1.0), np.nan)

    def with_noise(self, kernel: Callable[..., NDArray]) -> NDArray:
        """`kernel(time, mag, error variance, offsets, known)` of every band, (S,B,...).

        known (S*B,): the band has `min_epoch` epochs, a quoted error at each, and times that are no phases and differ.
        """
        batch = self.batch
        known = (self.n_epoch >= self.config.min_epoch) & self.has_errors & self.has_spread & self.config.has_time
        mag, err = batch.mag.astype(np.float64), batch.mag_err.astype(np.float64)
        return self.per_band(kernel(batch.time, mag, err**2, self.band_offsets, known.ravel()))

    @property
    def survey_bands(self) -> list[NDArray[np.int64]]:
        """The bands of each survey, where there are several."""
        return [np.flatnonzero(np.equal(self.config.groups, k)) for k in range(self.config.n_survey)]

    def fold_period(self, period: NDArray) -> NDArray[np.float64]:
        """The period to fold with, (S,): the one found, or 1 where the times are phases already."""
        return period if self.config.has_time else np.ones(len(self.batch))


@dataclass(frozen=True)
class Feature:
    """A family of columns computed together.

    A column named with "{band}" stands for one per band, one with "{pair}" for one per pair of `band_pairs`, one with
    "{survey}" for one per survey, where there are several, and one with "{candidate}" for one per candidate period,
    the chosen one first. `compute(curves, earlier)` returns an array for every column, by its name as written here:
    (S,), (S,B), (S,P), (S,G) or (S,K), NaN where undefined. `source` names the papers
    that define them. `earlier` holds the columns in `needs`, of other families: per object and float64, so that one
    read from the table is the one computed. `inputs` names what it reads of `curves.objects`, `setting` a setting that
    must be on. Raise `version` when a column changes its meaning: the family, and those that need it, are then computed
    anew, and nothing else is.

    `of_errors` names the columns that need a quoted error at every epoch of the band, `of_times` those that need times,
    not phases, `of_period` those of a family that needs no period which are of the chosen period all the same.
    `of_zero_point` names those that depend on the zero point of the magnitudes in a way of their own; else
    columns with the UCD phot.mag move with it, and no other does.
    """

    name: str
    columns: tuple[Column, ...]
    compute: Callable[[Curves, Arrays], Arrays]
    source: str
    needs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    setting: str = ""
    version: int = 1
    of_zero_point: tuple[str, ...] = ()
    of_errors: tuple[str, ...] = ()
    of_times: tuple[str, ...] = ()
    of_period: tuple[str, ...] = ()


def band_pairs(bands: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Indices of the bands whose colours are features: neighbours, and the first with the last, (P,2)."""
    pairs = list(pairwise(range(len(bands))))
    return tuple(pairs if len(bands) < 3 else [*pairs, (0, len(bands) - 1)])


def expand(
    column: Column,
    bands: tuple[str, ...],
    surveys: tuple[str, ...] = (),
    pairs: Sequence[tuple[int, int]] | None = None,
) -> tuple[Column, ...]:
    """The concrete columns of a declared one, in the order of the array's second axis; `pairs`: else `band_pairs`."""
    if "{band}" in column.name:
        return tuple(column.rename(column.name.format(band=band), f"{column.doc} Band {band}.") for band in bands)
    if "{survey}" in column.name:
        names = surveys if len(surveys) > 1 else ()
        return tuple(column.rename(column.name.format(survey=name), f"{column.doc} Survey {name}.") for name in names)
    if of_candidate := candidate_names(column):
        return tuple(column.rename(name, f"{column.doc} Candidate {k}.") for k, name in enumerate(of_candidate, 1))
    if "{pair}" in column.name:
        of_pairs = [(bands[a], bands[b]) for a, b in (band_pairs(bands) if pairs is None else pairs)]
        return tuple(
            column.rename(column.name.format(pair=f"{a}_{b}"), f"{column.doc} {a} against {b}.") for a, b in of_pairs
        )
    return (column,)


def candidate_names(declared: Column) -> tuple[str, ...]:
    """The columns of a declared one of candidate periods, the chosen one's first; () where it is not of candidates."""
    is_one = "{candidate}" in declared.name
    return tuple(declared.name.format(candidate=k) for k in range(1, N_CANDIDATE + 1)) if is_one else ()


def bands_of(
    name: str, n: int, bands: tuple[str, ...], pairs: Sequence[tuple[int, int]] | None = None
) -> list[list[int]]:
    """The bands that each concrete column of a declared one is about; none where it is about all together.

    `pairs`: as of `expand`.
    """
    if "{pair}" in name:
        return [list(pair) for pair in (band_pairs(bands) if pairs is None else pairs)]
    return [[band] for band in range(n)] if "{band}" in name else [[]] * n


def pair_difference(values: NDArray, bands: tuple[str, ...]) -> NDArray:
    """First minus second band of every pair, (S,P), of values (S,B)."""
    pairs = np.array(band_pairs(bands), np.int64).reshape(-1, 2)
    return values[:, pairs[:, 0]] - values[:, pairs[:, 1]]
