"""RR Lyrae stars: RRab, RRc and RRd.

The G-band Fourier relations of RRab are least-squares fits to the light curves of Dekany & Grebel 2022 (ApJS 261, 33;
2,126 stars, Gaia G); benchmarks/sky_realism.py repeats the one for phi31. Its form, and the slope with [Fe/H], are
those of Jurcsik & Kovacs 1996 (A&A 312, 111): [Fe/H] = -5.038 - 5.394 P + 1.345 phi31, so d phi31/dP = 4.01 and
d phi31/d[Fe/H] = 0.743 in V.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.sky.bands import luminosity_from_g
from tasks.sky.draw import Draw, draw_truncated, scale_pulsation
from tasks.sky.shapes import harmonics, pulsation

# A_b / A_G. Ratios of g, r and i from the real RR Lyrae in the ZTF set (1 : 0.71 : 0.55, as Sesar et al. 2010 find);
# G against V from Clementini et al. 2019; BP and RP between them by wavelength.
BAND_RATIO = (1.0, 1.22, 0.74, 1.30, 0.93, 0.73, 0.67, 0.65, 1.31, 0.92, 0.71)
SHAPE_NM = 622.0  # the relations below are for Gaia G

PHI31_ZERO, PHI31_PERIOD, PHI31_FEH = 2.410, 5.152, 0.748  # rad, rad/day, rad/dex at P = 0.58 d, [Fe/H] = -1.5
PHI31_SCATTER = 0.11  # rad; the 0.17 of the fit less the error of the measured phases
# phi_k1 - phi_(k-1)1 - phi21 for k = 3..8, rad: nearly the same for all RRab and all k, with its scatter, in r and G
# (85 real RRab seen by ZTF, and the curves above). It is why all RRab look alike.
PHASE_STEP = np.array([0.27, 0.32, 0.37, 0.32, 0.32, 0.33])
PHASE_STEP_SCATTER = np.array([0.08, 0.07, 0.09, 0.12, 0.15, 0.20])
RRC_PHI31_ZERO, RRC_PHI31_PERIOD, RRC_PHI31_FEH = 3.15, 6.0, 0.9  # at P = 0.33 d; signs as in Morgan et al. 2007
MASS_MSUN = 0.65
BLAZHKO_SHARE = 0.15


def phi31_rrab(period_day: ArrayLike, feh_dex: ArrayLike) -> NDArray[np.float64]:
    """phi31 in G, cosine convention, rad in [0, 2 pi): the relation above, without its scatter."""
    period, feh = np.asarray(period_day, float), np.asarray(feh_dex, float)
    return PHI31_ZERO + PHI31_PERIOD * (period - 0.58) + PHI31_FEH * (feh + 1.5)


def feh_rrab(period_day: ArrayLike, phi31: ArrayLike) -> NDArray[np.float64]:
    """Photometric [Fe/H], dex, of RRab from the period (day) and phi31 in G: the relation above inverted."""
    return -1.5 + (np.asarray(phi31, float) - phi31_rrab(period_day, -1.5)) / PHI31_FEH


def feh_rrc(period_day: ArrayLike, phi31: ArrayLike) -> NDArray[np.float64]:
    """Photometric [Fe/H], dex, of RRc and of the overtone of RRd."""
    expected = RRC_PHI31_ZERO + RRC_PHI31_PERIOD * (np.asarray(period_day, float) - 0.33)
    return -1.5 + (np.asarray(phi31, float) - expected) / RRC_PHI31_FEH


def _metallicity(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Halo stars around -1.5 dex with the metal-rich tail of the disc (Crestani et al. 2021)."""
    rich = rng.random(n) < 0.08
    return np.clip(np.where(rich, rng.normal(-0.6, 0.25, n), rng.normal(-1.55, 0.33, n)), -2.7, 0.1)


def _structure(rng: np.random.Generator, feh: NDArray, fundamental_day: NDArray) -> dict[str, NDArray]:
    """Luminosity and Teff from M_G([Fe/H]) and the pulsation equation.

    M_G = 0.32 [Fe/H] + 1.11 (Muraveva et al. 2018), scatter 0.08 mag. log P0 = 11.497 + 0.84 log L - 0.68 log M
    - 3.48 log Teff (van Albada & Baker 1971), mass 0.65 solar.
    """
    absolute_g = 0.32 * feh + 1.11 + rng.normal(0, 0.08, feh.size)
    teff = np.full(feh.size, 6600.0)
    for _ in range(2):  # the bolometric correction hardly depends on Teff here
        luminosity = luminosity_from_g(absolute_g, teff)
        log_teff = (
            11.497 + 0.84 * np.log10(luminosity) - 0.68 * np.log10(MASS_MSUN) - np.log10(fundamental_day)
        ) / 3.48
        teff = 10**log_teff
    return {"teff_k": teff, "luminosity_lsun": luminosity, "feh_dex": feh, "is_halo": feh < -1.0}


