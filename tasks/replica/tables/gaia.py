"""gaia_source: the sky's own sources with the mean of their epochs, and the field stars beside them.

Names, datatypes, units, UCDs and descriptions (columns/gaia_source.csv) are those of an answer of the archive itself,
recorded by astroquery (gaia/tests/data/1710099405832VAL-result.vot).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.replica.constants import GAIA_EPOCH_YEAR, GAIA_SOLUTION_ID, GAIA_ZERO_POINT
from tasks.replica.served import ServedTable, declare_table, read_rows
from tasks.replica.tables import apsis, positions
from tasks.replica.tables.chance import bits, normal, uniform
from tasks.replica.tables.held import Held
from tasks.replica.tables.patch import Patch, Stars
from tasks.replica.tables.photometry import flux_of, magnitude_of
from tasks.replica.tables.statistics import means
from tasks.replica.tables.transits import Transits
from tasks.sky import SURVEYS

XP_LIMIT_MAG = 17.65  # Gaia DR3 publishes spectra of brighter sources
SOURCE = Held(
    declare_table("gaiadr3.gaia_source", "gaia_source", "Gaia DR3: all sources and their parameters."),
    "gaia_source",
    "source_id",
    late={"random_index": "row_number() OVER (ORDER BY _random, source_id) - 1"},
)
IN_LITE = {row["name"] for row in read_rows("gaia_source") if row["in_lite"]}  # from memory
SOURCE_LITE = Held(
    ServedTable(
        "gaiadr3.gaia_source_lite",
        "gaia_source_lite",
        "Gaia DR3: all sources, with the columns that are asked for most.",
        tuple(column for column in SOURCE.table.columns if column.name in IN_LITE),
    ),
    "gaia_source",
    "source_id",
)


def rows(patch: Patch, transits: Transits, phot: dict[str, NDArray]) -> pa.Table:
    """Rows of gaia_source; `phot` is what `apsis.gspphot` gives for the sky's own sources."""
    sources = patch.sources
    parameters = {name: _pad(value, len(sources)) for name, value in apsis.of_gaia_source(phot).items()}
    label, _ = patch.label
    # The data model allows CONSTANT; the live archive hardly uses it.
    states = np.where(label == "", "NOT_AVAILABLE", np.where(label == "CONST", "CONSTANT", "VARIABLE"))
    n_own = len(patch.stars)
    state, has_epochs = np.full(len(sources), "NOT_AVAILABLE", object), np.zeros(len(sources), bool)
    state[:n_own], has_epochs[np.unique(transits.row)] = states, True
    photometry = mean_photometry(patch, transits)
    has_xp = photometry["phot_g_mean_mag"] < XP_LIMIT_MAG
    has_gspphot = np.zeros(len(sources), bool)
    has_gspphot[:n_own] = np.isfinite(phot["teff_gspphot"])
    return SOURCE.rows(
        {
            "_random": bits("random_index", patch.seed, sources.source_id).view(np.int64),
            **_identity(sources),
            **_astrometry(patch, sources),
            **photometry,
            "phot_variable_flag": state,
            **dict.fromkeys(
                (
                    "in_qso_candidates",
                    "in_galaxy_candidates",
                    "has_rvs",
                    "has_epoch_rv",
                    "has_mcmc_msc",
                    "in_andromeda_survey",
                ),
                np.zeros(len(sources), bool),
            ),
            **dict.fromkeys(("has_xp_continuous", "has_xp_sampled"), has_xp),
            "non_single_star": np.zeros(len(sources), np.int16),
            "has_epoch_photometry": has_epochs,
            "has_mcmc_gspphot": has_gspphot,
            **parameters,
        }
    )


def _identity(sources: Stars) -> dict[str, NDArray]:
    designation = np.char.add("Gaia DR3 ", sources.source_id.astype(str))
    galactic, ecliptic = (turn(sources.ra, sources.dec) for turn in (positions.galactic, positions.ecliptic))
    return {
        "solution_id": np.full(len(sources), GAIA_SOLUTION_ID),
        "designation": designation,
        "source_id": sources.source_id,
        "ref_epoch": np.full(len(sources), GAIA_EPOCH_YEAR),
        "ra": sources.ra,
        "dec": sources.dec,
        **dict(zip(("l", "b", "ecl_lon", "ecl_lat"), (*galactic, *ecliptic), strict=True)),
    }


