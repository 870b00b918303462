"""How well each survey measures: errors, limits, outliers and flags."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.sky.constants import BAD_QUALITY, BANDS, BLENDED, MOONLIGHT, SATURATED

# Per band: error floor (mag), magnitude where the photon error reaches 0.1 mag, and where the background error does
# (both single visits), bright limit, faint limit. Gaia after the epoch photometry of Evans et al. 2023,
# PS1 after Chambers et al. 2016 (single-epoch 5 sigma at 22.0, 21.8, 21.5, 20.9, 19.7), ZTF after Masci et al. 2019
# (30 s, 5 sigma at 20.8, 20.6, 19.9; floor 0.012-0.015).
NOISE = {
    "G": (0.0015, 23.6, 21.6, 3.0, 21.2),
    "BP": (0.005, 20.4, 19.6, 3.0, 20.6),
    "RP": (0.004, 20.0, 19.1, 3.0, 20.2),
    "g_ps1": (0.010, 22.4, 21.2, 14.0, 21.9),
    "r_ps1": (0.010, 22.3, 21.0, 14.4, 21.7),
    "i_ps1": (0.010, 22.2, 20.7, 14.4, 21.4),
    "z_ps1": (0.010, 21.6, 20.1, 13.8, 20.8),
    "y_ps1": (0.012, 20.4, 18.9, 12.8, 19.6),
    "g_ztf": (0.013, 21.2, 20.0, 12.8, 20.8),
    "r_ztf": (0.012, 21.1, 19.8, 12.6, 20.6),
    "i_ztf": (0.014, 20.4, 19.1, 12.2, 19.9),
}
FLOOR, PHOTON_MAG, SKY_MAG, BRIGHT_MAG, FAINT_MAG = np.array([NOISE[band] for band in BANDS], np.float32).T

OUTLIER_RATE = 0.004  # unflagged epochs thrown off by 0.1-1 mag: cosmic rays, satellites, bad subtractions
FLAG_RATE = 0.02  # epochs the archive flags; 40 per cent of those are bad in truth
FLAG_BITS = np.array([BAD_QUALITY, BAD_QUALITY, MOONLIGHT, SATURATED, BLENDED], np.int32)


def true_error(mag: NDArray[np.float32], band: NDArray[np.int8]) -> NDArray[np.float32]:
    """Standard error of one epoch, (N,) mag: floor, photons (10^0.2m) and background (10^0.4m) in quadrature."""
    photon = 0.01 * np.exp(np.float32(0.4 * np.log(10)) * (mag - PHOTON_MAG[band]))
    background = 0.01 * np.exp(np.float32(0.8 * np.log(10)) * (mag - SKY_MAG[band]))
    return np.sqrt(FLOOR[band] ** 2 + photon + background)


def observe(
    rng: np.random.Generator, mag: NDArray[np.float32], band: NDArray[np.int8]
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Measured mag, quoted error, flags and whether it is detected at all, (N,) each, from true magnitudes.

    The quoted error scatters by 8 per cent and is 5 per cent too small on average, as pipelines' errors are.
    """
    n = mag.size
    error = true_error(mag, band)
    measured = mag + error * rng.standard_normal(n, dtype=np.float32)
    quoted = error * (np.float32(0.95) + np.float32(0.08) * np.clip(rng.standard_normal(n, dtype=np.float32), -3, 3))
    chance = rng.random(n, dtype=np.float32)
    flagged = chance < FLAG_RATE
    flags = np.zeros(n, np.int32)
    flags[flagged] = rng.choice(FLAG_BITS, np.count_nonzero(flagged))
    bad = np.flatnonzero((chance < 0.4 * FLAG_RATE) | (chance > 1 - OUTLIER_RATE))
    measured[bad] += (rng.choice([-1.0, 1.0, 1.0], bad.size) * rng.uniform(0.1, 1.0, bad.size)).astype(np.float32)
    detected = (mag > BRIGHT_MAG[band]) & (measured < FAINT_MAG[band])
    return measured, quoted, flags, detected
