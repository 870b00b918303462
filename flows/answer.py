"""A query's answer as a terminal table, CSV, JSON or Parquet."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from schemas import BadInput

SHOWN_ROWS = 50


def write(answer: pa.Table, form: str, out: Path | None) -> None:
    """Write `answer` as `form` to the file `out`, or to standard output."""
    if form == "parquet" and out is None:
        raise BadInput("Parquet is not for the terminal: say where to write it with --out FILE.")
    if form == "table":
        with out.open("w") if out else contextlib.nullcontext(sys.stdout) as stream:
            console = Console(file=stream, highlight=False)
            if not console.is_terminal:
                console.width = max(console.width, 200)  # a file or a pipe has no edge
            console.print(_table(answer))
            console.print(_caption(answer.num_rows), style="dim")
        return
    target = pa.output_stream(str(out)) if out else pa.PythonFile(sys.stdout.buffer, mode="w")
    with target:
        _WRITERS[form](answer, target)


def _table(answer: pa.Table) -> Table:
    table = Table(*answer.column_names, box=None)
    for row in answer.slice(0, SHOWN_ROWS).to_pylist():
        table.add_row(*(_cell(value) for value in row.values()))
    return table


def _caption(rows: int) -> str:
    more = f", the first {SHOWN_ROWS} shown: --format csv or --out writes all" if rows > SHOWN_ROWS else ""
    return f"{rows:,} row{'' if rows == 1 else 's'}{more}"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


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
            target.write((json.dumps(record, default=str) + "\n").encode())


def _parquet(answer: pa.Table, target: pa.NativeFile) -> None:
    from pyarrow import parquet

    parquet.write_table(answer, target, compression="zstd")


_WRITERS = {"csv": _csv, "json": _json, "parquet": _parquet}
