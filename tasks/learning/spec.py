"""What a model declares of itself. Everyone asks the spec; no code outside `models/` and `recipes/` names a model.

A model is one file that ends in ``SPEC = ModelSpec(...)`` and one line in `models.MODELS`. Two functions carry it:

``fit(config, targets, examples, labels, weight, seed, checkpoint) -> Body``
    `config` is of the spec's `config` class. `targets` (K,) and `labels` (K,) go together: one of each, more for a
    model of kind Joint. Of a Classification, ``labels[0].values`` (S,) int64 are codes of ``targets[0].classes`` (C,),
    all of which occur; of a Regression they are (S,) float64 in the space that is learnt (log10 of a log quantity).
    Only a Joint model is given labels that are missing: ``labels[k].is_known`` (S,) is False there. `examples` hold the
    recipe's columns alone, in the order of source_id. `weight` (S,) multiplies each object's part of the loss, or None.
    `checkpoint` names a file in which a long training keeps its state, so that one that was killed goes on from there
    to the same body; None for none. A short training ignores it.
``build(config, settings, arrays) -> Body``
    The body again, from what its `settings()` and `arrays()` gave; ValueError where they cannot be of this model.

``Body.predict(examples)`` returns (S, W) float64, the raw predictions of all targets side by side: the probabilities
(S, C) of a Classification, the mean and its spread (S, 2) of a Regression in the space that is learnt.

A model file is light: what is heavy (torch, scikit-learn) is imported inside `fit`, `build` and the body, because
recipes are read where nothing is trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from schemas import Column
from tasks.features.feature import candidate_names
from tasks.learning.data import Examples
from tasks.learning.targets import Labels, Target

Config = TypeVar("Config")
ConfigRead = TypeVar("ConfigRead", contravariant=True)


class Body(Protocol):
    """The learned part of a model, in arrays and plain settings so that it can be stored without pickle."""

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Raw predictions (S, W) of all targets side by side, as described above."""

    def arrays(self) -> dict[str, NDArray]:
        """Everything learned, by name."""

    def settings(self) -> dict[str, Any]:
        """What else `build` needs, as JSON."""


class Fit(Protocol[ConfigRead]):
    """Trains a model; see above."""

    def __call__(
        self,
        config: ConfigRead,
        targets: tuple[Target, ...],
        examples: Examples,
        labels: tuple[Labels, ...],
        weight: NDArray[np.float64] | None,
        seed: int,
        checkpoint: Path | None = None,
    ) -> Body:
        """The trained body."""


class Build(Protocol[ConfigRead]):
    """Loads a model; see above."""

    def __call__(self, config: ConfigRead, settings: dict[str, Any], arrays: dict[str, NDArray]) -> Body:
        """The stored body."""


@dataclass(frozen=True)
class Offer:
    """What a dataset has for models to read.

    `columns`: each feature column and the declared one that it stands for, as colour_mag_g_r stands for
    colour_mag_{pair}; None where none is declared any more.
    `has_curves`: there are light curves; `has_time`: their times are not phases.
    """

    columns: Mapping[str, Column | None] = field(default_factory=dict)
    has_curves: bool = True
    has_time: bool = True


class Need(Protocol):
    """Something that a model reads."""

    @property
    def reads_curves(self) -> bool:
        """True where light curves must be read for it."""

    def columns(self, offer: Offer) -> tuple[str, ...]:
        """The feature columns that it reads of those on offer, in their order."""

    def lacks(self, offer: Offer) -> str:
        """What it needs and the dataset has not, in a few words; "" where nothing is missing."""


@dataclass(frozen=True)
class Features:
    """Feature columns: those that stand for the `declared` columns, or all; of candidate periods the first few.

    `candidates`: of how many candidate periods. What is seen at the second or the third says little of a star where
    nobody knows which one is right. `without`: declared columns that are left out. `setting`: of the model, they are
    read where it is true; "" for always.
    """

    declared: tuple[Column, ...] = ()
    reads_curves: bool = False
    candidates: int = 1
    without: tuple[Column, ...] = ()
    setting: str = ""

    def columns(self, offer: Offer) -> tuple[str, ...]:
        """The columns on offer that stand for a declared one."""
        late = {name for of in offer.columns.values() if of for name in candidate_names(of)[self.candidates :]}
        asked = (name for name, of in offer.columns.items() if not self.declared or of in self.declared)
        return tuple(name for name in asked if name not in late and offer.columns[name] not in self.without)

    def lacks(self, offer: Offer) -> str:
        """Missing where not one column is on offer."""
        return "" if self.columns(offer) else ", ".join(each.name for each in self.declared) or "features"


@dataclass(frozen=True)
class Curves:
    """Light curves, as rows of differences, points or what else `inputs` makes of them.

    `has_time`: with times, which phase-folded curves do not have.
    """

    has_time: bool = True
    reads_curves: bool = True

    def columns(self, offer: Offer) -> tuple[str, ...]:
        """No feature column."""
        return ()

    def lacks(self, offer: Offer) -> str:
        """Missing in mean photometry, and in folded curves where times are needed."""
        if not offer.has_curves:
            return "light curves"
        return "times of the epochs" if self.has_time and not offer.has_time else ""


