"""A balanced random forest: every tree sees as many objects of each class as there are of the rarest."""

from __future__ import annotations

from functools import partial

from tasks.learning.forests import ForestConfig, balanced_classifier, fit
from tasks.learning.spec import Features, ModelSpec
from tasks.learning.targets import Classification
from tasks.learning.trees import build

SPEC = ModelSpec(
    name="balanced_forest",
    kinds=(Classification,),
    needs=(Features(),),
    config=ForestConfig,
    cost=1.6,
    cost_of_columns=0.08,
    effort=ForestConfig.effort,
    simplicity=4,
    fit=partial(fit, classifier=balanced_classifier),
    build=build,
)
