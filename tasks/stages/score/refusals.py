"""Why a folder cannot be scored with the models of a dataset, each in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple

from lakehouse.bands import Bands
from lakehouse.delta.store import Lake
from lakehouse.run import Run
from schemas import TABLES, BadInput
from schemas.dataset_nodes import Band
from tasks.features import FeatureConfig, list_outdated
from tasks.features.colours import COLOURS
from tasks.stages.score.lacks import Lacks
from tasks.stages.score.models import recipes_of_models

FEATURES = TABLES["feature_sample__source"]


def refuse_no_models(run: Run, models: Mapping[str, str]) -> None:
    """BadInput where nothing is trained yet."""
    if not models:
        raise BadInput(f"The lake at {run.lake} has no model of {run.dataset}: train one with `argelander refresh`.")


def refuse_strange_bands(dataset: str, bands: Sequence[Band], observed: Bands) -> None:
    """BadInput where the folder has a band that the dataset does not know."""
    if strange := [band.name for band in bands if band.name not in observed.names]:
        raise BadInput(f"The folder has the band {strange[0]}, but the models of {dataset} read "
                       f"{', '.join(observed.names)}: name the bands alike in the dataset.toml.")  # fmt: skip


def refuse_changed(lake: Lake, dataset: str, features: FeatureConfig) -> None:
    """BadInput where features have another definition now than in the lake, whose models have learnt from them."""
    made_of = lake.read(FEATURES, columns=["definitions"], where={"dataset": dataset})["definitions"].drop_null()
    stored = [each for each in made_of.unique().to_pylist() if each != COLOURS]
    if changed := sorted({family for each in stored for family in list_outdated(each, features)}):
        raise BadInput(f"The definition of features has changed since the models of {dataset} were trained "
                       f"({', '.join(changed)}): run `argelander refresh` first.")  # fmt: skip


def refuse_lacks(run: Run, models: Mapping[str, str], lacks: Lacks) -> None:
    """BadInput where the folder cannot give what models read.

    Scored without it they would read nulls, under a calibration that was made with values.
    """
    of_target = {target: lacks.list_for(recipe) for target, recipe in recipes_of_models(run, models).items()}
    if found := dict.fromkeys(lack for own in of_target.values() for lack in own):
        what, advice = (", ".join(dict.fromkeys(texts)) for texts in zip(*map(astuple, found), strict=True))
        targets = ", ".join(target for target, own in of_target.items() if own)
        raise BadInput(
            f"The models of {run.dataset} ({targets}) read {what}, which the folder does not give: {advice}."
        )
