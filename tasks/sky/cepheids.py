"""Classical Cepheids (fundamental and first overtone) and type II Cepheids (BL Her, W Vir, RV Tau)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.sky.constants import SUN_MBOL_MAG, SUN_TEFF_K
from tasks.sky.draw import Draw, draw_names, draw_truncated, scale_pulsation
from tasks.sky.shapes import harmonics, interpolate_harmonics

# A_b / A_G: A_I / A_V = 0.6 (Klagyivik & Szabados 2009), the other bands by wavelength.
BAND_RATIO = (1.0, 1.21, 0.70, 1.30, 0.92, 0.70, 0.62, 0.58, 1.31, 0.90, 0.68)
I_BAND_NM = 790.0

# Hertzsprung progression, I band, fundamental mode: medians of R_k1 and phi_k1 (k = 2..7) of the 2,396 LMC stars of
# Soszynski et al. 2015 (AcA 65, 297) in bins of log P, from least-squares series of seven harmonics.
F_LOG_PERIOD = np.array([0.15, 0.33, 0.45, 0.55, 0.65, 0.75, 0.85, 0.925, 0.975, 1.025, 1.075, 1.15, 1.30, 1.55])
F_RATIO = np.array(
    [
        [0.437, 0.250, 0.137, 0.083, 0.046, 0.027],
        [0.461, 0.248, 0.127, 0.067, 0.038, 0.024],
        [0.435, 0.227, 0.113, 0.059, 0.030, 0.016],
        [0.429, 0.222, 0.110, 0.051, 0.022, 0.011],
        [0.424, 0.193, 0.087, 0.034, 0.013, 0.005],
        [0.395, 0.144, 0.061, 0.017, 0.007, 0.004],
        [0.319, 0.112, 0.031, 0.012, 0.008, 0.004],
        [0.253, 0.151, 0.059, 0.024, 0.010, 0.006],
        [0.182, 0.095, 0.047, 0.024, 0.010, 0.006],
        [0.102, 0.118, 0.086, 0.044, 0.018, 0.010],
        [0.105, 0.132, 0.112, 0.061, 0.041, 0.022],
        [0.161, 0.136, 0.145, 0.102, 0.056, 0.039],
        [0.247, 0.147, 0.145, 0.117, 0.084, 0.056],
        [0.320, 0.207, 0.150, 0.099, 0.063, 0.036],
    ]
)
F_PHASE = np.array(
    [
        [4.20, 2.25, 0.22, 4.47, 2.32, 0.23],
        [4.34, 2.54, 0.61, 4.83, 2.77, 0.74],
        [4.48, 2.74, 0.84, 5.19, 3.22, 1.23],
        [4.57, 2.91, 1.12, 5.62, 3.66, 1.56],
        [4.70, 3.16, 1.52, 6.16, 4.09, 0.82],
        [4.88, 3.45, 1.82, 5.99, 2.31, 0.45],
        [5.21, 3.59, 0.03, 4.36, 3.09, 1.23],
        [5.49, 4.21, 1.02, 4.57, 3.79, 1.94],
        [5.69, 5.43, 1.51, 5.43, 3.53, 3.08],
        [4.89, 0.75, 0.08, 5.54, 5.33, 3.80],
        [4.89, 1.14, 5.98, 4.42, 1.94, 3.43],
        [4.88, 1.83, 0.24, 4.91, 3.32, 1.39],
        [5.01, 2.99, 1.33, 6.23, 4.75, 3.33],
        [4.93, 3.35, 1.93, 0.67, 5.61, 4.12],
    ]
)
F_AMPLITUDE_I = np.array(
    [0.44, 0.49, 0.46, 0.47, 0.47, 0.44, 0.38, 0.38, 0.36, 0.40, 0.48, 0.54, 0.58, 0.59]
)  # peak-to-peak, mag

# First overtone, I band, after the figures of Soszynski et al. 2015: R21 has its minimum near 3 days.
O_LOG_PERIOD = np.array([-0.2, 0.1, 0.3, 0.45, 0.6, 0.8])
O_RATIO = np.array([[0.28, 0.10], [0.22, 0.08], [0.14, 0.05], [0.06, 0.03], [0.10, 0.03], [0.13, 0.04]])
O_PHASE = np.array([[4.1, 2.2], [4.4, 2.7], [4.8, 3.3], [5.3, 4.0], [4.6, 4.6], [4.3, 5.0]])

# Type II, V band: bins of the Catalina stars (Drake et al. 2014) smoothed with Soszynski et al. 2008 (AcA 58, 293).
T2_LOG_PERIOD = np.array([0.0, 0.2, 0.4, 0.6, 0.9, 1.1, 1.25, 1.5])
T2_RATIO = np.array(
    [[0.30, 0.13], [0.23, 0.12], [0.26, 0.10], [0.33, 0.14], [0.16, 0.08], [0.16, 0.08], [0.19, 0.09], [0.22, 0.10]]
)
T2_PHASE = np.array([[4.2, 3.3], [4.4, 3.2], [4.8, 2.5], [5.2, 2.1], [5.3, 2.3], [5.6, 2.6], [5.9, 3.1], [5.3, 3.1]])
T2_NM = 551.0


def _scatter(rng: np.random.Generator, table: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Star-to-star scatter: 12 per cent in R_k1, 0.08 rad per order in phi_k1."""
    n, orders = table.shape
    turn = rng.normal(0, 0.08, (n, 1)) * np.arange(1, orders + 1) + rng.normal(0, 0.05, (n, orders))
    return table * rng.lognormal(0, 0.12, (n, orders)) * np.exp(1j * turn)


