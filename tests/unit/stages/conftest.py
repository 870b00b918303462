"""A small folder of stars and a lake refreshed from it, stage by stage, once for all tests of the stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from distributed import LocalCluster

from flows.presets import preset
from flows.settings import Settings, override
from lakehouse.delta.store import Lake
from lakehouse.run import Run, StageResult
from schemas import TABLES, Column
from tasks.stages.acquire.stage import acquire_sources
from tasks.stages.clean.stage import clean_sources
from tasks.stages.featurize.stage import featurize_sources
from tasks.stages.score.stage import score_sources
from tasks.stages.train.labels import TrainingPlan
from tasks.stages.train.stage import train_models
from tests.unit.stages import labelled_lake

N_STARS, N_EPOCHS = 60, 30
SMALL = ("training.recipes=[majority, forest]", "training.options.forest.trees=50", "training.n_folds=2",
         "training.min_labels=20", "training.quantities=[]", "features.period.f_max=2",
         "compute.chunk_objects=25")  # fmt: skip
DATASET = """
name = "tiny"
time_zero = "mjd"
[label]
column = "label"
[inputs]
parallax = "plx"
parallax_error = "e_plx"
[lightcurves]
time = "mjd"
mag_err = "mag_err"
band = "band"
[[bands]]
name = "g"
survey = "one"
[[bands]]
name = "r"
survey = "two"
"""


@dataclass(frozen=True)
class Refreshed:
    """A refreshed lake: the run on it, the folder it was read from, the settings, and what each stage did."""

    run: Run
    folder: Path
    settings: Settings
    stages: dict[str, StageResult]

    @property
    def lake(self) -> Lake:
        return Lake(self.run.lake)


def write_folder(folder: Path, toml: str = DATASET) -> Path:
    """Variable stars of two surveys in one band each; near and far ones, which their parallaxes alone tell apart."""
    rng = np.random.default_rng(4)
    ids = np.array([f"star{k:02d}" for k in range(N_STARS)])
    is_near = np.arange(N_STARS) % 2 == 0
    plx = np.where(is_near, 20.0, 1.0) + rng.normal(0, 0.1, N_STARS)
    objects = {"object_id": ids, "label": np.where(is_near, "near", "far"), "plx": plx, "e_plx": np.full(N_STARS, 0.1)}
    time = np.sort(rng.uniform(58000, 58040, (N_STARS, N_EPOCHS)), axis=1)
    period = rng.uniform(1, 4, (N_STARS, 1))
    mag = 15 + 0.3 * np.sin(2 * np.pi * time / period) + rng.normal(0, 0.02, time.shape)
    mag[:, 0] = 9.0  # an outlier in every light curve
    epochs = {"object_id": np.repeat(ids, N_EPOCHS), "band": np.tile(["g", "r"], N_STARS * N_EPOCHS // 2),
              "mjd": time.ravel(), "mag": mag.ravel(), "mag_err": np.full(time.size, 0.02)}  # fmt: skip
    folder.mkdir(parents=True)
    pq.write_table(pa.table(objects), folder / "objects.parquet")
    pq.write_table(pa.table(epochs), folder / "lightcurves.parquet")
    (folder / "dataset.toml").write_text(toml)
    return folder


def refresh(run: Run, settings: Settings) -> dict[str, StageResult]:
    """Every stage up to the scores, as the flow runs them, without Prefect."""
    source = settings.source
    plan = TrainingPlan(settings.training, settings.seed, source.has_time, source.is_synthetic)
    return {
        "acquire": acquire_sources(run, settings.source, None),
        "clean": clean_sources(run, settings.cut_config),
        "featurize": featurize_sources(run, settings.feature_config),
        "train": train_models(run, plan),
        "score": score_sources(run),
    }


@pytest.fixture(scope="session")
def scheduler() -> Iterator[str]:
    """Address of a cluster whose workers are threads of this process."""
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="session")
def refreshed(tmp_path_factory, scheduler) -> Refreshed:
    """The lake of 60 stars; tests only read it."""
    place = tmp_path_factory.mktemp("stages")
    settings = override(preset("folder", write_folder(place / "data")), SMALL)
    run = Run("r1", str(Lake(place / "lake", create=True).path), settings.dataset, scheduler, 25)
    return Refreshed(run, place / "data", settings, refresh(run, settings))


@pytest.fixture
def copied(refreshed, tmp_path) -> Refreshed:
    """A copy of that lake, for tests that write."""
    copytree(refreshed.run.lake, tmp_path / "lake")
    return replace(refreshed, run=replace(refreshed.run, run_id="r2", lake=str(tmp_path / "lake")))


def replace_rows(lake: Lake, name: str, rows: pa.Table) -> None:
    """Make `rows` the table's rows of the dataset, with whatever columns of its families they have."""
    spec = TABLES[name]
    own = [field for field in rows.schema if field.name not in spec.columns_by_name]
    bound = spec.bind([Column(field.name, field.type, "x.", nullable=True) for field in own])
    lake.overwrite("r2", bound, rows, {"dataset": "tiny"}, stage="test")


@pytest.fixture
def lake(tmp_path) -> Lake:
    """A lake whose stars have features and labels, to be trained on."""
    return labelled_lake.write_labelled_lake(tmp_path / "lake")


@pytest.fixture
def run(lake, scheduler) -> Run:
    """A run in that lake; what fails is not tried again."""
    return Run("r1", str(lake.path), labelled_lake.DATASET, scheduler, retries=0)
