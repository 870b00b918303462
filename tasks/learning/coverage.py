"""How often sets and intervals hold the truth: of all objects, of each class, and in bins of magnitude."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.learning.bootstrap import Z, wilson
from tasks.learning.metrics import ALL, Metric

MAGNITUDE_BINS = 4
FEWEST = 10  # objects of a class, or of a bin, whose coverage is stated


@dataclass(frozen=True, eq=False)
class Groups:
    """The class and the magnitude bin of S objects, (S,) text each, "" where unknown."""

    label: NDArray[np.str_]
    magnitude: NDArray[np.str_]

    @classmethod
    def of(cls, label: ArrayLike, magnitude: ArrayLike | None = None) -> Groups:
        """From class labels (S,), "" for none, and magnitudes (S,), NaN where unknown: the bins are their quartiles."""
        mag = np.full(np.shape(label), np.nan) if magnitude is None else np.asarray(magnitude, np.float64)
        known = np.isfinite(mag)
        edges = np.unique(np.quantile(mag[known], np.linspace(0, 1, MAGNITUDE_BINS + 1)) if known.any() else [])
        ends = [f"{low:.1f} to {high:.1f} mag" for low, high in pairwise(edges)]
        place = np.searchsorted(edges[1:-1], mag, side="right")
        names = np.array([*ends, ""])[np.where(known & (len(ends) > 0), place, len(ends))]
        return cls(np.asarray(label).astype(str), names)

    def select(self, index: NDArray[Any]) -> Groups:
        """Those of the objects at `index`: integers, or an (S,) mask."""
        return Groups(self.label[index], self.magnitude[index])


def coverage_metrics(
    metric: str, inside: NDArray[np.float64], groups: Groups | None = None, note: str = ""
) -> list[Metric]:
    """Share of the objects that their set or interval holds, each with its 95 % binomial interval (Wilson's).

    `inside` (S,) is 1 where it does, 0 where not, NaN where there is none. With `groups`, a row for each class, and a
    row "metric:bin" for each magnitude bin, with `FEWEST` objects. Without any object there is no row.
    """
    masks = {(metric, ALL): np.ones(inside.size, bool)}
    if groups is not None:
        masks |= {(metric, name): own for name, own in _masks(groups.label)}
        masks |= {(f"{metric}:{name}", ALL): own for name, own in _masks(groups.magnitude)}
    rows = []
    for (name, group), mask in masks.items():
        own = inside[mask & np.isfinite(inside)]
        if own.size >= (1 if name == metric and group == ALL else FEWEST):
            lo, hi = wilson(own.sum(), own.size)
            rows.append(Metric(name, group, float(own.mean()), float(lo), float(hi), own.size, note or None))
    return rows


def _masks(names: NDArray[np.str_]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Each name but "" and where it stands, (S,)."""
    return ((str(name), names == name) for name in np.unique(names[names != ""]))


def set_size_metrics(size: NDArray[np.int64], note: str = "") -> list[Metric]:
    """Mean number of classes in the sets of S > 0 objects, and the share of sets without any; `size` (S,)."""
    mean, half = float(size.mean()), float(Z * size.std() / np.sqrt(size.size))
    rows = [Metric("set_size", ALL, mean, mean - half, mean + half, size.size, note or None)]
    return rows + coverage_metrics("empty_sets", (size == 0).astype(np.float64), None, note)
