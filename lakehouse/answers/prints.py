"""Prints of items: 64-bit numbers that stand for what was asked for, found again by the record that answers them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RECENT = 4096  # prints that wait outside the sorted base, so that adding one does not sort them all


class PrintIndex:
    """Which number belongs to each print; a print that is added again belongs to the newest number."""

    def __init__(self) -> None:
        self._base = self._near = _Sorted(np.empty(0, np.int64), np.empty(0, np.int64))
        self._new: list[_Sorted] = []

    def add(self, prints: NDArray[np.int64], number: int) -> None:
        """The prints (N,) belong to `number` from now on."""
        self._new.append(_Sorted(prints, np.full(prints.size, number, np.int64)))

    def drop(self, number: int) -> None:
        """No print belongs to `number` any more."""
        self._base = _gathered([self._base, self._near, *self._new]).without(number)
        self._near, self._new = _Sorted(self._base.prints[:0], self._base.numbers[:0]), []

    def find(self, prints: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of each print, (N,); -1 where there is none."""
        if self._new:
            self._near, self._new = _gathered([self._near, *self._new]), []
        if self._near.prints.size > max(RECENT, self._base.prints.size // 8):
            self._base = _gathered([self._base, self._near])
            self._near = _Sorted(self._base.prints[:0], self._base.numbers[:0])
        found = self._near.find(prints)
        missing = found < 0
        if missing.any():
            found[missing] = self._base.find(prints[missing])
        return found


class _Sorted:
    """Ascending prints with their numbers, both (N,)."""

    def __init__(self, prints: NDArray[np.int64], numbers: NDArray[np.int64]) -> None:
        self.prints, self.numbers = prints, numbers

    def find(self, prints: NDArray[np.int64]) -> NDArray[np.int64]:
        if not self.prints.size:
            return np.full(prints.size, -1, np.int64)
        place = np.searchsorted(self.prints, prints)
        place[place == self.prints.size] = 0
        return np.where(self.prints[place] == prints, self.numbers[place], -1)

    def without(self, number: int) -> _Sorted:
        keep = self.numbers != number
        return _Sorted(self.prints[keep], self.numbers[keep])


def _gathered(parts: list[_Sorted]) -> _Sorted:
    """All parts as one; of equal prints the last stays."""
    prints = np.concatenate([part.prints for part in parts])
    numbers = np.concatenate([part.numbers for part in parts])
    order = np.argsort(prints, kind="stable")
    prints, numbers = prints[order], numbers[order]
    last = np.append(prints[1:] != prints[:-1], True)[: prints.size]
    return _Sorted(prints[last], numbers[last])
