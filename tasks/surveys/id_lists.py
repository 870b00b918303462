"""The selection by a file of source ids; ids of the earlier release go through its neighbourhood first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.rejections import REJECTED, join_reports, reject
from tasks.archives.csv import read_csv
from tasks.archives.question import Question
from tasks.surveys.columns import COLUMNS, SAME_STAR_MAG, first_of_each, one_per_source, wide_question
from tasks.surveys.gaia_releases import GaiaRelease
from tasks.surveys.id_files import SourceIds, read_ids
from tasks.surveys.selections import LAST_ID, Piece
from tasks.surveys.survey import Ask

IDS_PER_REQUEST = 1000
REQUESTS_PER_PIECE = 20  # asked together, so that they may run side by side: 20,000 rows, some 10 MB


@dataclass(frozen=True)
class IdFile:
    """The sources in a file (see `read_ids`): column source_id, or dr2_source_id.

    Reported as rejected: ids that stand there twice, ids that Gaia does not know, DR2 ids without a counterpart. Two
    of these are equal, and print the same, when the files hold the same ids.
    """

    path: str = field(repr=False, compare=False)
    ids: SourceIds = field(init=False, repr=False, compare=False)
    content: str = field(init=False)

    def __post_init__(self) -> None:
        ids = read_ids(self.path)
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "content", f"{ids.column} {blake2b(ids.ids.tobytes(), digest_size=16).hexdigest()}")

    def question(self, release: GaiaRelease) -> Question:
        """What is asked of Gaia about the items."""
        return wide_question(release, "g.source_id IN {items}", key="source_id")

    def items(self) -> pa.Table:
        """The items to ask about, one row a request or an id."""
        return pa.table({self.ids.column: self.ids.ids})

    def pieces(self, ask: Ask, release: GaiaRelease) -> Iterator[Piece]:
        """The selected sources, a piece at a time; nothing is asked before the first is wanted."""
        report = reject(self._name, self.ids.repeated, self.ids.column, "duplicate")
        ids = self.ids.ids
        if self.ids.column != "source_id":
            ids, lost = counterparts(ask, ids, release)
            report = join_reports(report, reject(self._name, lost, self.ids.column, "no_counterpart"))
        if ids.size == 0:
            yield Piece(LAST_ID, pa.schema(list(COLUMNS.items())).empty_table(), report)
        question, step = self.question(release), IDS_PER_REQUEST * REQUESTS_PER_PIECE
        for start in range(0, ids.size, step):
            asked = ids[start : start + step]
            rows = one_per_source(ask(question, pa.table({"source_id": asked})))
            unknown = np.setdiff1d(asked, rows["source_id"].to_numpy(), assume_unique=True)
            report = join_reports(report, reject(self._name, unknown, "source_id", "unknown_id"))
            yield Piece(LAST_ID if start + step >= ids.size else int(asked[-1]), rows, report)
            report = REJECTED.empty_table()

    @property
    def _name(self) -> str:
        return Path(self.path).name


def counterparts(ask: Ask, earlier: NDArray[np.int64], release: GaiaRelease) -> tuple[NDArray, NDArray]:
    """Ids of this release (K,), ascending, of ids (S,) of the earlier one; and those (L,) that have no counterpart.

    The nearest source whose magnitude differs by at most SAME_STAR_MAG is the counterpart.
    """
    found = ask(neighbourhood_question(release), pa.table({"dr2_source_id": earlier}))
    is_same = pc.less_equal(pc.abs(found["magnitude_difference"]), SAME_STAR_MAG)
    found = found.filter(pc.fill_null(is_same, False)).sort_by(
        [("dr2_source_id", "ascending"), ("angular_distance", "ascending"), ("source_id", "ascending")]
    )
    of = found["dr2_source_id"].to_numpy()
    nearest = found["source_id"].to_numpy()[first_of_each(of)]
    return np.unique(nearest), np.setdiff1d(earlier, of)


def neighbourhood_question(release: GaiaRelease) -> Question:
    """The question for the neighbours of sources of the earlier release, by their ids there."""
    own, earlier = release.own_id, release.earlier_id
    return Question(
        service="gaia_tap",
        text=f"SELECT dr.{earlier} AS dr2_source_id, dr.{own} AS source_id, dr.angular_distance, "
        f"dr.magnitude_difference\nFROM {release.tables['dr']} AS dr\nWHERE dr.{earlier} IN {{items}}",
        release=release.name,
        read=partial(
            read_csv,
            schema={
                "dr2_source_id": pa.int64(),
                "source_id": pa.int64(),
                "angular_distance": pa.float32(),
                "magnitude_difference": pa.float32(),
            },
            what="Gaia's answer about sources of the earlier release",
        ),
        key="dr2_source_id",
        chunk=IDS_PER_REQUEST,
    )
