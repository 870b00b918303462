"""What the models that are random forests have in common: their settings, and the fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tasks.learning.data import Examples
from tasks.learning.targets import Classification, Labels, Regression, Target
from tasks.learning.trees import Forest, from_estimators

MOST_TRIED = 150.0  # columns at a split of a regressor, of which a third is usual: hundreds cost time and gain nothing
SIGMA_FLOOR_FRACTION = 0.02  # of the spread of the target: trees that happen to agree are not certain


@dataclass(frozen=True)
class ForestConfig:
    """Settings of a random forest."""

    trees: Annotated[int, Field(ge=1, le=5000, description="number of trees")] = 300
    min_leaf: Annotated[int, Field(ge=1, le=1000, description="fewest objects in a leaf")] = 1
    most_drawn: Annotated[int, Field(ge=10, description="objects that a tree draws, where there are more")] = 4000

    def effort(self, n: float) -> float:
        """The time that n objects take is proportional to it."""
        return self.trees * min(n, self.most_drawn)


Estimator = Callable[[dict[str, Any], float], Any]  # from settings of all forests, and the share of columns tried


def fit(
    config: ForestConfig,
    targets: tuple[Target, ...],
    examples: Examples,
    labels: tuple[Labels, ...],
    weight: NDArray[np.float64] | None,
    seed: int,
    checkpoint: Path | None = None,
    classifier: Estimator | None = None,
    regressor: Estimator | None = None,
) -> Forest:
    """Forest of one target on all columns of the examples; `classifier`, `regressor` make another estimator."""
    del checkpoint
    (target,), (own,) = targets, labels
    columns = examples.feature_names
    if not columns:
        raise ValueError(f"{target.name}: a forest needs at least one feature column, and there is none.")
    settings = {"n_estimators": config.trees, "random_state": seed, "n_jobs": 1, "min_samples_leaf": config.min_leaf}
    if len(examples) > config.most_drawn:
        settings |= {"bootstrap": True, "max_samples": config.most_drawn}
    makers: dict[type[Target], Estimator] = {
        Classification: classifier or _classifier,
        Regression: regressor or _regressor,
    }
    fitted = makers[type(target)](settings, min(1 / 3, MOST_TRIED / len(columns)))
    fitted.fit(examples.matrix(columns), own.values, sample_weight=weight)
    floors: dict[type[Target], float] = {Regression: float(SIGMA_FLOOR_FRACTION * np.std(own.values)) + 1e-9}
    return from_estimators(fitted, columns, floors.get(type(target)))


def balanced_classifier(settings: dict[str, Any], share: float) -> Any:
    """Chen, Liaw & Breiman 2004 (Berkeley TR 666): per tree, a draw of the rarest class's size from every class.

    With replacement. imbalanced-learn's defaults for these three have changed between versions, so they are set.
    """
    from imblearn.ensemble import BalancedRandomForestClassifier

    own = {"max_features": "sqrt", "sampling_strategy": "all", "replacement": True, "bootstrap": False}
    return BalancedRandomForestClassifier(**settings | own | {"max_samples": None})


def _classifier(settings: dict[str, Any], share: float) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(max_features="sqrt", class_weight="balanced_subsample", **settings)


def _regressor(settings: dict[str, Any], share: float) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(max_features=share, **settings)
