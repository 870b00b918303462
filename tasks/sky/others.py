"""Delta Scuti and SX Phoenicis stars, Miras and semiregulars, constant stars."""

from __future__ import annotations

import numpy as np

from tasks.sky import rrlyrae
from tasks.sky.constants import BANDS, SUN_MBOL_MAG
from tasks.sky.draw import Draw, draw_names, draw_truncated, scale_pulsation
from tasks.sky.shapes import GRID, PHASE, harmonics

# A_b / A_G of long-period variables: TiO makes the blue end swing most (Iwanek et al. 2021 by wavelength).
MIRA_BAND_RATIO = (1.0, 1.65, 0.87, 1.75, 1.40, 0.88, 0.70, 0.60, 1.75, 1.35, 0.85)

# log M/M_sun, log L/L_sun, Teff of the main sequence, from 0.5 to 2.7 solar masses: Pecaut & Mamajek 2013.
SEQUENCE_LOG_MASS = np.log10([0.45, 0.56, 0.61, 0.70, 0.82, 0.89, 0.99, 1.07, 1.16, 1.32, 1.43, 1.63, 1.83, 2.33, 2.75])
SEQUENCE_LOG_LUMINOSITY = np.array(
    [-1.53, -1.27, -1.07, -0.74, -0.38, -0.26, -0.01, 0.13, 0.29, 0.56, 0.71, 0.92, 1.05, 1.58, 1.86]
)
SEQUENCE_TEFF_K = np.array(
    [3560, 3770, 3990, 4440, 5100, 5380, 5720, 5930, 6180, 6550, 6820, 7400, 7910, 9700, 10700.0]
)


def delta_scuti(rng: np.random.Generator, n: int) -> Draw:
    """High amplitude (HADS), low amplitude (LADS) and metal-poor (SXPHE).

    M_V = -2.94 log P - 1.34 (Ziaali et al. 2019), width 0.15 mag; shapes follow the bins of the Catalina HADS (Drake et
    al. 2014) and of the ZTF set: R21 grows with amplitude, phi21 with period.
    """
    kind = draw_names(rng, ("HADS", "LADS", "SXPHE"), (0.55, 0.27, 0.18), n)
    low = kind == "LADS"
    middle = np.select([kind == "SXPHE", low], [-1.25, -1.10], -1.13)
    log_period = draw_truncated(rng, middle, 0.15, -1.52, -0.62, n)
    amplitude = np.where(low, 10 ** rng.uniform(-1.6, -0.9, n), draw_truncated(rng, 0.33, 0.13, 0.10, 0.80, n))
    r21 = np.clip(np.where(low, 0.10, 0.18 + 0.30 * amplitude) * rng.lognormal(0, 0.18, n), 0.02, 0.5)
    r31 = np.clip(r21**2 * 1.1, 0.003, 0.25)
    phi21 = 3.86 + 0.9 * (log_period + 1.15) + rng.normal(0, 0.12, n)
    phi31 = 1.50 + 1.6 * (log_period + 1.15) + rng.normal(0, 0.25, n)
    feh = np.where(kind == "SXPHE", rng.normal(-1.4, 0.35, n), rng.normal(-0.05, 0.15, n))
    teff = 10 ** (3.872 - 0.05 * (log_period + 1.15) + rng.normal(0, 0.010, n))
    absolute = -1.34 - 2.94 * log_period + rng.normal(0, 0.15, n)  # M_V; its bolometric correction is 0 in the strip
    luminosity = 10 ** (0.4 * (SUN_MBOL_MAG - absolute))
    return Draw(
        subclass=kind,
        period_day=10**log_period,
        feh_dex=feh,
        teff_k=teff,
        luminosity_lsun=luminosity,
        is_halo=kind == "SXPHE",
        **scale_pulsation(harmonics([r21, r31], [phi21, phi31]), amplitude, rrlyrae.BAND_RATIO, rrlyrae.SHAPE_NM),
    )