def _series(table: NDArray[np.complex128]) -> NDArray[np.complex128]:
    return np.concatenate([np.ones((table.shape[0], 1)), table], axis=1)


def cepheid(rng: np.random.Generator, n: int) -> Draw:
    """65 per cent fundamental, 35 per cent first overtone.

    Luminosity: M_V = -2.43 (log P - 1) - 4.05 (Benedict et al. 2007) with BC = -0.1, width 0.15 mag. Radius:
    log R = 0.68 log P + 1.146 (Gieren et al. 1999). Teff follows from both. Overtone periods enter as P / 0.70.
    """
    is_overtone = rng.random(n) < 0.35
    log_f = draw_truncated(rng, 0.64, 0.22, 0.10, 1.60, n) + 0.35 * (rng.random(n) < 0.15) * rng.random(n)
    log_o = draw_truncated(rng, 0.36, 0.16, -0.15, 0.80, n)
    log_fundamental = np.where(is_overtone, log_o + 0.155, log_f)
    luminosity = 10 ** (0.4 * (SUN_MBOL_MAG + 4.15 + 2.43 * (log_fundamental - 1) + rng.normal(0, 0.15, n)))
    log_radius = 0.68 * log_fundamental + 1.146 + rng.normal(0, 0.015, n)
    teff = SUN_TEFF_K * luminosity**0.25 / 10 ** (log_radius / 2)
    overtone = np.zeros((n, 6), complex)
    overtone[:, :2] = interpolate_harmonics(log_o, O_LOG_PERIOD, O_RATIO, O_PHASE)
    table = np.where(is_overtone[:, None], overtone, interpolate_harmonics(log_f, F_LOG_PERIOD, F_RATIO, F_PHASE))
    amplitude_f = np.interp(log_f, F_LOG_PERIOD, F_AMPLITUDE_I) / BAND_RATIO[-1] * rng.lognormal(0, 0.22, n)
    amplitude = np.where(is_overtone, draw_truncated(rng, 0.36, 0.09, 0.10, 0.65, n), np.clip(amplitude_f, 0.15, 1.4))
    return Draw(
        subclass=np.where(is_overtone, "1O", "F"),
        period_day=10 ** np.where(is_overtone, log_o, log_f),
        feh_dex=rng.normal(0.0, 0.12, n),
        teff_k=teff,
        luminosity_lsun=luminosity,
        is_halo=np.zeros(n, bool),
        **scale_pulsation(_series(_scatter(rng, table)), amplitude, BAND_RATIO, I_BAND_NM),
    )


def type_two(rng: np.random.Generator, n: int) -> Draw:
    """BL Her (1-4 d), W Vir (8-20 d), RV Tau (20-35 d, the single period).

    Luminosity: M_bol = 0.12 - 1.78 log P (Groenewegen & Jurkovic 2017, A&A 604, A29), width 0.2 mag. Teff falls from
    6,500 K at 1 d to 5,400 K at 20 d, the strip of the same paper; the radius follows.
    """
    kind = draw_names(rng, ("BLHer", "WVir", "RVTau"), (0.45, 0.45, 0.10), n)
    log_period = np.select(
        [kind == "BLHer", kind == "WVir"],
        [rng.uniform(0.0, 0.6, n), rng.uniform(0.9, 1.3, n)],
        rng.uniform(1.3, 1.54, n),
    )
    luminosity = 10 ** (0.4 * (SUN_MBOL_MAG - 0.12 + 1.78 * log_period + rng.normal(0, 0.2, n)))
    teff = 10 ** (3.813 - 0.062 * log_period + rng.normal(0, 0.008, n))
    middle = np.select([kind == "BLHer", kind == "WVir"], [0.55, 0.80], 0.55)
    amplitude = draw_truncated(rng, middle, 0.18, 0.15, 1.25, n)
    table = _scatter(rng, interpolate_harmonics(log_period, T2_LOG_PERIOD, T2_RATIO, T2_PHASE))
    feh = np.clip(rng.normal(-1.3, 0.4, n), -2.4, 0.0)
    coefficient = harmonics([np.abs(table[:, 0]), np.abs(table[:, 1])], [np.angle(table[:, 0]), np.angle(table[:, 1])])
    return Draw(
        subclass=kind,
        period_day=10**log_period,
        feh_dex=feh,
        teff_k=teff,
        luminosity_lsun=luminosity,
        is_halo=feh < -1.0,
        modulation=np.where(kind == "BLHer", 0.0, 0.06),
        modulation_day=10**log_period * 7.3,
        jitter=np.where(kind == "RVTau", 0.02, 0.0),
        **scale_pulsation(coefficient, amplitude, BAND_RATIO, T2_NM),
    )
