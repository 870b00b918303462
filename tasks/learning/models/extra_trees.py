"""Extremely randomised trees over all features: columns and thresholds are drawn at each split, no object left out."""

from __future__ import annotations

from functools import partial
from typing import Any

from tasks.learning.forests import ForestConfig, fit
from tasks.learning.spec import Features, ModelSpec
from tasks.learning.targets import Classification, Regression
from tasks.learning.trees import build


def _classifier(settings: dict[str, Any], share: float) -> Any:
    """Geurts, Ernst & Wehenkel 2006 (Mach. Learn. 63, 3); classes weigh the same."""
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(max_features="sqrt", class_weight="balanced", **settings)


def _regressor(settings: dict[str, Any], share: float) -> Any:
    from sklearn.ensemble import ExtraTreesRegressor

    return ExtraTreesRegressor(max_features=share, **settings)


SPEC = ModelSpec(
    name="extra_trees",
    kinds=(Classification, Regression),
    needs=(Features(),),
    config=ForestConfig,
    cost=1.6,
    cost_of_columns=0.28,
    effort=ForestConfig.effort,
    simplicity=5,
    fit=partial(fit, classifier=_classifier, regressor=_regressor),
    build=build,
)
