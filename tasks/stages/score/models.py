"""The current models of a lake, as what scores with them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from lakehouse.models import LABELS, NOVELTY, ModelPlace, explain_damaged_model, fold_dir, model_dir, read_card
from lakehouse.run import Run
from schemas import BadInput, Column
from tasks.learning.catalogue import Scorer, catalogue_columns
from tasks.learning.persistence import FORMAT, load
from tasks.learning.recipe import Recipe, recipe_from_json
from tasks.learning.targets import Calibration, Target, target_from_json
from tasks.learning.uncertainty.novelty import Novelty

Place = ModelPlace | Run  # where models are: a lake and a dataset


def read_usable_card(lake: str, dataset: str, target: str, model_id: str) -> dict[str, Any]:
    """The card of a model; BadInput where another version of this software wrote it."""
    card = read_card(lake, dataset, target, model_id)
    if card.get("format") != FORMAT:
        raise BadInput(
            f"The model {model_id} of {dataset} was written by another version, whose format is "
            f"{card.get('format', 1)} where this one reads {FORMAT}: run `argelander refresh` to train it again."
        )
    return card


def read_cards(place: Place, models: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The card of each of the models of a place, by target."""
    return {target: read_usable_card(place.lake, place.dataset, target, model) for target, model in models.items()}


def scored_columns(place: Place, models: Mapping[str, str]) -> list[Column]:
    """The catalogue's columns of these models, from their cards alone: in the order of `catalogue_values`."""
    return catalogue_columns([target_of(card) for card in read_cards(place, models).values()])


def recipes_of_models(place: Place, models: Mapping[str, str]) -> dict[str, Recipe]:
    """The recipe of each model, from their cards alone, by target."""
    return {target: recipe_from_json(card["recipe"]) for target, card in read_cards(place, models).items()}


def target_of(card: Mapping[str, Any]) -> tuple[Target, Calibration]:
    """What a model has learnt, and the calibration of its predictions."""
    target = target_from_json(card["bound_target"])
    return target, target.calibration_from_json(card["calibration"])


def scorers_of(place: Place, models: Mapping[str, str]) -> list[Scorer]:
    """The scorer of each model."""
    return [scorer(place.lake, place.dataset, target, model_id) for target, model_id in models.items()]


@functools.lru_cache(maxsize=16)
def scorer(lake: str, dataset: str, target: str, model_id: str) -> Scorer:
    """The model of `target` as it lies in the lake; kept, because a worker scores many chunks."""
    card = read_usable_card(lake, dataset, target, model_id)
    folder = model_dir(lake, dataset, target, model_id)
    with explain_damaged_model(folder):
        labels = pq.read_table(folder / LABELS, columns=["source_id", "fold"])
        models = tuple(load(fold_dir(folder, k)) for k in range(card["n_folds"]))
        learnt, calibration = target_of(card)
        recipe = recipe_from_json(card["recipe"])
        novelty = Novelty.load(folder / NOVELTY) if (folder / NOVELTY).exists() else None
    trained, fold = labels["source_id"].to_numpy(), labels["fold"].to_numpy().astype(np.int64)
    return Scorer(model_id, recipe, learnt, models, calibration, trained, fold, novelty)
