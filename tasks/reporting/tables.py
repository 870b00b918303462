"""Tables of the report, from rows of numbers to cells of text."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tasks.reporting.data import Rows, as_records
from tasks.reporting.notation import (
    ABSENT,
    HIGHER_IS_BETTER,
    LOWER_IS_BETTER,
    count,
    duration,
    interval,
    is_number,
    metric_label,
    number,
    share,
    split_label,
    target_label,
    unit_of,
)
from tasks.reporting.parts import Cell, Line, Table

MOST_LINES = 60
_HEADLINES = ("macro_f1", "f1_macro", "balanced_accuracy", "accuracy", "rmse", "mae", "r2")
Record = dict[str, Any]


def heads(*texts: str) -> tuple[Cell, ...]:
    """Header cells: the first names the rows, the others stand over numbers."""
    return tuple(Cell(text, is_numeric=i > 0) for i, text in enumerate(texts))


def digits(text: str, is_best: bool = False) -> Cell:
    """A cell that holds a number."""
    return Cell(text, is_best=is_best, is_numeric=True)


def line(words: Sequence[object], numbers: Sequence[str], more: Sequence[str] = ()) -> Line:
    """A row of words, then of numbers, then of `more` words."""
    return Line((*(Cell(str(word)) for word in words), *map(digits, numbers), *map(Cell, more)))


def overall(records: Sequence[Record], target: str, splits: Sequence[str]) -> list[Record]:
    """Metrics of one target over all classes, split by split in the order of `splits`.

    Within a split the chosen recipe comes first, then the others from best to worst.
    """
    mine = (r for r in records if r["target"] == target and r["class"] == "all" and r["split"] in splits)
    rows = [r for r in mine if ":" not in r["metric"]]  # that is a point of a curve, or a bin
    first = headline(rows)
    is_rising = bool(first) and first[0]["metric"] in HIGHER_IS_BETTER
    value = {(r["recipe"], r["split"]): -r["value"] if is_rising else r["value"] for r in first}

    def place(r: Record) -> tuple[int, bool, float, str]:
        return splits.index(r["split"]), not r["is_chosen"], value.get((r["recipe"], r["split"]), math.inf), r["recipe"]

    return sorted(rows, key=place)


def class_targets(records: Sequence[Record]) -> tuple[str, ...]:
    """The targets that decide among classes: those with an F1 of one class. The others are quantities."""
    return tuple(dict.fromkeys(row["target"] for row in records if row["class"] != "all" and row["metric"] == "f1"))


def headline(rows: Sequence[Record]) -> list[Record]:
    """The rows of the metric that speaks first for a target; empty where there are no rows."""
    metrics = list(dict.fromkeys(row["metric"] for row in rows))
    first = next((m for m in _HEADLINES if m in metrics), metrics[0] if metrics else "")
    return [row for row in rows if row["metric"] == first and is_number(row["value"])]


def metric_table(rows: Sequence[Record], target: str) -> Table:
    """Recipes down, metrics across, each number with its 95 % interval; `rows` as `overall` gives them.

    A recipe of which nothing was measured has no line; the caption says why.
    """
    splits = list(dict.fromkeys(r["split"] for r in rows))
    entries = list(dict.fromkeys((r["recipe"], r["split"]) for r in rows if is_number(r["value"])))
    unmeasured = {r["recipe"]: r for r in rows if r["recipe"] not in dict(entries)}
    rows = [r for r in rows if (r["recipe"], r["split"]) in entries]
    metrics = sorted(dict.fromkeys(r["metric"] for r in rows), key=_metric_order)
    found = {(r["recipe"], r["split"], r["metric"]): r for r in rows}
    best = {(m, s): _best(found, entries, m, s) for m in metrics for _, s in entries}
    lines = [_metric_line(entry, metrics, found, best) for entry in entries]
    how = split_label(splits[0]) if len(splits) == 1 else "held out as stated"
    unit = f", errors in {unit_of(target)}" if unit_of(target) else ""
    n = max((r["n"] for r in rows if r["n"] is not None), default=0)
    header = (Cell("Recipe"), Cell("Held out"), digits("n"), *(digits(metric_label(m)) for m in metrics), Cell("Note"))
    caption = (
        f"{target_label(target)}: every recipe and baseline, {how}, with 95 % intervals{unit}. Arrows point to the "
        f"better side; the best value of each column is bold. n = {count(n)}."
    )
    caption += "".join(f" {recipe}: {_notes([r]) or 'not measured.'}" for recipe, r in unmeasured.items())
    table = _without_empty_notes(Table(caption, header, lines))
    return table if len(splits) > 1 else _without_column(table, 1)


def _metric_line(
    entry: tuple[str, str],
    metrics: Sequence[str],
    found: Mapping[tuple[str, str, str], Record],
    best: Mapping[tuple[str, str], str | None],
) -> Line:
    """One recipe in one split: its number of objects, its metrics, its notes."""
    recipe, split = entry
    mine = [found.get((*entry, metric)) for metric in metrics]
    present = [r for r in mine if r is not None]
    n = max((r["n"] for r in present if r["n"] is not None), default=None)
    scores = [
        digits(interval(r["value"], r["lo"], r["hi"]) if r else ABSENT, recipe == best[metric, split])
        for metric, r in zip(metrics, mine, strict=True)
    ]
    cells = (Cell(recipe), Cell(split_label(split)), digits(count(n)), *scores, Cell(_notes(present)))
    return Line(cells, any(r["is_chosen"] for r in present))


def _notes(records: Sequence[Record]) -> str:
    """The distinct notes of some rows, joined."""
    return " ".join(dict.fromkeys(r["note"].strip() for r in records if r.get("note")))


def _metric_order(metric: str) -> tuple[int, str]:
    return (_HEADLINES.index(metric) if metric in _HEADLINES else len(_HEADLINES), metric)


def _best(
    found: Mapping[tuple[str, str, str], Record], entries: Sequence[tuple[str, str]], metric: str, split: str
) -> str | None:
    """Recipe with the best value of a metric in a split; None where it has no better side or no rival."""
    values = {e[0]: found[*e, metric]["value"] for e in entries if e[1] == split and (*e, metric) in found}
    values = {recipe: value for recipe, value in values.items() if is_number(value)}
    if len(values) < 2:
        return None
    if metric in HIGHER_IS_BETTER:
        return max(values, key=values.__getitem__)
    return min(values, key=values.__getitem__) if metric in LOWER_IS_BETTER else None


def _without_column(table: Table, place: int) -> Table:
    """The table without its column number `place`."""
    lines = [Line((*line.cells[:place], *line.cells[place + 1 :]), line.is_chosen) for line in table.lines]
    return Table(table.caption, (*table.header[:place], *table.header[place + 1 :]), lines)


def _without_empty_notes(table: Table) -> Table:
    """The table without its last column where that is empty throughout."""
    if any(line.cells[-1].text for line in table.lines):
        return table
    return _without_column(table, len(table.header) - 1)


def class_table(records: Sequence[Record], target: str, split: str, colours: Mapping[str, str]) -> Table | None:
    """F1 of each class (down) for each recipe (across, chosen first) in one split; None where none was measured."""
    rows = [r for r in records if r["target"] == target and r["class"] != "all" and r["metric"] == "f1"]
    rows = sorted((r for r in rows if r["split"] == split), key=lambda r: (not r["is_chosen"], r["recipe"]))
    if not rows:
        return None
    recipes = list(dict.fromkeys(r["recipe"] for r in rows))
    found = {(r["recipe"], r["class"]): r for r in rows}
    names = {r["class"] for r in rows}
    order = [*(name for name in colours if name in names), *sorted(names - set(colours))]
    lines = [_class_line(name, [found.get((r, name)) for r in recipes], colours.get(name, "")) for name in order]
    header = (Cell("Class"), digits("n"), *(digits(recipe) for recipe in recipes), Cell("Note"))
    caption = (
        f"F1 of each class, {split_label(split)}, with 95 % intervals: first the chosen recipe, then every other; the "
        "best is bold. n counts the objects of the class."
    )
    return _without_empty_notes(Table(caption, header, lines))


def _class_line(name: str, mine: Sequence[Record | None], colour: str) -> Line:
    """F1 of one class for each recipe, in the order of `mine` (None: not measured)."""
    present = [r for r in mine if r is not None]
    values = [r["value"] for r in present if is_number(r["value"])]
    best = max(values) if len(values) > 1 else None
    n = max((r["n"] for r in present if r["n"] is not None), default=None)
    scores = [
        digits(interval(r["value"], r["lo"], r["hi"]), r["value"] == best and best is not None) if r else digits(ABSENT)
        for r in mine
    ]
    return Line((Cell(name, colour=colour), digits(count(n)), *scores, Cell(_notes(present))))


def cut_table(records: Sequence[Record]) -> Table:
    """Epochs before each cut, removed by it, and the share."""
    lines = [
        line(
            (r["cut"], r["survey"]), (count(r["n_before"]), count(r["n_removed"]), share(r["n_removed"], r["n_before"]))
        )
        for r in records
    ]
    header = (Cell("Cut"), Cell("Survey"), digits("Epochs before"), digits("Removed"), digits("Share"))
    removed = sum(r["n_removed"] or 0 for r in records)
    return Table(f"Epochs removed by each cut. n = {count(removed)} epochs removed.", header, lines)


def timing_table(records: Sequence[Record]) -> Table:
    """Seconds, rows and rate of each stage, and their sum."""
    lines = [line((r["stage"],), (duration(r["seconds"]), count(r.get("rows")), number(_rate(r)))) for r in records]
    total = sum(r["seconds"] for r in records if is_number(r["seconds"]))
    lines.append(Line((Cell("All stages"), digits(duration(total)), Cell(""), Cell("")), is_chosen=False))
    caption = f"Time of each stage. n = {len(records)} stages, {duration(total)} in all."
    return Table(caption, heads("Stage", "Time", "Rows", "Rows per second"), lines)


def _rate(record: Record) -> Any:
    """Rows per second as given, or from rows and seconds."""
    if is_number(record.get("rate")):
        return record["rate"]
    rows, seconds = record.get("rows"), record["seconds"]
    return rows / seconds if is_number(rows) and is_number(seconds) and seconds > 0 else None


def quarantine_table(rows: Rows) -> Table:
    """Rejected rows by table, column and check, the commonest first, each with an example."""
    keys = ["table", "column", "check"]
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist([dict(row) for row in rows])
    table = pa.table({name: table[name].cast(pa.string()) for name in (*keys, "key", "value")})
    counted = _count_reasons(table, keys)
    order = pc.sort_indices(counted, sort_keys=[("n", "descending"), *((k, "ascending") for k in keys)])
    lines = [
        line((r["table"], r["column"], r["check"]), (count(r["n"]),), (f"{r['key']}: {r['value']}",))
        for r in counted.take(order[:MOST_LINES]).to_pylist()
    ]
    header = (Cell("Table"), Cell("Column"), Cell("Check"), digits("Rows"), Cell("For example"))
    caption = f"Rows that failed validation, by reason. n = {count(table.num_rows)} rows."
    if counted.num_rows > MOST_LINES:
        caption += f" The {MOST_LINES} commonest of {count(counted.num_rows)} reasons."
    return Table(caption, header, lines)


def _count_reasons(table: pa.Table, keys: list[str]) -> pa.Table:
    """One row per reason with its number `n` and the first key and value."""
    as_is = pc.ScalarAggregateOptions(skip_nulls=False)  # key and value of one and the same row
    wanted: list[Any] = [([], "count_all"), ("key", "first", as_is), ("value", "first", as_is)]
    grouped = table.group_by(keys, use_threads=False).aggregate(wanted)  # one thread keeps "first" the first
    return grouped.rename_columns({"count_all": "n", "key_first": "key", "value_first": "value"})


def plain_table(rows: Rows | None, caption: str) -> Table | None:
    """Any small table as it is: columns of the first row, numbers to the right; None where there are no rows."""
    records = as_records(rows)
    if not records:
        return None
    names = list(dict.fromkeys(name for record in records[:MOST_LINES] for name in record))
    numeric = {name for name in names if all(is_number(r[name]) for r in records if r.get(name) is not None)}
    header = tuple(Cell(name.replace("_", " "), is_numeric=name in numeric) for name in names)
    lines = [Line(tuple(_plain_cell(record.get(name)) for name in names)) for record in records[:MOST_LINES]]
    hidden = f" The first {MOST_LINES} of {count(len(records))}." if len(records) > MOST_LINES else ""
    return Table(caption + hidden, header, lines)


def _plain_cell(value: Any) -> Cell:
    if value is None:
        return Cell(ABSENT)
    if isinstance(value, int) and not isinstance(value, bool):
        return digits(count(value))
    return digits(number(value)) if isinstance(value, float) else Cell(str(value))
