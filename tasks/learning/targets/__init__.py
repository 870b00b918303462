"""What is learnt: a class, a quantity, or several at once. What differs between them is in their classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.quantities import Quantity
from tasks.learning.targets.classification import Classification, ClassScores
from tasks.learning.targets.joint import Joint, JointScores
from tasks.learning.targets.regression import QuantityScores, Regression
from tasks.learning.targets.target import Calibration, Labels, LabelSource, Scores, ScoreValues, Target

__all__ = [
    "CLASS",
    "KINDS",
    "Calibration",
    "ClassScores",
    "Classification",
    "Joint",
    "JointScores",
    "LabelSource",
    "Labels",
    "QuantityScores",
    "Regression",
    "ScoreValues",
    "Scores",
    "Target",
    "join",
    "target_from_json",
    "targets_for",
]

KINDS: dict[str, type[Target]] = {kind.__name__: kind for kind in (Classification, Regression, Joint)}
CLASS = Classification("class")


def targets_for(quantities: Iterable[Quantity | str]) -> tuple[Target, ...]:
    """What a training learns: the one class that is labelled, and each quantity; a name stands for the declared one."""
    return (CLASS, *(Regression.of(each) for each in quantities))


def join(targets: Sequence[Target]) -> Target:
    """The one target, or several as one."""
    return targets[0] if len(targets) == 1 else Joint(tuple(targets))


def target_from_json(card: Mapping[str, Any]) -> Target:
    """Target of a model card; ValueError for a kind that this version does not have."""
    if card.get("kind") not in KINDS:
        raise ValueError(
            f"model card: there is no target of kind {card.get('kind')!r}; the model is of another version."
        )
    fields = {name: _plain(value) for name, value in card.items() if name != "kind"}
    return KINDS[card["kind"]](**fields)


def _plain(value: Any) -> Any:
    """A field of a target: lists become tuples, and what is written as a target becomes one."""
    if isinstance(value, list):
        return tuple(target_from_json(each) if isinstance(each, dict) else each for each in value)
    return value
