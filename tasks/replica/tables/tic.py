"""The TESS Input Catalog: parameters of the sky's `tic` labels, found by DR2 id or by place.

At MAST: names and types of an answer of the portal recorded by astroquery (mast/tests/data/tic.json: 89 columns; its
"float" is a double here), units and descriptions after Stassun et al. 2019, AJ 158, 138, appendix A. The live table of
version 8.2 has more columns. At CDS, as VizieR IV/39/tic82: some columns, their spelling from memory and not checked.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.replica.constants import J2000_YEAR, SUN_LOGG, SUN_TEFF_K
from tasks.replica.served import declare_table, read_rows
from tasks.replica.tables import positions
from tasks.replica.tables.chance import normal, uniform
from tasks.replica.tables.held import Held
from tasks.replica.tables.neighbours import dr2_ids
from tasks.replica.tables.patch import Patch
from tasks.replica.tables.tic_entries import make_entries, tic_ids

GIANT_LOGG = 4.1  # below it a star is a giant (Stassun et al. 2019, section 2.3.5, for cool stars)
BLUE_DWARF_TEFF_K = 7000.0  # hotter stars are dwarfs from log g 3.5 on; ours
SCATTER_ARCSEC, EXTRA_ARCSEC, EXTRA_MAG = 0.03, 0.7, 1.5  # where and how much fainter second entries are
CONSTANT = {
    "version": "20190415", "objType": "STAR", "typeSrc": "gaia2", "POSflag": "gaia2", "PMflag": "gaia2",
    "PARflag": "gaia2", "TESSflag": "gbprp", "SPFlag": "gaia2",
}  # fmt: skip
MAGNITUDES = ("GAIAmag", "Tmag")

HELD = Held(
    declare_table("dbo.CatalogRecord", "tic_catalogrecord", "TESS Input Catalog, version 8.2."), "tic", '"GAIA", "ID"'
)
VIZIER_HELD = Held(
    declare_table('"IV/39/tic82"', "vizier_tic82", "TESS Input Catalog, version 8.2, at CDS."),
    "tic",
    "",
    given={row["name"]: f'"{row["at_mast"]}"' for row in read_rows("vizier_tic82")},
)


def rows(patch: Patch) -> pa.Table:
    """Rows of the sources that the catalogue has. Second entries have a place and magnitudes, and no more."""
    entries = make_entries(patch)
    number = entries.number
    is_main = ~entries.is_extra
    place = patch.sources.select(entries.source).at(J2000_YEAR)
    scatter = np.where(is_main, SCATTER_ARCSEC, EXTRA_ARCSEC)
    ra, dec = positions.offset(*place, *(scatter * normal(f"tic {axis}", patch.seed, number) for axis in ("ra", "dec")))
    (l_deg, b_deg), (lon, lat) = positions.galactic(ra, dec), positions.ecliptic(ra, dec)
    of_star = {name: value[entries.source] for name, value in (_stellar(patch) | _astrometry(patch)).items()}
    values = {name: np.where(is_main, value, np.nan) for name, value in of_star.items()}
    magnitudes = {name: of_star[name] + np.where(is_main, 0.0, EXTRA_MAG) for name in MAGNITUDES}
    has_class = np.isfinite(values["logg"])
    return HELD.rows(
        {name: np.full(number.size, value) for name, value in CONSTANT.items()}
        | values
        | magnitudes
        | {
            "ID": tic_ids(number).astype(str),
            "GAIA": np.ma.array(dr2_ids(patch)[entries.source].astype(str), mask=~entries.has_gaia),
            "ra": ra,
            "dec": dec,
            "gallong": l_deg,
            "gallat": b_deg,
            "eclong": lon,
            "eclat": lat,
            "lumclass": np.ma.array(np.where(np.isfinite(values["mass"]), "DWARF", "GIANT"), mask=~has_class),
            "numcont": np.ma.array(of_star["numcont"].astype(np.int32), mask=~is_main),
            "disposition": entries.disposition,
            "duplicate_id": entries.belongs_to,
            "objID": (number + 10_000_000).astype(str),
        }
    )


def _pad(patch: Patch, value: NDArray) -> NDArray[np.float64]:
    """Values of the sky's own sources, NaN for the field stars."""
    return np.concatenate([value, np.full(len(patch.sources) - value.size, np.nan)])


def _stellar(patch: Patch) -> dict[str, NDArray]:
    """Parameters by Gaia source: temperature, radius and metallicity as published, the others made of them."""
    labels = {
        name: patch.find_published("tic", quantity)
        for name, quantity in (("Teff", "teff_k"), ("rad", "radius_rsun"), ("MH", "feh_dex"))
    }
    given = {name: _pad(patch, value) for name, (value, _) in labels.items()}
    errors = {f"e_{name}": _pad(patch, error) for name, (_, error) in labels.items()}
    teff, radius = given["Teff"], given["rad"]
    mass = np.clip((teff / SUN_TEFF_K) ** 2.0, 0.1, 3.0)  # of the main sequence, roughly (Pecaut & Mamajek 2013)
    logg = SUN_LOGG + np.log10(mass) - 2 * np.log10(radius)
    is_dwarf = logg > np.where(teff > BLUE_DWARF_TEFF_K, 3.5, GIANT_LOGG)
    mass = np.where(is_dwarf, mass, np.nan)  # the catalogue gives no masses of giants
    ebv = patch.truth("ebv_mag") * np.exp(0.1 * normal("tic ebv", patch.seed, patch.stars.number))
    ebv = np.where(np.isfinite(teff), _pad(patch, ebv), np.nan)
    rho, lum = mass / radius**3, radius**2 * (teff / SUN_TEFF_K) ** 4
    return (
        given
        | errors
        | {
            "logg": logg,
            "e_logg": 0.08 + 0.0 * logg,
            "mass": mass,
            "e_mass": 0.13 * mass,
            "rho": rho,
            "e_rho": 0.3 * rho,
            "lum": lum,
            "e_lum": 0.1 * lum,
            "ebv": ebv,
            "e_ebv": 0.1 * ebv,
        }
    )


def _astrometry(patch: Patch) -> dict[str, NDArray]:
    """Motions, parallaxes, magnitudes and contamination by Gaia source, as DR2 and the neighbour give them."""
    sources, n_own = patch.sources, len(patch.stars)
    in_gaia = patch.field_in_gaia
    tess = sources.g_mag - 0.43  # of G - RP near 0.6 (Stassun et al. 2019, eq. 1)
    count, ratio = np.zeros(len(sources)), np.zeros(len(sources))
    bright = 10 ** (0.4 * (patch.stars.g_mag[patch.host] - patch.field.g_mag))
    count[patch.host], ratio[patch.host] = 1, bright
    count[n_own:], ratio[n_own:] = 1, 1 / bright[in_gaia]
    plx = np.where(sources.parallax > 3 * sources.parallax_error, sources.parallax, np.nan)  # or no distance
    return {
        "pmRA": sources.pmra,
        "e_pmRA": 2 * sources.pmra_error,
        "pmDEC": sources.pmdec,
        "e_pmDEC": 2 * sources.pmdec_error,
        "plx": sources.parallax,
        "e_plx": 1.5 * sources.parallax_error,
        "d": 1000 / plx,
        "e_d": 1000 * sources.parallax_error / plx**2,
        "GAIAmag": sources.g_mag,
        "e_GAIAmag": np.full(len(sources), 0.001),
        "Tmag": tess,
        "e_Tmag": np.full(len(sources), 0.02),
        "numcont": count,
        "contratio": ratio,
        "priority": 0.01 * uniform("priority", patch.seed, sources.number),
    }
