"""Requests: a question about some items, cut from a longer list of them, and cut again where that proves too much."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.arrays import GOLDEN, splitmix64
from tasks.archives.question import Question

_NULL = GOLDEN  # stands for a null in a hash


@dataclass(frozen=True, eq=False)
class Request:
    """A question about `items` (N rows). `item_hashes` (N,) stand for them, `identity` for the question."""

    question: Question
    identity: str
    items: pa.Table
    item_hashes: NDArray[np.int64]

    @property
    def key(self) -> str:
        """Hash of all that is asked, (32 hex digits)."""
        return blake2b(self.identity.encode() + self.item_hashes.astype("<i8").tobytes(), digest_size=16).hexdigest()

    def __len__(self) -> int:
        return self.items.num_rows

    def only(self, mask: NDArray[np.bool_]) -> Request:
        """The same question about the items where `mask` (N,) is true."""
        return Request(self.question, self.identity, self.items.filter(pa.array(mask)), self.item_hashes[mask])

    def halves(self) -> tuple[Request, Request] | None:
        """Two requests that ask the same together: half the items each, or half the range lo to hi (both ends in).

        None where the one item cannot be divided. The same request always has the same halves.
        """
        n = len(self)
        if n > 1:
            first = np.arange(n) < n // 2
            return self.only(first), self.only(~first)
        if not {"lo", "hi"} <= set(self.items.column_names) or self.question.key is not None:
            return None
        lo, hi = (int(self.items[name][0].as_py()) for name in ("lo", "hi"))
        if lo >= hi:
            return None
        middle = (lo + hi) // 2
        return self._with_range(lo, middle), self._with_range(middle + 1, hi)

    def _with_range(self, lo: int, hi: int) -> Request:
        items = self.items
        for name, value in (("lo", lo), ("hi", hi)):
            place = items.column_names.index(name)
            items = items.set_column(place, items.schema.field(name), pa.array([value], items.schema.field(name).type))
        return Request(self.question, self.identity, items, hash_items(items, None))


def distinct(question: Question, items: pa.Table) -> tuple[pa.Table, NDArray[np.int64]]:
    """The items, each once, in the question's order, else by its key, or as they come; and their hashes (N,).

    ValueError where an item has no key, or where two items of one key differ otherwise.
    """
    items, key, service = items.combine_chunks(), question.key, question.service
    if key is None:
        own = hash_items(items, None)
        _, first = np.unique(own, return_index=True)
        first.sort()
        return items.take(pa.array(first)), own[first]
    if items[key].null_count:
        raise ValueError(f"{service}: {items[key].null_count:,} of {items.num_rows:,} items have no {key}.")
    items = items.take(pc.sort_indices(items, sort_keys=[(key, "ascending")]))
    own = hash_items(items, key)
    column = items[key].combine_chunks()
    again = np.zeros(items.num_rows, bool)
    again[1:] = pc.equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    different = again[1:] & (own[1:] != own[:-1])
    if different.any():
        raise ValueError(
            f"{service}: {int(different.sum()):,} items share their {key} with one that differs from them."
        )
    items, own = items.filter(pa.array(~again)), own[~again]
    if question.order is None:
        return items, own
    place = np.argsort(question.order(items), kind="stable")
    return items.take(pa.array(place)), own[place]


def cut(
    question: Question,
    identity: str,
    items: pa.Table,
    item_hashes: NDArray[np.int64],
    wanted: NDArray[np.bool_],
    size: int,
) -> list[Request]:
    """Requests about the `wanted` ones (N,) among all items (N rows), at most `size` items each.

    Borders lie at fixed places in the list of all items: what is left of a request that was half answered is asked
    in one request, and other requests are as they were.
    """
    place = np.flatnonzero(wanted)
    if not place.size:
        return []
    edges = np.flatnonzero(np.diff(place // size)) + 1
    return [
        Request(question, identity, items.take(pa.array(part)), item_hashes[part]) for part in np.split(place, edges)
    ]


def hash_items(items: pa.Table, key: str | None) -> NDArray[np.int64]:
    """Hashes (N,): the ids themselves where an item is no more than a whole number, else a hash of each row."""
    if key is not None and items.column_names == [key] and pa.types.is_integer(items.schema.field(key).type):
        return items[key].to_numpy().astype(np.int64)
    mixed = np.zeros(items.num_rows, np.uint64)
    for name in sorted(items.column_names):
        salt = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")
        mixed = splitmix64(splitmix64(mixed ^ np.uint64(salt)) ^ _bits(items[name]))
    return mixed.view(np.int64)


def _bits(column: pa.ChunkedArray) -> NDArray[np.uint64]:
    """64 bits for each value of a column, (N,); equal values have equal bits in every run, floats to 1e-12."""
    values, kind = column.combine_chunks(), column.type
    empty = values.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_boolean(kind):
        bits = values.fill_null(False).to_numpy(zero_copy_only=False).astype(np.uint64)
    elif pa.types.is_integer(kind):
        bits = values.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64).view(np.uint64)
    elif pa.types.is_floating(kind):
        floats = values.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
        # To 40 bits of mantissa: another machine may compute a position with another last bit. -0.0 + 0.0 is 0.0.
        bits = ((floats + 0.0).view(np.uint64) + np.uint64(1 << 11)) >> np.uint64(12)
    else:
        coded = values.cast(pa.string()).dictionary_encode()
        words = [blake2b(str(word).encode(), digest_size=8).digest() for word in coded.dictionary.to_pylist()]
        table = np.append(np.frombuffer(b"".join(words), "<u8"), np.uint64(0))
        bits = table[coded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)]
    return np.where(empty, _NULL, bits)
