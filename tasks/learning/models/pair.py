"""Any classifier of features, of pairs (star, candidate period): the sum over candidates of p(candidate) p(class | it).

Wrong periods are most of the errors of classes: a star whose period is in doubt is scored at each of its candidates. It
trains at the one that agrees with a published period, else at the chosen one (decision 20). The columns that are of the
chosen period alone are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from tasks.features import chosen_period_columns
from tasks.features.feature import CANDIDATE_PERIOD_DAY, CANDIDATE_PROB, N_CANDIDATE
from tasks.learning.data import Examples
from tasks.learning.models import spec_of
from tasks.learning.pairs import at_known_period, pairs_of
from tasks.learning.spec import Body, Features, ModelSpec
from tasks.learning.targets import Classification, Labels, Target

Value = bool | int | float | str
N_COLUMNS = 500  # for which the costs of base models are compared
CHUNK = 20_000  # stars per pass: bounds the memory of their pairs


@dataclass(frozen=True)
class PairConfig:
    """The base model, and what of its own configuration differs from the defaults."""

    base: Annotated[str, Field(description="name of a classifier of features")] = "forest"
    options: Annotated[
        tuple[tuple[str, Value], ...], Field(description="settings of the base model, (name, value) each")
    ] = ()

    def __post_init__(self) -> None:
        spec = spec_of(self.base)
        if Classification not in spec.kinds or spec.reads_curves or spec.is_joined or spec.config is PairConfig:
            raise ValueError(f"{self.base} is no classifier of features")
        _ = self.of_base

    @property
    def spec(self) -> ModelSpec:
        """The base model's."""
        return spec_of(self.base)

    @property
    def of_base(self) -> Any:
        """The base model's configuration; ValueError where the options cannot be of it."""
        if unknown := sorted(set(dict(self.options)) - set(self.spec.config.__dataclass_fields__)):
            raise ValueError(f"{self.base} has no setting {unknown[0]!r}")
        try:
            return TypeAdapter(self.spec.config).validate_python(dict(self.options))
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"{first['loc'][0]} = {first['input']!r}: {first['msg'].lower()}") from None


@dataclass(frozen=True, eq=False)
class PairBody:
    """The base model, trained on pairs."""

    base: Body
    width: int

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Class probabilities (S, C) of the stars."""
        proba = np.empty((len(examples), self.width))
        for start in range(0, len(examples), CHUNK):
            index = np.arange(start, min(start + CHUNK, len(examples)))
            pairs = pairs_of(examples.select(index))
            proba[index] = pairs.mean(self.base.predict(pairs.examples), index.size)
        return proba

    def arrays(self) -> dict[str, NDArray]:
        """Those of the base model."""
        return self.base.arrays()

    def settings(self) -> dict[str, Any]:
        """Those of the base model, and the number of classes."""
        return {"base": self.base.settings(), "width": self.width}


def fit(
    config: PairConfig,
    targets: tuple[Target, ...],
    examples: Examples,
    labels: tuple[Labels, ...],
    weight: NDArray[np.float64] | None,
    seed: int,
    checkpoint: Path | None = None,
) -> PairBody:
    """The base model, on each star at one candidate."""
    base = config.spec.fit(config.of_base, targets, at_known_period(examples), labels, weight, seed, checkpoint)
    return PairBody(base, targets[0].width)


def build(config: PairConfig, settings: dict[str, Any], arrays: dict[str, NDArray]) -> PairBody:
    """From the stored base model."""
    return PairBody(config.spec.build(config.of_base, settings["base"], arrays), int(settings["width"]))


SPEC = ModelSpec(
    name="pair",
    kinds=(Classification,),
    needs=(
        Features(declared=(CANDIDATE_PERIOD_DAY, CANDIDATE_PROB), candidates=N_CANDIDATE),
        Features(candidates=N_CANDIDATE, without=chosen_period_columns()),
    ),
    config=PairConfig,
    cost=3.6,
    cost_of_columns=0.5,
    effort=lambda config, n: config.spec.reckon_seconds(config.of_base, n, N_COLUMNS),
    simplicity=8,
    fit=fit,
    build=build,
)
