"""No row is scored by a model that has seen it."""

import numpy as np
import pytest

from tasks.learning.ensemble import ensemble_predict
from tasks.learning.fit import fit
from tasks.learning.recipe import NetworkConfig, Recipe
from tasks.learning.splits import split
from tests.unit.learning.synthetic_stars import stars

EXAMPLES, CLASSES, TEFF = stars(150)
SPLIT = split(CLASSES, EXAMPLES.source_id, 3, 0.2, 0)
NETWORK = NetworkConfig(hidden=8, head=(8,), central_head=(8,), max_epoch_count=2)
RECIPES = [Recipe("forest", "class", "classifier", "forest", trees=10),
           Recipe("lstm", "class", "classifier", "lstm", network=NETWORK)]  # fmt: skip


def trained(recipe, y):
    parts = [(SPLIT.fold >= 0) & (SPLIT.fold != k) for k in range(3)]
    return [fit(recipe, EXAMPLES.select(part), y[part]) for part in parts]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_the_label_of_a_training_object_cannot_reach_its_own_score(recipe):
    before = ensemble_predict(trained(recipe, CLASSES), EXAMPLES, SPLIT.fold).proba
    i = int(np.flatnonzero(SPLIT.fold == 1)[0])
    changed = CLASSES.copy()
    changed[i] = "saw" if CLASSES[i] != "saw" else "noise"
    after = ensemble_predict(trained(recipe, changed), EXAMPLES, SPLIT.fold).proba
    assert np.array_equal(before[i], after[i])
    assert not np.array_equal(before, after)


def test_training_objects_get_their_fold_and_others_the_mean():
    models = trained(RECIPES[0], CLASSES)
    found = ensemble_predict(models, EXAMPLES, SPLIT.fold)
    each = np.stack([model.predict_proba(EXAMPLES) for model in models])
    for i, k in enumerate(SPLIT.fold):
        assert np.allclose(found.proba[i], each[:, i].mean(0) if k < 0 else each[k, i])
    assert found.classes == ("noise", "saw", "sine") and np.allclose(found.proba.sum(1), 1)


def test_a_model_refuses_to_score_what_it_has_seen():
    models = trained(RECIPES[0], CLASSES)
    with pytest.raises(ValueError, match="took part in the training"):
        ensemble_predict(models, EXAMPLES, np.full(150, -1))
    with pytest.raises(ValueError, match="took part in the training"):
        ensemble_predict(models[::-1], EXAMPLES, SPLIT.fold)
    with pytest.raises(ValueError, match="folds must be -1 to 2"):
        ensemble_predict(models, EXAMPLES, np.full(150, 3))


def test_a_class_that_one_fold_never_saw_has_probability_zero_there():
    labels = CLASSES.copy()
    rare = int(np.flatnonzero(SPLIT.fold == 2)[0])
    labels[rare] = "rare"
    found = ensemble_predict(trained(RECIPES[0], labels), EXAMPLES, SPLIT.fold)
    assert found.proba[rare, found.classes.index("rare")] == 0
    assert found.proba[SPLIT.fold == 0, found.classes.index("rare")].max() > 0


def test_values_are_averaged_with_their_spread():
    models = trained(Recipe("forest", "teff_k", "regressor", "forest", trees=10), TEFF)
    found = ensemble_predict(models, EXAMPLES, SPLIT.fold)
    i = int(np.flatnonzero(SPLIT.fold == -1)[0])
    each = [model.predict(EXAMPLES.select([i])) for model in models]
    assert found.mean[i] == pytest.approx(np.mean([mean for mean, _ in each]))
    assert found.sigma[i] == pytest.approx(np.mean([sigma for _, sigma in each]))
    assert found.proba is None