def rrab(rng: np.random.Generator, n: int) -> Draw:
    """Fundamental mode."""
    feh = _metallicity(rng, n)
    period = draw_truncated(rng, 0.572 - 0.085 * (feh + 1.5), 0.062, 0.40, 0.90, n)
    x, z = period - 0.58, feh + 1.5
    amplitude = draw_truncated(rng, 0.75 - 2.35 * x - 0.268 * z, 0.17, 0.12, 1.35, n)
    y = amplitude - 0.75
    wobble = rng.normal(0, 0.028, (3, n))
    r21 = np.clip(0.500 + 0.45 * x + 0.08 * z + 0.244 * y - 0.3 * y**2 + wobble[0], 0.2, 0.65)
    r31 = np.clip(0.326 + 0.10 * x + 0.238 * y - 0.2 * y**2 + wobble[1], 0.08, 0.5)
    r41 = np.clip(0.193 - 0.01 * z + 0.223 * y - 0.15 * y**2 + wobble[2], 0.03, 0.4)
    further = [
        np.clip(middle + slope * y + rng.normal(0, 0.06, n), 0.2, 0.8)
        for middle, slope in ((0.58, 0.5), (0.57, 0.5), (0.60, 0.5), (0.60, 0.5))
    ]
    ratios = [r21, r31, *np.cumprod([r41, *further], axis=0)]
    blazhko = rng.random(n) < BLAZHKO_SHARE
    return Draw(
        subclass=np.where(blazhko, "Blazhko", "RRab"),
        period_day=period,
        modulation=np.where(blazhko, rng.uniform(0.05, 0.25, n), 0.0),
        modulation_day=10 ** rng.uniform(1.3, 2.3, n),
        **_structure(rng, feh, period),
        **scale_pulsation(harmonics(ratios, _phases(rng, period, feh)), amplitude, BAND_RATIO, SHAPE_NM),
    )


def _phases(rng: np.random.Generator, period: NDArray, feh: NDArray) -> list[NDArray]:
    """phi21, phi31, ..., phi81 of RRab, (n,) rad each: phi31 from the relation, the others by the common step."""
    step = PHASE_STEP[:, None] + PHASE_STEP_SCATTER[:, None] * rng.normal(0, 1, (PHASE_STEP.size, period.size))
    phi31 = phi31_rrab(period, feh) + rng.normal(0, PHI31_SCATTER, period.size)
    phi21 = (phi31 + 2 * np.pi - step[0]) / 2  # the branch near 4.2 rad
    phases = [phi21, phi31]
    for one in step[1:]:
        phases.append(phases[-1] + phi21 + one)
    return phases


def _overtone(rng: np.random.Generator, period: NDArray, feh: NDArray) -> NDArray[np.complex128]:
    """Fourier coefficients of the overtone, nearly sinusoidal: medians of the Catalina RRc (Drake et al. 2014)."""
    n = period.size
    r21 = np.clip(rng.normal(0.155, 0.04, n), 0.03, 0.32)
    r31 = np.clip(rng.normal(0.07, 0.02, n), 0.01, 0.15)
    phi21 = 4.66 + 1.0 * (period - 0.33) + rng.normal(0, 0.2, n)
    phi31 = RRC_PHI31_ZERO + RRC_PHI31_PERIOD * (period - 0.33) + RRC_PHI31_FEH * (feh + 1.5) + rng.normal(0, 0.2, n)
    return harmonics([r21, r31], [phi21, phi31])


def rrc(rng: np.random.Generator, n: int) -> Draw:
    """First overtone; fundamentalised by log P0 = log P1 + 0.127 (Iben 1974)."""
    feh = _metallicity(rng, n)
    period = draw_truncated(rng, 0.328 - 0.025 * (feh + 1.5), 0.040, 0.22, 0.45, n)
    amplitude = draw_truncated(rng, 0.41, 0.07, 0.12, 0.62, n)
    return Draw(
        subclass=np.full(n, "RRc"),
        period_day=period,
        **_structure(rng, feh, period * 10**0.127),
        **scale_pulsation(_overtone(rng, period, feh), amplitude, BAND_RATIO, SHAPE_NM),
    )


def rrd(rng: np.random.Generator, n: int) -> Draw:
    """Two modes; the main period is the dominant overtone's. P1/P0 = 0.742-0.748 (Soszynski et al. 2016)."""
    feh = np.clip(rng.normal(-1.75, 0.25, n), -2.5, -1.0)
    fundamental = draw_truncated(rng, 0.485 - 0.05 * (feh + 1.75), 0.022, 0.44, 0.57, n)
    ratio = np.clip(0.7445 + 0.03 * (fundamental - 0.49) + rng.normal(0, 0.0006, n), 0.742, 0.748)
    period = fundamental * ratio
    amplitude = draw_truncated(rng, 0.35, 0.06, 0.15, 0.55, n)
    second = harmonics([np.full(n, 0.25), np.full(n, 0.10)], [np.full(n, 4.0), np.full(n, 2.0)])
    shape = scale_pulsation(_overtone(rng, period, feh), amplitude, BAND_RATIO, SHAPE_NM)
    shape["component"] = pulsation(second)[0]
    shape["scale2"] = shape["scale"] * rng.uniform(0.25, 0.8, n)[:, None]
    return Draw(
        subclass=np.full(n, "RRd"),
        period_day=period,
        period2_day=fundamental,
        clock2_day=fundamental,
        **_structure(rng, feh, fundamental),
        **shape,
    )
