"""What surveys with objects of their own share: positions at an epoch, candidates, and curves by source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.arrays import align, align_all, floats, look_up
from schemas.rejections import reject
from tasks.archives.question import Question
from tasks.crossmatch.propagate import propagate
from tasks.crossmatch.resolve import CANDIDATES
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.times import to_barycentre
from tasks.surveys.survey import MATCHES, Ask, Curves

MISSING = -999  # what MAST's catalogues write for no value


@dataclass(frozen=True, eq=False)
class Epochs:
    """Flat epochs (N,) of a survey's objects, in the survey's own time: MJD, mag, mag, band code, flags (flags.py)."""

    objid: NDArray[np.int64]
    time: NDArray[np.float64]
    mag: NDArray
    mag_err: NDArray
    band: NDArray
    flags: NDArray


def rows_of(ask: Ask, question: Question, items: pa.Table, columns: Mapping[str, pa.DataType]) -> pa.Table:
    """The rows of all answers about `items`; no question is put where there is nothing to ask about."""
    if not items.num_rows:
        return pa.schema(list(columns.items())).empty_table()
    return ask(question, items).select(list(columns))


def positions_at(sources: pa.Table, epoch: float | NDArray[np.float64]) -> pa.Table:
    """source_id, ra, dec (deg, ICRS) of SOURCES at `epoch`, one or (S,) Julian years.

    A motion that is not known counts as none.
    """
    names = ("ra", "dec", "pmra", "pmdec", "parallax", "ref_epoch")
    ra, dec, pmra, pmdec, parallax, ref_epoch = (floats(sources[name]) for name in names)
    ra, dec = propagate(ra, dec, pmra, pmdec, parallax, ref_epoch, epoch)
    return pa.table({"source_id": sources["source_id"], "ra": ra, "dec": dec})


def neighbours_at(neighbours: pa.Table, sources: pa.Table, epoch: float) -> pa.Table:
    """source_id, ra, dec of GAIA_NEIGHBOURS at `epoch`; their positions are of the epoch that the sources' are of."""
    ref_epoch = floats(look_up(neighbours["source_id"], sources["source_id"], sources["ref_epoch"]))
    ra, dec, pmra, pmdec = (floats(neighbours[name]) for name in ("ra", "dec", "pmra", "pmdec"))
    moved_ra, moved_dec = propagate(ra, dec, pmra, pmdec, None, ref_epoch, epoch)
    return pa.table({"source_id": neighbours["source_id"], "ra": moved_ra, "dec": moved_dec})


def candidates_of(method: Any, is_identified: Any = False, **columns: Any) -> pa.Table:
    """Rows of CANDIDATES with the given columns (source_id and objid at least); the rest is null.

    `method` and `is_identified` are (N,) or one for all.
    """
    n = len(columns["source_id"])
    if isinstance(method, str):
        method, is_identified = pa.repeat(method, n), pa.repeat(is_identified, n)
    columns |= {"method": method, "is_identified": is_identified}
    arrays = [columns.get(field.name, pa.nulls(n, field.type)) for field in CANDIDATES]
    return pa.table(arrays, names=CANDIDATES.names).cast(CANDIDATES)


def to_candidates(table: str, objects: pa.Table, objid: str, ra: str, dec: str) -> tuple[pa.Table, pa.Table]:
    """CANDIDATES of the objects of `table` that lie around sources, and a report of those that have no position.

    `objid`, `ra` and `dec` (deg) name columns of `objects`, which says in source_id whose surroundings each is from.
    """
    where = [to_floats(objects[name]) for name in (ra, dec)]
    placed = np.isfinite(where[0]) & np.isfinite(where[1])
    mine, lost = objects.filter(pa.array(placed)), objects.filter(pa.array(~placed))
    candidates = candidates_of(
        "position", source_id=mine["source_id"], objid=mine[objid], ra=where[0][placed], dec=where[1][placed]
    )
    key = join_key(lost["source_id"], lost[objid])
    return candidates, reject(table, lost["source_id"], f"{ra} {dec}", "finite", None, key)


def report_failed(
    table: str,
    rows: pa.Table,
    key: tuple[str, str],
    matches: pa.Table,
    mask: NDArray[np.bool_],
    column: str,
    check: str,
) -> pa.Table:
    """Report of the `rows` of `table` where `mask` (N,) is true: the value in `column` fails `check`.

    `key` names the columns of the object's id and of what tells its rows apart.
    """
    bad = rows.filter(pa.array(mask))
    ids = join_key(*(bad[name] for name in key))
    return reject(table, find_owners(matches, bad[key[0]].to_numpy()), column, check, bad[column], ids)


def report_unanswered(table: str, asked: pa.Table, answer: pa.Table, matches: pa.Table) -> pa.Table:
    """Report of the objects (one column of ids) that were asked for and of which `table` gave not one row."""
    (name,) = asked.column_names
    lost = asked.filter(pc.invert(pc.is_in(asked[name], value_set=pc.unique(answer[name]))))
    return reject(table, find_owners(matches, lost[name].to_numpy()), name, "no_product", None, join_key(lost[name]))


def join_key(*columns: pa.ChunkedArray) -> pa.ChunkedArray:
    """Keys of rows for a report: the values of several columns as one text."""
    return pc.binary_join_element_wise(*(column.cast(pa.string()) for column in columns), " ")


def matches_of(survey: str, resolved: pa.Table) -> pa.Table:
    """Rows of MATCHES from those of `resolve`."""
    return resolved.append_column("survey", pa.repeat(survey, resolved.num_rows)).select(MATCHES.names).cast(MATCHES)


def select_counterparts(matches: pa.Table) -> pa.Table:
    """source_id and objid of the counterparts, by source and object."""
    first = matches.filter(pc.equal(matches["rank"], 1)).select(["source_id", "objid"])
    return first.sort_by([("source_id", "ascending"), ("objid", "ascending")])


def find_owners(matches: pa.Table, objid: NDArray[np.int64]) -> pa.Array:
    """A source of each object (N,), for reports: the first that chose it; null where none did."""
    mine = select_counterparts(matches)
    return look_up(pa.chunked_array([objid]), mine["objid"], mine["source_id"]).combine_chunks()


def curves_of(
    epochs: Epochs, matches: pa.Table, positions: pa.Table, bands: tuple[str, ...], scale: str, origin: str = "earth"
) -> Curves | None:
    """Light curves of the counterparts, by source and object, in BJD_TCB - 2400000.5; None where there are none.

    An object that several sources chose is given to each. `scale` and `origin` say how the survey counts its times
    (see `times.to_barycentre`); `positions` are those of the sources. Times must be finite.
    """
    own = LightCurveBatch.from_epochs(
        epochs.objid, epochs.time, epochs.mag, epochs.mag_err, epochs.band, epochs.flags, bands
    )
    mine = select_counterparts(matches)
    row = align(mine["objid"].to_numpy(), own.source_id)
    has = row >= 0
    if not has.any():
        return None
    batch = own.select(row[has])
    source_id, objid = (mine[name].to_numpy()[has] for name in ("source_id", "objid"))
    place = align_all(source_id, positions["source_id"].to_numpy(), "positions of the sources")
    ra, dec = (floats(positions[name])[place][batch.row] for name in ("ra", "dec"))
    return Curves(replace(batch, source_id=source_id, time=to_barycentre(batch.time, ra, dec, scale, origin)), objid)


def to_floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A column of numbers as floats, NaN where it is null or MISSING."""
    value = floats(column)
    return np.where(value == MISSING, np.nan, value)
