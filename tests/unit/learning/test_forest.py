"""Forests as arrays say what scikit-learn says."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from tasks.learning.fit import fit
from tasks.learning.recipes.forests import forest
from tasks.learning.targets import Regression
from tasks.learning.trees import from_estimators
from tests.unit.learning.synthetic_stars import recipe, stars

EXAMPLES, CLASSES, TEFF = stars(300)
CLASSIFY = recipe("forest", trees=30)
TEMPERATURE = Regression.of("teff_k")


def test_arrays_predict_exactly_as_scikit_learn():
    fitted = RandomForestClassifier(20, random_state=1).fit(EXAMPLES.features, CLASSES)
    arrays = from_estimators(fitted, EXAMPLES.feature_names)
    assert np.abs(arrays.predict(EXAMPLES) - fitted.predict_proba(EXAMPLES.features)).max() < 1e-14
    fitted = RandomForestRegressor(20, random_state=1).fit(EXAMPLES.features, TEFF)
    mean, sigma = from_estimators(fitted, EXAMPLES.feature_names, 1.0).predict(EXAMPLES).T
    each = np.stack([tree.predict(EXAMPLES.features) for tree in fitted.estimators_])
    assert np.allclose(mean, each.mean(0)) and np.allclose(sigma, np.maximum(each.std(0), 1.0), atol=1e-3)


@pytest.mark.parametrize("model", ["forest", "balanced_forest"])
def test_a_forest_learns_with_missing_values(model):
    training, other = np.arange(300) < 200, np.arange(300) >= 200
    proba = fit(recipe(model, trees=50), EXAMPLES.select(training), CLASSES[training]).predict(EXAMPLES.select(other))
    assert np.allclose(proba.sum(1), 1)
    assert (np.unique(CLASSES)[proba.argmax(1)] == CLASSES[other]).mean() > 0.9


def test_row_order_and_column_order_do_not_matter():
    order = np.random.default_rng(0).permutation(300)
    there = fit(CLASSIFY, EXAMPLES, CLASSES)
    again = fit(CLASSIFY, EXAMPLES.select(order), CLASSES[order])
    swapped = type(EXAMPLES)(EXAMPLES.source_id, EXAMPLES.features[:, ::-1], EXAMPLES.feature_names[::-1])
    assert np.array_equal(there.predict(EXAMPLES), again.predict(swapped))


def test_a_missing_column_is_said_in_one_sentence():
    less = type(EXAMPLES)(EXAMPLES.source_id, EXAMPLES.features[:, :2], EXAMPLES.feature_names[:2])
    with pytest.raises(ValueError, match="1 of the 3 columns the model was trained on are absent"):
        fit(CLASSIFY, EXAMPLES, CLASSES).predict(less)


def test_a_colour_forest_sees_colours_alone():
    colours = recipe("colour_forest", TEMPERATURE, ("colour_g_r",), trees=40, min_leaf=5)
    model = fit(colours, EXAMPLES, TEFF)
    blind = type(EXAMPLES)(EXAMPLES.source_id, EXAMPLES.features * np.array([np.nan, np.nan, 1], np.float32),
                           EXAMPLES.feature_names)  # fmt: skip
    assert np.array_equal(model.predict(EXAMPLES), model.predict(blind))
    known = np.isfinite(EXAMPLES.features[:, 2])
    assert np.std((model.predict(EXAMPLES)[:, 0] - TEFF)[known]) < 0.25 * np.std(TEFF)


def test_a_log_target_is_positive_and_labels_must_be():
    target = Regression.of("radius_rsun")
    radii = recipe("forest", target, trees=20)
    radius = np.where(TEFF > 6000, 1e-3, 100.0)
    value = target.to_physical(fit(radii, EXAMPLES, radius).predict(EXAMPLES)[:, 0])
    assert (value > 0).all() and np.corrcoef(np.log(value), np.log(radius))[0, 1] > 0.8
    with pytest.raises(ValueError, match="300 of 300 labels are not finite and positive"):
        fit(radii, EXAMPLES, -radius)


def test_a_class_of_one_is_trained_and_marked():
    labels = CLASSES.copy()
    labels[0] = "rare"
    for few in (recipe("forest", trees=10), recipe("balanced_forest", trees=10), recipe("majority")):
        model = fit(few, EXAMPLES, labels)
        assert "rare" in model.target.classes and "rare (1)" in model.note


def test_baselines_answer_frequencies_and_the_median():
    proba = fit(recipe("majority"), EXAMPLES, CLASSES).predict(EXAMPLES)
    assert np.allclose(proba[0], [(name == CLASSES).mean() for name in np.unique(CLASSES)])
    mean, sigma = fit(recipe("median", TEMPERATURE), EXAMPLES, TEFF).predict(EXAMPLES).T
    assert mean[0] == np.median(TEFF) and sigma[0] > 100


def test_the_leaf_sizes_are_those_of_the_recipe():
    (of_temperature,) = forest([TEMPERATURE])
    few = replace(of_temperature, config=replace(of_temperature.config, trees=1))
    leaves = np.unique(fit(few, EXAMPLES, TEFF).predict(EXAMPLES)[:, 0]).size
    single = replace(few, config=replace(few.config, min_leaf=1))
    assert leaves <= len(EXAMPLES) // 3 < np.unique(fit(single, EXAMPLES, TEFF).predict(EXAMPLES)[:, 0]).size


@pytest.mark.parametrize("model", ["forest", "extra_trees"])
def test_trees_draw_no_more_objects_than_the_settings_say(model):
    def leaf_values(most_drawn):
        made = recipe(model, TEMPERATURE, trees=1, most_drawn=most_drawn)
        return np.unique(fit(made, EXAMPLES, TEFF).predict(EXAMPLES)[:, 0])

    assert leaf_values(20).size <= 20 < leaf_values(300).size
    assert np.array_equal(leaf_values(300), leaf_values(4000))  # no limit where there are fewer


def test_a_balanced_forest_draws_from_every_class_whatever_the_limit():
    made = (recipe("balanced_forest", trees=5, most_drawn=most) for most in (20, 4000))
    limited, free = (fit(each, EXAMPLES, CLASSES).predict(EXAMPLES) for each in made)
    assert np.array_equal(limited, free)


def test_rows_are_scored_in_pieces_of_any_size_to_the_same_bits(monkeypatch):
    model = fit(CLASSIFY, EXAMPLES, CLASSES)
    whole = model.predict(EXAMPLES)
    monkeypatch.setattr("tasks.learning.trees.CHUNK", 7)
    assert np.array_equal(model.predict(EXAMPLES), whole)
