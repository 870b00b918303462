"""Matches of a survey's objects to sources: candidates are ranked, and ambiguous ones are marked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from schemas.arrays import align, floats
from tasks.lightcurves.times import direction

ARCSEC = np.degrees(1.0) * 3600  # one radian

# Objects of a survey that may be a source's own. `ra`, `dec` (deg, at the survey's epoch) are null where an id was
# linked without a position. `sep_arcsec`, `n_candidates` and `n_mates` are those of the linking catalogue, null where
# it has none. `is_identified`: linked by id, so that no radius decides.
CANDIDATES = pa.schema(
    [
        ("source_id", pa.int64()),
        ("objid", pa.int64()),
        ("ra", pa.float64()),
        ("dec", pa.float64()),
        ("sep_arcsec", pa.float64()),
        ("n_candidates", pa.int32()),
        ("n_mates", pa.int32()),
        ("is_identified", pa.bool_()),
        ("method", pa.string()),
    ]
)
RESOLVED = pa.schema(
    [
        ("source_id", pa.int64()),
        ("objid", pa.int64()),
        ("sep_arcsec", pa.float64()),
        ("rank", pa.int16()),
        ("n_candidates", pa.int16()),
        ("n_mates", pa.int16()),
        ("is_ambiguous", pa.bool_()),
        ("method", pa.string()),
    ]
)


def resolve(
    sources: pa.Table, candidates: pa.Table, neighbours: pa.Table, match_arcsec: float, group_arcsec: float = 0.0
) -> pa.Table:
    """Matches (RESOLVED) of CANDIDATES, by source, rank, separation and object.

    `sources` and `neighbours` have source_id, ra, dec (deg) at the survey's epoch; a neighbour carries the id of the
    source that it is near. Every candidate's source must be among the sources (ValueError).

    Candidates of a source that lie within `group_arcsec` of each other, directly or over others, are one star that the
    survey lists several times; they share a rank. Stars within `match_arcsec` (of their nearest entry) and identified
    ones are accepted, and ranked from 1 by separation; all others follow, from 2 on where none was accepted.
    n_candidates counts the accepted stars. n_mates counts the neighbours within `match_arcsec` of the object: as near
    to it as its own source may be. Where the object's position is not known, those that could be that near, given its
    separation from the source. Counts of the linking catalogue stand where they are larger. A match is ambiguous with
    several candidates, with a mate, or where the same object is the first choice of another source too.
    """
    table = _drop_repeated(candidates)
    if not table.num_rows:
        return RESOLVED.empty_table()
    given = _Candidates.of(sources, table, group_arcsec)
    rank, accepted = _ranks(given, _flags(table["is_identified"]), match_arcsec)
    n_accepted = np.bincount(given.place[_first_of(given.star)[accepted]], minlength=sources.num_rows)[given.place]
    mates = np.maximum(_mates(given, neighbours, match_arcsec), _counts(table["n_mates"]))
    return _table_of(
        given,
        rank=rank,
        n_candidates=np.maximum(n_accepted, _counts(table["n_candidates"])),
        n_mates=_largest_of(given.star, mates),
        is_shared=_largest_of(given.star, _claims(given.objid, rank) > 1),
        method=table["method"],
    )


@dataclass(frozen=True, eq=False)
class _Candidates:
    """Candidates, N of them: ids (N,), `place` (N,) the row of each one's source, directions `here` of that source and
    `there` of the object (N,3; NaN where unknown), `sep` (N,) arcsec and `star` (N,), which star it is.
    """

    source_id: NDArray[np.int64]
    objid: NDArray[np.int64]
    place: NDArray[np.int64]
    here: NDArray[np.float64]
    there: NDArray[np.float64]
    sep: NDArray[np.float64]
    star: NDArray[np.int64]

    @classmethod
    def of(cls, sources: pa.Table, table: pa.Table, group_arcsec: float) -> _Candidates:
        """From CANDIDATES, each once; a published separation stands, else it is that of the positions."""
        source_id, published = table["source_id"].to_numpy(), floats(table["sep_arcsec"])
        place = _find_rows(source_id, sources["source_id"].to_numpy())
        here, there = _directions(sources)[place], _directions(table)
        sep = np.where(np.isfinite(published), published, _arcsec(here, there))
        star = _stars(source_id, there, group_arcsec)
        return cls(source_id, table["objid"].to_numpy(), place, here, there, sep, star)


def _table_of(
    given: _Candidates,
    rank: NDArray[np.int64],
    n_candidates: NDArray[np.int64],
    n_mates: NDArray[np.int64],
    is_shared: NDArray[np.bool_],
    method: pa.ChunkedArray,
) -> pa.Table:
    """RESOLVED, in its order, from what was counted of each candidate, (N,) each."""
    columns = {
        "source_id": given.source_id,
        "objid": given.objid,
        "sep_arcsec": pa.array(given.sep, from_pandas=True),
        "rank": rank,
        "n_candidates": n_candidates,
        "n_mates": n_mates,
        "is_ambiguous": (n_candidates > 1) | (n_mates > 0) | is_shared,
        "method": method,
    }
    order = np.lexsort((given.objid, np.nan_to_num(given.sep, nan=np.inf), rank, given.source_id))
    return pa.table(columns).cast(RESOLVED).take(pa.array(order))


def _arcsec(one: NDArray, other: NDArray) -> NDArray[np.float64]:
    """Angles between unit vectors (N, 3), arcsec, from their chords."""
    chord = np.sqrt(np.sum((one - other) ** 2, axis=-1))
    return 2 * np.arcsin(np.minimum(chord / 2, 1.0)) * ARCSEC


def _drop_repeated(candidates: pa.Table) -> pa.Table:
    """Candidates by source and object, each pair once: an object that was listed twice is no second candidate."""
    table = candidates.select(CANDIDATES.names).cast(CANDIDATES)
    source_id, objid = table["source_id"].to_numpy(), table["objid"].to_numpy()
    order = np.lexsort((objid, source_id))
    new = np.ones(order.size, bool)
    new[1:] = (np.diff(source_id[order]) != 0) | (np.diff(objid[order]) != 0)
    return table.take(pa.array(order[new]))


def _find_rows(ids: NDArray[np.int64], sources: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row of each of `ids` (N,) in those of the `sources` (S,), in any order; ValueError where one is not there."""
    row = align(ids, sources)
    wrong = row < 0
    if wrong.any():
        raise ValueError(
            f"resolve: {np.count_nonzero(wrong)} of {ids.size} candidates belong to no source, "
            f"first that of source_id {ids[wrong][0]}; give every source whose candidates are given."
        )
    return row