@dataclass(frozen=True)
class Folded:
    """Light curves folded at candidate periods: those of the columns `periods` [day], each times each of `factors`.

    `periods` are declared columns: `CANDIDATE_PERIOD_DAY` stands for all candidates of the choice, the chosen one
    first. `chances` are those with the probability of each candidate, in the same order; () where there are none.
    Curves that are folded already, whose times are phases, have one candidate, of period 1. A model folds at its
    `candidates` with `fold_to_bins` or `fold_to_points` of `inputs.folded`.
    """

    periods: tuple[Column, ...]
    factors: tuple[float, ...] = (1.0,)
    chances: tuple[Column, ...] = ()
    reads_curves: bool = True

    def columns(self, offer: Offer) -> tuple[str, ...]:
        """The columns of the periods and of their probabilities; none where times are phases."""
        return tuple(name for name, of in offer.columns.items() if of in self._declared(offer))

    def lacks(self, offer: Offer) -> str:
        """Missing without light curves, and where one of the periods or probabilities is not on offer."""
        absent = (each.name for each in self._declared(offer) if each not in offer.columns.values())
        return Curves(has_time=False).lacks(offer) or ", ".join(absent)

    def candidates(self, examples: Examples) -> NDArray[np.float64]:
        """Candidate periods (S, K) [day], all factors of the first column first; NaN where no period was found."""
        if not self._has_periods(examples):
            return np.ones((len(examples), 1))
        found = examples.matrix(_concrete(self.periods)).astype(np.float64)
        return (found[:, :, None] * np.array(self.factors)).reshape(len(examples), found.shape[1] * len(self.factors))

    def candidate_chances(self, examples: Examples) -> NDArray[np.float64]:
        """Probability (S, K) of each candidate, NaN where there is none; 1 where no probabilities are declared."""
        if not self._has_periods(examples) or not self.chances:
            return np.ones(self.candidates(examples).shape)
        return examples.matrix(_concrete(self.chances)).astype(np.float64)

    def _declared(self, offer: Offer) -> tuple[Column, ...]:
        """What is read of a dataset whose times are times, or phases."""
        return (*self.periods, *self.chances) if offer.has_time else ()

    def _has_periods(self, examples: Examples) -> bool:
        """False where the examples have none of the periods, because their times are phases."""
        return bool({*_concrete(self.periods)} & {*examples.feature_names})


def _concrete(declared: tuple[Column, ...]) -> list[str]:
    """Names of columns, one for each candidate where they are of candidates."""
    return [name for each in declared for name in candidate_names(each) or (each.name,)]


@dataclass(frozen=True)
class NoConfig:
    """Of a model that has nothing to be set."""


Effort = Callable[[Config, float], float]  # of the settings and a number of objects


def n_objects(config: Any, n: float) -> float:
    """The effort of a model that no setting makes dearer."""
    return n


@dataclass(frozen=True)
class ModelSpec(Generic[Config]):
    """A kind of model.

    `kinds`: the classes of targets that it can learn. `needs`: what it reads. `config`: its frozen dataclass of
    settings. `cost` and `cost_of_columns`: seconds on one core for a training on a thousand objects with the settings
    as they are, roughly, and what each hundred feature columns add to them. `effort(config, n)` is proportional to the
    time that n objects take with other settings. The dearest is started first.
    `simplicity`: least for the simplest; of models that are equally good the simplest is used. `is_floor`: no recipe
    that is worse out of fold is ever used. `is_joined`: it is not fitted, but made of the trained models of other
    recipes. `quantities`: names of the only targets that it is about; () for any.
    """

    name: str
    kinds: tuple[type[Target], ...]
    needs: tuple[Need, ...]
    config: type[Config]
    cost: float
    simplicity: int
    fit: Fit[Config]
    build: Build[Config]
    is_floor: bool = False
    is_joined: bool = False
    cost_of_columns: float = 0.0
    effort: Effort[Config] = n_objects
    quantities: tuple[str, ...] = ()

    def can_learn(self, target: Target) -> bool:
        """Whether it can learn a target: by its kind, and by its name where it is about some quantities alone."""
        return isinstance(target, self.kinds) and (not self.quantities or target.name in self.quantities)

    @property
    def reads_curves(self) -> bool:
        """True where light curves must be read for it."""
        return any(need.reads_curves for need in self.needs)

    def reckon_seconds(self, config: Config, n: float, n_columns: int) -> float:
        """Seconds on one core, roughly, for a training on n objects with so many feature columns."""
        share = self.effort(config, n) / self.effort(self.config(), 1000)
        return (self.cost + self.cost_of_columns * n_columns / 100) * share

    def columns(self, offer: Offer, config: Config | None = None) -> tuple[str, ...]:
        """The feature columns on offer that it reads with these settings, or with its own, in their order."""
        read = {name for need in self._needs(config) for name in need.columns(offer)}
        return tuple(name for name in offer.columns if name in read)

    def lacks(self, offer: Offer, config: Config | None = None) -> str:
        """What it needs and the dataset has not; "" where it can be trained and can score."""
        return ", ".join(filter(None, (need.lacks(offer) for need in self._needs(config))))

    def _needs(self, config: Config | None) -> list[Need]:
        """Those that no setting turns off."""
        own = self.config() if config is None else config
        return [each for each in self.needs if getattr(own, getattr(each, "setting", ""), True)]
