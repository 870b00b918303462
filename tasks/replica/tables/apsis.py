"""Astrophysical parameters of Gaia DR3: GSP-Phot, GSP-Spec and FLAME, from the labels that the sky publishes.

Columns after Gaia DR3 documentation, 20.2.1 (astrophysical_parameters), of which only some are here. Temperatures,
radii and spectroscopic metallicities are the published labels; gravities follow from the radius, and extinctions are
measured like magnitudes. Nothing is copied from the truth.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.replica.constants import GAIA_SOLUTION_ID, SUN_LOGG, SUN_TEFF_K
from tasks.replica.served import declare_table, read_columns
from tasks.replica.tables.chance import normal, uniform
from tasks.replica.tables.held import Held
from tasks.replica.tables.patch import Patch

A0_PER_EBV = 3.1
FLAME_SHARE = 0.1

TABLE = declare_table(
    "gaiadr3.astrophysical_parameters",
    "gaia_astrophysical_parameters",
    "Main table of the products of the Apsis processing chain (some of its columns).",
)
HELD = Held(TABLE, "astrophysical_parameters", "source_id")


def gspphot(patch: Patch) -> dict[str, NDArray]:
    """GSP-Phot of the sky's own sources, (S,) each; without a published temperature no more than the radius."""
    teff, error = patch.find_published("gaia_dr3", "teff_k")
    radius, radius_error = patch.find_published("gaia_dr3", "radius_rsun")
    iron, _ = patch.find_published("gaia_dr3", "feh_dex")
    number, given = patch.stars.number, np.where(np.isfinite(teff), 1.0, np.nan)

    def noise(purpose: str) -> NDArray:
        return given * normal(purpose, patch.seed, number)

    gravity = SUN_LOGG - 2 * np.log10(radius) + 0.1 * noise("logg_gspphot")  # of one solar mass
    metals = np.where(np.isfinite(iron), iron - 0.2 + 0.3 * noise("mh near"), -0.5 + 0.5 * noise("mh far"))
    extinction = A0_PER_EBV * patch.truth("ebv_mag") * np.exp(0.2 * noise("azero_gspphot"))
    library = np.ma.array(np.full(teff.size, "MARCS"), mask=np.isnan(teff))
    return {
        **_spread("teff_gspphot", teff, error),
        **_spread("radius_gspphot", radius, radius_error),
        **_spread("logg_gspphot", gravity, 0.1),
        **_spread("mh_gspphot", metals, 0.2),
        **_spread("azero_gspphot", extinction, 0.2 * extinction),
        **_spread("ag_gspphot", 0.83 * extinction, 0.17 * extinction),
        **_spread("ebpminrp_gspphot", 0.42 * extinction, 0.08 * extinction),
        "libname_gspphot": library,
    }


def of_gaia_source(values: dict[str, NDArray]) -> dict[str, NDArray]:
    """Those columns of `gspphot` that gaia_source has too."""
    names = {column.name for column in read_columns("gaia_source")}
    return {name: value for name, value in values.items() if name in names}


def rows(patch: Patch, phot: dict[str, NDArray]) -> pa.Table:
    """Rows of the sources that have any parameter; `phot` is what `gspphot` gives."""
    iron, error = patch.find_published("gaia_dr3", "feh_dex")
    number, given = patch.stars.number, np.where(np.isfinite(iron), 1.0, np.nan)
    teff = (phot["teff_gspphot"] + 60.0 * normal("teff_gspspec", patch.seed, number)) * given
    gravity = (phot["logg_gspphot"] + 0.1 * normal("logg_gspspec", patch.seed, number)) * given
    size = np.where(uniform("flame", patch.seed, number) < FLAME_SHARE, phot["radius_gspphot"], np.nan)
    light = size**2 * (phot["teff_gspphot"] / SUN_TEFF_K) ** 4
    values = {
        "solution_id": np.full(number.size, GAIA_SOLUTION_ID),
        "source_id": patch.stars.source_id,
        **phot,
        **_spread("teff_gspspec", teff, 80.0),
        **_spread("logg_gspspec", gravity, 0.15),
        **_spread("mh_gspspec", iron, error),
        **_spread("radius_flame", size, 0.05 * size),
        **_spread("lum_flame", light, 0.1 * light),
    }
    has_any = np.isfinite(phot["teff_gspphot"]) | np.isfinite(phot["radius_gspphot"]) | np.isfinite(iron)
    return HELD.rows({name: value[has_any] for name, value in values.items()})


def _spread(name: str, value: NDArray, error: NDArray | float) -> dict[str, NDArray]:
    """A value and its interval of one standard error to either side."""
    return {name: value, f"{name}_lower": value - error, f"{name}_upper": value + error}
