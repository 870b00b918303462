"""Names that become columns: those of bands and classes, which must differ in more than case over the whole lake.

The second of two that do not, such as G beside g, gets the survey's or the dataset's name appended, and keeps it. So do
bands whose pairs would be written alike, as colours are: a_b with c, and a with b_c.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count

import pyarrow as pa

from lakehouse.delta.store import Lake
from schemas import TABLES

NAME = TABLES["core_dataset__name"]
BAND, CLASS = "band", "class"
HOLDERS = {BAND: (TABLES["core_dataset__band"], "name"), CLASS: (TABLES["label_sample__class"], "class")}


def read_column_names(lake: Lake, dataset: str, kind: str) -> dict[str, str]:
    """What columns of the dataset's bands or classes are called where it is not their own name."""
    return {name: column for (owner, name), column in _renamed(lake, kind).items() if owner == dataset}


def choose_column_names(
    lake: Lake, dataset: str, kind: str, names: Sequence[str], endings: Mapping[str, str]
) -> dict[str, str]:
    """What columns of each of `names` are called: as it is, or with its ending where they would differ in case alone.

    A name that the dataset has in the lake keeps its columns.
    """
    renamed = _renamed(lake, kind)
    stored = _read_names(lake, kind, renamed)
    taken = {renamed.get((owner, name), name) for owner, name in stored if owner != dataset}
    spelt = {column.casefold(): column for column in taken}
    pairs: dict[str, tuple[str, str]] = {}
    chosen: dict[str, str] = {}
    for name in sorted(names, key=lambda name: (dataset, name) not in stored):
        for column in _candidates(name, renamed.get((dataset, name)), endings.get(name, dataset)):
            is_free = column == name or column not in names
            is_clear = kind != BAND or (dataset, name) in stored or _are_clear(column, chosen.values(), pairs)
            is_new = is_free and is_clear and column not in chosen.values()
            if is_new and spelt.setdefault(column.casefold(), column) == column:
                pairs |= _list_pairs(column, chosen.values())
                chosen[name] = column
                break
    return {name: chosen[name] for name in names}


def _list_pairs(column: str, others: Iterable[str]) -> dict[str, tuple[str, str]]:
    """What columns of a pair of bands end with, for each pair of `column` with one of `others`."""
    pairs = (pair for other in others for pair in ((column, other), (other, column)))
    return {"_".join(pair).casefold(): pair for pair in pairs}


def _are_clear(column: str, others: Collection[str], pairs: Mapping[str, tuple[str, str]]) -> bool:
    """Whether no two of `pairs`, and those of `column` with `others`, are written alike."""
    more = _list_pairs(column, others)
    return len(more) == 2 * len(others) and more.keys().isdisjoint(pairs)


def name_rows(dataset: str, of_kind: Mapping[str, Mapping[str, str]]) -> pa.Table:
    """Rows of core_dataset__name: of each kind the names whose columns are called otherwise."""
    rows = [
        {"dataset": dataset, "kind": kind, "name": name, "column_name": column}
        for kind, columns in of_kind.items()
        for name, column in columns.items()
        if name != column
    ]
    return pa.Table.from_pylist(rows, schema=NAME.arrow())


def _candidates(name: str, kept: str | None, ending: str) -> Iterator[str]:
    """Names for the columns of one, in the order in which they are tried."""
    longer = f"{name}_{re.sub(r'[^A-Za-z0-9_]+', '_', ending).strip('_')}"
    yield from [kept] if kept else []
    yield from (name, longer)
    yield from (f"{longer}_{number}" for number in count(2))


def _renamed(lake: Lake, kind: str) -> dict[tuple[str, str], str]:
    """Column names of the lake's bands or classes that are not their own, by dataset and name."""
    rows = lake.read(NAME, where={"kind": kind}).to_pylist() if lake.exists(NAME) else []
    return {(row["dataset"], row["name"]): row["column_name"] for row in rows}


def _read_names(lake: Lake, kind: str, renamed: Mapping[tuple[str, str], str]) -> set[tuple[str, str]]:
    """Dataset and name of all bands or classes in the lake. Bands stand there by the names of their columns."""
    spec, column = HOLDERS[kind]
    if not lake.exists(spec):
        return set()
    rows = lake.read(spec, columns=["dataset", column]).group_by(["dataset", column]).aggregate([])
    found = {(row["dataset"], row[column]) for row in rows.to_pylist()}
    own = {(owner, column): name for (owner, name), column in renamed.items()} if kind == BAND else {}
    return {(owner, own.get((owner, name), name)) for owner, name in found}
