"""What every room does with the columns of tables: rows found by their id, nulls as NaN, 64-bit hashes.

Storage, stages and science need the same, and science may not import storage: their home is the room below all.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, odd: the step between the states of splitmix64
Words = TypeVar("Words", NDArray[np.uint64], np.uint64)


def align(ids: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row of each of `ids` (N,) in the ids `keys` (S,), both in any order: (N,), -1 where it is not there.

    Of equal ids in `keys` the first counts.
    """
    return pc.index_in(pa.array(ids), value_set=pa.array(keys)).fill_null(-1).to_numpy().astype(np.int64)


def align_all(ids: NDArray[np.int64], keys: NDArray[np.int64], table: str) -> NDArray[np.int64]:
    """Row of each of `ids` (N,) in the ids `keys` (S,) of `table`; ValueError where one is not there."""
    row = align(ids, keys)
    if absent := np.count_nonzero(row < 0):
        raise ValueError(f"{table}: {absent:,} of {ids.size:,} sources have no row; an earlier stage lost them.")
    return row


def look_up(ids: pa.ChunkedArray, keys: pa.ChunkedArray, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The value beside each of `ids` (N,) in the ids `keys` (S,), whose values are `values` (S,); null where none is.

    Of equal ids in `keys` the first counts.
    """
    return values.take(pc.index_in(ids, value_set=keys.combine_chunks()))


def floats(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    """A column of numbers as float64, (N,); NaN where it is null."""
    return column.cast(pa.float64()).to_numpy(zero_copy_only=False)


def splitmix64(words: Words) -> Words:
    """A bijection of 64-bit words, (N,), in which every bit of the input moves every bit of the output.

    The finaliser of splitmix64 (Steele, Lea & Flood 2014, OOPSLA, fig. 16; Stafford's variant 13).
    """
    with np.errstate(over="ignore"):  # arithmetic modulo 2**64 is the point
        words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return words ^ (words >> np.uint64(31))
