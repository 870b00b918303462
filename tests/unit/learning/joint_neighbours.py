"""A model from outside the package, one file and one line: learns a class and a number from the same neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.learning.data import Examples
from tasks.learning.recipe import Recipe
from tasks.learning.spec import Features, ModelSpec
from tasks.learning.targets import Joint, Labels, Target


@dataclass(frozen=True)
class NeighboursConfig:
    """How many labelled neighbours are averaged."""

    k: int = 5


@dataclass(frozen=True, eq=False)
class Neighbours:
    """For each target, the standardised features (n, F) of the objects that have its label, and their answers."""

    columns: tuple[str, ...]
    k: int
    scale: NDArray[np.float64]
    known: dict[str, NDArray]

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Frequencies of classes (S, C), then mean and spread (S, 2), each over the nearest that have the label."""
        x = scaled(examples.matrix(self.columns), self.scale)
        codes, values = (self.known[name][self._nearest(x, f"{name}_x")] for name in ("code", "value"))
        proba = np.stack([(codes == c).mean(1) for c in range(int(self.known["code"].max()) + 1)], axis=1)
        return np.column_stack([proba, values.mean(1), values.std(1) + 1e-3])

    def arrays(self) -> dict[str, NDArray]:
        """What is known, and the scale."""
        return {"scale": self.scale, **self.known}

    def settings(self) -> dict[str, Any]:
        """Columns."""
        return {"columns": list(self.columns)}

    def _nearest(self, x: NDArray, name: str) -> NDArray:
        return ((x[:, None] - self.known[name][None]) ** 2).sum(2).argsort(1)[:, : self.k]


def scaled(matrix: NDArray, scale: NDArray) -> NDArray:
    """Features in units of their spread; the mean where missing."""
    return np.nan_to_num((matrix - scale[0]) / scale[1])


def fit(
    config: NeighboursConfig,
    targets: tuple[Target, ...],
    examples: Examples,
    labels: tuple[Labels, ...],
    weight: NDArray | None,
    seed: int,
    checkpoint: Path | None = None,
) -> Neighbours:
    """Remember, for each target, the objects that have its label."""
    matrix = examples.features.astype(np.float64)
    scale = np.stack([np.nanmean(matrix, 0), np.nanstd(matrix, 0) + 1e-9])
    x = scaled(matrix, scale)
    known: dict[str, NDArray] = {}
    for name, own in zip(("code", "value"), labels, strict=True):
        known |= {name: own.values[own.is_known], f"{name}_x": x[own.is_known]}
    return Neighbours(examples.feature_names, config.k, scale, known)


def build(config: NeighboursConfig, settings: dict[str, Any], arrays: dict[str, NDArray]) -> Neighbours:
    """From stored arrays."""
    known = {name: array for name, array in arrays.items() if name != "scale"}
    return Neighbours(tuple(settings["columns"]), config.k, arrays["scale"], known)


SPEC = ModelSpec(
    name="joint_neighbours",
    kinds=(Joint,),
    needs=(Features(),),
    config=NeighboursConfig,
    cost=1.0,
    simplicity=3,
    fit=fit,
    build=build,
)


def joint_neighbours(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """The first two targets together, where there are two."""
    return (Recipe("joint_neighbours", tuple(targets[:2]), SPEC.name, NeighboursConfig()),) if len(targets) > 1 else ()
