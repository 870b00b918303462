"""Cells that are arrays, "[1.0, NaN, null]" or "(1.0, 2.0)": the raw layout of Gaia's epoch photometry unfolded."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from tasks.archives.csv import FALSE, NULLS, TRUE
from tasks.archives.errors import Retryable

BOOL = pa.bool_()
# Bits of other_flags in the long layout: rejected SM, AF1-AF9, BP, RP; a noisy G; unavailable SM, AF1-AF9.
CCDS = ("sm", *(f"af{strip}" for strip in range(1, 10)))
REJECT_BIT = {name: 1 << bit for bit, name in enumerate((*CCDS, "bp", "rp"))}
NOISY_BIT = 1 << 12
UNAVAILABLE_BIT = {name: 1 << (13 + bit) for bit, name in enumerate(CCDS)}
FLAG_TYPES = {
    "photometry_flag_noisy_data": BOOL,
    **{f"photometry_flag_{name}_reject": BOOL for name in REJECT_BIT},
    **{f"photometry_flag_{name}_unavailable": BOOL for name in UNAVAILABLE_BIT},
}
# What `with_flags` makes of them.
MADE_FLAGS = tuple(f"{band}_{name}" for band in ("g", "bp", "rp") for name in ("other_flags", "rejected"))


def conversion(types: Mapping[str, pa.DataType]) -> pacsv.ConvertOptions:
    """How the columns of `types` are read, in every layout: nothing guessed, nulls by the archives' words."""
    return pacsv.ConvertOptions(
        column_types=dict(types),
        include_columns=list(types),
        null_values=NULLS,
        true_values=TRUE,
        false_values=FALSE,
        strings_can_be_null=True,
    )


def has_arrays(body: bytes) -> bool:
    """Whether the cells of a CSV document are arrays over transits, as its first row shows."""
    first_row = body[body.index(b"\n") + 1 :][:100_000].partition(b"\n")[0]
    return re.search(rb"[\[({]", first_row) is not None


def read_table(
    body: bytes, kinds: Mapping[str, pa.DataType], source_id: NDArray[np.int64] | None, is_raw: bool
) -> pa.Table:
    """The columns of `kinds`, as text but for source_id where the cells are arrays.

    `source_id` (rows,) is given where no column says it. Raises ArrowInvalid for a document that cannot be read.
    """
    kinds = as_text(kinds) if is_raw else kinds
    if body.endswith(b"\n") and body.index(b"\n") == len(body) - 1:
        table = pa.schema(list(kinds.items())).empty_table()
    else:
        table = pacsv.read_csv(pa.py_buffer(body), pacsv.ReadOptions(use_threads=False), None, conversion(kinds))
    return table if source_id is None else table.append_column("source_id", pa.array(source_id))


def as_text(kinds: Mapping[str, pa.DataType]) -> dict[str, pa.DataType]:
    """The types of cells that are arrays, before these are unfolded."""
    return {name: kind if name == "source_id" else pa.string() for name, kind in kinds.items()}


def transits(table: pa.Table, kinds: Mapping[str, pa.DataType], transit_id: str = "transit_id") -> pa.Table:
    """One row per transit of raw rows: every cell's values, of the types `kinds`, one below the other.

    `transit_id` names the column that tells how many there are. Raises Retryable where the cells of a row differ in
    length. source_id is no array.
    """
    lengths = _lengths(table[transit_id])
    columns = {"source_id": pa.array(np.repeat(table["source_id"].to_numpy(), lengths))}
    for name in table.column_names:
        if name != "source_id":
            columns[name] = _flat(table[name], lengths, name, kinds[name])
    return pa.table(columns)


def _lengths(cells: pa.ChunkedArray) -> NDArray[np.int64]:
    """How many values each cell holds, (S,)."""
    commas = pc.fill_null(pc.count_substring(cells, ","), 0).to_numpy()
    is_empty = pc.fill_null(pc.equal(pc.utf8_trim(cells, "[](){} "), ""), True).to_numpy()
    return np.where(is_empty, 0, commas + 1)


def _flat(cells: pa.ChunkedArray, lengths: NDArray[np.int64], name: str, kind: pa.DataType) -> pa.ChunkedArray:
    """All values of the cells "[1.0, NaN, null]", `lengths` (S,) of them; a null cell is as many nulls.

    They are written as a document of one column, which the CSV reader parses fast.
    """
    own = _lengths(cells)
    if ((own != lengths) & (own > 0)).any():
        raise Retryable(f"Gaia's epoch photometry has cells of {name!r} with another number of values than transits.")
    nulls = pc.binary_repeat(",", pa.array(np.maximum(lengths - 1, 0)))
    lines = pc.if_else(pa.array(own > 0), cells, nulls).filter(pa.array(lengths > 0)).to_pylist()
    if not lines:
        return pa.chunked_array([pa.array([], kind)])
    document = "\n".join([*lines, ""]).encode().translate(_LINES, delete=b"[](){}\"' ")
    read = pacsv.ReadOptions(use_threads=False, column_names=["value"])
    parse = pacsv.ParseOptions(ignore_empty_lines=False)
    return pacsv.read_csv(pa.py_buffer(document), read, parse, conversion({"value": kind}))["value"]


_LINES = bytes.maketrans(b",", b"\n")


def with_flags(table: pa.Table) -> pa.Table:
    """Transits of the raw layout with the flags of the wide one: other_flags and rejected_by_photometry by band."""
    n = table.num_rows

    def flag(name: str) -> NDArray[np.bool_]:
        column = f"photometry_flag_{name}"
        return _true(table[column]) if column in table.column_names else np.zeros(n, bool)

    reject = {name: flag(f"{name}_reject") for name in REJECT_BIT}
    unavailable = {name: flag(f"{name}_unavailable") for name in UNAVAILABLE_BIT}
    of_g = flag("noisy_data") * NOISY_BIT
    for name in CCDS:
        of_g = of_g + reject[name] * REJECT_BIT[name] + unavailable[name] * UNAVAILABLE_BIT[name]
    columns = {
        "g_other_flags": of_g,
        "g_rejected": np.all([reject[name] | unavailable[name] for name in CCDS], axis=0),
        **{f"{name}_other_flags": reject[name] * REJECT_BIT[name] for name in ("bp", "rp")},
        **{f"{name}_rejected": reject[name] for name in ("bp", "rp")},
    }
    return pa.table({**{name: table[name] for name in table.column_names}, **columns})


def _true(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    return pc.fill_null(column, False).to_numpy()
