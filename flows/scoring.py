"""Score a folder with a lake's current models, by the settings that the lake was refreshed with."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from flows.recipes import cut_config, feature_config
from flows.settings import FolderSource, Settings, validated
from lakehouse.manifest import runs
from lakehouse.run import Run
from lakehouse.store import Lake
from schemas import BadInput
from tasks.apply import apply
from tasks.fanout import cluster


def score_folder(source: FolderSource, dataset: str, lake: Path, out: Path) -> None:
    """Write the scores of the folder of `source` to the Parquet file `out` and say how many there are."""
    settings = refreshed_with(Lake(lake), dataset).model_copy(update={"source": source})
    compute = settings.compute
    with cluster(compute.n_workers, compute.scheduler) as scheduler:
        run = Run("score", str(lake), dataset, scheduler, compute.chunk_objects, compute.retries)
        objects, unseen = apply(run, source, cut_config(settings), feature_config(settings), out)
    note = f" ({unseen:,} without a usable epoch have null scores)" if unseen else ""
    Console(highlight=False).print(f"{objects:,} objects scored into {out}{note}.", soft_wrap=True)


def refreshed_with(lake: Lake, dataset: str) -> Settings:
    """Settings of the last complete run of `dataset`: what its models were trained by."""
    for manifest in runs(lake):
        if manifest.status == "done" and manifest.settings.get("dataset") == dataset:
            return validated(manifest.settings)
    raise BadInput(f"The lake at {lake.path} was never refreshed for {dataset}: run `argelander refresh` first.")
