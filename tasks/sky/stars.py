"""Stars in the Galaxy: position, dust, distance, apparent magnitudes, motion, and the ids Gaia would give."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import Latitude, Longitude
from cdshealpix.nested import lonlat_to_healpix
from numpy.typing import NDArray

from tasks.sky.bands import absolute_g, band_flux, radius
from tasks.sky.classes import CLASSES, REGISTRY
from tasks.sky.constants import (
    EXTINCTION,
    GAIA_PARALLAX_ZERO_MAS,
    GALACTIC_TO_ICRS,
    HEALPIX_ORDER,
    INDEX_BITS,
    KM_S_PER_KPC_MAS,
)
from tasks.sky.streams import BLOCK, stream

DUST_MAG_PER_KPC = 0.45  # E(B-V) in the plane near the Sun (Green et al. 2019 give 0.3-0.6)
DUST_HEIGHT_KPC = 0.125
DUST_PATCHINESS = 0.35  # natural-log scatter from one line of sight to the next
REDDENING_LIMIT_MAG = 3.5
INDEX_MULTIPLIER = 20_988_936_657  # odd, so it permutes the 35-bit numbers: ids do not give away the order


def place(seed: int, block: int, code: NDArray[np.int8], draw: dict[str, NDArray]) -> dict[str, NDArray]:
    """Everything about where the stars of a block are, (BLOCK,) each; magnitudes (BLOCK, 11).

    Keys: ra, dec, l, b (deg), ebv_mag, distance_pc, radius_rsun, mean_mag, pmra, pmdec (mas/yr).
    """
    rng = stream(seed, block, "place")
    l_deg, b_deg = _galactic(rng, code, draw["is_halo"])
    ra, dec = _icrs(l_deg, b_deg)
    flux = band_flux(absolute_g(draw["luminosity_lsun"], draw["teff_k"]), draw["teff_k"])
    pair = draw["luminosity2_lsun"] > 0
    second = band_flux(absolute_g(np.where(pair, draw["luminosity2_lsun"], 1.0), draw["teff2_k"]), draw["teff2_k"])
    absolute = -2.5 * np.log10(flux + second * pair[:, None]) + rng.normal(0, 0.012, flux.shape)
    patch = rng.lognormal(0, DUST_PATCHINESS, BLOCK)
    distance = _distance_kpc(rng, code, absolute[:, 0], b_deg, patch)
    ebv = reddening(distance, b_deg, patch)
    pmra, pmdec = _motion(rng, distance, l_deg, b_deg, draw["is_halo"])
    return {
        "ra": ra,
        "dec": dec,
        "l": l_deg,
        "b": b_deg,
        "ebv_mag": ebv,
        "distance_pc": 1000 * distance,
        "radius_rsun": radius(draw["luminosity_lsun"], draw["teff_k"]),
        "pmra": pmra,
        "pmdec": pmdec,
        "mean_mag": absolute + 5 * np.log10(distance)[:, None] + 10 + ebv[:, None] * EXTINCTION,
    }


def reddening(distance_kpc: NDArray, b_deg: NDArray, patch: NDArray) -> NDArray[np.float64]:
    """E(B-V), (S,) mag: an exponential dust layer seen along the line of sight (Parenago 1940), times `patch`."""
    height = np.maximum(np.abs(np.sin(np.radians(b_deg))), 1e-3) / DUST_HEIGHT_KPC
    column = DUST_MAG_PER_KPC * -np.expm1(-distance_kpc * height) / height
    return np.minimum(column * patch, REDDENING_LIMIT_MAG)


def _galactic(rng: np.random.Generator, code: NDArray, is_halo: NDArray) -> tuple[NDArray, NDArray]:
    """Galactic longitude and latitude, deg: halo everywhere, disc stars in a layer, both denser towards the centre."""
    scale = np.array([REGISTRY[name].home.latitude_deg for name in CLASSES])[code]
    layer = rng.exponential(1.0, BLOCK) * scale * rng.choice([-1.0, 1.0], BLOCK)
    everywhere = np.degrees(np.arcsin(rng.uniform(-1, 1, BLOCK)))
    b_deg = np.where(is_halo, everywhere, layer)
    b_deg = np.where(np.abs(b_deg) > 89.9, everywhere, b_deg)
    return np.degrees(rng.vonmises(0.0, 0.35, BLOCK)) % 360.0, b_deg


def _icrs(l_deg: NDArray, b_deg: NDArray) -> tuple[NDArray, NDArray]:
    vector = _unit(l_deg, b_deg) @ GALACTIC_TO_ICRS
    return np.degrees(np.arctan2(vector[:, 1], vector[:, 0])) % 360.0, np.degrees(np.arcsin(vector[:, 2]))


def _unit(lon_deg: NDArray, lat_deg: NDArray) -> NDArray[np.float64]:
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def _distance_kpc(
    rng: np.random.Generator, code: NDArray, absolute_g_mag: NDArray, b_deg: NDArray, patch: NDArray
) -> NDArray[np.float64]:
    """Distances from the power law of the class, cut where the star would be too bright or too faint in G."""
    homes = [REGISTRY[name].home for name in CLASSES]
    near, far = np.array([home.distance_kpc for home in homes])[code].T
    bright, faint = np.array([home.g_mag for home in homes])[code].T
    power = np.array([home.slope for home in homes])[code] + 1.0
    low, high = (_distance_at(limit - absolute_g_mag, b_deg, patch, near, far) for limit in (bright, faint))
    return (low**power + rng.random(BLOCK) * (high**power - low**power)) ** (1 / power)


def _distance_at(modulus: NDArray, b_deg: NDArray, patch: NDArray, near: NDArray, far: NDArray) -> NDArray[np.float64]:
    """Distance in [near, far] kpc where modulus and G extinction add up to `modulus`, by bisection in log distance."""
    low, high = np.log10(near), np.log10(far)
    for _ in range(22):
        middle = 0.5 * (low + high)
        seen = 5 * middle + 10 + EXTINCTION[0] * reddening(10**middle, b_deg, patch)
        low, high = np.where(seen < modulus, middle, low), np.where(seen < modulus, high, middle)
    return 10 ** (0.5 * (low + high))


def _motion(
    rng: np.random.Generator, distance_kpc: NDArray, l_deg: NDArray, b_deg: NDArray, is_halo: NDArray
) -> tuple[NDArray, NDArray]:
    """Proper motion in ra (times cos dec) and dec, mas/yr: random velocities plus the Sun's motion past the halo.

    Dispersions 140 km/s (halo, Iorio & Belokurov 2021) and 35 km/s (disc); the halo lags the Sun by 230 km/s.
    """
    sigma = np.where(is_halo, 140.0, 35.0)
    lag = np.where(is_halo, -230.0, -12.0)
    l_rad, b_rad = np.radians(l_deg), np.radians(b_deg)
    along_l = rng.normal(0, 1, BLOCK) * sigma + lag * np.cos(l_rad)
    along_b = rng.normal(0, 1, BLOCK) * sigma - lag * np.sin(l_rad) * np.sin(b_rad)
    east = np.stack([-np.sin(l_rad), np.cos(l_rad), np.zeros(BLOCK)], 1)
    north = np.stack([-np.sin(b_rad) * np.cos(l_rad), -np.sin(b_rad) * np.sin(l_rad), np.cos(b_rad)], 1)
    velocity = (along_l[:, None] * east + along_b[:, None] * north) @ GALACTIC_TO_ICRS
    pole = _unit(l_deg, b_deg) @ GALACTIC_TO_ICRS
    east_icrs = np.stack([-pole[:, 1], pole[:, 0], np.zeros(BLOCK)], 1) / np.hypot(pole[:, 0], pole[:, 1])[:, None]
    north_icrs = np.cross(pole, east_icrs)
    per_km_s = 1 / (KM_S_PER_KPC_MAS * distance_kpc)
    return (velocity * east_icrs).sum(1) * per_km_s, (velocity * north_icrs).sum(1) * per_km_s


def astrometry(seed: int, block: int, star: dict[str, NDArray]) -> dict[str, NDArray]:
    """Parallax and proper motion as Gaia publishes them, with their errors: (BLOCK,) mas and mas/yr.

    Errors follow Gaia DR3: 0.02 mas to G = 15, 0.07 at 17, 0.5 at 20 (Lindegren et al. 2021, table 7).
    """
    rng = stream(seed, block, "astrometry")
    error = np.hypot(0.02, 0.07 * 10 ** (0.28 * (star["mean_mag"][:, 0] - 17.0)))
    parallax = 1000.0 / star["distance_pc"] + GAIA_PARALLAX_ZERO_MAS
    value = {"parallax": parallax, "pmra": star["pmra"], "pmdec": star["pmdec"]}
    measured = {name: true + error * rng.normal(0, 1, BLOCK) for name, true in value.items()}
    return {**measured, **{f"{name}_error": error for name in value}}


def source_ids(block: int, ra: NDArray, dec: NDArray) -> NDArray[np.int64]:
    """Gaia-like ids, (BLOCK,): the order-12 pixel in the high bits, a number unique to the object in the low 35."""
    pixel = lonlat_to_healpix(Longitude(ra, u.deg), Latitude(dec, u.deg), HEALPIX_ORDER).astype(np.int64)
    index = np.arange(block * BLOCK, (block + 1) * BLOCK, dtype=np.int64)
    with np.errstate(over="ignore"):
        low = (index * np.int64(INDEX_MULTIPLIER) + 1) & np.int64(2**INDEX_BITS - 1)
    return (pixel << INDEX_BITS) | low
