"""What a ground-based survey sees of a patch: whose light makes which object, and the epochs of each object.

A star whose epochs in the sky are its neighbour's (a wrong match) is no object of the survey; the neighbour is one, at
its own place, with those epochs. Any other field star that the survey resolves is an object with a few epochs of its
own. Both entries of a star with two ids are one object.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.lightcurves.batch import LightCurveBatch, concatenate
from tasks.replica.tables.chance import normal, uniform
from tasks.replica.tables.patch import Patch, Stars
from tasks.sky import BANDS, SURVEYS
from tasks.sky.noise import BRIGHT_MAG, FAINT_MAG, true_error


@dataclass(frozen=True, eq=False)
class Observed:
    """Objects of a survey (M).

    `stars` (M): the star of each object, as Gaia measured it. `own` (S,): the object of each of the sky's stars, -1
    where it has none of its own; `beside` (K,): that of each field star. `batch`: the epochs, row i those of object i,
    with `source_id` the object's number; `band` counts from the survey's first.
    """

    stars: Stars
    own: NDArray[np.int64]
    beside: NDArray[np.int64]
    batch: LightCurveBatch

    @property
    def within(self) -> NDArray[np.int64]:
        """Number of each epoch within its object, (N,)."""
        return np.arange(self.batch.time.size) - np.repeat(self.batch.offsets[:-1], self.batch.n_epoch)


def observe(patch: Patch, survey: str, resolved_arcsec: float, share: float) -> Observed:
    """The objects of `survey`, which resolves stars `resolved_arcsec` apart and sees a field star at `share` of the
    times of its neighbour."""
    batch, row = patch.epochs(survey)
    once = np.flatnonzero(~patch.is_duplicate[row])
    batch, row = batch.select(once), row[once]
    n_own, is_wrong = len(patch.stars), patch.truth(f"is_wrong_match_{survey}").astype(bool)
    field_of = np.full(n_own, -1)
    field_of[patch.host] = np.arange(patch.host.size)
    curve_of = np.full(n_own, -1)
    curve_of[row] = np.arange(row.size)

    resolved = np.flatnonzero((patch.sep >= resolved_arcsec) & (curve_of[patch.host] >= 0) & ~is_wrong[patch.host])
    few, seen = _few_epochs(patch, survey, batch.select(curve_of[patch.host[resolved]]), resolved, share)
    wrong = np.flatnonzero(is_wrong[row])
    own = np.where(is_wrong, -1, curve_of)[patch.origin]
    beside = np.full(patch.host.size, -1)
    beside[field_of[row[wrong]]] = wrong
    beside[seen] = len(batch) + np.arange(seen.size)
    everyone = patch.everyone
    star = np.concatenate([np.where(is_wrong[row], n_own + field_of[row], row), n_own + seen])
    every = concatenate([batch, few])
    first = BANDS.index(SURVEYS[survey][0])
    objects = everyone.select(star)
    shifted = LightCurveBatch(
        source_id=objects.number,
        offsets=every.offsets,
        time=every.time,
        mag=every.mag,
        mag_err=every.mag_err,
        band=every.band - first,
        flags=every.flags,
        bands=SURVEYS[survey],
    )
    return Observed(objects, own, beside, shifted)


def _few_epochs(
    patch: Patch, survey: str, host: LightCurveBatch, field: NDArray[np.int64], share: float
) -> tuple[LightCurveBatch, NDArray[np.int64]]:
    """Epochs of the field stars `field` at some of the times of their hosts, whose curves are `host`, and which of them
    are seen at all."""
    number, within = patch.field.number[field][host.row], np.arange(host.time.size) - host.offsets[:-1][host.row]
    mag = patch.field_mag[field][host.row, host.band].astype(np.float32)
    error = true_error(mag, host.band)
    measured = mag + error * normal(f"{survey} field", patch.seed, number, within).astype(np.float32)
    taken = uniform(f"{survey} few", patch.seed, number, within) < share
    detected = (mag > BRIGHT_MAG[host.band]) & (measured < FAINT_MAG[host.band])
    few = LightCurveBatch(
        source_id=host.source_id,
        offsets=host.offsets,
        time=host.time,
        mag=measured,
        mag_err=error,
        band=host.band,
        flags=np.zeros_like(host.flags),
        bands=host.bands,
    ).keep(taken & detected)
    seen = np.flatnonzero(few.n_epoch > 0)
    return few.select(seen), field[seen]
