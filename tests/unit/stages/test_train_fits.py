"""A fit that fails takes its recipe out of the choice and says why; the others go on."""

import pytest

from lakehouse.disk import FullDisk
from lakehouse.models import read_card, read_current
from tasks.learning.training_config import TrainingConfig
from tasks.stages.train import fits
from tasks.stages.train.labels import TrainingPlan
from tasks.stages.train.stage import train_models
from tests.unit.stages.labelled_lake import DATASET

PLAN = TrainingPlan(
    TrainingConfig(n_folds=2, recipes=("majority", "colour_forest"), min_labels=20, quantities=(),
                   options={"colour_forest": {"trees": 10}}),
    has_time=False,
)  # fmt: skip


def failing(monkeypatch, *recipes: str, error: type[Exception] = ArithmeticError) -> None:
    """Make the fits of `recipes` without fold 1 fail."""
    fit_fold = fits.fit_fold

    def fragile(run, folder, recipe, fold):
        if recipe in recipes and fold == 1:
            raise error(f"{recipe} overflows.\nWhere and when.")
        fit_fold(run, folder, recipe, fold)

    monkeypatch.setattr(fits, "fit_fold", fragile)


def test_a_failed_fit_leaves_out_its_recipe_and_says_why(run, lake, monkeypatch):
    failing(monkeypatch, "colour_forest")
    done = train_models(run, PLAN)
    why = "Left out: its training without fold 1 failed (ArithmeticError: colour_forest overflows)."
    assert done.done == 1 and done.notes == (f"class, colour_forest: {why}",)
    card = read_card(run.lake, DATASET, "class", read_current(run.lake, DATASET)["class"])
    assert card["recipe"]["name"] == "majority"
    (row,) = lake.read("score_model__metric", where={"dataset": DATASET, "recipe": "colour_forest"}).to_pylist()
    assert (row["metric"], row["split"], row["value"], row["n"], row["note"]) == ("macro_f1", "oof", None, 0, why)
    assert not row["is_chosen"] and not list((lake.path / "work" / DATASET).iterdir())


def test_where_every_fit_fails_the_training_does(run, lake, monkeypatch):
    failing(monkeypatch, "majority", "colour_forest")
    with pytest.raises(ArithmeticError, match="overflows"):
        train_models(run, PLAN)
    assert read_current(run.lake, DATASET) == {} and not lake.exists("score_model__metric")


def test_a_full_disk_is_the_fault_of_no_recipe(run, monkeypatch):
    failing(monkeypatch, "colour_forest", error=FullDisk)
    with pytest.raises(FullDisk):
        train_models(run, PLAN)
