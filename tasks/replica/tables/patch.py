"""A chunk of the sky made ready to be served: its stars, the field stars beside them, and what is published of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import astropy.units as u
import numpy as np
import pyarrow as pa
from astropy.coordinates import Latitude, Longitude
from cdshealpix.nested import lonlat_to_healpix
from numpy.typing import NDArray

from tasks.lightcurves.batch import LightCurveBatch
from tasks.replica.constants import GAIA_EPOCH_YEAR
from tasks.replica.tables import positions
from tasks.replica.tables.chance import normal, uniform
from tasks.sky.bands import colours
from tasks.sky.constants import HEALPIX_ORDER, INDEX_BITS
from tasks.sky.defects import BLEND_ARCSEC, NEIGHBOUR_TEFF_K
from tasks.sky.sky import Sky
from tasks.sky.stars import INDEX_MULTIPLIER

GAIA_LIMIT_MAG = 21.0
# Objects that are no star of the sky get numbers of their own: ids are made of them, and no two may be equal.
FIELD, DR2, DR2_SECOND = 2**31, 2**32, 2**33
TWO_PARAMETER_SHARE = 0.3  # field stars without parallax and proper motion (a fifth of Gaia DR3 to G = 21)


@dataclass(frozen=True, eq=False)
class Stars:
    """Stars as Gaia measured them, (S,) each: ICRS at 2016.0 in deg, mas and mas/yr, NaN where not measured."""

    number: NDArray[np.int64]
    source_id: NDArray[np.int64]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    parallax: NDArray[np.float64]
    parallax_error: NDArray[np.float64]
    pmra: NDArray[np.float64]
    pmra_error: NDArray[np.float64]
    pmdec: NDArray[np.float64]
    pmdec_error: NDArray[np.float64]
    g_mag: NDArray[np.float64]

    def __len__(self) -> int:
        return self.source_id.size

    def select(self, rows: NDArray) -> Stars:
        """The stars at `rows`."""
        return Stars(**{name: value[rows] for name, value in vars(self).items()})

    def at(self, year: NDArray | float) -> tuple[NDArray, NDArray]:
        """Their positions, deg, at a Julian year."""
        return positions.propagate(self.ra, self.dec, self.pmra, self.pmdec, np.asarray(year) - GAIA_EPOCH_YEAR)

    def scatter(
        self, year: NDArray | float, sigma: NDArray | float, purpose: str, seed: int, *keys: NDArray
    ) -> tuple[NDArray, NDArray]:
        """Their positions, deg, at a Julian year, each off by `sigma` arcsec a coordinate; `keys` tell draws apart."""
        east, north = (sigma * normal(f"{purpose} {axis}", seed, self.number, *keys) for axis in ("ra", "dec"))
        return positions.offset(*self.at(year), east, north)


@dataclass(frozen=True, eq=False)
class Patch:
    """Some objects of the sky (S) and the field stars beside them (K).

    `origin` (S,): the row of the star itself, for a second id of a star the row of its first. `host` (K,): the row that
    each field star is beside, at `sep` arcsec; `field_mag` (K, 11) its magnitudes. A star with two ids has its field
    star once.
    """

    seed: int
    sky: Sky
    stars: Stars
    origin: NDArray[np.int64]
    host: NDArray[np.int64]
    sep: NDArray[np.float64]
    field: Stars
    field_mag: NDArray[np.float64]

    def truth(self, name: str) -> NDArray:
        """A column of the truth, (S,); NaN for null."""
        return self.sky.truth[name].to_numpy()

    @cached_property
    def is_duplicate(self) -> NDArray[np.bool_]:
        """Second ids, (S,)."""
        return self.origin != np.arange(len(self.stars))

    @cached_property
    def has_two_ids(self) -> NDArray[np.bool_]:
        """Both entries of the stars with two, (S,)."""
        return self.is_duplicate | np.isin(np.arange(len(self.stars)), self.origin[self.is_duplicate])

    @cached_property
    def field_in_gaia(self) -> NDArray[np.bool_]:
        """Field stars that are Gaia sources of their own, (K,): resolved, and bright enough."""
        return (self.sep >= BLEND_ARCSEC["gaia"]) & (self.field.g_mag < GAIA_LIMIT_MAG)

    @cached_property
    def everyone(self) -> Stars:
        """All stars, (S + K): the sky's own, then the field stars."""
        return Stars(
            **{name: np.concatenate([value, getattr(self.field, name)]) for name, value in vars(self.stars).items()}
        )

    @cached_property
    def sources(self) -> Stars:
        """All Gaia sources: the sky's own, then the field stars that are in Gaia."""
        is_source = np.concatenate([np.ones(len(self.stars), bool), self.field_in_gaia])
        return self.everyone.select(is_source)

    def epochs(self, survey: str) -> tuple[LightCurveBatch, NDArray[np.int64]]:
        """The light curves of a survey, and the row of the star of each, (len(batch),)."""
        batch = self.sky.epochs[survey]
        return batch, self.row_of(batch.source_id)

    def row_of(self, source_id: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows of the sky's own sources by id."""
        order = np.argsort(self.stars.source_id)
        return order[np.searchsorted(self.stars.source_id, source_id, sorter=order)]

    @cached_property
    def label(self) -> tuple[NDArray[np.object_], NDArray[np.float32]]:
        """Published class, (S,), "" where there is none, and its score."""
        table = self.sky.class_labels
        row = self.row_of(table["source_id"].to_numpy())
        name, score = np.full(len(self.stars), "", object), np.full(len(self.stars), np.nan, np.float32)
        name[row], score[row] = table["class"].to_numpy(zero_copy_only=False), table["score"].to_numpy()
        return name, score

    def find_published(self, origin: str, quantity: str, is_photometric: bool = False) -> tuple[NDArray, NDArray]:
        """Value and error of a published quantity, (S,), NaN where there is none."""
        table = self.sky.parameter_labels
        chosen = [
            (table[name].to_numpy(zero_copy_only=False) == wanted)
            for name, wanted in (("origin", origin), ("quantity", quantity), ("is_photometric", is_photometric))
        ]
        table = table.filter(pa.array(np.logical_and.reduce(chosen)))
        row = self.row_of(table["source_id"].to_numpy())
        value, error = np.full((2, len(self.stars)), np.nan)
        value[row], error[row] = table["value"].to_numpy(), table["err"].to_numpy()
        return value, error


def make_patch(sky: Sky, seed: int, start: int) -> Patch:
    """The patch of the objects `start`, `start` + 1, ... of a sky."""
    column = {name: sky.sources[name].to_numpy() for name in sky.sources.column_names if name != "object_id"}
    row = np.arange(sky.sources.num_rows)
    is_duplicate = np.isfinite(column.pop("duplicate_of"))
    g_mag = sky.truth["mean_g_mag"].to_numpy()
    stars = Stars(number=row + start, g_mag=g_mag, **column)
    sep = sky.truth["neighbour_sep_arcsec"].to_numpy()
    host = np.flatnonzero(np.isfinite(sep) & ~is_duplicate)
    field_g = (g_mag + sky.truth["neighbour_delta_g_mag"].to_numpy())[host]
    field = _field_stars(seed, stars.select(host), sep[host], field_g)
    field_mag = field_g[:, None] + colours(np.full(host.size, NEIGHBOUR_TEFF_K))
    return Patch(seed, sky, stars, row - is_duplicate, host, sep[host], field, field_mag)


def _field_stars(seed: int, host: Stars, sep: NDArray, g_mag: NDArray) -> Stars:
    """The stars beside `host`: constant, of the field, with motions and parallaxes of their own."""
    angle = 2 * np.pi * uniform("position angle", seed, host.number)
    ra, dec = positions.offset(host.ra, host.dec, sep * np.sin(angle), sep * np.cos(angle))
    error = np.hypot(0.02, 0.07 * 10 ** (0.28 * (g_mag - 17.0)))  # as `sky.stars.astrometry`
    error = np.where(uniform("two parameters", seed, host.number) < TWO_PARAMETER_SHARE, np.nan, error)
    number = host.number + FIELD
    parallax = np.abs(0.4 * normal("parallax", seed, number)) + error * normal("parallax error", seed, number)
    motion = [3.0 * normal(axis, seed, number) + 0.0 * error for axis in ("pmra", "pmdec")]
    return Stars(
        number, source_ids(number, ra, dec), ra, dec, parallax, error, motion[0], error, motion[1], error, g_mag
    )


def source_ids(number: NDArray[np.int64], ra: NDArray, dec: NDArray) -> NDArray[np.int64]:
    """Gaia-like ids, (S,): the order-12 pixel in the high bits, the `number` below 2^34 in the low ones, permuted."""
    pixel = lonlat_to_healpix(Longitude(ra, u.deg), Latitude(dec, u.deg), HEALPIX_ORDER).astype(np.int64)
    with np.errstate(over="ignore"):
        low = (number * np.int64(INDEX_MULTIPLIER) + 1) & np.int64(2**INDEX_BITS - 1)
    return (pixel << INDEX_BITS) | low
