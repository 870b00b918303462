"""Sources of DR4: the stars of DR3 at J2017.5, most under the same number, and which sources of DR3 are near each."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pyarrow as pa
from astropy.coordinates import Latitude, Longitude
from cdshealpix.nested import lonlat_to_healpix
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from tasks.replica.constants import ARCSEC_RAD, GAIA_EPOCH_YEAR
from tasks.replica.dr4.declared import NEIGHBOURHOOD
from tasks.replica.tables import positions
from tasks.replica.tables.chance import bits, normal, uniform
from tasks.replica.tables.patch import Stars
from tasks.sky.constants import HEALPIX_ORDER, INDEX_BITS

EPOCH_YEAR = 2017.5
SOLUTION_ID = 4545469030156206080
SAME_SHARE, OFF_SKY_SHARE = 0.97, 0.01  # of sources whose number stays, and whose new one names no place in the sky
LAST_ID = 12 * 4**HEALPIX_ORDER * 2**INDEX_BITS - 1
FAINT_MAG, FAINT_LOST_SHARE = 19.5, 0.2  # of fainter sources, those that are not good enough for gaia_source
NEW_SHARE = 0.005  # sources without a row in dr3_neighbourhood
UNSURE_SHARE = 0.05  # sources of whose neighbours none is said to be a probable match
REACH_ARCSEC = 2.0  # of dr3_neighbourhood


def new_ids(source_id: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """The number in DR4 of each source of DR3: the same, another one in the same cell, or one beyond HEALPix."""
    chance, drawn = uniform("dr4 id", seed, source_id), bits("dr4 number", seed, source_id)
    low = np.int64(2**INDEX_BITS - 1)
    beside = (source_id & ~low) | ((drawn & np.uint64(low)).astype(np.int64))
    off_sky = LAST_ID + 1 + (drawn >> np.uint64(3)).astype(np.int64) % (2**63 - 1 - LAST_ID)
    return np.where(chance < SAME_SHARE, source_id, np.where(chance < 1 - OFF_SKY_SHARE, beside, off_sky))


def rows(sources: Stars, seed: int, has_epochs: NDArray[np.bool_]) -> pa.Table:
    """What DR4 says of each source that DR3 does not say as well, by the id of DR3."""
    source_id = new_ids(sources.source_id, seed)
    ra, dec = sources.at(EPOCH_YEAR)
    lon, lat = Longitude(ra, u.deg), Latitude(dec, u.deg)
    galactic, ecliptic = positions.galactic(ra, dec), positions.ecliptic(ra, dec)
    is_lost = (sources.g_mag > FAINT_MAG) & (uniform("dr4 good", seed, sources.source_id) < FAINT_LOST_SHARE)
    return pa.table(
        {
            "dr3_source_id": sources.source_id,
            "source_id": source_id,
            "solution_id": np.full(len(sources), SOLUTION_ID),
            "designation": np.char.add("Gaia DR4 ", source_id.astype(str)),
            "ref_epoch": np.full(len(sources), EPOCH_YEAR),
            **dict(zip(("ra", "dec", "l", "b", "ecl_lon", "ecl_lat"), (ra, dec, *galactic, *ecliptic), strict=True)),
            "healpix29": lonlat_to_healpix(lon, lat, 29).astype(np.int64),
            "healpix_id": lonlat_to_healpix(lon, lat, HEALPIX_ORDER).astype(str),
            "in_gaia_source": ~is_lost,
            "has_epoch_photometry": has_epochs,
            "chance": uniform("dr4 table", seed, sources.source_id),
            "g_mag": sources.g_mag,
        }
    )


def neighbourhood(moved: pa.Table, seed: int) -> pa.Table:
    """dr3_neighbourhood: of each source of DR4 itself in DR3, and whatever else of DR3 is within reach.

    The star itself is the probable match; of a few sources the archive does not say which is.
    """
    dr3, g_mag = moved["dr3_source_id"].to_numpy(), moved["g_mag"].to_numpy()
    place = positions.direction(moved["ra"].to_numpy(), moved["dec"].to_numpy())
    pairs = cKDTree(place).query_pairs(REACH_ARCSEC * ARCSEC_RAD, output_type="ndarray").reshape(-1, 2)
    alone = np.flatnonzero(uniform("dr4 new", seed, dr3) >= NEW_SHARE)
    this, other = (np.concatenate([alone, pairs[:, a], pairs[:, b]]) for a, b in ((0, 1), (1, 0)))
    is_same = this == other
    apart = 2 * np.arcsin(np.linalg.norm(place[this] - place[other], axis=1) / 2) / ARCSEC_RAD * 1000.0
    noise = np.abs(normal("dr4 distance", seed, dr3[this], dr3[other]))
    is_known = uniform("dr4 unsure", seed, dr3[this]) >= UNSURE_SHARE
    values = {
        "source_id": moved["source_id"].to_numpy()[this],
        "dr3_source_id": dr3[other],
        "angular_distance": np.where(is_same, 0.3 * noise, apart),
        "magnitude_difference": np.where(is_same, 0.005 * noise, g_mag[this] - g_mag[other]),
        "proper_motion_propagation": np.full(this.size, EPOCH_YEAR > GAIA_EPOCH_YEAR),
        "probable_match": pa.array(is_same, mask=~is_known),
    }
    table = pa.table(values).select([column.name for column in NEIGHBOURHOOD.columns]).cast(NEIGHBOURHOOD.schema)
    return table.sort_by([("source_id", "ascending"), ("angular_distance", "ascending")])
