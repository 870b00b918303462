"""One frozen tree of settings, resolved once and written whole into the run manifest."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas import BadInput
from schemas.dataset import DatasetSpec


class Frozen(BaseModel):
    """A settings node: immutable, and refusing any key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SkySource(Frozen):
    """The embedded sky: synthetic stars whose truth is known."""

    kind: Literal["sky"] = "sky"
    n_objects: int = Field(3000, ge=100, le=10_000_000)
    seed: int = Field(1, ge=0)


class FolderSource(Frozen):
    """A folder of light curves or mean photometry, and how to read it."""

    kind: Literal["folder"] = "folder"
    folder: Path
    spec: DatasetSpec


class CutSettings(Frozen):
    """Limits of the named cuts, see tasks/lightcurves/cuts.py."""

    max_mag_err: float = Field(1.0857, gt=0, description="mag; 1.0857 is flux > flux error (Becker et al. 2025, A)")
    outlier_sigma: float = Field(8.0, gt=0, description="robust standard deviations from the band's median")


class FeatureSettings(Frozen):
    """The period search and the features."""

    max_frequency: float = Field(24.0, gt=0, le=200, description="1/day")
    oversampling: float = Field(3.0, ge=1, le=20)


class NetworkSettings(Frozen):
    """The small multiband LSTM."""

    is_used: bool = True
    survey: str = Field("all", description="train on this survey's bands alone, or all")
    hidden: int = Field(32, ge=2, le=512)
    max_per_band: int = Field(64, ge=4, le=2000, description="successive epochs of a band that are read at a time")
    max_training_epochs: int = Field(50, ge=1, le=1000)


class TrainingSettings(Frozen):
    """Splits, forests and the network."""

    n_folds: int = Field(5, ge=2, le=20)
    test_fraction: float = Field(0.2, gt=0, lt=0.6)
    n_trees: int = Field(300, ge=10, le=5000)
    quantities: tuple[str, ...] = ("teff_k", "radius_rsun", "feh_dex")
    label_origins: tuple[str, ...] = Field(("tic", "gaia_dr3"), description="whose label counts first")
    min_labels: int = Field(60, ge=10, description="labelled sources below which a target is not trained")
    interval_level: float = Field(0.68, gt=0.1, lt=0.999, description="coverage of the published intervals")
    when: Literal["stale", "missing"] = Field("stale", description="retrain when labels change, or only at first")
    network: NetworkSettings = NetworkSettings()


class ComputeSettings(Frozen):
    """Where the work runs: a local cluster, or the scheduler at an address."""

    n_workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=1024)
    scheduler: str | None = Field(None, description="address of a running Dask scheduler, tcp://host:port")
    chunk_objects: int = Field(250, ge=1, le=100_000)
    retries: int = Field(2, ge=0, le=10)


class Settings(Frozen):
    """Everything that decides what a run does."""

    preset: str
    dataset: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    source: Annotated[SkySource | FolderSource, Field(discriminator="kind")]
    limit: int | None = Field(None, ge=1, description="take only this many objects")
    seed: int = Field(1, ge=0)
    cuts: CutSettings = CutSettings()
    features: FeatureSettings = FeatureSettings()
    training: TrainingSettings = TrainingSettings()
    compute: ComputeSettings = ComputeSettings()


def override(settings: Settings, assignments: tuple[str, ...]) -> Settings:
    """`settings` with each ``dotted.key=value`` applied; values are YAML scalars or lists.

    Raises BadInput, in one sentence, for an unknown key or a value out of range.
    """
    tree = settings.model_dump()
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise BadInput(f"--set {assignment!r}: write key=value, for example --set training.n_trees=500.")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            raise BadInput(f"--set {assignment!r}: {text!r} is no YAML value; lists are [a, b].") from None
        _assign(tree, key.strip(), value)
    return validated(tree)


def validated(tree: dict[str, Any]) -> Settings:
    """Settings of a plain tree; the first thing wrong with it becomes one sentence."""
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("sky", "folder"))
        raise BadInput(f"Setting {where} = {first['input']!r}: {first['msg'].lower()}. Nothing was run.") from None


def _assign(tree: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    node = tree
    for part in path:
        if not isinstance(node.get(part), dict):
            raise BadInput(f"Setting {key}: there is no {part!r}; known here: {', '.join(sorted(node))}.")
        node = node[part]
    if last not in node:
        raise BadInput(f"Setting {key}: there is no {last!r}; known here: {', '.join(sorted(node))}. Nothing was run.")
    node[last] = value
