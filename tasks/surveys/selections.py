"""Ways to choose sources from Gaia: each renders the wide question and its items, and gives the rows in pieces.

Whole tables are cut by source_id, which carries the HEALPix cell of order 12 (nested) in its high bits (Gaia DR3
documentation, gaia_source.source_id): a range of ids is a patch of sky, and nothing has to be uploaded. DR4 may have
ids beyond the last cell, which the last range holds, and has the cell of order 29 as a column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas import BadInput
from schemas.rejections import REJECTED
from tasks.archives.adql import literal
from tasks.archives.question import Question
from tasks.surveys.columns import ANY, Least, one_per_source, wide_question
from tasks.surveys.gaia_release import GaiaRelease
from tasks.surveys.survey import Ask

GAIA_ORDER = 12
CELL = 2**35  # ids per cell of order 12
N_CELL = 12 * 4**GAIA_ORDER
LAST_ID = N_CELL * CELL - 1
END = 2**63 - 1  # no id is larger
RANDOM_PER_REQUEST = 100_000  # sources that one request for a random sample may bring

# What a whole-table selection may name: the table, and its alias in a release.
TABLES = {
    "gaia_source": "g", "vari_classifier_result": "vc", "vari_rrlyrae": "rr", "vari_cepheid": "cep",
    "vari_eclipsing_binary": "eb", "vari_long_period_variable": "lpv",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows of the wide question, one per source and ascending: all that a selection has up to the id `reached`."""

    reached: int
    rows: pa.Table
    rejected: pa.Table


class Selection(Protocol):
    """A way to choose sources."""

    def question(self, release: GaiaRelease) -> Question:
        """What is asked about the items."""

    def items(self, release: GaiaRelease) -> pa.Table:
        """The items, ascending: ranges (lo, hi), both ends in, or ids (source_id)."""

    def pieces(self, ask: Ask, release: GaiaRelease) -> Iterator[Piece]:
        """The rows in pieces that ascend; the last has reached END."""


class Narrowable(Selection, Protocol):
    """A selection that can leave out sources by the statistics of their light curves."""

    def question(self, release: GaiaRelease, least: Least = ANY) -> Question:
        """What is asked about the items, of sources with at least these statistics."""

    def pieces(self, ask: Ask, release: GaiaRelease, least: Least = ANY) -> Iterator[Piece]:
        """Their rows."""


class _Ranged:
    """Common to selections that go through ranges of ids, one request each."""

    def question(self, release: GaiaRelease, least: Least = ANY) -> Question:
        """What is asked of Gaia about the items."""
        raise NotImplementedError

    def ranges(self, release: GaiaRelease) -> NDArray[np.int64]:
        """The ranges of ids (K, 2), both ends in, ascending."""
        raise NotImplementedError

    def items(self, release: GaiaRelease) -> pa.Table:
        """The items to ask about, one row a request."""
        ranges = self.ranges(release)
        return pa.table({"lo": ranges[:, 0], "hi": ranges[:, 1]})

    def pieces(self, ask: Ask, release: GaiaRelease, least: Least = ANY) -> Iterator[Piece]:
        """The selected sources, a piece at a time; nothing is asked before the first is wanted."""
        question, items = self.question(release, least), self.items(release)
        for k in range(items.num_rows):
            rows = one_per_source(ask(question, items.slice(k, 1)))
            reached = items["hi"][k].as_py() if k + 1 < items.num_rows else END
            yield Piece(reached, rows, REJECTED.empty_table())


class _WholeSky(_Ranged):
    """Common to selections that cut the whole sky into `n_range` ranges."""

    n_range: int

    def ranges(self, release: GaiaRelease) -> NDArray[np.int64]:
        """The ranges of ids (K, 2), both ends in, ascending."""
        return id_ranges(self.n_range, release.last_id)


@dataclass(frozen=True)
class VariableClasses(_WholeSky):
    """Sources that Gaia's classifier puts into one of the classes `names`: RR, CEP, DSCT|GDOR|SXPHE, ECL, LPV, ...

    `min_score` is the least score; `n_range` requests in all.
    """

    names: tuple[str, ...]
    min_score: float = 0.0
    n_range: int = 12

    def __post_init__(self) -> None:
        _require(len(self.names) > 0, "a selection by class needs at least one class")
        _require(0 <= self.min_score <= 1, f"min_score lies between 0 and 1, not {self.min_score}")
        _require_ranges(self.n_range)
        for name in self.names:
            class_literal(name)

    def question(self, release: GaiaRelease, least: Least = ANY) -> Question:
        """What is asked of Gaia about the items."""
        alias, column = _find_column(release, "class_name")
        ours = release.words.get("class_name", {})
        words = [word for name in self.names for word in [each for each in ours if ours[each] == name] or [name]]
        condition = f"{alias}.{column} IN ({', '.join(map(class_literal, words))})"
        if self.min_score > 0:
            condition += f" AND {'.'.join(_find_column(release, 'class_score'))} >= {literal(float(self.min_score))}"
        return wide_question(release, f"{condition} AND {_between(f'{alias}.source_id')}", alias, least=least)


