"""Balanced forests down a tree of classes: one at each place where classes part; probabilities are products."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from tasks.learning.data import Examples
from tasks.learning.forests import ForestConfig, balanced_classifier
from tasks.learning.forests import fit as fit_forest
from tasks.learning.spec import Features, ModelSpec
from tasks.learning.targets import Classification, Labels, Target
from tasks.learning.taxonomy import DEFAULT, Taxonomy, branchings, check_taxonomy
from tasks.learning.trees import Forest
from tasks.learning.trees import build as build_forest


@dataclass(frozen=True)
class HierarchyConfig:
    """Settings of the forests, and the tree of classes: pairs of a branch and what hangs from it."""

    trees: Annotated[int, Field(ge=1, le=5000, description="number of trees at each place")] = 300
    min_leaf: Annotated[int, Field(ge=1, le=1000, description="fewest objects in a leaf")] = 1
    taxonomy: Annotated[
        Taxonomy, Field(description="branches, and the classes and branches that hang from each"),
        AfterValidator(check_taxonomy),
    ] = DEFAULT  # fmt: skip


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """A forest for each place; `places` has the numbers of the classes behind each of its ways."""

    places: list[list[list[int]]]
    forests: list[Forest]
    n_class: int

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Probabilities of the classes, (S, C): of each the product of those of the ways that lead to it."""
        proba = np.ones((len(examples), self.n_class))
        for ways, forest in zip(self.places, self.forests, strict=True):
            for classes, taken in zip(ways, forest.predict(examples).T, strict=True):
                proba[:, classes] *= taken[:, None]
        return proba

    def arrays(self) -> dict[str, NDArray]:
        """Those of every forest, behind its number."""
        return {f"{i}.{name}": array for i, each in enumerate(self.forests) for name, array in each.arrays().items()}

    def settings(self) -> dict[str, Any]:
        """Those of every forest, and the places."""
        return {"places": self.places, "forests": [each.settings() for each in self.forests], "n_class": self.n_class}


def fit(
    config: HierarchyConfig,
    targets: tuple[Target, ...],
    examples: Examples,
    labels: tuple[Labels, ...],
    weight: NDArray[np.float64] | None,
    seed: int,
    checkpoint: Path | None = None,
) -> Hierarchy:
    """Sanchez-Saez et al. 2021 (AJ 161, 141), section 4.2: at each place a balanced forest of the classes behind it."""
    places, code = branchings(config.taxonomy, targets[0].classes), labels[0].values
    forests = []
    for ways in places:
        way = np.full(targets[0].width, -1)
        for number, classes in enumerate(ways):
            way[classes] = number
        rows = np.flatnonzero(way[code] >= 0)
        own, weights = ForestConfig(config.trees, config.min_leaf), None if weight is None else weight[rows]
        forests.append(
            fit_forest(own, targets, examples.select(rows), (Labels.of(way[code][rows]),), weights, seed, checkpoint,
                       classifier=balanced_classifier)
        )  # fmt: skip
    return Hierarchy(places, forests, targets[0].width)


def build(config: HierarchyConfig, settings: dict[str, Any], arrays: dict[str, NDArray]) -> Hierarchy:
    """Hierarchy of stored arrays; ValueError where they cannot be forests."""
    del config
    forests = []
    for i, own in enumerate(settings["forests"]):
        mine = {name.removeprefix(f"{i}."): array for name, array in arrays.items() if name.startswith(f"{i}.")}
        forests.append(build_forest(None, own, mine))
    return Hierarchy(settings["places"], forests, settings["n_class"])


SPEC = ModelSpec(
    name="hierarchical_forest",
    kinds=(Classification,),
    needs=(Features(),),
    config=HierarchyConfig,
    cost=4.4,
    cost_of_columns=0.3,
    effort=lambda config, n: ForestConfig(config.trees).effort(n),
    simplicity=7,
    fit=fit,
    build=build,
)
