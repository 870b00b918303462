"""Named quality cuts. Each returns a keep-mask over the epochs; objects all stay, and no cut depends on the survey."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from schemas.errors import nearest
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.segments import segment_mad_sigma

Mask = NDArray[np.bool_]
CUTS_VERSION = 3  # raise it when a cut changes its meaning: light curves are then cleaned again


@dataclass(frozen=True)
class NeutralCutConfig:
    """Which cuts, in which order, and their limits.

    `has_error`: does the dataset quote errors? None asks the batch (any finite error in it), so a caller that reads in
    chunks should say it. `errors_by_band`: is a NaN error that of a band that quotes none? It passes then. `flag_bits`:
    the bits of each cut by flags. `tasks.surveys.cuts.CutConfig` has those of the surveys; they and `errors_by_band`
    are no setting and no part of the text of a configuration, which lakes keep hashes of.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    names: Annotated[tuple[str, ...], Field(description="The cuts, in this order.")] = field(
        default_factory=lambda: (FLAGGED, *NEUTRAL_CUTS)
    )
    has_error: Annotated[SkipJsonSchema[bool | None], Field(exclude=True)] = None
    max_err: Annotated[
        float,
        Field(gt=0, description="Largest error, mag; at 1.0857 the error equals the flux (Becker et al. 2025, A)."),
    ] = 1.0857
    outlier_sigma: Annotated[float, Field(gt=0, description="Robust standard deviations from the band's median.")] = 8.0
    outlier_min_epoch: Annotated[
        int, Field(ge=3, description="Epochs of a band below which none is called an outlier.")
    ] = 10
    errors_by_band: Annotated[SkipJsonSchema[bool], Field(exclude=True)] = field(default=False, repr=False)
    flag_bits: Annotated[SkipJsonSchema[Mapping[str, int]], Field(exclude=True)] = field(
        default_factory=lambda: {FLAGGED: ~0}, repr=False, hash=False
    )

    def __post_init__(self) -> None:
        known = (*self.flag_bits, *NEUTRAL_CUTS)
        unknown = sorted(set(self.names) - set(known))
        if unknown:
            hint = nearest(unknown[0], known)
            raise ValueError(f"there is no cut {unknown[0]!r}; there are {', '.join(known)}.{hint}")
        if len(set(self.names)) < len(self.names):
            raise ValueError("each cut is named once")


def positive_error(batch: LightCurveBatch, config: NeutralCutConfig) -> Mask:
    """True where the error is above zero, or the dataset or the band quotes none."""
    return (batch.mag_err > 0) | _is_unquoted(batch, config)


def well_measured(batch: LightCurveBatch, config: NeutralCutConfig) -> Mask:
    """True where the error is below `max_err` (a NaN error fails), or the dataset or the band quotes none."""
    return (batch.mag_err < config.max_err) | _is_unquoted(batch, config)


def finite(batch: LightCurveBatch, config: NeutralCutConfig) -> Mask:
    """True where time and magnitude are numbers."""
    return np.isfinite(batch.time) & np.isfinite(batch.mag)


def duplicate_time(batch: LightCurveBatch, config: NeutralCutConfig) -> Mask:
    """False for every epoch but the first of those with the same source_id (it may have several rows), band, time."""
    source = np.unique(batch.source_id, return_inverse=True)[1]
    key = source[batch.row] * len(batch.bands) + batch.band
    order = np.lexsort((batch.time, key))  # stable: the first in the batch comes first
    repeated = (np.diff(key[order]) == 0) & (np.diff(batch.time[order]) == 0)
    keep = np.ones(batch.time.size, bool)
    keep[order[1:][repeated]] = False
    return keep


