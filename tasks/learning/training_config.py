"""What is trained, and how well it must be measured: the settings of a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict, Field

from schemas.quantities import QUANTITY_NAME
from schemas.tables.catalogue import find_collision
from tasks.learning.calibration import Levels
from tasks.surveys import list_label_origins

BUDGET_CORES = 2  # of which the budget counts the minutes: what is left out does not depend on the machine


def _standard_recipes() -> tuple[str, ...]:
    from tasks.learning.recipes import STANDARD  # here: presets are listed without what models need

    return STANDARD


def _check_recipes(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names; BadInput where one is of no recipe."""
    from tasks.learning.recipes import recipes_for

    recipes_for(names, ())
    return names


def _check_options(options: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """The options; BadInput where one is of no recipe, or none that the recipe's configuration can have."""
    from schemas.quantities import QUANTITIES
    from tasks.learning.recipes import recipes_for
    from tasks.learning.targets import targets_for

    recipes_for(tuple(options), targets_for(QUANTITIES), options)
    return options


def _check_quantities(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names; ValueError where one has columns that the catalogue has already."""
    if (name := find_collision(names)) is not None:
        raise ValueError(f"{name!r} has a column that the catalogue has already: give the quantity another name")
    return names


@dataclass(frozen=True)
class TrainingConfig:
    """Splits, labels, and the recipes that compete for each target."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    n_folds: Annotated[int, Field(ge=2, le=20, description="Folds; one model is trained without each.")] = 5
    test_fraction: Annotated[
        float, Field(gt=0, lt=0.6, description="Share of the labelled sources that is held out of every training.")
    ] = 0.2
    n_seeds: Annotated[
        int, Field(ge=1, le=20, description="Models of a recipe in each fold, whose predictions are averaged.")
    ] = 1
    recipes: Annotated[
        tuple[str, ...],
        Field(min_length=1, description="Names in tasks/learning/recipes; for each target the best out of fold."),
        AfterValidator(_check_recipes),
    ] = field(default_factory=_standard_recipes)
    options: Annotated[
        Mapping[str, Mapping[str, Any]],
        Field(description="Fields of a recipe's configuration that are set otherwise, by the recipe's name."),
        AfterValidator(_check_options),
    ] = field(default_factory=dict)
    quantities: Annotated[
        tuple[Annotated[str, Field(pattern=QUANTITY_NAME)], ...],
        Field(description="Quantities that are learnt beside the class."),
        AfterValidator(_check_quantities),
    ] = (
        "teff_k",
        "radius_rsun",
        "feh_dex",
    )
    label_origins: Annotated[
        tuple[str, ...], Field(description="Whose label counts, the first that has one (Becker et al. 2025, 2.4: TIC).")
    ] = field(default_factory=list_label_origins)
    min_labels: Annotated[int, Field(ge=10, description="Labelled sources below which a target is not trained.")] = 60
    interval_level: Annotated[
        float, Field(gt=0.1, lt=0.999, description="Share of the labels that the published intervals are to hold.")
    ] = 0.68
    class_set_level: Annotated[
        float, Field(gt=0.5, lt=0.999, description="Share of the members of a class whose class_set is to hold it.")
    ] = 0.9
    budget_minutes: Annotated[
        float | None,
        Field(gt=0, description="Minutes on two cores that a training may take by the costs that models declare. "
              "Recipes come in as they are named, where there is room; none is cut short. Null for no limit."),
    ] = 8.0  # fmt: skip
    when: Annotated[
        Literal["stale", "missing"], Field(description="Retrain when labels change, or only where no model is there.")
    ] = "stale"

    @property
    def levels(self) -> Levels:
        """How often intervals and sets are to hold the truth."""
        return Levels(self.interval_level, self.class_set_level)
