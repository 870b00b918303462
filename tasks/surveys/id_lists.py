"""The selection by a file of source ids; ids of an earlier release go through the tables of neighbours first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas import BadInput
from schemas.arrays import align
from schemas.rejections import REJECTED, join_reports, reject
from tasks.archives.csv import read_csv
from tasks.archives.question import Question
from tasks.surveys.chain import is_same_star
from tasks.surveys.columns import first_of_each, list_columns, one_per_source, wide_question
from tasks.surveys.gaia_release import ChainStep, GaiaRelease
from tasks.surveys.id_files import SourceIds, read_ids
from tasks.surveys.selections import END, Piece
from tasks.surveys.survey import Ask

IDS_PER_REQUEST = 1000
REQUESTS_PER_PIECE = 20  # asked together, so that they may run side by side: 20,000 rows, some 10 MB


@dataclass(frozen=True)
class IdFile:
    """The sources in a file (see `read_ids`): column source_id, or that of an earlier release.

    Reported as rejected: ids that stand there twice, ids that Gaia does not know, earlier ids without a counterpart.
    Two of these are equal, and print the same, when the files hold the same ids.
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
        return replace(wide_question(release, "g.source_id IN {items}", key="source_id"), may_be_unknown=True)

    def items(self, release: GaiaRelease) -> pa.Table:
        """The items to ask about, one row a request or an id."""
        return pa.table({self.ids.column: self.ids.ids})

    def pieces(self, ask: Ask, release: GaiaRelease) -> Iterator[Piece]:
        """The selected sources, a piece at a time; nothing is asked before the first is wanted."""
        report = reject(self._name, self.ids.repeated, self.ids.column, "duplicate")
        ids = self.ids.ids
        if self.ids.column not in ("source_id", f"{release.release}_source_id"):
            ids, lost = counterparts(ask, ids, release, self.ids.column)
            report = join_reports(report, reject(self._name, lost, self.ids.column, "no_counterpart"))
        if ids.size == 0:
            yield Piece(END, pa.schema(list(list_columns(release).items())).empty_table(), report)
        question, step = self.question(release), IDS_PER_REQUEST * REQUESTS_PER_PIECE
        for start in range(0, ids.size, step):
            asked = ids[start : start + step]
            rows = one_per_source(ask(question, pa.table({"source_id": asked})))
            unknown = np.setdiff1d(asked, rows["source_id"].to_numpy(), assume_unique=True)
            report = join_reports(report, reject(self._name, unknown, "source_id", "unknown_id"))
            yield Piece(END if start + step >= ids.size else int(asked[-1]), rows, report)
            report = REJECTED.empty_table()

    @property
    def _name(self) -> str:
        return Path(self.path).name


def describe_absence(selections: Sequence[object], release: GaiaRelease) -> str:
    """The sentence for a sample of ids alone when the release has none of them; "" for any other sample."""
    files = [each for each in selections if isinstance(each, IdFile)]
    if len(files) != len(selections):
        return ""
    n, names = sum(each.ids.ids.size for each in files), ", ".join(Path(each.path).name for each in files)
    where = release.datalink.release
    if any(each.ids.column != "source_id" for each in files):
        return f"None of the {n:,} ids of {names} has a counterpart in {where}."
    earlier = [f"ids of {step.name.removesuffix('_source_id').upper()} go into {step.name}" for step in release.chain]
    return f"None of the {n:,} ids of {names} is in {where}; {', '.join(earlier)}."


def counterparts(
    ask: Ask, earlier: NDArray[np.int64], release: GaiaRelease, column: str = "dr2_source_id"
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids of this release (K,), ascending, of ids (S,) of an earlier one; and those (L,) that have no counterpart.

    `column` says which release they are of. At each step the counterpart is the nearest source that is the same star.
    Raises BadInput where no chain leads to that release.
    """
    names = [step.name for step in release.chain]
    if column not in names:
        raise BadInput(f"A sample of {release.name} takes source_id, {', '.join(names)}; the file has {column}.")
    first, now = earlier, earlier
    for step in reversed(release.chain[: names.index(column) + 1]):
        of, nearest = _step_up(ask, np.unique(now), release, step)
        place = align(now, of)
        first, now = first[place >= 0], nearest[place[place >= 0]]
    return np.unique(now), np.setdiff1d(earlier, first)


def _step_up(
    ask: Ask, earlier: NDArray[np.int64], release: GaiaRelease, step: ChainStep
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Those of the ids (S,) that have a counterpart in the later release of the step, (K,), and its ids there, (K,)."""
    if not earlier.size:
        return earlier, earlier
    found = ask(neighbourhood_question(release, step), pa.table({step.name: earlier}))
    probable = found["is_probable"] if step.probable else None
    is_same = is_same_star(found[step.name].to_numpy(), found["magnitude_difference"], probable)
    order = [(step.name, "ascending"), ("angular_distance", "ascending"), ("source_id", "ascending")]
    found = found.filter(pa.array(is_same)).sort_by(order)
    of = found[step.name].to_numpy()
    is_first = first_of_each(of)
    return of[is_first], found["source_id"].to_numpy()[is_first]


def neighbourhood_question(release: GaiaRelease, step: ChainStep) -> Question:
    """The question for the neighbours of sources of the earlier release of a step, by their ids there."""
    schema = {
        step.name: pa.int64(),
        "source_id": pa.int64(),
        "angular_distance": pa.float32(),
        "magnitude_difference": pa.float32(),
        **({"is_probable": pa.bool_()} if step.probable else {}),
    }
    text = (
        f"SELECT dr.{step.earlier} AS {step.name}, dr.{step.own} AS source_id, dr.angular_distance, "
        f"dr.magnitude_difference{f', dr.{step.probable} AS is_probable' if step.probable else ''}\n"
        f"FROM {release.tables[step.alias]} AS dr\nWHERE dr.{step.earlier} IN {{items}}"
    )
    return Question(
        service="gaia_tap",
        text=text,
        release=release.name,
        read=partial(read_csv, schema=schema, what="Gaia's answer about sources of the earlier release"),
        key=step.name,
        chunk=IDS_PER_REQUEST,
        is_sync=release.limits.tap_sync,
        hint=release.opens,
    )
