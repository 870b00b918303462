"""Label tables as archives would publish them: incomplete, noisy, partly wrong, and not agreeing with each other.

Nothing of the truth is copied: classes are re-drawn through a confusion table, parameters through errors and offsets.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.sky.classes import CLASSES
from tasks.sky.constants import BANDS
from tasks.sky.noise import true_error
from tasks.sky.rrlyrae import feh_rrab, feh_rrc
from tasks.sky.streams import BLOCK, stream

CLASS_ORIGIN = "gaia_dr3"
COMPLETENESS = 0.84  # of bright stars; the faint lose more, 75 per cent overall (Gaia DR3 variability: 70-90 per cent)
WRONG_RATE, WRONG_RATE_FAINT = 0.030, 0.16  # share of wrong labels at high, and at vanishing, amplitude over error
# Whom a class is mistaken for, in order of weight 3 : 2 : 1.
CONFUSED_WITH = {
    "RRab": ("ECL", "RRc", "T2CEP"),
    "RRc": ("ECL", "RRd", "DSCT_SXPHE"),
    "RRd": ("RRc", "RRab", "ECL"),
    "CEP": ("T2CEP", "ECL", "RRab"),
    "T2CEP": ("CEP", "ECL", "MIRA_SR"),
    "DSCT_SXPHE": ("ECL", "RRc", "CONST"),
    "ECL": ("RRc", "CONST", "DSCT_SXPHE"),
    "MIRA_SR": ("CONST", "T2CEP", "ECL"),
    "CONST": ("ECL", "MIRA_SR", "DSCT_SXPHE"),
}
CONFUSION_EDGES = (3 / 6, 5 / 6)

# Completeness and errors of parameters: TIC (Stassun et al. 2019) and Gaia DR3 GSP-Phot (Andrae et al. 2023), rounded.
TIC = {"teff_k": (0.65, 122.0), "radius_rsun": (0.60, 0.07), "feh_dex": (0.16, 0.11)}
GAIA = {"teff_k": (0.70, 150.0), "radius_rsun": (0.50, 0.11), "feh_dex": (0.20, 0.15)}
RRL_PHOTOMETRIC_SHARE = 0.65


def class_labels(seed: int, block: int, code: NDArray[np.int8], star: dict[str, NDArray]) -> dict[str, NDArray]:
    """Rows of label_sample__class for a block: row (index in the block), origin, class, score, is_photometric.

    `star` holds mean_mag (BLOCK, 11) and amplitude_g_mag (BLOCK,).
    """
    rng = stream(seed, block, "class labels")
    g_mag = star["mean_mag"][:, 0].astype(np.float32)
    error = true_error(g_mag, np.zeros(BLOCK, np.int8))
    strength = np.where(code == CLASSES.index("CONST"), 30.0, star["amplitude_g_mag"] / error)
    is_published = rng.random(BLOCK) < COMPLETENESS / (1 + np.exp((g_mag - 20.0) / 0.8))
    is_wrong = rng.random(BLOCK) < WRONG_RATE + WRONG_RATE_FAINT * np.exp(-strength / 8.0)
    partners = np.array([[CLASSES.index(other) for other in CONFUSED_WITH[name]] for name in CLASSES])
    partner = partners[code, np.searchsorted(CONFUSION_EDGES, rng.random(BLOCK), side="right")]
    label = np.where(is_wrong, partner, code)
    score = np.where(is_wrong, rng.beta(3.5, 2.5, BLOCK), rng.beta(9.0 * strength / (strength + 8.0) + 1.5, 1.3))
    row = np.flatnonzero(is_published)
    return {
        "row": row,
        "origin": np.full(row.size, CLASS_ORIGIN),
        "class": np.array(CLASSES)[label[row]],
        "score": np.clip(score[row], 0.01, 0.999).astype(np.float32),
        "is_photometric": np.ones(row.size, bool),
    }


def parameter_labels(seed: int, block: int, code: NDArray[np.int8], star: dict[str, NDArray]) -> dict[str, NDArray]:
    """Rows of label_sample__parameter for a block: row, origin, quantity, value, err, is_photometric.

    `star` holds teff_k, radius_rsun, feh_dex, ebv_mag, period_day and phi31, (BLOCK,) each.
    """
    rng = stream(seed, block, "parameter labels")
    parts = [*_tic(rng, star), *_gaia(rng, code, star), _photometric(rng, code, star)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _rows(
    origin: str, quantity: str, kept: NDArray[np.bool_], value: NDArray, err: NDArray, is_photometric: bool = False
) -> dict[str, NDArray]:
    row = np.flatnonzero(kept & np.isfinite(value))
    return {
        "row": row,
        "origin": np.full(row.size, origin),
        "quantity": np.full(row.size, quantity),
        "value": value[row],
        "err": err[row],
        "is_photometric": np.full(row.size, is_photometric),
    }


def _tic(rng: np.random.Generator, star: dict[str, NDArray]) -> list[dict[str, NDArray]]:
    """TIC: Teff 1 per cent too hot, radii 4 per cent too large, [Fe/H] from spectra of few stars."""
    share, sigma = TIC["teff_k"]
    error = sigma * rng.uniform(0.8, 1.3, BLOCK)
    teff = _rows(
        "tic", "teff_k", rng.random(BLOCK) < share, 1.01 * star["teff_k"] + error * rng.standard_t(5, BLOCK), error
    )
    share, sigma = TIC["radius_rsun"]
    value = star["radius_rsun"] * 1.04 * rng.lognormal(0, sigma, BLOCK)
    size = _rows("tic", "radius_rsun", rng.random(BLOCK) < share, value, sigma * value)
    share, sigma = TIC["feh_dex"]
    iron = _rows(
        "tic",
        "feh_dex",
        rng.random(BLOCK) < share,
        star["feh_dex"] + 0.03 + rng.normal(0, sigma, BLOCK),
        np.full(BLOCK, sigma),
    )
    return [teff, size, iron]


def _gaia(rng: np.random.Generator, code: NDArray[np.int8], star: dict[str, NDArray]) -> list[dict[str, NDArray]]:
    """GSP-Phot: Teff too hot where dust is taken for heat and vice versa; [Fe/H] from RVS spectra, not of RR Lyrae."""
    share, sigma = GAIA["teff_k"]
    error = sigma * (1 + 0.5 * star["ebv_mag"])
    value = star["teff_k"] - 70.0 + error * rng.normal(0, 1, BLOCK)
    teff = _rows("gaia_dr3", "teff_k", rng.random(BLOCK) < share, np.maximum(value, 2300.0), 0.6 * error)
    share, sigma = GAIA["radius_rsun"]
    value = star["radius_rsun"] * 0.97 * rng.lognormal(0, sigma, BLOCK)
    size = _rows("gaia_dr3", "radius_rsun", rng.random(BLOCK) < share, value, 0.6 * sigma * value)
    share, sigma = GAIA["feh_dex"]
    is_rr = np.isin(code, [CLASSES.index(name) for name in ("RRab", "RRc", "RRd")])
    iron = _rows(
        "gaia_dr3",
        "feh_dex",
        (rng.random(BLOCK) < share) & ~is_rr,
        star["feh_dex"] - 0.05 + rng.normal(0, sigma, BLOCK),
        np.full(BLOCK, sigma),
    )
    return [teff, size, iron]


def _photometric(rng: np.random.Generator, code: NDArray[np.int8], star: dict[str, NDArray]) -> dict[str, NDArray]:
    """[Fe/H] of RRab and RRc from the measured period and phi31, as Clementini et al. 2023 publish it for Gaia DR3."""
    is_ab, is_c = code == CLASSES.index("RRab"), code == CLASSES.index("RRc")
    g_mag = star["mean_mag"][:, BANDS.index("G")].astype(np.float32)
    phase_error = np.hypot(0.05, 2.0 * true_error(g_mag, np.zeros(BLOCK, np.int8)) / star["amplitude_g_mag"].clip(0.05))
    phi31 = star["phi31"] + rng.normal(0, 1, BLOCK) * phase_error  # RRab lie near 2.3, RRc near 3.2 rad: no wrapping
    period = star["period_day"] + rng.normal(0, 2e-5, BLOCK)
    value = np.where(is_ab, feh_rrab(period, phi31), feh_rrc(period, phi31))
    kept = (is_ab | is_c) & (rng.random(BLOCK) < RRL_PHOTOMETRIC_SHARE) & (phase_error < 0.4)
    return _rows("gaia_dr3", "feh_dex", kept & (np.abs(value + 1.3) < 2.0), value, np.hypot(0.2, phase_error), True)
