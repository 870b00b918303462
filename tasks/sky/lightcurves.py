"""True brightness at given times, and from it the measured light curves of one survey."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.lightcurves.batch import LightCurveBatch, offsets_of
from tasks.sky import cadence
from tasks.sky.constants import BANDS, GAIA_EPOCH_MJD
from tasks.sky.noise import observe
from tasks.sky.shapes import GRID
from tasks.sky.streams import BLOCK, stream

EPOCH_ZERO_MJD = GAIA_EPOCH_MJD  # reference epoch of the phases
# How each survey looks: at every transit in all of its bands, or at each visit in one. What Gaia saw after DR3's span
# is a survey of its own, whose light curves are made where they are asked for.
TRANSITS = {"gaia": cadence.gaia, "gaia_later": cadence.gaia_later}
VISITS = {"ps1": cadence.ps1, "ztf": cadence.ztf}


class Brightness:
    """The light curves of a block without noise; tables are laid out so that one epoch reads few cache lines."""

    def __init__(
        self, draw: dict[str, NDArray], star: dict[str, NDArray], around: dict[str, NDArray], epoch_day: NDArray
    ) -> None:
        self.template = _cyclic(draw["template"])
        self.component = _cyclic(draw["component"])
        steady = ~around["is_wrong"]
        self.mean = np.where(steady, star["mean_mag"], around["mag"]).astype(np.float32).ravel()
        self.scale = (draw["scale"] * steady).astype(np.float32).ravel()
        self.scale2 = (draw["scale2"] * steady).astype(np.float32).ravel()
        self.neighbour = np.where(around["is_blended"], around["mag"], np.inf).astype(np.float32).ravel()
        self.frequency = np.where(np.isfinite(draw["period_day"]), 1.0 / draw["period_day"], 0.0)
        own_clock = np.isfinite(draw["clock2_day"])
        self.frequency2 = np.where(own_clock, 1.0 / draw["clock2_day"], self.frequency)
        self.epoch = epoch_day
        self.modulation, self.jitter = draw["modulation"], draw["jitter"]
        self.modulation_frequency = 2 * np.pi / draw["modulation_day"]
        self.has_second_clock = own_clock
        self.is_unsteady = (draw["modulation"] > 0) | (draw["jitter"] > 0)

    def __call__(
        self, row: NDArray[np.int64], time: NDArray[np.float64], band: NDArray[np.int8]
    ) -> NDArray[np.float32]:
        """Magnitude (N,) of objects `row` (N,) at `time` (N,) day in `band` (N,), an index into BANDS."""
        since = time - self.epoch[row]
        cycles = since * self.frequency[row]
        swing = np.ones(row.size, np.float32)
        unsteady = np.flatnonzero(self.is_unsteady[row])
        slow = since[unsteady] * self.modulation_frequency[row[unsteady]]
        swing[unsteady] += self.modulation[row[unsteady]] * np.sin(slow)
        cycles[unsteady] += self.jitter[row[unsteady]] * np.sin(0.618 * slow + 1.0)
        cycles2 = cycles.copy()
        second = np.flatnonzero(self.has_second_clock[row])
        cycles2[second] = since[second] * self.frequency2[row[second]]
        cell = row * len(BANDS) + band
        mag = self.mean[cell] + self.scale[cell] * swing * _lookup(self.template, row, cycles)
        mag += self.scale2[cell] * _lookup(self.component, row, cycles2)
        return self._with_neighbour(mag, cell)

    def _with_neighbour(self, mag: NDArray[np.float32], cell: NDArray[np.int64]) -> NDArray[np.float32]:
        other = self.neighbour[cell]
        blended = np.flatnonzero(np.isfinite(other))
        mag[blended] = -2.5 * np.log10(10 ** (-0.4 * mag[blended]) + 10 ** (-0.4 * other[blended]))
        return mag


def _cyclic(grid: NDArray) -> NDArray[np.float32]:
    """(n, GRID) with the first point repeated at the end, flat: interpolation never wraps."""
    return np.concatenate([grid, grid[:, :1]], axis=1).astype(np.float32).ravel()


def _lookup(table: NDArray[np.float32], row: NDArray[np.int64], cycles: NDArray[np.float64]) -> NDArray[np.float32]:
    """Linear interpolation in a cyclic table at phase frac(cycles)."""
    place = (cycles - np.floor(cycles)) * GRID
    index = np.minimum(place.astype(np.int64), GRID - 1)
    fraction = (place - index).astype(np.float32)
    index += row * (GRID + 1)
    left = table[index]
    return left + fraction * (table[index + 1] - left)


def survey_epochs(
    survey: str, seed: int, block: int, star: dict[str, NDArray], brightness: Brightness, missing: NDArray[np.bool_]
) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray, NDArray]:
    """Detected epochs of one survey in a block: row, time, mag, mag_err, band, flags, sorted by object and time."""
    if survey in TRANSITS:
        row, time = TRANSITS[survey](seed, block, star["ra"], star["dec"])
        band = np.tile(np.arange(3, dtype=np.int8), row.size)
        row, time = np.repeat(row, 3), (time[:, None] + cadence.GAIA_BAND_DELAY_DAY).ravel()
    else:
        row, time, band = VISITS[survey](seed, block, star["ra"], star["dec"])
    taken = ~missing.ravel()[row * len(BANDS) + band]
    row, time, band = row[taken], time[taken], band[taken]
    mag, error, flags, detected = observe(stream(seed, block, f"{survey} noise"), brightness(row, time, band), band)
    return row[detected], time[detected], mag[detected], error[detected], band[detected], flags[detected]


def as_batch(source_id: NDArray[np.int64], epochs: tuple[NDArray, ...]) -> LightCurveBatch:
    """A batch with all BLOCK objects of a block, those without epochs included."""
    row, time, mag, error, band, flags = epochs
    offsets = offsets_of(np.bincount(row, minlength=BLOCK))
    return LightCurveBatch(
        source_id=source_id, offsets=offsets, time=time, mag=mag, mag_err=error, band=band, flags=flags, bands=BANDS
    )