def _stars(source_id: NDArray[np.int64], there: NDArray, group_arcsec: float) -> NDArray[np.int64]:
    """Which star each candidate (N,) is, numbered from 0: connected groups of entries within `group_arcsec`."""
    n = source_id.size
    if group_arcsec <= 0:
        return np.arange(n)
    one, other = _pairs(source_id, source_id)
    near = _arcsec(there[one], there[other]) <= group_arcsec
    links = coo_array((np.ones(np.count_nonzero(near), bool), (one[near], other[near])), shape=(n, n))
    return connected_components(links, directed=False)[1].astype(np.int64)


def _ranks(
    given: _Candidates, identified: NDArray[np.bool_], match_arcsec: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rank of each candidate (N,), and of each star whether it was accepted; of equal separations by object id."""
    nearest = -_largest_of(given.star, -np.nan_to_num(given.sep, nan=np.inf), spread=False)
    accepted = _largest_of(given.star, identified, spread=False).astype(bool) | (nearest <= match_arcsec)
    first = _first_of(given.star)
    order = np.lexsort((given.objid[first], nearest, ~accepted, given.source_id[first]))
    owner = given.source_id[first][order]
    begins = np.concatenate([[True], np.diff(owner) != 0])
    start = np.flatnonzero(begins)[np.cumsum(begins) - 1]
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size) - start + 1 + ~accepted[order][start]
    return rank[given.star], accepted


def _mates(given: _Candidates, neighbours: pa.Table, match_arcsec: float) -> NDArray[np.int64]:
    """Neighbours (N,) of each candidate's source that lie, or may lie, within `match_arcsec` of the object."""
    of = neighbours["source_id"].to_numpy()
    order = np.argsort(of, kind="stable")
    candidate, neighbour = _pairs(given.source_id, of[order])
    around = _directions(neighbours)[order][neighbour]
    distance = _arcsec(around, given.there[candidate])
    at_least = _arcsec(around, given.here[candidate]) - np.nan_to_num(given.sep[candidate])
    near = np.where(np.isfinite(distance), distance, at_least) <= match_arcsec
    return np.bincount(candidate[near], minlength=given.source_id.size)


def _claims(objid: NDArray[np.int64], rank: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many sources have chosen each candidate's object, (N,)."""
    ids, index = np.unique(objid, return_inverse=True)
    return np.bincount(index[rank == 1], minlength=ids.size)[index]


def _pairs(one: NDArray[np.int64], other: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of rows with equal keys; `other` is sorted."""
    start = np.searchsorted(other, one, side="left")
    count = np.searchsorted(other, one, side="right") - start
    first = np.repeat(np.arange(one.size), count)
    step = np.arange(first.size) - np.repeat(np.cumsum(count) - count, count)
    return first, start[first] + step


def _first_of(star: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row of the first candidate of each star."""
    return np.unique(star, return_index=True)[1]


def _largest_of(star: NDArray[np.int64], value: NDArray, spread: bool = True) -> NDArray:
    """Largest `value` (N,) of each star: for its candidates where `spread`, else once a star."""
    order = np.argsort(star, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(star[order]) != 0]))
    largest = np.maximum.reduceat(value[order], starts)
    return largest[star] if spread else largest


def _directions(table: pa.Table) -> NDArray[np.float64]:
    return direction(floats(table["ra"]), floats(table["dec"]))


def _counts(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return column.fill_null(0).to_numpy()


def _flags(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    return column.fill_null(False).to_numpy()
