"""A random forest over the mean colours alone: what photometry without light curves would give."""

from tasks.features.feature import COLOUR
from tasks.learning.forests import ForestConfig, fit
from tasks.learning.spec import Features, ModelSpec
from tasks.learning.targets import Classification, Regression
from tasks.learning.trees import build

SPEC = ModelSpec(
    name="colour_forest",
    kinds=(Classification, Regression),
    needs=(Features(declared=(COLOUR,)),),
    config=ForestConfig,
    cost=1.0,
    effort=ForestConfig.effort,
    simplicity=2,
    fit=fit,
    build=build,
)