def _astrometry(patch: Patch, sources: Stars) -> dict[str, NDArray]:
    """Five parameters or two; ruwe rises where two stars are seen as one."""
    has_five = np.isfinite(sources.parallax)
    place_error = np.hypot(0.02, 0.06 * 10 ** (0.28 * (sources.g_mag - 17.0)))
    blend = np.zeros(len(sources))
    blend[patch.host[patch.sep < 1.0]] = 1.0
    ruwe = np.exp(0.05 * normal("ruwe", patch.seed, sources.number)) + blend * (
        0.3 + uniform("blend", patch.seed, sources.number)
    )
    is_double = _pad(patch.has_two_ids & (uniform("double", patch.seed, patch.stars.number) < 0.7), len(sources), False)
    return {
        "ra_error": place_error,
        "dec_error": place_error,
        **{
            f"{name}{what}": getattr(sources, f"{name}{what}")
            for name in ("parallax", "pmra", "pmdec")
            for what in ("", "_error")
        },
        "parallax_over_error": sources.parallax / sources.parallax_error,
        "pm": np.hypot(sources.pmra, sources.pmdec),
        "astrometric_params_solved": np.where(has_five, 31, 3).astype(np.int16),
        "ruwe": np.where(has_five, ruwe, np.nan),
        "duplicated_source": is_double,
    }


def mean_photometry(patch: Patch, transits: Transits) -> dict[str, NDArray]:
    """Mean fluxes of the good epochs, and of the field stars as if seen 20 times."""
    sources, n_own = patch.sources, len(patch.stars)
    flux, error, count = _mean_flux(transits, n_own)
    own = np.isnan(flux[:, 0])  # too few transits for a mean: the magnitude all the same
    flux[own, 0], error[own, 0] = flux_of(patch.stars.g_mag[own], 0.01, GAIA_ZERO_POINT["G"])
    field_mag = patch.field_mag[patch.field_in_gaia, :3]
    field_err = 0.002 * 10 ** (0.3 * np.maximum(field_mag - 15.0, 0.0))
    field_mag = field_mag + field_err * np.stack(
        [normal(f"mean {band}", patch.seed, sources.number[n_own:]) for band in SURVEYS["gaia"]], axis=1
    )
    values: dict[str, NDArray] = {}
    for index, band in enumerate(SURVEYS["gaia"]):
        name = f"phot_{band.lower()}"
        other = flux_of(field_mag[:, index], field_err[:, index], GAIA_ZERO_POINT[band])
        mean, mean_error = (np.concatenate(pair) for pair in zip((flux[:, index], error[:, index]), other, strict=True))
        n_obs = np.concatenate([count[:, index], np.full(len(sources) - n_own, 20)])
        values |= {
            f"{name}_n_obs": (n_obs * (9 if band == "G" else 1)).astype(np.int16),  # nine CCDs a transit in G
            f"{name}_mean_flux": mean,
            f"{name}_mean_flux_error": mean_error,
            f"{name}_mean_flux_over_error": mean / mean_error,
            f"{name}_mean_mag": magnitude_of(mean, GAIA_ZERO_POINT[band]),
        }
    g_mag, bp_mag, rp_mag = (values[f"phot_{band.lower()}_mean_mag"] for band in SURVEYS["gaia"])
    excess = (values["phot_bp_mean_flux"] + values["phot_rp_mean_flux"]) / values["phot_g_mean_flux"]
    colours = {"bp_rp": bp_mag - rp_mag, "bp_g": bp_mag - g_mag, "g_rp": g_mag - rp_mag}
    return values | colours | {"phot_bp_rp_excess_factor": excess, "phot_proc_mode": np.zeros(len(sources), np.int16)}


def _mean_flux(transits: Transits, n: int) -> tuple[NDArray, NDArray, NDArray]:
    """Mean flux, its error and the number of good epochs in G, BP and RP, (n, 3); NaN where there are fewer than 2."""
    mean, error, count = np.empty((n, 3)), np.empty((n, 3)), np.empty((n, 3), np.int64)
    for index, band in enumerate(SURVEYS["gaia"]):
        good = transits.is_good[:, index]
        row = transits.row[good]
        flux = 10 ** (-0.4 * (transits.mag[good, index].astype(np.float64) - GAIA_ZERO_POINT[band]))
        number = np.bincount(row, minlength=n)
        average = means(row, flux, n)
        variance = means(row, (flux - average[row]) ** 2, n)
        enough = number > 1
        mean[:, index], count[:, index] = np.where(enough, average, np.nan), number
        error[:, index] = np.where(enough, np.sqrt(variance / np.maximum(number - 1, 1)), np.nan)
    return mean, error, count


def _pad(value: NDArray, size: int, fill: float | bool = np.nan) -> NDArray:
    """A column of the sky's own sources with `fill` for the field stars; text is masked there."""
    if isinstance(value, np.ma.MaskedArray):
        rest = np.ma.array(np.full(size - value.size, "", value.dtype), mask=True)
        return np.ma.concatenate([value, rest])
    return np.concatenate([value, np.full(size - value.size, fill, value.dtype)])
