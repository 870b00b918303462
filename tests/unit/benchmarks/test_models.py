"""`argelander bench models`: each recipe out of fold beside the forest, trained once, and the page of it."""

from types import SimpleNamespace

import numpy as np
import pytest
from distributed import LocalCluster

from benchmarks._models_page import Measured, head, published, tell
from benchmarks.models import REFERENCE, concatenate, find_sets, measure_set, read_arguments, score_out_of_fold
from lakehouse.run import Run
from schemas import BadInput
from schemas.mapping import preset_names
from tasks.learning.calibration import Levels
from tasks.learning.targets import CLASS
from tasks.learning.training_config import TrainingConfig
from tasks.stages.train import fits
from tests.unit.stages.labelled_lake import DATASET, write_labelled_lake

RECIPES = ("majority", "median", "forest")
TRAINING = TrainingConfig(min_labels=20, quantities=("teff_k",), options={"forest": {"trees": 10}})
SETTINGS = SimpleNamespace(
    training=TRAINING, seed=3, source=SimpleNamespace(has_time=False, is_synthetic=False)
)  # what a measurement asks of the settings


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on a lake with features and labels, on a cluster in this process."""
    lake = write_labelled_lake(tmp_path_factory.mktemp("bench") / "lake")
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as local:
        yield Run("bench", str(lake.path), DATASET, local.scheduler_address, retries=0)


@pytest.fixture(scope="module")
def found(run):
    return measure_set(run, SETTINGS, RECIPES, 3)


def test_every_star_is_measured_and_the_forest_beats_the_baseline(found):
    assert {target: [row.recipe for row in rows] for target, rows in found.items()} == {
        "class": ["majority", "forest"], "teff_k": ["median", "forest"]
    }  # fmt: skip
    majority, forest = found["class"]
    figures = {metric.metric: metric for metric in forest.metrics if metric.name == "all"}
    assert figures["accuracy"].n == 80 and figures["accuracy"].value > 0.8 and forest.seconds.shape == (3,)
    assert forest.key == majority.key and forest.resamples["accuracy"][0] == figures["accuracy"].value


def test_a_mean_is_measured_after_its_members_and_trains_nothing(run, found):
    rows = measure_set(run, SETTINGS, ("mean", *RECIPES), 3)["class"]
    assert [row.recipe for row in rows] == ["majority", "forest", "mean"] and rows[-1].seconds.tolist() == [0.0] * 3
    assert rows[-1].resamples["accuracy"][0] > 0.8 and rows[1].metrics == found["class"][1].metrics


def test_what_is_trained_is_not_trained_again(run, found, monkeypatch):
    trained, try_all = [], fits.try_all

    def noting(scheduler, function, jobs, *more):
        trained.extend(job[2:] for job in jobs)
        return try_all(scheduler, function, jobs, *more)

    monkeypatch.setattr(fits, "try_all", noting)
    again = measure_set(run, SETTINGS, RECIPES[1:], 3)
    assert trained == [] and [row.recipe for row in again["class"]] == ["forest"]
    assert again["class"][0].metrics == found["class"][1].metrics
    measure_set(run, SETTINGS, RECIPES, 3, again=("median",))
    assert sorted(trained) == [("median", fold) for fold in range(3)]


def test_a_recipe_that_fails_is_a_line(run, monkeypatch):
    def fail(*job):
        raise ArithmeticError("too large")

    monkeypatch.setattr(fits, "fit_fold", fail)
    rows = measure_set(run, SETTINGS, ("colour_forest",), 3)["class"]
    assert rows[0].resamples is None and "ArithmeticError: too large" in [*tell("tiny", "class", rows, REFERENCE)][-1]


def test_the_table_has_the_difference_to_the_forest_and_what_others_published(found):
    lines = [*tell("css_north", "class", found["class"], REFERENCE)]
    first, second = (line.split(" | ") for line in lines if line.startswith(("| forest", "| majority")))
    assert "## css_north: class, 80 stars" in lines and first[0] == "| forest" and first[3:5] == ["", ""]
    assert second[0] == "| majority" and second[4].startswith("-0.") and "[-0." in second[4]
    assert "\nPublished: accuracy 0.816; random forest on FATS features" in lines[-1]
    other = Measured("forest", found["class"][1].metrics, found["class"][1].resamples, "other stars", np.ones(3))
    line = next(line for line in tell("x", "class", [found["class"][0], other], REFERENCE) if "| majority" in line)
    assert line.split(" | ")[3:5] == ["", ""]  # of other stars nothing can be subtracted
    assert "DIR --all" in "\n".join(head("argelander bench models --data DIR --all"))


def test_published_figures_are_of_sets_that_can_be_read():
    assert any("Dekany" in line for line in published("dekany_rrab", "feh_dex"))
    assert not [*published("eros_br", "class")] and "dekany_rrab" in preset_names()


def test_the_calibration_of_a_star_has_not_seen_it():
    """A fold in which every label is turned around changes nothing of its own scores."""
    rng = np.random.default_rng(0)
    y, fold = rng.choice(["a", "b"], 90), np.repeat([0, 1, 2], 30)
    raw = np.where((y == "a")[:, None], [0.8, 0.2], [0.2, 0.8])
    target = CLASS.bind(y)
    row, scores = score_out_of_fold(target, raw, y, fold, Levels())
    turned = np.where(fold == 1, np.where(y == "a", "b", "a"), y)
    _, others = score_out_of_fold(target, raw, turned, fold, Levels())
    own = fold[row] == 1
    assert np.array_equal(scores.proba[own], others.proba[own])
    assert not np.array_equal(scores.proba[~own], others.proba[~own])
    assert np.array_equal(concatenate([(y[:3], y[:1]), (y[3:5], y[1:2])])[0], y[:5])


def test_a_set_or_the_folder_of_sets(tmp_path):
    with pytest.raises(BadInput, match=r"is no set and holds none of .*css_north"):
        find_sets(tmp_path)
    (tmp_path / "css_north").mkdir()
    (tmp_path / "css_north" / "objects.parquet").touch()
    assert find_sets(tmp_path) == find_sets(tmp_path / "css_north") == [tmp_path / "css_north"]
    assert read_arguments(["--recipes", "a", "b", "--folds", "3"]).recipes == ["a", "b"]
