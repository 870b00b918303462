"""A dataset holds one variant of an archive's sources: ids of two data releases are different names of stars."""

from __future__ import annotations

from lakehouse.delta.store import Lake
from lakehouse.manifest import read_manifests
from lakehouse.run import Run
from schemas import BadInput
from schemas.inputs import ArchiveSource
from tasks.surveys import find_sample_provider


def refuse_other_variant(lake: Lake, run: Run, source: ArchiveSource, mark: str) -> None:
    """BadInput where the dataset was made of another variant of the sources than `source` asks for.

    `mark` names the input of the dataset in the manifests of the runs that took it in.
    """
    provider = find_sample_provider()
    mine = provider.find_variant({**provider.options, **source.options.get(provider.name, {})})
    for manifest in read_manifests(lake):
        made_of = manifest.settings.get("source", {})
        if made_of.get("kind") != source.kind or not any(entry["name"] == mark for entry in manifest.inputs):
            continue
        held = provider.find_variant({**provider.options, **made_of.get("options", {}).get(provider.name, {})})
        if held.name != mine.name:
            raise BadInput(
                f"The dataset {run.dataset} holds sources of {held.name} and {mine.name} is asked for, whose ids are "
                f"other names: give it a name of its own with --set dataset={run.dataset}_{mine.name}. Nothing was run."
            )
        return
