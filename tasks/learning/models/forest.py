"""A random forest over all features; of classes, each tree weighs them by their frequency in its own sample."""

from tasks.learning.forests import ForestConfig, fit
from tasks.learning.spec import Features, ModelSpec
from tasks.learning.targets import Classification, Regression
from tasks.learning.trees import build

SPEC = ModelSpec(
    name="forest",
    kinds=(Classification, Regression),
    needs=(Features(),),
    config=ForestConfig,
    cost=3.6,
    cost_of_columns=0.5,
    effort=ForestConfig.effort,
    simplicity=3,
    fit=fit,
    build=build,
    is_floor=True,
)