@dataclass(frozen=True)
class GaiaTable(_WholeSky):
    """Every source of a table in TABLES, in `n_range` requests."""

    name: str
    n_range: int = 12

    def __post_init__(self) -> None:
        _require(self.name in TABLES, f"there is no table {self.name!r} to select from; known are {', '.join(TABLES)}")
        _require_ranges(self.n_range)

    def question(self, release: GaiaRelease, least: Least = ANY) -> Question:
        """What is asked of Gaia about the items."""
        alias = TABLES[self.name]
        _require(alias in release.tables, f"{release.name} has no table {self.name!r} to select from")
        return wide_question(release, _between(f"{alias}.source_id"), alias, least=least)


@dataclass(frozen=True)
class Cone(_WholeSky):
    """Sources within `radius_deg` of a position (deg, ICRS at the release's epoch); one request unless `n_range` > 1.

    `with_epochs`, here and below: only those with epoch photometry in the archive.
    """

    ra: float
    dec: float
    radius_deg: float
    with_epochs: bool = False
    n_range: int = 1

    def __post_init__(self) -> None:
        _require(0 <= self.ra < 360, f"the centre of a cone has 0 <= ra < 360 deg, not {self.ra}")
        _require(-90 <= self.dec <= 90, f"the centre of a cone has -90 <= dec <= 90 deg, not {self.dec}")
        _require(
            0 < self.radius_deg <= 90, f"the radius of a cone is above 0 and at most 90 deg, not {self.radius_deg}"
        )
        _require_ranges(self.n_range)

    def question(self, release: GaiaRelease, least: Least = ANY) -> Question:
        """What is asked of Gaia about the items."""
        circle = (
            f"CIRCLE('ICRS', {literal(float(self.ra))}, {literal(float(self.dec))}, {literal(float(self.radius_deg))})"
        )
        condition = f"1 = CONTAINS(POINT('ICRS', g.ra, g.dec), {circle})"
        return wide_question(release, f"{condition} AND {_among(release, self.with_epochs)}", least=least)


@dataclass(frozen=True)
class Tiles(_Ranged):
    """Sources in nested HEALPix `cells` of `order` (0 to 12), by their ids; touching cells are asked together.

    Ids were given before the final positions: a source may lie a little outside the cell that its id names. Where a
    release says that its ids do not name cells, the column with the cell of order 29 is asked, in one piece.
    """

    order: int
    cells: tuple[int, ...]
    with_epochs: bool = False

    def __post_init__(self) -> None:
        _require(0 <= self.order <= GAIA_ORDER, f"tiles have an order of 0 to {GAIA_ORDER}, not {self.order}")
        _require(len(self.cells) > 0, "a selection by tiles needs at least one cell")
        last = 12 * 4**self.order - 1
        outside = [cell for cell in self.cells if not 0 <= cell <= last]
        _require(not outside, f"order {self.order} has the cells 0 to {last}, not {outside[:1]}")

    def question(self, release: GaiaRelease, least: Least = ANY) -> Question:
        """What is asked of Gaia about the items."""
        cell = "g.source_id" if release.healpix == "id" else ".".join(_find_column(release, "healpix29"))
        return wide_question(release, _among(release, self.with_epochs, cell), least=least)

    def ranges(self, release: GaiaRelease) -> NDArray[np.int64]:
        """The ranges (K, 2), both ends in and ascending: of ids, or of cells of order 29, two to an id's cell."""
        ranges = cell_ranges(self.order, self.cells)
        return ranges if release.healpix == "id" else ranges >> 1

    def pieces(self, ask: Ask, release: GaiaRelease, least: Least = ANY) -> Iterator[Piece]:
        """The selected sources, a piece at a time; in one piece where ranges of cells are none of ids."""
        if release.healpix == "id":
            yield from super().pieces(ask, release, least)
        else:
            rows = one_per_source(ask(self.question(release, least), self.items(release)))
            yield Piece(END, rows, REJECTED.empty_table())


