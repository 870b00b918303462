"""Pairs of positions within a distance, through a tree of unit vectors of a served catalogue."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from tasks.replica.constants import ARCSEC_RAD
from tasks.replica.served import ServedTable
from tasks.replica.tables.positions import direction


@dataclass(frozen=True, eq=False)
class Catalogue:
    """A served table in memory, without rows that have no position, and the tree of its positions."""

    table: pa.Table
    tree: cKDTree


def load(connection: duckdb.DuckDBPyConnection, served: ServedTable) -> Catalogue:
    """The catalogue behind a served table; its position is in the columns with UCD pos.eq.ra and pos.eq.dec, main."""
    ra, dec = (
        next(column.name for column in served.columns if column.ucd == f"pos.eq.{axis};meta.main")
        for axis in ("ra", "dec")
    )
    names = ", ".join(f'"{column.name}"' for column in served.columns)
    query = f'SELECT {names} FROM {served.relation} WHERE "{ra}" IS NOT NULL AND "{dec}" IS NOT NULL'
    with connection.cursor() as cursor:
        table = cursor.execute(query).to_arrow_table()
    return Catalogue(table, cKDTree(direction(table[ra].to_numpy(), table[dec].to_numpy())))


def pairs(
    catalogue: Catalogue, ra: NDArray[np.float64], dec: NDArray[np.float64], radius_arcsec: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Rows of the positions and of the catalogue that lie within the radius, and their distance in arcsec.

    `ra`, `dec` (N,) in degrees; positions that are not finite match nothing. Ordered by position, then distance.
    """
    usable = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    if usable.size == 0 or catalogue.tree.n == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    chord = 2 * np.sin(radius_arcsec * ARCSEC_RAD / 2)
    other = cKDTree(direction(ra[usable], dec[usable]))
    near = other.sparse_distance_matrix(catalogue.tree, chord, output_type="ndarray")
    distance = 2 * np.arcsin(np.minimum(near["v"] / 2, 1)) / ARCSEC_RAD
    order = np.lexsort((near["j"], distance, near["i"]))
    return usable[near["i"][order]], near["j"][order].astype(np.int64), distance[order]


def select(row: NDArray[np.int64], only_best: bool) -> NDArray[np.int64]:
    """Index of the pairs to keep: all, or the nearest of each position (pairs are ordered as `pairs` gives them)."""
    if not only_best:
        return np.arange(row.size)
    return np.flatnonzero(np.diff(row, prepend=-1) != 0)


def within_cone(ra: NDArray, dec: NDArray, cone_ra: float, cone_dec: float, radius_deg: float) -> NDArray[np.bool_]:
    """Which positions lie within a circle, (N,)."""
    chord = np.linalg.norm(direction(ra, dec) - direction(cone_ra, cone_dec), axis=-1)
    return chord <= 2 * np.sin(np.radians(radius_deg) / 2)
