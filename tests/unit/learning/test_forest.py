"""Forests as arrays say what scikit-learn says."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from tasks.learning.fit import fit, to_physical
from tasks.learning.models.forest import MIN_LEAF, _from_estimators
from tasks.learning.recipe import Recipe
from tests.unit.learning.synthetic_stars import stars

EXAMPLES, CLASSES, TEFF = stars(300)
CLASSIFY = Recipe("forest", "class", "classifier", "forest", trees=30)


def test_arrays_predict_exactly_as_scikit_learn():
    fitted = RandomForestClassifier(20, random_state=1).fit(EXAMPLES.features, CLASSES)
    forest = _from_estimators(fitted, EXAMPLES.feature_names, 0.0)
    assert np.abs(forest.proba(EXAMPLES) - fitted.predict_proba(EXAMPLES.features)).max() < 1e-14
    fitted = RandomForestRegressor(20, random_state=1).fit(EXAMPLES.features, TEFF)
    mean, sigma = _from_estimators(fitted, EXAMPLES.feature_names, 1.0).value(EXAMPLES)
    each = np.stack([tree.predict(EXAMPLES.features) for tree in fitted.estimators_])
    assert np.allclose(mean, each.mean(0)) and np.allclose(sigma, np.maximum(each.std(0), 1.0), atol=1e-3)


@pytest.mark.parametrize("model", ["forest", "balanced_forest"])
def test_a_forest_learns_with_missing_values(model):
    training, other = np.arange(300) < 200, np.arange(300) >= 200
    recipe = Recipe(model, "class", "classifier", model, trees=50)
    proba = fit(recipe, EXAMPLES.select(training), CLASSES[training]).predict_proba(EXAMPLES.select(other))
    assert np.allclose(proba.sum(1), 1)
    assert (np.unique(CLASSES)[proba.argmax(1)] == CLASSES[other]).mean() > 0.9


def test_row_order_and_column_order_do_not_matter():
    order = np.random.default_rng(0).permutation(300)
    there = fit(CLASSIFY, EXAMPLES, CLASSES)
    again = fit(CLASSIFY, EXAMPLES.select(order), CLASSES[order])
    swapped = type(EXAMPLES)(EXAMPLES.source_id, EXAMPLES.features[:, ::-1], EXAMPLES.feature_names[::-1])
    assert np.array_equal(there.predict_proba(EXAMPLES), again.predict_proba(swapped))


def test_a_missing_column_is_said_in_one_sentence():
    less = type(EXAMPLES)(EXAMPLES.source_id, EXAMPLES.features[:, :2], EXAMPLES.feature_names[:2])
    with pytest.raises(ValueError, match="1 of the 3 columns the model was trained on are absent"):
        fit(CLASSIFY, EXAMPLES, CLASSES).predict_proba(less)


def test_a_colour_forest_sees_colours_alone():
    recipe = Recipe("colour_forest", "teff_k", "regressor", "colour_forest", trees=40, columns=("colour_g_r",))
    model = fit(recipe, EXAMPLES, TEFF)
    blind = type(EXAMPLES)(EXAMPLES.source_id, EXAMPLES.features * np.array([np.nan, np.nan, 1], np.float32),
                           EXAMPLES.feature_names)  # fmt: skip
    assert np.array_equal(model.predict(EXAMPLES)[0], model.predict(blind)[0])
    known = np.isfinite(EXAMPLES.features[:, 2])
    assert np.std((model.predict(EXAMPLES)[0] - TEFF)[known]) < 0.25 * np.std(TEFF)


def test_a_log_target_is_positive_and_labels_must_be():
    recipe = Recipe("forest", "radius_rsun", "regressor", "forest", trees=20, log_target=True)
    radius = np.where(TEFF > 6000, 1e-3, 100.0)
    value = to_physical(recipe, fit(recipe, EXAMPLES, radius).predict(EXAMPLES)[0])
    assert (value > 0).all() and np.corrcoef(np.log(value), np.log(radius))[0, 1] > 0.8
    with pytest.raises(ValueError, match="300 of 300 labels are not finite and positive"):
        fit(recipe, EXAMPLES, -radius)


def test_a_class_of_one_is_trained_and_marked():
    labels = CLASSES.copy()
    labels[0] = "rare"
    for name in ("forest", "balanced_forest", "majority"):
        model = fit(Recipe(name, "class", "classifier", name, trees=10), EXAMPLES, labels)
        assert "rare" in model.classes and "rare (1)" in model.note


def test_baselines_answer_frequencies_and_the_median():
    proba = fit(Recipe("majority", "class", "classifier", "majority"), EXAMPLES, CLASSES).predict_proba(EXAMPLES)
    assert np.allclose(proba[0], [(name == CLASSES).mean() for name in np.unique(CLASSES)])
    mean, sigma = fit(Recipe("median", "teff_k", "regressor", "median"), EXAMPLES, TEFF).predict(EXAMPLES)
    assert mean[0] == np.median(TEFF) and sigma[0] > 100


def test_the_leaf_sizes_are_those_of_the_recipe():
    model = fit(Recipe("forest", "teff_k", "regressor", "forest", trees=5), EXAMPLES, TEFF)
    assert np.unique(model.predict(EXAMPLES)[0]).size <= 5 * len(EXAMPLES) // MIN_LEAF["regressor"]
