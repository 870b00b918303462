"""One frozen tree of settings, resolved once and written whole into the run manifest."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from schemas import BadInput
from schemas.dataset import DatasetSpec


class Frozen(BaseModel):
    """A settings node: immutable, and refusing any key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sample(Frozen):
    """Which Gaia sources: the union of all that is named here."""

    tables: tuple[str, ...] = Field(
        (), description="whole tables: vari_rrlyrae, vari_cepheid, vari_eclipsing_binary, …"
    )
    classes: tuple[str, ...] = Field((), description="best_class_name of vari_classifier_result: RR, CEP, LPV, …")
    labels: tuple[str, ...] = Field((), description="keep only sources labelled so: RRab, CEP, …; all where empty")
    min_score: float = Field(0.0, ge=0, le=1, description="floor of best_class_score")
    cones: tuple[tuple[float, float, float], ...] = Field((), description="ra, dec, radius in degrees (ICRS)")
    tiles: tuple[int, ...] = Field((), description="nested HEALPix cells of order tile_order")
    tile_order: int = Field(3, ge=0, le=12)
    ids: Path | None = Field(None, description="file of source_id or dr2_source_id: Parquet, CSV, FITS or VOTable")
    random_index: tuple[int, int] | None = Field(None, description="first and last random_index")
    with_epochs: bool = Field(True, description="of cones, tiles and random_index, only sources with epoch photometry")
    n_range: int = Field(12, ge=1, le=3072, description="ranges of source_id that a whole table is asked in")


class ReplicaSky(Frozen):
    """The embedded sky that the local replica serves where no live archive is asked."""

    n_objects: int = Field(3000, ge=100, le=10_000_000)
    seed: int = Field(1, ge=0)


class ArchiveSource(Frozen):
    """The surveys' archives: a sample from Gaia, and its photometry in every survey."""

    kind: Literal["archives"] = "archives"
    sample: Sample = Sample()
    surveys: tuple[str, ...] = Field(default_factory=lambda: tuple(_options()), description="which, in this order")
    options: dict[str, dict[str, Any]] = Field(
        default_factory=lambda: _options(), description="settings of each survey"
    )
    endpoint: Literal["replica", "live"] = Field("replica", description="a local replica, or the real archives")
    base_url: str | None = Field(None, description="a replica that runs already; else one is started for the run")
    profile: Literal["fast", "live"] | None = Field(
        None, description="limits and pauses; live unless a replica is asked"
    )
    offline: bool = Field(False, description="use the stored answers alone")
    bulk: bool = Field(False, description="light curves and catalogues from bulk files; for dense samples above 2e5")
    replica: ReplicaSky = ReplicaSky()


def _options() -> dict[str, dict[str, Any]]:
    """The options of every registered survey."""
    from tasks.surveys import SURVEYS

    return {name: dict(survey.options) for name, survey in SURVEYS.items()}


class FolderSource(Frozen):
    """A folder of light curves or mean photometry, and how to read it."""

    kind: Literal["folder"] = "folder"
    folder: Path
    spec: DatasetSpec


def _cut_names() -> tuple[str, ...]:
    from tasks.lightcurves.cuts import CutConfig

    return CutConfig.names


class CutSettings(Frozen):
    """The named cuts and their limits, see tasks/lightcurves/cuts.py."""

    names: tuple[str, ...] = Field(
        default_factory=_cut_names, description="in this order; other_flags (Gaia) is the one not among them at first"
    )
    max_mag_err: float = Field(1.0857, gt=0, description="mag; 1.0857 is flux > flux error (Becker et al. 2025, A)")
    outlier_sigma: float = Field(8.0, gt=0, description="robust standard deviations from the band's median")

    @field_validator("names")
    @classmethod
    def _known_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        from tasks.lightcurves.cuts import CUTS

        if unknown := [name for name in names if name not in CUTS]:
            raise ValueError(f"there is no cut {unknown[0]!r}; there are {', '.join(CUTS)}")
        if len(set(names)) < len(names):
            raise ValueError("each cut is named once")
        return names


class FeatureSettings(Frozen):
    """The period search and the features."""

    max_frequency: float = Field(24.0, gt=0, le=200, description="1/day")
    oversampling: float = Field(3.0, ge=1, le=20)
    second_period: bool = Field(False, description="search one in what the first leaves; doubles the cost")


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
    label_origins: tuple[str, ...] = Field(
        ("tic", "gaia_dr3", "gaia_dr3_sos"), description="whose label counts first (Becker et al. 2025, 2.4: TIC)"
    )
    min_labels: int = Field(60, ge=10, description="labelled sources below which a target is not trained")
    interval_level: float = Field(0.68, gt=0.1, lt=0.999, description="coverage of the published intervals")
    when: Literal["stale", "missing"] = Field("stale", description="retrain when labels change, or only at first")
    network: NetworkSettings = NetworkSettings()


class ComputeSettings(Frozen):
    """Where the work runs: a local cluster, or the scheduler at an address."""

    n_workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=1024)
    scheduler: str | None = Field(None, description="address of a running Dask scheduler, tcp://host:port")
    chunk_objects: int = Field(500, ge=1, le=100_000)
    retries: int = Field(2, ge=0, le=10)


class Settings(Frozen):
    """Everything that decides what a run does."""

    preset: str
    dataset: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    source: Annotated[ArchiveSource | FolderSource, Field(discriminator="kind")]
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
        where = ".".join(str(part) for part in first["loc"] if part not in ("archives", "folder"))
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
