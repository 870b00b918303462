"""How most recipes are made: one for each target that the model can learn alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.learning.models import spec_of
from tasks.learning.recipe import Recipe
from tasks.learning.targets import Target


def recipes_of(
    name: str,
    model: str,
    targets: Sequence[Target],
    config: Any,
    of_kind: Mapping[type[Target], Any] | None = None,
    seeds: tuple[int, ...] = (0,),
) -> tuple[Recipe, ...]:
    """A recipe of `model` for each target that it can learn; `of_kind` has the configuration of some kinds instead."""
    spec = spec_of(model)
    configs = of_kind or {}
    return tuple(
        Recipe(name, (target,), model, configs.get(type(target), config), seeds=seeds)
        for target in targets
        if spec.can_learn(target)
    )
