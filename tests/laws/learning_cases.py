"""Every registered model with each kind of target that it can learn, in small: what the laws of learning run over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from tasks.features.feature import CANDIDATE_PERIOD_DAY, CANDIDATE_PROB, COLOUR, candidate_names
from tasks.learning.data import Examples
from tasks.learning.fit import Model, fit
from tasks.learning.models import MODELS, spec_of
from tasks.learning.recipe import Recipe, config_of
from tasks.learning.spec import Offer
from tasks.learning.targets import CLASS, Regression, Target
from tests.unit.learning.synthetic_stars import stars

# Whatever a model calls its sizes, these are small; a field that a model lacks is left out.
SMALL = {"trees": 6, "hidden": 4, "head": (4,), "central_head": (4,), "batch": 32, "max_passes": 2, "max_per_band": 12,
         "n_bin": 8, "channels": (4, 4), "width": 4, "table": (4,), "options": (("trees", 6),)}  # fmt: skip


def add_candidates(examples: Examples) -> Examples:
    """The examples with candidate periods, of which the first is the period that is a feature of theirs."""
    period = 10 ** examples.matrix(["log_period"]) * np.array([1, 0.5, 2, 3.7])
    chance = np.where(np.isfinite(period), [0.5, 0.2, 0.2, 0.1], np.nan)
    names = (*candidate_names(CANDIDATE_PERIOD_DAY), *candidate_names(CANDIDATE_PROB))
    features = np.concatenate([examples.features, period, chance], axis=1)
    return replace(examples, features=features, feature_names=(*examples.feature_names, *names))


_BARE, CLASSES, TEFF_K = stars(48, seed=11, n_epoch=(4, 16))
EXAMPLES = add_candidates(_BARE)
OTHERS = add_candidates(stars(20, seed=12, n_epoch=(1, 24))[0])  # no model has learned them; some curves are longer
DECLARED = {name: of for of in (CANDIDATE_PERIOD_DAY, CANDIDATE_PROB) for name in candidate_names(of)}
OFFER = Offer({name: {**DECLARED, "colour_g_r": COLOUR}.get(name) for name in EXAMPLES.feature_names})
TARGETS: tuple[tuple[Target, Any], ...] = (
    (CLASS, CLASSES),
    (Regression.of("teff_k"), TEFF_K),
    (Regression.of("radius_rsun"), TEFF_K / 5000),
)


@dataclass(frozen=True)
class Case:
    """A model and a target by their names."""

    model: str
    target: str

    @property
    def labels(self) -> np.ndarray:
        """Labels (48,) of the examples."""
        return next(y for target, y in TARGETS if target.name == self.target)

    @property
    def recipe(self) -> Recipe:
        """Small, with the columns that its model reads."""
        target = next(target for target, _ in TARGETS if target.name == self.target)
        fields = spec_of(self.model).config.__dataclass_fields__
        config = config_of(self.model, {name: value for name, value in SMALL.items() if name in fields})
        return Recipe(self.model, (target,), self.model, config).complete_for(OFFER)


CASES = [
    Case(name, target.name)
    for name in MODELS  # what is made of other models has tests of its own
    if not spec_of(name).is_joined
    for target, _ in TARGETS
    if spec_of(name).can_learn(target) and not spec_of(name).quantities  # relations read columns that are not here
]


@cache
def trained(case: Case) -> Model:
    """The model of a case, trained once for all laws."""
    return fit(case.recipe, EXAMPLES, case.labels)
