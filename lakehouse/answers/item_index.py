"""Hashes of items: 64-bit numbers that stand for what was asked for, found again by the record that answers them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RECENT = 4096  # hashes that wait outside the sorted base, so that adding one does not sort them all


class ItemIndex:
    """Which number belongs to each hash; a hash that is added again belongs to the newest number."""

    def __init__(self) -> None:
        self._base = self._near = _Sorted(np.empty(0, np.int64), np.empty(0, np.int64))
        self._new: list[_Sorted] = []

    def add(self, item_hashes: NDArray[np.int64], number: int) -> None:
        """The hashes (N,) belong to `number` from now on."""
        self._new.append(_Sorted(item_hashes, np.full(item_hashes.size, number, np.int64)))

    def drop(self, number: int) -> None:
        """No hash belongs to `number` any more."""
        self._base = _merge([self._base, self._near, *self._new]).without(number)
        self._near, self._new = _Sorted(self._base.item_hashes[:0], self._base.numbers[:0]), []

    def find(self, item_hashes: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of each hash, (N,); -1 where there is none."""
        if self._new:
            self._near, self._new = _merge([self._near, *self._new]), []
        if self._near.item_hashes.size > max(RECENT, self._base.item_hashes.size // 8):
            self._base = _merge([self._base, self._near])
            self._near = _Sorted(self._base.item_hashes[:0], self._base.numbers[:0])
        found = self._near.find(item_hashes)
        missing = found < 0
        if missing.any():
            found[missing] = self._base.find(item_hashes[missing])
        return found


class _Sorted:
    """Ascending hashes with their numbers, both (N,)."""

    def __init__(self, item_hashes: NDArray[np.int64], numbers: NDArray[np.int64]) -> None:
        self.item_hashes, self.numbers = item_hashes, numbers

    def find(self, item_hashes: NDArray[np.int64]) -> NDArray[np.int64]:
        if not self.item_hashes.size:
            return np.full(item_hashes.size, -1, np.int64)
        place = np.searchsorted(self.item_hashes, item_hashes)
        place[place == self.item_hashes.size] = 0
        return np.where(self.item_hashes[place] == item_hashes, self.numbers[place], -1)

    def without(self, number: int) -> _Sorted:
        keep = self.numbers != number
        return _Sorted(self.item_hashes[keep], self.numbers[keep])


def _merge(parts: list[_Sorted]) -> _Sorted:
    """All parts as one; of equal hashes the last stays."""
    item_hashes = np.concatenate([part.item_hashes for part in parts])
    numbers = np.concatenate([part.numbers for part in parts])
    order = np.argsort(item_hashes, kind="stable")
    item_hashes, numbers = item_hashes[order], numbers[order]
    last = np.append(item_hashes[1:] != item_hashes[:-1], True)[: item_hashes.size]
    return _Sorted(item_hashes[last], numbers[last])
