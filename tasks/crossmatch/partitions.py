"""Crossmatch of a sample with a catalogue on disk, partition by partition.

Only the partitions that the sample touches are read, and of these the columns asked for. The margin is on the side of
the sample: a source near an edge goes to every partition within its reach, so a catalogue needs no margin table, and
its candidates are ranked when the last of those partitions has been read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas import BadInput, arrays
from tasks.crossmatch.catalogue import Catalogue, RowEpochs
from tasks.crossmatch.cells import narrowest_order, reach_of
from tasks.crossmatch.cover import cells_within, cover
from tasks.crossmatch.kernel import separations
from tasks.crossmatch.neighbours import Pairs, SortedPositions, on_sphere, pairs, runs
from tasks.crossmatch.pieces import may_hold_cells, read_pieces
from tasks.crossmatch.propagate import julian_year, propagate

FINE = 12  # order of the cells, 52 arcsec wide, by which row groups are left out
OURS = ("row", "sep_arcsec", "rank", "n_candidates")
_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]


def crossmatch(
    sources: pa.Table,
    catalogue: Catalogue,
    radius_arcsec: float,
    columns: Sequence[str] = (),
    row_epochs: RowEpochs | None = None,
) -> Iterator[pa.Table]:
    """All rows of `catalogue` within `radius_arcsec` of the `sources`, which are moved to the catalogue's epoch.

    `sources` has ra, dec (ICRS deg) and, where the catalogue has an epoch, ref_epoch (Julian year) and what is known of
    pmra, pmdec (mas/yr), parallax (mas), as in `tasks.surveys.survey.SOURCES`; in any order. Yields tables with
    `row` (of `sources`), `columns` of the catalogue, `sep_arcsec`, `rank` (1 is the nearest) and `n_candidates`; all
    candidates of a source are in one table, sources without any in none. Catalogue rows without a position (NaN, -999)
    match nothing. With `row_epochs` a source is moved to the epoch of each catalogue row, and looked for as far as the
    largest motion among the sources of a partition may bring them. Raises BadInput for unknown columns, positions that
    are none and epochs beyond their span.
    """
    match = _Match.of(sources, catalogue, radius_arcsec, row_epochs)
    asked = match.list_columns(columns)
    where, partition = cover(match.at.cell, catalogue.start, catalogue.stop, match.reach())
    last = np.full(len(match.at), -1)
    last[where] = partition  # ascending for each source, so the last one stays
    by_partition = np.argsort(partition, kind="stable")
    pending: list[pa.Table] = []
    for first, n in zip(*runs(partition[by_partition]), strict=True):
        here = by_partition[first : first + n]
        current = int(partition[here[0]])
        pending += match.candidates(current, where[here], asked)
        if pending:
            candidates = pa.concat_tables(pending)
            is_done = last[candidates["at"].to_numpy()] <= current
            if is_done.any():
                yield _rank_rows(candidates.filter(is_done), match.at.row, columns)
            pending = [] if is_done.all() else [candidates.filter(~is_done)]


@dataclass(frozen=True, eq=False)
class _Match:
    """Sources at the catalogue's epoch, or in the middle of its rows' epochs, in the order of their cells (`at`, S),
    and how far each may be from there, margin (S,) arcsec.
    """

    at: SortedPositions
    margin: _Floats
    sources: pa.Table
    catalogue: Catalogue
    radius: float
    row_epochs: RowEpochs | None

    @classmethod
    def of(cls, sources: pa.Table, catalogue: Catalogue, radius: float, row_epochs: RowEpochs | None) -> _Match:
        ra, dec = floats(sources, "ra"), floats(sources, "dec")
        margin, epoch = np.zeros(ra.size), row_epochs.epoch if row_epochs else catalogue.epoch
        if epoch is not None:
            if "ref_epoch" not in sources.column_names:
                raise BadInput(f"{catalogue.name} is of {epoch}: give the sources a ref_epoch (Julian year).")
            ra, dec = _move(sources, epoch)
        if row_epochs:
            motion = np.hypot(*(np.nan_to_num(floats(sources, name)) for name in ("pmra", "pmdec")))
            margin = motion * (row_epochs.span_year / 1000)
        at = SortedPositions.of(ra, dec)
        return cls(at, margin[at.row], sources, catalogue, radius, row_epochs)

    def list_columns(self, columns: Sequence[str]) -> list[str]:
        """The columns to read."""
        clash = [name for name in columns if name.split(".")[0] in OURS]
        if clash:
            raise BadInput(f"{self.catalogue.name}: a column {clash[0]!r} would be taken for ours; leave it out.")
        epochs = [self.row_epochs.column] if self.row_epochs else []
        return self.catalogue.check_columns([*columns, self.catalogue.ra, self.catalogue.dec, *epochs])

    def reach(self, mine: _Ints | slice = slice(None)) -> int:
        """Steps of the grid that hold the radius and the margin of some sources."""
        return reach_of(np.radians(self.farthest(mine) / 3600))

    def farthest(self, mine: _Ints | slice) -> float:
        """The radius and the largest margin of some sources, arcsec."""
        return self.radius + float(self.margin[mine].max(initial=0.0))

    def candidates(self, partition: int, mine: _Ints, asked: Sequence[str]) -> Iterator[pa.Table]:
        """Rows of a partition near the sources `mine`: the columns asked for, at (index of the source), sep_arcsec."""
        at, farthest, reach = self.at.take(mine), self.farthest(mine), self.reach(mine)
        order = min(narrowest_order(reach), FINE)
        dec = (at.dec.min() - farthest / 3600, at.dec.max() + farthest / 3600)
        may_hold = may_hold_cells(self.catalogue, cells_within(at.cell, order, reach), order, dec)
        for piece in read_pieces(self.catalogue, partition, asked, may_hold):
            ra, dec_ = floats(piece, self.catalogue.ra), floats(piece, self.catalogue.dec)
            placed = on_sphere(ra, dec_)
            if not placed.all():
                piece, ra, dec_ = piece.filter(placed), ra[placed], dec_[placed]
            found = pairs(at, SortedPositions.of(ra, dec_), farthest)
            if self.row_epochs:
                found = self.keep_near_at_row_epochs(found, mine, piece, self.row_epochs)
            if found.i.size:
                taken = piece.take(found.j).append_column("at", pa.array(mine[found.i]))
                yield taken.append_column("sep_arcsec", pa.array(found.sep_arcsec))

    def keep_near_at_row_epochs(self, around: Pairs, mine: _Ints, piece: pa.Table, row_epochs: RowEpochs) -> Pairs:
        """The pairs within the radius when each source stands where it was at the epoch of the catalogue row."""
        middle = row_epochs.epoch
        mjd = floats(piece, row_epochs.column)
        years = np.where(mjd > 0, julian_year(mjd), middle)  # NaN and -999: not known
        late = np.abs(years - middle)
        if late.max(initial=0.0) > row_epochs.span_year:
            raise BadInput(
                f"{self.catalogue.name}: {np.count_nonzero(late > row_epochs.span_year):,} of {late.size:,} rows have "
                f"a {row_epochs.column!r} up to {late.max():.2f} years from {middle}; give that as the span."
            )
        ra, dec = _move(self.sources.take(self.at.row[mine[around.i]]), years[around.j])
        rows = piece.take(around.j)
        apart = separations(ra, dec, floats(rows, self.catalogue.ra), floats(rows, self.catalogue.dec))
        near = apart <= self.radius
        return Pairs(around.i[near], around.j[near], apart[near])


def floats(table: pa.Table, name: str) -> _Floats:
    """A column as float64, (N,); NaN where it is null or not there."""
    if name not in table.column_names:
        return np.full(len(table), np.nan)
    return arrays.floats(table[name])


def _move(sources: pa.Table, epoch: float | _Floats) -> tuple[_Floats, _Floats]:
    ra, dec, pmra, pmdec, parallax, ref_epoch = (
        floats(sources, name) for name in ("ra", "dec", "pmra", "pmdec", "parallax", "ref_epoch")
    )
    return propagate(ra, dec, pmra, pmdec, parallax, ref_epoch, epoch)


def _rank_rows(candidates: pa.Table, row: _Ints, columns: Sequence[str]) -> pa.Table:
    """Candidates by source, nearest first, with what the caller asked for."""
    rows, sep = row[candidates["at"].to_numpy()], candidates["sep_arcsec"].to_numpy()
    order = np.lexsort((sep, rows))
    found, taken = Pairs(rows[order], order, sep[order]), candidates.take(order)
    names = dict.fromkeys(name if name in taken.column_names else name.split(".")[0] for name in columns)
    return pa.table(
        {
            "row": found.i,
            **{name: taken[name] for name in names},
            "sep_arcsec": found.sep_arcsec,
            "rank": found.rank().astype(np.int32),
            "n_candidates": found.n_candidates().astype(np.int32),
        }
    )
