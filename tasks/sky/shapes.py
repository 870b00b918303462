"""Light-curve shapes on a grid of phases: Fourier series of pulsators, contact binaries, eclipses of two discs.

Fourier phases are in the cosine convention, m(phi) = sum A_k cos(2 pi k phi + phi_k), phi_k1 = phi_k - k phi_1
(Simon & Lee 1981; OGLE and Gaia use the same). Sine phases are smaller: phi21 by pi/2, phi31 by pi.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GRID = 512  # points per cycle: 10 across the narrowest eclipse drawn
PHASE = np.arange(GRID) / GRID
# Rotation of the fundamental with wavelength, rad/nm. From g to i, phi21 of RR Lyrae stars grows by 0.44 rad
# (real ZTF light curves, see benchmarks/sky_realism.py), and phi21 changes by minus twice the rotation.
ROTATION_PER_NM = -0.73e-3
ROTATION_LIMIT_NM = 800.0  # redder bands follow the radius alone, and the lag no longer grows


def harmonics(ratio: list[NDArray], phase: list[NDArray], order: int = 8) -> NDArray[np.complex128]:
    """Complex coefficients A_k exp(i phi_k), (n, order), from R_k1 and phi_k1 for k = 2, 3, ...; A_1 = 1, phi_1 = 0.

    Orders that are not given continue the last ratio of amplitudes and the last difference of phases, as real RRab
    curves do; that is harmless for nearly sinusoidal stars.
    """
    amplitude = [np.ones_like(ratio[0]), *ratio]
    angle = [np.zeros_like(phase[0]), *phase]
    while len(amplitude) < order:
        amplitude.append(amplitude[-1] * np.clip(amplitude[-1] / amplitude[-2], 0.0, 0.75))
        angle.append(2 * angle[-1] - angle[-2])
    return np.stack(amplitude, -1) * np.exp(1j * np.stack(angle, -1))


def interpolate_harmonics(
    log_period: NDArray, knots: NDArray, ratio: NDArray, phase: NDArray
) -> NDArray[np.complex128]:
    """Complex R_k1 exp(i phi_k1), (n, K), between knots in log10 P.

    `ratio` and `phase` are (n_knots, K). Interpolating complex numbers passes phases through a small amplitude where
    they turn quickly, as at the Hertzsprung progression's 10 days.
    """
    table = ratio * np.exp(1j * phase)
    parts = [
        np.interp(log_period, knots, column.real) + 1j * np.interp(log_period, knots, column.imag) for column in table.T
    ]
    return np.stack(parts, -1)


def pulsation(coefficient: NDArray[np.complex128]) -> tuple[NDArray, NDArray]:
    """Template and its wavelength component, each (n, GRID); the template has peak-to-peak 1 and maximum light at 0.

    The second is the fundamental turned by 90 degrees: `template + e * component` rotates the fundamental by e rad.
    """
    order = np.arange(1, coefficient.shape[1] + 1)
    curve, turned = _synthesis(coefficient), _synthesis(1j * coefficient[:, :1])
    brightest = np.argmin(curve, axis=1)
    shift = np.exp(2j * np.pi * brightest[:, None] / GRID * order)
    curve, turned = _synthesis(coefficient * shift), _synthesis(1j * (coefficient * shift)[:, :1])
    scale = 1.0 / np.ptp(curve, axis=1)[:, None]
    return curve * scale, turned * scale


def _synthesis(coefficient: NDArray[np.complex128]) -> NDArray[np.float64]:
    angle = 2 * np.pi * np.outer(np.arange(1, coefficient.shape[1] + 1), PHASE)
    return coefficient.real @ np.cos(angle) - coefficient.imag @ np.sin(angle)


def rotation(wavelength_nm: NDArray, reference_nm: float) -> NDArray[np.float64]:
    """Rotation of the fundamental in each band against the band the shape was measured in, rad."""
    return ROTATION_PER_NM * (np.minimum(wavelength_nm, ROTATION_LIMIT_NM) - reference_nm)


def contact(a1: NDArray, a2: NDArray) -> NDArray[np.float64]:
    """Contact binary in magnitudes above maximum, (n, GRID), primary minimum at phase 0.

    Rucinski 1993 (PASP 105, 1433): light = 1 + a1 cos + a2 cos 2 + a4 cos 4, with a4 = a2 (0.125 - a2); a1, a2 < 0.
    """
    angle = 2 * np.pi * PHASE
    a4 = a2 * (0.125 - a2)
    light = 1 + np.outer(a1, np.cos(angle)) + np.outer(a2, np.cos(2 * angle)) + np.outer(a4, np.cos(4 * angle))
    return -2.5 * np.log10(light / light.max(axis=1, keepdims=True))


def separation(cos_i: NDArray, eccentricity: NDArray, omega: NDArray) -> tuple[NDArray, NDArray]:
    """Projected separation in units of the semi-major axis and whether star 2 is in front, (n, GRID) each.

    Kepler orbit sampled evenly in time with the primary conjunction at phase 0; `omega` is in rad.
    """
    ecc = eccentricity[:, None]
    at_primary = np.pi / 2 - omega[:, None]  # true anomaly when star 2 passes in front
    eccentric = 2 * np.arctan(np.sqrt((1 - ecc) / (1 + ecc)) * np.tan(at_primary / 2))
    mean = eccentric - ecc * np.sin(eccentric) + 2 * np.pi * PHASE
    anomaly = mean.copy()
    for _ in range(6):  # Newton; e <= 0.4 converges to 1e-9 in five steps
        anomaly -= (anomaly - ecc * np.sin(anomaly) - mean) / (1 - ecc * np.cos(anomaly))
    true = 2 * np.arctan2(np.sqrt(1 + ecc) * np.sin(anomaly / 2), np.sqrt(1 - ecc) * np.cos(anomaly / 2))
    towards = np.sin(true + omega[:, None])
    distance = 1 - ecc * np.cos(anomaly)
    return distance * np.sqrt(1 - towards**2 * (1 - cos_i[:, None] ** 2)), towards > 0


def hidden_fraction(distance: NDArray, front: NDArray, back: NDArray) -> NDArray[np.float64]:
    """Share of a disc of radius `back` (n,) hidden by one of radius `front` (n,) at centre `distance` (n, GRID).

    Area common to two circles (exact; no limb darkening), divided by the area of the disc behind.
    """
    a, b = np.broadcast_arrays(back[:, None], front[:, None])
    d = np.clip(distance, np.abs(a - b) + 1e-9, a + b)
    angle_a = np.arccos(np.clip((d**2 + a**2 - b**2) / (2 * d * a), -1, 1))
    angle_b = np.arccos(np.clip((d**2 + b**2 - a**2) / (2 * d * b), -1, 1))
    kite = 0.5 * np.sqrt(np.clip((a + b - d) * (d + a - b) * (d - a + b) * (d + a + b), 0, None))
    return (a**2 * angle_a + b**2 * angle_b - kite) / (np.pi * a**2)
