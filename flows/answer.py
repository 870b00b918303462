"""A query's answer as a terminal table, CSV, JSON or Parquet."""

from __future__ import annotations

import io
import math
import sys
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from lakehouse.disk import named_file, refuse_full_disk
from schemas import BadInput

SHOWN_ROWS, SHOWN_RECORDS = 50, 5  # of a table, and of one that is too wide and printed a field a line
ENDINGS = {".csv": "csv", ".json": "json", ".jsonl": "json", ".parquet": "parquet", ".pq": "parquet", ".txt": "table"}


def choose_form(form: str | None, out: Path | None) -> str:
    """The form that was asked for, else the one that the ending of `out` names; a table where neither says.

    BadInput where the ending says another form than was asked for, or none that can be written.
    """
    ending = out.suffix.lower() if out else ""
    named = ENDINGS.get(ending)
    if form and named and named != form:
        raise BadInput(f"{out} ends like {named} and --format says {form}: leave out one of them.")
    if ending and not form and not named:
        raise BadInput(f"No answer can be written as {ending}: name a file in {', '.join(ENDINGS)}, or give --format.")
    return form or named or "table"


def write(answer: pa.Table, form: str, out: Path | None) -> None:
    """Write `answer` as `form` to the file `out`, or to standard output."""
    if form == "parquet" and out is None:
        raise BadInput("Parquet is not for the terminal: say where to write it with --out FILE.")
    if out is None:
        _write(answer, form, sys.stdout.buffer)
        return
    with refuse_full_disk(str(out)), named_file(out) as draft, draft.open("wb") as stream:
        _write(answer, form, stream)


def _write(answer: pa.Table, form: str, stream: BinaryIO) -> None:
    """Write `answer` as `form` to `stream`, which stays open."""
    if form == "table":
        _print(answer, stream)
        return
    target = pa.PythonFile(stream, mode="w")  # to close it would close the stream
    _WRITERS[form](_plain(answer), target)
    target.flush()


def _print(answer: pa.Table, stream: BinaryIO) -> None:
    """The table as a page of text."""
    text = None if stream is sys.stdout.buffer else io.TextIOWrapper(stream, "utf-8")
    console = Console(file=text or sys.stdout, highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 200)  # a file or a pipe has no edge
    table, shown = _table(answer), SHOWN_ROWS
    if Measurement.get(console, console.options.update(max_width=10**6), table).maximum > console.width:
        table, shown = _records(answer), SHOWN_RECORDS
    console.print(table)
    console.print(_caption(answer.num_rows, shown), style="dim")
    if text:
        text.detach()  # which writes what it holds; else the stream would be closed with it


def _plain(answer: pa.Table) -> pa.Table:
    """`answer` with what files cannot hold, such as an interval of time, as text."""
    for i, field in enumerate(answer.schema):
        if pa.types.is_interval(field.type) or pa.types.is_duration(field.type):
            texts = pa.array([None if value is None else str(value) for value in answer.column(i).to_pylist()])
            answer = answer.set_column(i, field.name, texts)
    return answer


def _table(answer: pa.Table) -> Table:
    table = Table(*(escape(name) for name in answer.column_names), box=None)
    for row in answer.slice(0, SHOWN_ROWS).to_pylist():
        table.add_row(*(_cell(value) for value in row.values()))
    return table


def _records(answer: pa.Table) -> Table:
    """A line for each field of each row, for rows that are wider than the screen; a blank line between two rows."""
    table = Table("column", "value", box=None)
    for number, row in enumerate(answer.slice(0, SHOWN_RECORDS).to_pylist()):
        if number:
            table.add_row("", "")
        for name, value in row.items():
            table.add_row(escape(name), _cell(value))
    return table


def _caption(rows: int, shown: int) -> str:
    more = f", the first {shown} shown: --format csv or --out FILE.csv writes all" if rows > shown else ""
    return f"{rows:,} row{'' if rows == 1 else 's'}{more}"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else escape(str(value))


def _csv(answer: pa.Table, target: pa.NativeFile) -> None:
    from pyarrow import csv

    nested = [i for i, field in enumerate(answer.schema) if pa.types.is_nested(field.type)]
    for i in nested:  # CSV has no lists: write them as JSON texts
        import json

        texts = pa.array([json.dumps(value) for value in answer.column(i).to_pylist()])
        answer = answer.set_column(i, answer.schema.field(i).name, texts)
    csv.write_csv(answer, target)


def _json(answer: pa.Table, target: pa.NativeFile) -> None:
    """One JSON object a line. Ids of 64 bits stay whole as text: a JSON number is a double to most readers."""
    import json

    wide = {f.name for f in answer.schema if pa.types.is_int64(f.type) and f.name.endswith("id")}
    for batch in answer.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            record = {name: str(value) if name in wide and value is not None else value for name, value in row.items()}
            target.write((json.dumps(_finite(record), default=str, allow_nan=False) + "\n").encode())


def _finite(value: Any) -> Any:
    """`value` with null for every number that JSON does not know."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value


def _parquet(answer: pa.Table, target: pa.NativeFile) -> None:
    from pyarrow import parquet

    parquet.write_table(answer, target, compression="zstd")


_WRITERS = {"csv": _csv, "json": _json, "parquet": _parquet}