def mira(rng: np.random.Generator, n: int) -> Draw:
    """Miras (55 per cent) and semiregulars: large, red, not strictly periodic.

    M_bol = 2.85 - 3.0 log P (Feast et al. 1989 for LMC Miras, modulus 18.5). Teff from 3,500 K at 60 d to 2,700 K at
    500 d, the range of van Belle et al. 1996. Amplitude and phase wander from cycle to cycle, and a long secondary
    period of 5-12 cycles is added.
    """
    kind = draw_names(rng, ("Mira", "SR"), (0.55, 0.45), n)
    regular = kind == "Mira"
    log_period = np.where(
        regular, draw_truncated(rng, 2.36, 0.13, 1.95, 2.75, n), draw_truncated(rng, 2.08, 0.17, 1.5, 2.6, n)
    )
    amplitude = np.where(regular, draw_truncated(rng, 1.40, 0.45, 0.70, 3.2, n), 10 ** rng.normal(-0.40, 0.22, n))
    luminosity = 10 ** (0.4 * (SUN_MBOL_MAG - 2.85 + 3.0 * log_period + rng.normal(0, 0.20, n)))
    teff = np.clip(3500 - 850 * (log_period - 1.78) + rng.normal(0, 90, n), 2550, 3800)
    r21 = np.clip(rng.normal(0.17, 0.06, n), 0.02, 0.4)
    shape = scale_pulsation(
        harmonics([r21, r21 * 0.35], [rng.normal(4.4, 0.9, n), rng.normal(3.2, 1.0, n)]),
        amplitude,
        MIRA_BAND_RATIO,
        rrlyrae.SHAPE_NM,
    )
    shape["component"] = np.broadcast_to(0.5 * np.cos(2 * np.pi * PHASE), (n, GRID))
    shape["scale2"] = shape["scale"] * np.where(regular, rng.uniform(0.05, 0.2, n), rng.uniform(0.1, 0.6, n))[:, None]
    return Draw(
        subclass=kind,
        period_day=10**log_period,
        feh_dex=rng.normal(-0.25, 0.25, n),
        teff_k=teff,
        luminosity_lsun=luminosity,
        is_halo=np.zeros(n, bool),
        clock2_day=10**log_period * rng.uniform(5, 12, n),
        modulation=np.where(regular, rng.uniform(0.05, 0.2, n), rng.uniform(0.15, 0.5, n)),
        modulation_day=10**log_period * rng.uniform(1.7, 6, n),
        jitter=np.where(regular, rng.uniform(0.01, 0.03, n), rng.uniform(0.03, 0.10, n)),
        **shape,
    )


def main_sequence(log_mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Luminosity (solar) and Teff (K), each (n,), of dwarfs of log10 mass (solar)."""
    luminosity = 10 ** np.interp(log_mass, SEQUENCE_LOG_MASS, SEQUENCE_LOG_LUMINOSITY)
    return luminosity, np.interp(log_mass, SEQUENCE_LOG_MASS, SEQUENCE_TEFF_K)


def constant(rng: np.random.Generator, n: int) -> Draw:
    """Dwarfs (70 per cent) and red giants of the clump and branch; no variation at all."""
    is_giant = rng.random(n) < 0.30
    luminosity, teff = main_sequence(draw_truncated(rng, -0.02, 0.13, -0.34, 0.43, n))
    giant_luminosity = 10 ** np.where(rng.random(n) < 0.6, rng.normal(1.72, 0.06, n), rng.uniform(0.9, 2.8, n))
    giant_teff = 4780 - 480 * (np.log10(giant_luminosity) - 1.72) + rng.normal(0, 90, n)
    feh = np.clip(rng.normal(-0.2, 0.25, n), -1.5, 0.4)
    flat = np.zeros((n, len(BANDS)))
    return Draw(
        subclass=np.where(is_giant, "giant", "dwarf"),
        feh_dex=feh,
        teff_k=np.where(is_giant, giant_teff, teff),
        luminosity_lsun=np.where(is_giant, giant_luminosity, luminosity * 10 ** rng.normal(0.06, 0.08, n)),
        is_halo=np.zeros(n, bool),
        period_day=np.full(n, np.nan),
        template=np.zeros((n, GRID)),
        scale=flat,
    )
