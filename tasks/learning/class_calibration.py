"""The calibration of classes: probabilities that hold, and the rule by which a class is decided from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.learning.bootstrap import paired_counts
from tasks.learning.calibration import ENOUGH_FOR_TEMPERATURE, Temperature
from tasks.learning.metrics import confusion_figures
from tasks.learning.uncertainty.class_sets import LEVEL, ClassSets

EXPONENTS = np.arange(21) / 20
MOST_LOST = 0.002  # of the accuracy of the most probable class, for a better macro F1
UNSURE = 0.025  # share of the resamples in which a rule may bring no gain


@dataclass(frozen=True)
class Decision:
    """The class of the largest p / prior^exponent: Menon et al. 2021 (ICLR, "Long-tail learning via logit adjustment").

    `prior` (C,) are the shares of the classes among the labels. An exponent of 0 decides for the most probable class,
    which makes the fewest errors; one of 1 for the class that gained most over its share, which makes the fewest
    errors per class. Between them rare classes are found more often at little cost.
    """

    exponent: float = 0.0
    prior: tuple[float, ...] = ()

    @classmethod
    def fit(cls, proba: NDArray[np.float64], codes: ArrayLike) -> Decision:
        """The exponent of the best macro F1 on out-of-fold, calibrated `proba` (S, C) of true class codes (S,).

        0 where the gain is within the noise of a bootstrap over objects, or below 20 objects. The accuracy there never
        falls by more than `MOST_LOST`.
        """
        codes, n_class = np.asarray(codes), proba.shape[1]
        if codes.size < ENOUGH_FOR_TEMPERATURE:
            return cls()
        prior = np.maximum(np.bincount(codes, minlength=n_class), 1) / codes.size
        rules = [cls(exponent, tuple(prior.tolist())) for exponent in EXPONENTS.tolist()]
        cells = [codes * n_class + rule.decide(proba) for rule in rules]
        figures = confusion_figures(np.stack([np.bincount(own, minlength=n_class**2) for own in cells]), n_class)
        is_allowed = figures["accuracy"] >= figures["accuracy"][0] - MOST_LOST
        best = int(np.where(is_allowed, figures["macro_f1"], -np.inf).argmax())
        return rules[best] if best and _is_better(cells[best], cells[0], n_class) else cls()

    def decide(self, proba: NDArray[np.float64]) -> NDArray[np.int64]:
        """Code (S,) of the class that is decided for, of calibrated probabilities (S, C)."""
        return (proba / np.power(self.prior, self.exponent) if self.exponent else proba).argmax(axis=1)

    @classmethod
    def from_json(cls, card: Mapping[str, Any]) -> Decision:
        """Inverse of `asdict`."""
        return cls(card["exponent"], tuple(card["prior"]))


def _is_better(cells: NDArray[np.int64], than: NDArray[np.int64], n_class: int) -> bool:
    """Whether a confusion matrix, given as the cell of each object (S,), has a better macro F1 by more than noise."""
    of_each = (confusion_figures(paired_counts(each, n_class**2), n_class)["macro_f1"] for each in (cells, than))
    return bool(np.quantile(np.subtract(*of_each), UNSURE) > 0)


@dataclass(frozen=True)
class ClassCalibration:
    """Of a Classification: `temperature` makes probabilities hold, `decision` says which class they speak for, `sets`
    which classes an object may be of; None in cards of older programs.
    """

    temperature: Temperature = field(default_factory=Temperature)
    decision: Decision = field(default_factory=Decision)
    sets: ClassSets | None = None

    @classmethod
    def fit(cls, raw: NDArray[np.float64], codes: ArrayLike, set_level: float = LEVEL) -> ClassCalibration:
        """From out-of-fold raw probabilities (S, C) of true class codes (S,); sets hold the true one as stated."""
        temperature = Temperature.fit(raw, codes)
        proba = temperature.apply(raw)
        return cls(temperature, Decision.fit(proba, codes), ClassSets.fit(proba, codes, set_level))

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for a card."""
        sets = {"sets": self.sets.to_json()} if self.sets else {}
        return {**self.temperature.to_json(), "decision": asdict(self.decision), **sets}

    @classmethod
    def from_json(cls, card: Mapping[str, Any]) -> ClassCalibration:
        """Inverse of `to_json`; older cards have a temperature alone."""
        decision = Decision.from_json(card["decision"]) if "decision" in card else Decision()
        sets = ClassSets.from_json(card["sets"]) if "sets" in card else None
        return cls(Temperature.from_json(card), decision, sets)
