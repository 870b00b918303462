"""A recipe is the complete configuration of one model: with another recipe it is another model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from schemas.errors import nearest
from tasks.learning.models import spec_of
from tasks.learning.spec import ModelSpec, Offer
from tasks.learning.targets import Target, join, target_from_json


@dataclass(frozen=True)
class Recipe:
    """How one model of one target, or of several together, is trained.

    `config` is of the class that the model's spec names. `columns` are the features that it reads, () for all of the
    examples. With several `seeds` a model is trained with each, and their predictions are averaged. A recipe with
    `members` is the mean of their predictions.
    """

    name: str
    targets: tuple[Target, ...]
    model: str
    config: Any
    columns: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    members: tuple[Recipe, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.config, self.spec.config):
            expected, given = self.spec.config.__name__, type(self.config).__name__
            raise ValueError(f"recipe {self.name}: a {self.model} is set by a {expected}, not by a {given}.")
        if not self.spec.can_learn(self.target):
            kinds = " or ".join(self.spec.quantities or [kind.__name__ for kind in self.spec.kinds])
            raise ValueError(f"recipe {self.name}: a {self.model} learns a {kinds}, not {self.target.name}.")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"recipe {self.name}: the seeds are {self.seeds}; give one or more, each once.")

    @property
    def spec(self) -> ModelSpec:
        """The spec of its model."""
        return spec_of(self.model)

    @property
    def target(self) -> Target:
        """What it learns: the one target, or all of them together."""
        return join(self.targets)

    @property
    def parts(self) -> tuple[Recipe, ...]:
        """The recipes that are trained for it: its members, or itself."""
        return self.members or (self,)

    @property
    def reads_curves(self) -> bool:
        """True where light curves must be read for it."""
        return any(part.spec.reads_curves for part in self.parts)

    def reckon_seconds(self, n: float) -> float:
        """Seconds on one core, roughly, for a training on n objects with all of its seeds."""
        return self.spec.reckon_seconds(self.config, n, len(self.columns)) * len(self.seeds)

    def lacks(self, offer: Offer) -> str:
        """What it needs and the dataset has not; "" where it can be trained and can score."""
        return ", ".join(dict.fromkeys(filter(None, (part.spec.lacks(offer, part.config) for part in self.parts))))

    def join(self, members: Sequence[Recipe]) -> Recipe:
        """The mean of complete recipes, which reads what they read."""
        columns = tuple(dict.fromkeys(name for member in members for name in member.columns))
        config = replace(self.config, members=tuple(member.name for member in members))
        return replace(self, config=config, columns=columns, members=tuple(members))

    def complete_for(self, offer: Offer, seed: int = 0) -> Recipe:
        """Complete for a dataset: the columns on offer that its model reads, and seeds that count from `seed`."""
        seeds = tuple(seed + own for own in self.seeds)
        return replace(self, columns=self.columns or self.spec.columns(offer, self.config), seeds=seeds)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for a model card; `recipe_from_json` reads it back."""
        return {
            "name": self.name,
            "targets": [target.to_json() for target in self.targets],
            "model": self.model,
            "config": asdict(self.config),
            "columns": list(self.columns),
            "seeds": list(self.seeds),
            **({"members": [member.to_json() for member in self.members]} if self.members else {}),
        }


def recipe_from_json(card: Mapping[str, Any]) -> Recipe:
    """Recipe of a model card; ValueError where this version cannot read it."""
    unknown = sorted(set(card) - {"name", "targets", "model", "config", "columns", "seeds", "members"})
    if unknown or "targets" not in card:
        what = f"has {', '.join(unknown)}" if unknown else "has no targets"
        raise ValueError(f"model card: its recipe {what}; the model is of another version.")
    targets, config = map(target_from_json, card["targets"]), config_of(card["model"], card["config"])
    columns, seeds = tuple(card["columns"]), tuple(card["seeds"])
    members = tuple(map(recipe_from_json, card.get("members", ())))
    return Recipe(card["name"], tuple(targets), card["model"], config, columns, seeds, members)


def config_of(model: str, values: Mapping[str, Any]) -> Any:
    """Configuration of `model` from plain values; ValueError, in one sentence, for what it cannot be."""
    kind: Any = spec_of(model).config
    names = tuple(field.name for field in fields(kind))
    if unknown := sorted(set(values) - set(names)):
        hint = nearest(unknown[0], names)
        raise ValueError(f"{model}: there is no setting {unknown[0]!r}; there are {', '.join(names) or 'none'}.{hint}")
    try:
        checked: Any = _adapter(kind).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:  # of the settings together
            raise ValueError(f"{model}: {first['msg'].removeprefix('Value error, ')}.") from None
        raise ValueError(f"{model}: {first['loc'][0]} = {first['input']!r}: {first['msg'].lower()}.") from None
    return checked


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    """What checks values of a configuration; it takes some milliseconds to make."""
    return TypeAdapter(kind)