@dataclass(frozen=True)
class RandomIndex(_Ranged):
    """Sources with `start` <= random_index < `stop`: a fair sample of the whole sky, for tests."""

    start: int
    stop: int
    with_epochs: bool = False
    n_range: int | None = None

    def __post_init__(self) -> None:
        _require(0 <= self.start < self.stop, f"random_index goes from 0 up, not from {self.start} to {self.stop}")
        _require_ranges(1 if self.n_range is None else self.n_range)

    def question(self, release: GaiaRelease, least: Least = ANY) -> Question:
        """What is asked of Gaia about the items."""
        condition = f"g.random_index BETWEEN {self.start:d} AND {self.stop - 1:d}"
        return wide_question(release, f"{condition} AND {_among(release, self.with_epochs)}", least=least)

    def ranges(self, release: GaiaRelease) -> NDArray[np.int64]:
        """The ranges of ids (K, 2), both ends in, ascending."""
        per_request = RANDOM_PER_REQUEST * (release.limits.sparser_with_epochs if self.with_epochs else 1)
        return id_ranges(self.n_range or -(-(self.stop - self.start) // per_request), release.last_id)


@dataclass(frozen=True)
class Narrowed:
    """The sources of another selection whose light curves have statistics of at `least` so much."""

    selection: Narrowable
    least: Least

    def question(self, release: GaiaRelease) -> Question:
        """What is asked of Gaia about the items."""
        return self.selection.question(release, self.least)

    def items(self, release: GaiaRelease) -> pa.Table:
        """Those of the selection."""
        return self.selection.items(release)

    def pieces(self, ask: Ask, release: GaiaRelease) -> Iterator[Piece]:
        """Those of the selection, narrowed."""
        return self.selection.pieces(ask, release, self.least)


def id_ranges(n: int, last_id: int = LAST_ID) -> NDArray[np.int64]:
    """`n` ranges of ids (n, 2), both ends in, which share out all cells of order 12; 12 of them are the base cells.

    The last goes on to `last_id`.
    """
    edges = np.arange(n + 1, dtype=np.int64) * N_CELL // n * CELL
    ranges = np.stack([edges[:-1], edges[1:] - 1], axis=1)
    ranges[-1, 1] = last_id
    return ranges


def cell_ranges(order: int, cells: Sequence[int]) -> NDArray[np.int64]:
    """Ranges of ids (K, 2), both ends in and ascending, of nested cells; neighbours in one base cell are one range."""
    cell = np.unique(np.asarray(cells, np.int64))
    starts = np.ones(cell.size, bool)
    starts[1:] = (np.diff(cell) != 1) | (cell[1:] % 4**order == 0)
    last = np.flatnonzero(np.append(starts[1:], True))
    size = CELL * 4 ** (GAIA_ORDER - order)
    return np.stack([cell[starts] * size, (cell[last] + 1) * size - 1], axis=1)


def class_literal(name: str) -> str:
    """`name` as an ADQL string; BadInput for anything but letters, digits and the signs that names of classes have."""
    if not re.fullmatch(r"[A-Za-z0-9 _|+./-]+", name):
        raise BadInput(f"Sample: {name!r} is no name of a class: letters, digits, blanks and _ | + . / - only.")
    return literal(name)


def _between(column: str) -> str:
    return f"{column} BETWEEN {{lo}} AND {{hi}}"


def _among(release: GaiaRelease, with_epochs: bool, column: str = "g.source_id") -> str:
    """The condition on gaia_source: a range of `column`, and where asked for, epoch photometry in the archive."""
    if not with_epochs:
        return _between(column)
    flag = ".".join(_find_column(release, "has_epoch_photometry"))
    is_true = f"{flag} = {release.true_literal}" if release.true_literal else flag
    return f"{is_true} AND {_between(column)}"


def _find_column(release: GaiaRelease, name: str) -> tuple[str, str]:
    """Alias and column of ours; BadInput where the release has none."""
    _require(name in release.asked_columns, f"{release.name} has no column for {name}: nothing is selected by it")
    return release.asked_columns[name]


def _require_ranges(n_range: int) -> None:
    _require(1 <= n_range <= N_CELL, f"n_range is between 1 and {N_CELL:,}, not {n_range}")


def _require(is_met: bool, sentence: str) -> None:
    if not is_met:
        raise BadInput(f"Sample: {sentence}.")