def outlier(batch: LightCurveBatch, config: NeutralCutConfig) -> Mask:
    """False for epochs far from the band's median: more than `outlier_sigma` robust deviations and 3 quoted errors.

    Towards the bright every such epoch goes. Towards the faint only a lone one does: two or more in a band may be an
    eclipse, and eclipses are signal. Non-finite magnitudes pass here (`finite` is their cut).
    """
    key = batch.row * len(batch.bands) + batch.band
    real = np.flatnonzero(np.isfinite(batch.mag))
    order = real[np.argsort(key[real], kind="stable")]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(key[real], minlength=len(batch) * len(batch.bands)))])
    mag, err = batch.mag[order].astype(np.float64), np.nan_to_num(batch.mag_err[order])
    length = np.diff(offsets)
    median, sigma = segment_mad_sigma(mag, offsets)
    limit = np.maximum(config.outlier_sigma * np.repeat(sigma, length), 3 * err)
    deviation = mag - np.repeat(median, length)
    enough = np.repeat(length >= config.outlier_min_epoch, length) & (np.repeat(sigma, length) > 0)
    bright, faint = enough & (deviation < -limit), enough & (deviation > limit)
    n_faint = np.bincount(key[order], weights=faint, minlength=length.size)
    keep = np.ones(batch.mag.size, bool)
    keep[order] = ~(bright | (faint & np.repeat(n_faint == 1, length)))
    return keep


def _is_unquoted(batch: LightCurveBatch, config: NeutralCutConfig) -> Mask:
    """True where no error is quoted and none is missing."""
    if not _has_error(batch, config):
        return np.ones(batch.mag.size, bool)
    return np.isnan(batch.mag_err) & config.errors_by_band


def _has_error(batch: LightCurveBatch, config: NeutralCutConfig) -> bool:
    return bool(np.isfinite(batch.mag_err).any()) if config.has_error is None else config.has_error


# The cuts that hold for light curves of any survey, beside those that its flags drive.
NEUTRAL_CUTS: dict[str, Callable[[LightCurveBatch, NeutralCutConfig], Mask]] = {
    cut.__name__: cut for cut in (positive_error, well_measured, finite, duplicate_time, outlier)
}
FLAGGED = "flagged"  # the cut of every flag that is a reason to reject


def apply_cuts(
    batch: LightCurveBatch,
    config: NeutralCutConfig,
) -> tuple[LightCurveBatch, NDArray[np.int32], tuple[str, ...]]:
    """The epochs that pass every cut; how many each cut removed, (S, n_cut) int32; and the names of the cuts.

    Cuts act one after the other on what the earlier ones kept, so an epoch is counted once.
    """
    config = _settle_has_error(batch, config)
    removed = np.zeros((len(batch), len(config.names)), np.int32)
    for column, name in enumerate(config.names):
        bits = config.flag_bits.get(name)
        kept = batch.keep(NEUTRAL_CUTS[name](batch, config) if bits is None else (batch.flags & bits) == 0)
        removed[:, column] = batch.n_epoch - kept.n_epoch
        batch = kept
    return batch, removed, config.names


def _settle_has_error(batch: LightCurveBatch, config: NeutralCutConfig) -> NeutralCutConfig:
    """Ask once, of the whole batch: after the first cuts an object-poor batch could look as if it had no errors."""
    return replace(config, has_error=_has_error(batch, config))


def cut_by_survey(
    objects: LightCurveBatch, survey: NDArray[np.integer], config: NeutralCutConfig
) -> tuple[LightCurveBatch, NDArray[np.int32], NDArray[np.int64]]:
    """One cut light curve for each source and survey, how many epochs each cut took of it (L,C), its first object (L,).

    `objects` has a row for each of a survey's own objects, those of one source and `survey` (S,) next to each other.
    Each is cut by itself, and they are joined after: their zero points differ, so what is far out in one need not be
    so among all. Epochs are in order of time.
    """
    kept, removed, _ = apply_cuts(objects, config)
    differs = (np.diff(kept.source_id) != 0) | (np.diff(survey) != 0)
    first = np.flatnonzero(np.concatenate([[len(kept) > 0], differs])[: len(kept)])
    offsets = np.append(kept.offsets[first], kept.offsets[-1])
    joined = replace(kept, source_id=kept.source_id[first], offsets=offsets).sort_by_time()
    return joined, np.add.reduceat(removed, first) if first.size else removed, first
