"""A balanced random forest: every tree sees as many objects of each class as there are of the rarest."""

from __future__ import annotations

from functools import partial
from typing import Any

from tasks.learning.forests import ForestConfig, fit
from tasks.learning.spec import Features, ModelSpec
from tasks.learning.targets import Classification
from tasks.learning.trees import build


def _estimator(settings: dict[str, Any], n_column: int) -> Any:
    """Chen, Liaw & Breiman 2004 (Berkeley TR 666): per tree, a draw of the rarest class's size from every class.

    With replacement. imbalanced-learn's defaults for these three have changed between versions, so they are set.
    """
    from imblearn.ensemble import BalancedRandomForestClassifier

    return BalancedRandomForestClassifier(
        max_features="sqrt", sampling_strategy="all", replacement=True, bootstrap=False, **settings
    )


SPEC = ModelSpec(
    name="balanced_forest",
    kinds=(Classification,),
    needs=(Features(),),
    config=ForestConfig,
    cost=5.0,
    simplicity=4,
    fit=partial(fit, classifier=_estimator),
    build=build,
)
