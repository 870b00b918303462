"""What an answer must be like to be taken: about what was asked, of as many rows as there are, and whole."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.archives.errors import Retryable, TooMuch
from tasks.archives.request import Request

# An answer without a row about so many items, each of which should have rows, is a fault; about fewer it may be true.
NONE_FOR_SOME = 10


def refuse_foreign(service: str, part: Request, rows: pa.Table) -> None:
    """Retryable where some rows are about other items than those of the request."""
    is_asked = _is_asked(part, rows)
    if n_foreign := rows.num_rows - (pc.sum(is_asked).as_py() or 0) if is_asked is not None else 0:
        raise Retryable(f"{service} sent {n_foreign:,} rows of {rows.num_rows:,} about others than were asked for.")


def refuse_miscounted(service: str, n_row: int, counted: int | None, last_error: str | None) -> None:
    """Retryable where the service counts another number of rows than it sent (None: it counted none).

    Where it sent some, and no more than the last time (`last_error`), it has a cap that we do not know: TooMuch.
    """
    if counted is None or n_row == counted:
        return
    sentence = f"{service} sent {n_row:,} rows of a list of {counted:,}, by its own count."
    raise TooMuch(sentence) if 0 < n_row < counted and last_error == sentence else Retryable(sentence)


def find_incomplete(part: Request, rows: pa.Table) -> NDArray[np.bool_]:
    """Items, (N,), of which the rows hold less than there ought to be.

    Those without a row where all should have some; and of the items whose number of rows is known, that of the last
    row, where an answer that was cut off between two lines breaks off.
    """
    question, incomplete = part.question, np.zeros(len(part), bool)
    if (key := question.key) is None:
        return incomplete
    own = part.items[key].cast(rows[key].type)
    if question.expects_all:
        incomplete |= ~pc.is_in(own, value_set=rows[key].combine_chunks()).to_numpy(zero_copy_only=False)
    if question.n_expected is not None and rows.num_rows and _is_short(question.n_expected, key, rows):
        incomplete |= pc.equal(own, rows[key][-1]).to_numpy(zero_copy_only=False)
    return incomplete


def _is_short(n_expected: pa.Table, key: str, rows: pa.Table) -> bool:
    """Whether the item of the last row has fewer rows than are known of."""
    last = rows[key][-1]
    known = n_expected["n_row"].filter(pc.equal(n_expected[key], last))
    return len(known) > 0 and pc.sum(pc.equal(rows[key], last)).as_py() < (known[0].as_py() or 0)


def _is_asked(part: Request, rows: pa.Table) -> pa.ChunkedArray | None:
    """True for the rows about the items; None where the answer does not say."""
    question, items = part.question, part.items
    if question.key is not None and question.key in rows.column_names:
        of = rows[question.key]
        return pc.is_in(of, value_set=items[question.key].cast(of.type).combine_chunks())
    if question.within is None:
        return None
    of = rows[question.within]
    return pc.and_(pc.greater_equal(of, items["lo"][0]), pc.less_equal(of, items["hi"][0]))
