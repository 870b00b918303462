"""How many rows the answer to a query has, asked of the service itself.

A list that comes to its end too early, or has nothing but a header line, looks like a whole one: what is missing is
missed by nobody. The count is a question of its own, so that what is asked for the list stays as it was.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pyarrow as pa

from tasks.archives.csv import read_csv
from tasks.archives.errors import Retryable
from tasks.archives.question import Question

COUNT = "SELECT COUNT(*) AS n_row\nFROM"
_SELECT = re.compile(r"\s*SELECT\s+(?!TOP\b|DISTINCT\b|COUNT\b).*?\bFROM\b", re.DOTALL | re.IGNORECASE)
_NOT_COUNTED = re.compile(r"\b(GROUP\s+BY|ORDER\s+BY|HAVING|UNION|OFFSET)\b", re.IGNORECASE)


def count_question(question: Question) -> Question | None:
    """The question for the number of rows that the answer to `question` (ADQL) has; None where it is no plain query."""
    select = _SELECT.match(question.text)
    if select is None or _NOT_COUNTED.search(question.text):
        return None
    text = COUNT + question.text[select.end() :]
    return replace(question, text=text, read=read_count, expects_all=False, spelling={})


def read_count(body: bytes) -> pa.Table:
    """n_row of the one row of a count; Retryable where it is no number, or not one."""
    rows = read_csv(body, {"n_row": pa.int64()}, "a count of rows")
    if rows.num_rows != 1 or rows["n_row"].null_count:
        raise Retryable(f"a count of rows came as {rows.num_rows} rows with {rows['n_row'].null_count} empty.")
    return rows
