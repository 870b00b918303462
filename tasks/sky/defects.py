"""What goes wrong on a real sky: duplicates, close neighbours, wrong matches, missing bands. All of it is recorded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.sky.bands import colours
from tasks.sky.constants import BANDS, SURVEYS
from tasks.sky.streams import BLOCK, stream

DUPLICATE_RATE = 0.006  # objects that are a second id of the one before
NEIGHBOUR_RATE = 0.08  # a star within 6 arcsec bright enough to matter
WRONG_MATCH_RATE = 0.008  # per survey, of all objects; only stars with a neighbour at 0.8-6 arcsec can be mismatched
BAND_LOSS_RATE = {"gaia": 0.02, "ps1": 0.03, "ztf": 0.02}  # a band of a survey lost for one object
IBAND_SHARE = 0.55  # objects inside ZTF's i-band fields
BLEND_ARCSEC = {"gaia": 0.4, "ps1": 1.2, "ztf": 2.0}  # closer pairs are measured as one (Gaia G; half the seeing else)
XP_BLEND_ARCSEC = 1.8  # half of Gaia's BP/RP window of 3.5 arcsec
NEIGHBOUR_TEFF_K = 4900.0  # a typical field star


def duplicate_origin(seed: int, block: int) -> NDArray[np.int64]:
    """Row whose star each object is, (BLOCK,): its own, or for a duplicate (odd rows only) the row before."""
    row = np.arange(BLOCK)
    is_duplicate = (stream(seed, block, "duplicate").random(BLOCK) < 2 * DUPLICATE_RATE) & (row % 2 == 1)
    return row - is_duplicate


def neighbours(seed: int, block: int, mean_mag: NDArray) -> dict[str, NDArray]:
    """Neighbour of each object and what it does to the photometry.

    sep_arcsec and delta_g_mag (BLOCK,), NaN without a neighbour; mag (BLOCK, 11) of the neighbour; is_blended and
    is_wrong (BLOCK, 11) per band.
    """
    rng = stream(seed, block, "neighbour")
    has = rng.random(BLOCK) < NEIGHBOUR_RATE
    separation = np.where(has, 6.0 * np.sqrt(rng.uniform(0.002, 1.0, BLOCK)), np.nan)
    delta = np.where(has, rng.triangular(-1.0, 3.0, 4.0, BLOCK), np.nan)
    g_mag = mean_mag[:, :1] + delta[:, None] + rng.normal(0, 0.1, (BLOCK, 1))
    mag = g_mag + colours(np.full(BLOCK, NEIGHBOUR_TEFF_K))
    limit = np.repeat([BLEND_ARCSEC[name] for name in SURVEYS], [len(bands) for bands in SURVEYS.values()])
    limit[[BANDS.index("BP"), BANDS.index("RP")]] = XP_BLEND_ARCSEC
    eligible = has & (separation > 0.8)
    chance = WRONG_MATCH_RATE / (NEIGHBOUR_RATE * (1 - 0.8**2 / 36))
    wrong = np.zeros((BLOCK, len(BANDS)), bool)
    for survey in ("ps1", "ztf"):  # Gaia is the reference that the others are matched to
        columns = [BANDS.index(band) for band in SURVEYS[survey]]
        wrong[:, columns] = (eligible & (rng.random(BLOCK) < chance))[:, None]
    with np.errstate(invalid="ignore"):
        blended = (separation[:, None] < limit) & ~wrong
    return {"sep_arcsec": separation, "delta_g_mag": delta, "mag": mag, "is_blended": blended, "is_wrong": wrong}


def missing_bands(seed: int, block: int) -> NDArray[np.bool_]:
    """(BLOCK, 11): bands that the archive has nothing in for this object, for reasons other than brightness."""
    rng = stream(seed, block, "missing")
    rate = np.repeat([BAND_LOSS_RATE[name] for name in SURVEYS], [len(bands) for bands in SURVEYS.values()])
    missing = rng.random((BLOCK, len(BANDS))) < rate
    missing[:, BANDS.index("G")] = False  # an object without G is not in Gaia
    missing[:, BANDS.index("i_ztf")] |= rng.random(BLOCK) > IBAND_SHARE
    return missing
