"""A stored model predicts bit for bit as before, and a damaged or strange file is refused."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from schemas import BadInput
from tasks.features.feature import COLOUR
from tasks.learning.fit import fit
from tasks.learning.forests import ForestConfig
from tasks.learning.models.lstm.config import NetworkConfig
from tasks.learning.persistence import ARRAYS, CARD, load, save
from tasks.learning.recipe import Recipe
from tasks.learning.recipes import RECIPES as RECIPE_NAMES
from tasks.learning.recipes import recipes_for
from tasks.learning.spec import Offer
from tasks.learning.targets import CLASS, Regression, targets_for
from tests.unit.learning.synthetic_stars import recipe, stars

EXAMPLES, CLASSES, TEFF = stars(80)
TARGETS = targets_for(["teff_k", "radius_rsun"])
OPTIONS = {name: {"trees": 8} for name in ("forest", "balanced_forest", "colour_forest")}
OPTIONS["lstm"] = {"hidden": 8, "max_passes": 2}
OPTIONS["folded"] = {"n_bin": 8, "channels": (4,), "max_passes": 1}
OFFER = Offer({name: COLOUR if name == "colour_g_r" else None for name in EXAMPLES.feature_names})
RECIPES = [own.complete_for(OFFER) for own in recipes_for(tuple(RECIPE_NAMES), TARGETS, OPTIONS)]


def labels(own: Recipe):
    return CLASSES if own.target == CLASS else TEFF


def test_several_seeds_are_averaged_in_memory_and_from_disk(tmp_path):
    each = [fit(recipe("forest", seeds=(seed,), trees=4), EXAMPLES, CLASSES).predict(EXAMPLES) for seed in (3, 5)]
    both = fit(recipe("forest", seeds=(3, 5), trees=4), EXAMPLES, CLASSES)
    save(both, tmp_path)
    assert np.array_equal(both.predict(EXAMPLES), (each[0] + each[1]) / 2)
    assert np.array_equal(load(tmp_path).predict(EXAMPLES), both.predict(EXAMPLES))
    assert not np.array_equal(each[0], each[1])


def test_every_recipe_is_offered_for_the_targets_that_its_model_can_learn():
    names = [(own.target.name, own.name) for own in RECIPES]
    assert len(set(names)) == len(names) > len(RECIPE_NAMES)
    assert [own.columns for own in RECIPES if own.model == "colour_forest"] == [("colour_g_r",)] * 3
    assert {own.target.is_log for own in RECIPES if own.target.name == "radius_rsun"} == {True}


def test_a_strange_recipe_or_setting_is_one_sentence():
    with pytest.raises(BadInput, match="There is no recipe 'turbo'; there are majority"):
        recipes_for(("turbo",), TARGETS)
    with pytest.raises(BadInput, match="Recipe forest: forest: there is no setting 'branches'; there are trees, min"):
        recipes_for(("forest",), TARGETS, {"forest": {"branches": 3}})
    with pytest.raises(BadInput, match="Recipe forest: forest: trees = 0: input should be greater"):
        recipes_for(("forest",), TARGETS, {"forest": {"trees": 0}})


def test_files_hold_no_pickle(tmp_path):
    save(fit(RECIPES[0], EXAMPLES, CLASSES), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [ARRAYS, CARD]


def test_nodes_that_point_outside_their_tree_are_refused(tmp_path):
    save(fit(recipe("forest", trees=3), EXAMPLES, CLASSES), tmp_path)
    good = load_file(tmp_path / ARRAYS)
    for name, value in (("left_child", 10**6), ("right_child", 0), ("feature", 77)):
        bad = {key: array.copy() for key, array in good.items()}
        bad[f"0/{name}"][0] = value
        save_file(bad, tmp_path / ARRAYS)
        with pytest.raises(ValueError, match="the file is damaged"):
            load(tmp_path)
    save_file({key: value for key, value in good.items() if key != "0/threshold"}, tmp_path / ARRAYS)
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
    save_file({"0/answer": np.ones(3)}, tmp_path / ARRAYS)
    with pytest.raises(ValueError, match="its recipe has turbo"):
        load(tmp_path)


def test_impossible_recipes_are_refused():
    trees, number = ForestConfig(), Regression.of("teff_k")
    with pytest.raises(ValueError, match="recipe x: a lstm learns a Classification, not teff_k"):
        Recipe("x", (number,), "lstm", NetworkConfig())
    with pytest.raises(ValueError, match="recipe x: a lstm is set by a NetworkConfig, not by a ForestConfig"):
        Recipe("x", (CLASS,), "lstm", trees)
    with pytest.raises(ValueError, match=r"recipe x: a forest learns .* not class\+teff_k"):
        Recipe("x", (CLASS, number), "forest", trees)
    for seeds in ((), (1, 1)):
        with pytest.raises(ValueError, match="recipe x: the seeds are"):
            Recipe("x", (CLASS,), "forest", trees, seeds=seeds)


def test_reading_recipes_cards_and_baselines_needs_no_torch():
    code = ("import sys, tasks.learning.ensemble, tasks.learning.persistence, tasks.learning.recipes; "
            "assert not {'torch', 'sklearn'} & set(sys.modules)")  # fmt: skip
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=True)
