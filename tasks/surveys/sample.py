"""The sample: a union of selections, each source once, ascending by source_id, cut into chunks of equal size.

Selections are read side by side, a piece of each at a time: memory holds one piece per selection, never the sample. The
same selections give the same chunks, in whatever order they are named, as long as Gaia answers the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from schemas import BadInput
from schemas.inputs import Sample
from schemas.rejections import REJECTED, join_reports
from tasks.surveys import gaia_labels
from tasks.surveys.columns import ANY, Least, count_sources, first_of_each
from tasks.surveys.gaia_release import GaiaRelease
from tasks.surveys.id_lists import IdFile
from tasks.surveys.selections import (
    END,
    Cone,
    GaiaTable,
    Narrowable,
    Narrowed,
    Piece,
    RandomIndex,
    Selection,
    Tiles,
    VariableClasses,
)
from tasks.surveys.survey import Ask, SampleChunk

__all__ = [
    "Cone",
    "GaiaTable",
    "IdFile",
    "RandomIndex",
    "Selection",
    "Tiles",
    "VariableClasses",
    "sample_chunks",
    "selections_of",
]

CHUNK_SIZE = 2500  # 5,000 took 2.4 GiB for a sample of 1e5 in four surveys


def selections_of(sample: Sample) -> tuple[Selection, ...]:
    """The selections that the settings of a sample name, in one order.

    Raises BadInput for a class, table, cone, tile or file that cannot be; nothing is asked, files of ids are read.
    """
    epochs, least = sample.with_epochs, Least(sample.min_stetson, sample.min_variable_score)
    chosen: list[Narrowable] = [GaiaTable(name, sample.n_range) for name in sorted(set(sample.tables))]
    if sample.classes:
        chosen.append(VariableClasses(tuple(sorted(set(sample.classes))), sample.min_score, sample.n_range))
    chosen += [Cone(ra, dec, radius, epochs) for ra, dec, radius in sorted(set(sample.cones))]
    if sample.tiles:
        chosen.append(Tiles(sample.tile_order, tuple(sorted(set(sample.tiles))), epochs))
    if sample.random_index is not None:
        first, last = sample.random_index
        chosen.append(RandomIndex(first, last + 1, epochs))
    by_id = (IdFile(str(sample.ids)),) if sample.ids is not None else ()
    return (*(chosen if least == ANY else (Narrowed(each, least) for each in chosen)), *by_id)


def count_at_most(ask: Ask, selections: Sequence[Selection], release: GaiaRelease) -> int:
    """How many sources the selections have together at most: those in several of them are counted in each.

    Gaia counts the rows of its tables; ids of a file are counted as they are.
    """
    total = 0
    for selection in selections:
        question, items = selection.question(release), selection.items(release)
        is_list = question.key is None
        total += pc.sum(ask(count_sources(question), items)["n_row"]).as_py() if is_list else items.num_rows
    return total


def sample_chunks(
    ask: Ask,
    selections: Sequence[Selection],
    release: GaiaRelease,
    size: int = CHUNK_SIZE,
    limit: int | None = None,
) -> Iterator[SampleChunk]:
    """The sources in any of the `selections`, `size` at a time; the first `limit` of them where that is given.

    Nothing is asked before the first chunk is wanted, nor beyond the last. Raises BadInput for no selection at all and
    for sizes below 1.
    """
    if not selections:
        raise BadInput("Sample: name at least one selection (classes, a table, a cone, tiles, random_index, a file).")
    if size < 1 or (limit is not None and limit < 1):
        raise BadInput(f"Sample: a chunk and a limit have at least one source, not {size} and {limit}.")
    return _fields(ask, selections, release, size, limit)


def _fields(
    ask: Ask, selections: Sequence[Selection], release: GaiaRelease, size: int, limit: int | None
) -> Iterator[SampleChunk]:
    held: pa.Table | None = None
    reports = REJECTED.empty_table()
    left = limit
    for rows, report in union([selection.pieces(ask, release) for selection in selections]):
        held = rows if held is None else pa.concat_tables([held, rows])
        reports = join_reports(reports, report)
        while held.num_rows >= (wanted := size if left is None else min(size, left)):
            yield _to_chunk(held.slice(0, wanted), release, reports)
            held, reports = held.slice(wanted), REJECTED.empty_table()
            left = None if left is None else left - wanted
            if left == 0:
                return
        held = held.combine_chunks()  # frees the rows that were given out
    if held is not None and (held.num_rows or reports.num_rows):
        yield _to_chunk(held, release, reports)


def _to_chunk(rows: pa.Table, release: GaiaRelease, reports: pa.Table) -> SampleChunk:
    rows = rows.combine_chunks()
    parameters, refused = gaia_labels.parameter_labels(rows, release)
    return SampleChunk(
        sources=gaia_labels.sources(rows, release),
        class_labels=gaia_labels.class_labels(rows, release),
        parameter_labels=parameters,
        rejected=join_reports(reports, refused),
    )


@dataclass(eq=False)
class _Stream:
    """A selection being read: the pieces to come, and the rows that came and were not given on."""

    pieces: Iterator[Piece]
    held: list[pa.Table] = field(default_factory=list)
    reached: int = -1

    def read(self) -> pa.Table:
        """Read the next piece; returns its report."""
        piece = next(self.pieces)
        self.reached = piece.reached
        self.held.append(piece.rows)
        return piece.rejected

    def give(self, up_to: int) -> pa.Table:
        """The held rows with ids to `up_to`; the others stay."""
        rows = pa.concat_tables(self.held)
        is_due = pc.less_equal(rows["source_id"], up_to)
        self.held = [rows.filter(pc.invert(is_due))]
        return rows.filter(is_due)


def union(selections: Sequence[Iterator[Piece]]) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Wide rows of all selections, each source once, ascending; with the report of what was refused on the way.

    The selection with the lowest id reached is read next; rows up to that id are complete and are given out.
    """
    streams = [_Stream(pieces) for pieces in selections]
    report = join_reports(*[stream.read() for stream in streams])
    while True:
        complete = min(stream.reached for stream in streams)
        rows = pa.concat_tables([stream.give(complete) for stream in streams]).sort_by("source_id")
        yield rows.filter(pa.array(first_of_each(rows["source_id"].to_numpy()))), report
        if complete >= END:
            return
        report = join_reports(*[stream.read() for stream in streams if stream.reached == complete])
