"""A stored model predicts bit for bit as before, and a damaged or strange file is refused."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tasks.learning.fit import fit
from tasks.learning.persistence import ARRAYS, CARD, load, model_id, read_card, save
from tasks.learning.recipe import NetworkConfig, Recipe
from tasks.learning.recipes import default_recipes
from tests.unit.learning.synthetic_stars import stars

EXAMPLES, CLASSES, TEFF = stars(80)
TARGETS = {"class": "classifier", "teff_k": "regressor", "radius_rsun": "regressor"}
RECIPES = default_recipes(TARGETS, trees=8, colour_columns=["colour_g_r"],
                          network=NetworkConfig(hidden=8, max_epoch_count=2))  # fmt: skip


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: f"{recipe.target}-{recipe.name}")
def test_predictions_after_loading_are_identical(recipe, tmp_path):
    model = fit(recipe, EXAMPLES, CLASSES if recipe.kind == "classifier" else TEFF)
    identity = save(model, tmp_path / "m", {"lock": "abc"})
    again = load(tmp_path / "m")
    assert model_id(again) == identity == read_card(tmp_path / "m")["model_id"]
    assert again.recipe == recipe and np.array_equal(again.source_id, model.source_id)
    name = "predict_proba" if recipe.kind == "classifier" else "predict"
    assert np.array_equal(getattr(again, name)(EXAMPLES), getattr(model, name)(EXAMPLES))
    other = "predict" if recipe.kind == "classifier" else "predict_proba"
    with pytest.raises(ValueError, match="ask for predict"):
        getattr(again, other)(EXAMPLES)


def test_every_kind_of_recipe_is_offered_once_and_the_simplest_first():
    names = [(recipe.target, recipe.name) for recipe in RECIPES]
    assert len(set(names)) == len(names) == 5 + 3 + 3
    assert names[0] == ("class", "majority") and RECIPES[-1].log_target


def test_files_hold_no_pickle(tmp_path):
    save(fit(RECIPES[2], EXAMPLES, CLASSES), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [ARRAYS, CARD]


def test_nodes_that_point_outside_their_tree_are_refused(tmp_path):
    save(fit(Recipe("forest", "class", "classifier", "forest", trees=3), EXAMPLES, CLASSES), tmp_path)
    good = load_file(tmp_path / ARRAYS)
    for name, value in (("left_child", 10**6), ("right_child", 0), ("feature", 77)):
        bad = {key: array.copy() for key, array in good.items()}
        bad[name][0] = value
        save_file(bad, tmp_path / ARRAYS)
        with pytest.raises(ValueError, match="the file is damaged"):
            load(tmp_path)
    save_file({key: value for key, value in good.items() if key != "threshold"}, tmp_path / ARRAYS)
    with pytest.raises(ValueError, match="lacks threshold"):
        load(tmp_path)


def test_other_files_are_refused_in_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"card\.json cannot be read"):
        load(tmp_path)
    save(fit(RECIPES[0], EXAMPLES, CLASSES), tmp_path)
    card = json.loads((tmp_path / CARD).read_text())
    (tmp_path / ARRAYS).write_bytes(b"not tensors")
    with pytest.raises(ValueError, match="cannot be read"):
        load(tmp_path)
    (tmp_path / CARD).write_text(json.dumps({**card, "format": 99}))
    with pytest.raises(ValueError, match="its format is 99"):
        load(tmp_path)
    card["recipe"]["turbo"] = True
    (tmp_path / CARD).write_text(json.dumps(card))
    save_file({"answer": np.ones(3)}, tmp_path / ARRAYS)
    with pytest.raises(ValueError, match="has no turbo"):
        load(tmp_path)


def test_impossible_recipes_are_refused():
    forest = {"kind": "classifier", "model": "forest"}
    for wrong in ({"kind": "regressor", "model": "lstm"}, {"kind": "classifier", "model": "lstm"},
                  {"kind": "classifier", "model": "colour_forest"}, {**forest, "trees": 0},
                  {**forest, "log_target": True}):  # fmt: skip
        with pytest.raises(ValueError, match="recipe x"):
            Recipe("x", "class", **wrong)


def test_reading_recipes_cards_and_baselines_needs_no_torch():
    code = ("import sys, tasks.learning.ensemble, tasks.learning.persistence, tasks.learning.recipes; "
            "assert not {'torch', 'sklearn'} & set(sys.modules)")  # fmt: skip
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=True)
