"""The plain mean of other recipes. It has no training: its members' models of a fold are put together as they are.

Stacking and weights were tried and gained nothing over the plain mean on the shared sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

from pydantic import Field

from tasks.learning.spec import ModelSpec
from tasks.learning.targets import Classification, Regression


@dataclass(frozen=True)
class MixtureConfig:
    """Settings of a mean."""

    members: Annotated[
        tuple[str, ...], Field(description="recipes that it is the mean of; none: those that are chosen out of fold")
    ] = ()


def refuse(*given: Any, **named: Any) -> NoReturn:
    """There is nothing to fit and nothing to build: `assemble` of tasks.learning.fit makes the model."""
    raise ValueError("a mixture is made of the trained models of other recipes: name its members in the recipe.")


SPEC = ModelSpec(
    name="mixture",
    kinds=(Classification, Regression),
    needs=(),
    config=MixtureConfig,
    cost=0.0,
    simplicity=100,
    fit=refuse,
    build=refuse,
    is_joined=True,
)
