"""Score a folder with a lake's current models, by the settings that the lake was refreshed with."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from flows.settings import ComputeSettings, Settings, find_variant, validate_settings
from lakehouse.delta.store import Lake
from lakehouse.manifest import RunManifest, read_manifests
from lakehouse.models import MIGRATED, ModelPlace, read_card, read_current
from lakehouse.run import Run
from schemas import BadInput
from schemas.errors import nearest
from schemas.inputs import FolderSource
from tasks.stages.fanout import open_cluster
from tasks.stages.progress import say
from tasks.stages.score.folder import write_scores
from tasks.stages.score.refusals import refuse_unfit_models


def score_folder(source: FolderSource, dataset: str, lake: Path, out: Path) -> None:
    """Write the scores of the folder of `source` to the Parquet file `out` and say how many there are."""
    settings = read_training_settings(Lake(lake), dataset).model_copy(update={"source": source})
    compute = settings.compute
    with open_cluster(compute.n_workers, compute.scheduler) as scheduler:
        run = Run("score", str(lake.absolute()), dataset, scheduler, compute.chunk_objects, compute.retries)
        objects, unseen = write_scores(run, source, settings.cut_config, settings.feature_config, out)
    note = f" ({unseen:,} without a usable epoch have null scores)" if unseen else ""
    Console(highlight=False).print(f"{objects:,} objects scored into {out}{note}.", soft_wrap=True)


def find_trained(path: Path, name: str) -> str | None:
    """The dataset with models that `name` means: its own name, else the newest that was refreshed with such a preset.

    None where the lake has neither: a preset's dataset has another name where --set dataset= or a data release gave it
    one, such as rrlyrae_dr4.
    """
    if not (path / "lake.json").exists():
        return None
    named = [each.settings for each in read_manifests(Lake(path)) if each.settings.get("preset") == name]
    datasets = (name, *(str(settings.get("dataset", "")) for settings in named))
    return next((dataset for dataset in datasets if dataset and read_current(path, dataset)), None)


def with_models(settings: Settings, lake: Lake) -> Settings:
    """`settings` with the cuts and features that the models were trained by which they name; as they are without one.

    Raises BadInput, before anything runs, where those models cannot score what the source gives.
    """
    if settings.models is None:
        return settings
    place = ModelPlace.parse(settings.models, str(lake.path), settings.dataset)
    trained = read_training_settings(Lake(place.lake), place.dataset)
    refuse_unfit_models(place, settings.source, trained.feature_config)
    say_other_ids(place, trained, settings)
    return settings.model_copy(update={"cuts": trained.cuts, "features": trained.features})


def say_other_ids(place: ModelPlace, trained: Settings, settings: Settings) -> None:
    """Say where models, of the run `trained`, cannot know which stars of `settings` trained them."""
    cards = [read_card(place.lake, place.dataset, *model) for model in read_current(place.lake, place.dataset).items()]
    theirs, ours = find_variant(trained), find_variant(settings)
    has_followed = place.dataset == settings.dataset or any(MIGRATED in card for card in cards)
    if theirs and ours and theirs.name != ours.name and not has_followed:
        say(
            f"The models of {place.dataset} know the stars that trained them by ids of {theirs.name}: scores of stars "
            f"whose id is another one in {ours.name} are not out of fold. `argelander migrate` has the models follow."
        )


def read_training_settings(lake: Lake, dataset: str) -> Settings:
    """Settings of the run that trained the newest of the dataset's current models; this machine's for computing."""
    models = read_current(lake.path, dataset).items()
    trained_by = {read_card(lake.path, dataset, target, model_id)["run_id"] for target, model_id in models}
    for manifest in read_manifests(lake):
        if manifest.run_id in trained_by:
            return read_settings(manifest)
    known = sorted({manifest.settings.get("dataset", "") for manifest in read_manifests(lake)})
    raise BadInput(
        f"The lake at {lake.path} has no models of {dataset!r}; it was refreshed for {', '.join(known) or 'none'}."
        f"{nearest(dataset, known)} "
        "Run `argelander refresh` first, or give the folder's dataset.toml the name of the dataset that trained."
    )


def read_settings(manifest: RunManifest) -> Settings:
    """Settings of a run, this machine's for computing; BadInput where an older version wrote them under other names."""
    try:
        return validate_settings(manifest.settings).model_copy(update={"compute": ComputeSettings()})
    except BadInput as error:
        preset = manifest.settings.get("preset", "PRESET")
        raise BadInput(
            f"The models were trained by version {manifest.code_version} of argelander, whose settings this one cannot "
            f"read: run `argelander refresh {preset}` on this lake first, then score again."
        ) from error
