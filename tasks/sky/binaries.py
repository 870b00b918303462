"""Eclipsing binaries: detached pairs of main-sequence stars (EA) and contact pairs (EW)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.sky.bands import absolute_g, band_flux, radius
from tasks.sky.constants import BANDS, SUN_TEFF_K
from tasks.sky.draw import Draw, draw_truncated, merge_draws
from tasks.sky.others import main_sequence
from tasks.sky.shapes import GRID, PHASE, contact, hidden_fraction, separation

ALGOL_SHARE = 0.45  # of detached pairs; magnitude-limited samples favour them for their deep eclipses
KEPLER_RSUN = 4.208  # a = 4.208 (M P^2)^(1/3) with a in R_sun, M in M_sun, P in days


def eclipsing(rng: np.random.Generator, n: int) -> Draw:
    """Half detached, half contact."""
    is_contact = rng.random(n) < 0.5
    parts = [(np.flatnonzero(is_contact), _draw_contact), (np.flatnonzero(~is_contact), _draw_detached)]
    return Draw(**merge_draws([(row, draw(rng, row.size).fill()) for row, draw in parts if row.size]))


def _draw_contact(rng: np.random.Generator, n: int) -> Draw:
    """EW: both stars at one temperature, Teff = 6598 + 5260 log(P / 0.5 d) K (Jayasinghe et al. 2020), primary radius
    0.46 a (mass ratio 0.4, Eggleton 1983) in a pair of total mass 1.7 (P / 0.35 d)^0.4 solar.
    """
    log_period = draw_truncated(rng, np.log10(0.345), 0.10, np.log10(0.22), np.log10(0.85), n)
    period = 10**log_period
    teff = np.clip(6598 + 5260 * (log_period - np.log10(0.5)) + rng.normal(0, 180, n), 4200, 8200)
    axis = KEPLER_RSUN * (1.7 * (period / 0.35) ** 0.4 * period**2) ** (1 / 3)
    luminosity = (0.46 * axis) ** 2 * (teff / SUN_TEFF_K) ** 4
    a2 = -draw_truncated(rng, 0.135, 0.05, 0.035, 0.26, n)
    a1 = -np.abs(rng.normal(0, 0.018, n)) - 0.002
    curve = contact(a1, a2)
    height = np.ptp(curve, axis=1)[:, None]
    wavelength_term = np.ones(len(BANDS)) + np.array([0, 0.04, -0.05, 0.05, 0, -0.04, -0.06, -0.07, 0.05, -0.01, -0.05])
    return Draw(
        subclass=np.full(n, "EW"),
        period_day=period,
        feh_dex=rng.normal(-0.15, 0.25, n),
        teff_k=teff,
        luminosity_lsun=luminosity,
        is_halo=np.zeros(n, bool),
        template=curve / height,
        scale=height * wavelength_term,
        teff2_k=teff * rng.uniform(0.96, 1.0, n),
        luminosity2_lsun=luminosity * rng.uniform(0.25, 0.6, n),
    )


def _stars(rng: np.random.Generator, n: int) -> tuple[NDArray, ...]:
    """Total mass, then Teff and luminosity of the hotter star and of the cooler.

    Main-sequence stars, the first somewhat evolved; or, in Algols, a cool subgiant about as large as the hot star.
    """
    log_mass = draw_truncated(rng, 0.06, 0.13, -0.28, 0.40, n)
    log_mass2 = np.maximum(log_mass + np.log10(rng.uniform(0.55, 1.0, n)), -0.34)
    luminosity, teff = main_sequence(log_mass)
    luminosity2, teff2 = main_sequence(log_mass2)
    luminosity = luminosity * 10 ** rng.uniform(0, 0.35, n)
    is_algol = rng.random(n) < ALGOL_SHARE
    giant_teff = np.minimum(rng.normal(4750, 250, n), 0.95 * teff)
    giant_radius = radius(luminosity, teff) * rng.uniform(0.9, 1.7, n)
    luminosity2 = np.where(is_algol, giant_radius**2 * (giant_teff / SUN_TEFF_K) ** 4, luminosity2)
    return 10**log_mass + 10**log_mass2, teff, luminosity, np.where(is_algol, giant_teff, teff2), luminosity2


def _draw_detached(rng: np.random.Generator, n: int) -> Draw:
    """EA: uniform discs on a Kepler orbit; depths in each band follow from both stars' light there.

    Periods are drawn so that the stars stay inside 0.75 of the critical size; the inclination makes every pair eclipse.
    """
    mass, teff, luminosity, teff2, luminosity2 = _stars(rng, n)
    radius1, radius2 = radius(luminosity, teff), radius(luminosity2, teff2)
    closest = ((radius1 + radius2) / 0.62 / KEPLER_RSUN) ** 1.5 / np.sqrt(mass)  # period at (R1 + R2) / a = 0.62
    period = np.minimum(np.maximum(closest * rng.lognormal(0.12, 0.08, n), 10 ** rng.normal(0.0, 0.32, n)), 25.0)
    axis = KEPLER_RSUN * (mass * period**2) ** (1 / 3)
    eccentricity = np.where(period > 3.0, rng.uniform(0, 0.35, n), 0.0)
    cos_i = (radius1 + radius2) / axis * 0.75 * rng.random(n) ** 1.5
    distance, second_in_front = separation(cos_i, eccentricity, rng.uniform(0, 2 * np.pi, n))
    covered = [
        np.where(second_in_front, hidden_fraction(distance, radius2 / axis, radius1 / axis), 0.0),
        np.where(second_in_front, 0.0, hidden_fraction(distance, radius1 / axis, radius2 / axis)),
    ]
    light = [band_flux(absolute_g(luminosity, teff), teff), band_flux(absolute_g(luminosity2, teff2), teff2)]
    share = light[0] / (light[0] + light[1])
    primary, scale = _dip(covered[0], share)
    secondary, scale2 = _dip(covered[1], 1 - share)
    primary = primary + _tides((radius1 + radius2) / axis) / scale[:, :1]
    return Draw(
        subclass=np.full(n, "EA"),
        period_day=period,
        feh_dex=rng.normal(-0.15, 0.25, n),
        teff_k=teff,
        luminosity_lsun=luminosity,
        is_halo=np.zeros(n, bool),
        template=primary,
        scale=scale,
        component=secondary,
        scale2=scale2,
        teff2_k=teff2,
        luminosity2_lsun=luminosity2,
    )


def _dip(covered: NDArray, share: NDArray) -> tuple[NDArray, NDArray]:
    """One eclipse as a template of depth 1 in G, (n, GRID), and its depth in every band, (n, 11) mag."""
    curve = -2.5 * np.log10(1 - np.minimum(covered * share[:, :1], 0.98))
    depth = -2.5 * np.log10(1 - np.minimum(covered.max(axis=1)[:, None] * share, 0.98))
    depth = np.maximum(depth, 1e-4)
    return curve / depth[:, :1], depth


def _tides(size: NDArray) -> NDArray:
    """Ellipsoidal variation, (n, GRID) mag, from the sum of relative radii: about (R/a)^3 (Morris 1985)."""
    return 0.12 * np.minimum(size, 0.75)[:, None] ** 3 * np.cos(4 * np.pi * PHASE)[None, :GRID]
