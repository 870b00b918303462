"""Why a folder cannot be scored with the models of a dataset, each in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple

from lakehouse.bands import Bands, read_bands
from lakehouse.delta.store import Lake
from lakehouse.models import ModelPlace, read_current
from schemas import TABLES, BadInput
from schemas.inputs import Source
from tasks.features import FeatureConfig, list_outdated
from tasks.features.colours import COLOURS
from tasks.stages.inputs import complete_config
from tasks.stages.score.lacks import Lacks, SourceContent
from tasks.stages.score.models import Place, read_cards, recipes_of_models
from tasks.stages.sky import is_of_synthetic_sky

FEATURES = TABLES["feature_sample__source"]


def refuse_no_models(place: Place, models: Mapping[str, str]) -> None:
    """BadInput where nothing is trained yet."""
    if not models:
        raise BadInput(
            f"The lake at {place.lake} has no model of {place.dataset}: train one with `argelander refresh`."
        )


def refuse_other_sky(place: Place, models: Mapping[str, str], is_synthetic: bool) -> None:
    """BadInput where a model of a synthetic sky would score stars that are none."""
    of_sky = [is_of_synthetic_sky(place.lake, card) for card in read_cards(place, models).values()]
    if any(of_sky) and not is_synthetic:
        raise BadInput(
            f"The models of {place.dataset} were trained on a synthetic sky and score synthetic stars alone: train on "
            "observed stars, or say is_synthetic = true in the dataset.toml of a folder that is simulated."
        )


def refuse_strange_bands(dataset: str, bands: Sequence[str], observed: Bands) -> None:
    """BadInput where the folder has a band that the dataset does not know."""
    if strange := [name for name in bands if name not in observed.names]:
        raise BadInput(f"The folder has the band {strange[0]}, but the models of {dataset} read "
                       f"{', '.join(observed.names)}: name the bands alike in the dataset.toml.")  # fmt: skip


def refuse_changed(lake: Lake, dataset: str, features: FeatureConfig) -> None:
    """BadInput where features have another definition now than in the lake, whose models have learnt from them."""
    made_of = lake.read(FEATURES, columns=["definitions"], where={"dataset": dataset})["definitions"].drop_null()
    stored = [each for each in made_of.unique().to_pylist() if COLOURS not in each.split()]
    if changed := sorted({family for each in stored for family in list_outdated(each, features)}):
        raise BadInput(f"The definition of features has changed since the models of {dataset} were trained "
                       f"({', '.join(changed)}): run `argelander refresh` first.")  # fmt: skip


def refuse_lacks(place: Place, models: Mapping[str, str], lacks: Lacks) -> None:
    """BadInput where the folder, or the archives that are asked, cannot give what models read.

    Scored without it they would read nulls, under a calibration that was made with values.
    """
    of_target = {target: lacks.list_for(recipe) for target, recipe in recipes_of_models(place, models).items()}
    if found := dict.fromkeys(lack for own in of_target.values() for lack in own):
        what, advice = (", ".join(dict.fromkeys(texts)) for texts in zip(*map(astuple, found), strict=True))
        targets = ", ".join(target for target, own in of_target.items() if own)
        by = lacks.content.source
        raise BadInput(f"The models of {place.dataset} ({targets}) read {what}, which the {by} not give: {advice}.")


def refuse_unfit_models(place: ModelPlace, source: Source, features: FeatureConfig) -> None:
    """BadInput where the models of another dataset, with features by `features`, cannot score what `source` gives.

    Asked before anything runs: for want of models, of another sky, of features that were changed since, or of something
    that the models read.
    """
    lake, models = Lake(place.lake), read_current(place.lake, place.dataset)
    refuse_no_models(place, models)
    refuse_other_sky(place, models, source.is_synthetic)
    observed, features = read_bands(lake, place.dataset), complete_config(features, lake, place.dataset)
    content = SourceContent.declared(source)
    refuse_strange_bands(place.dataset, sorted(content.bands), observed)
    refuse_changed(lake, place.dataset, features)
    refuse_lacks(place, models, Lacks.of(content, observed, features))
