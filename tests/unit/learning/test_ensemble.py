"""No row is scored by a model that has seen it."""

from dataclasses import replace

import numpy as np
import pytest

from tasks.learning.class_calibration import ClassCalibration
from tasks.learning.ensemble import ensemble_predict, predict_and_compare
from tasks.learning.fit import fit
from tasks.learning.splits import split
from tasks.learning.targets import CLASS, Joint, Regression
from tests.unit.learning.synthetic_stars import recipe, stars

EXAMPLES, CLASSES, TEFF = stars(150)
SPLIT = split(CLASS, CLASSES, EXAMPLES.source_id, 3, 0.2, 0)
TARGET = CLASS.bind(CLASSES)
NETWORK = recipe("lstm", hidden=4, head=(4,), central_head=(4,), max_passes=2, max_per_band=10)
RECIPES = [recipe("forest", trees=10), NETWORK]


def trained(own, y):
    parts = [(SPLIT.fold >= 0) & (SPLIT.fold != k) for k in range(3)]
    return [fit(own, EXAMPLES.select(part), y[part]) for part in parts]


@pytest.mark.parametrize("own", RECIPES, ids=lambda own: own.name)
def test_the_label_of_a_training_object_cannot_reach_its_own_score(own):
    before = ensemble_predict(trained(own, CLASSES), EXAMPLES, SPLIT.fold, TARGET)
    i = int(np.flatnonzero(SPLIT.fold == 1)[0])
    changed = CLASSES.copy()
    changed[i] = "saw" if CLASSES[i] != "saw" else "noise"
    after = ensemble_predict(trained(own, changed), EXAMPLES, SPLIT.fold, TARGET)
    assert np.array_equal(before[i], after[i])
    assert not np.array_equal(before, after)


def test_training_objects_get_their_fold_and_others_the_mean():
    models = trained(RECIPES[0], CLASSES)
    found = ensemble_predict(models, EXAMPLES, SPLIT.fold, TARGET)
    each = np.stack([model.predict(EXAMPLES) for model in models])
    for i, k in enumerate(SPLIT.fold):
        assert np.allclose(found[i], each[:, i].mean(0) if k < 0 else each[k, i])
    assert TARGET.classes == ("noise", "saw", "sine") and np.allclose(found.sum(1), 1)


def test_a_model_refuses_to_score_what_it_has_seen():
    models = trained(RECIPES[0], CLASSES)
    with pytest.raises(ValueError, match="took part in the training"):
        ensemble_predict(models, EXAMPLES, np.full(150, -1), TARGET)
    with pytest.raises(ValueError, match="took part in the training"):
        ensemble_predict(models[::-1], EXAMPLES, SPLIT.fold, TARGET)
    with pytest.raises(ValueError, match="folds must be -1 to 2"):
        ensemble_predict(models, EXAMPLES, np.full(150, 3), TARGET)


def test_a_class_that_one_fold_never_saw_has_probability_zero_there():
    labels = CLASSES.copy()
    rare = int(np.flatnonzero(SPLIT.fold == 2)[0])
    labels[rare] = "rare"
    target = CLASS.bind(labels)
    found = ensemble_predict(trained(RECIPES[0], labels), EXAMPLES, SPLIT.fold, target)
    assert found[rare, target.classes.index("rare")] == 0
    assert found[SPLIT.fold == 0, target.classes.index("rare")].max() > 0


def test_values_are_averaged_with_their_spread():
    target = Regression.of("teff_k")
    models = trained(recipe("forest", target, trees=10), TEFF)
    found = ensemble_predict(models, EXAMPLES, SPLIT.fold, target)
    i = int(np.flatnonzero(SPLIT.fold == -1)[0])
    each = [model.predict(EXAMPLES.select([i]))[0] for model in models]
    assert found[i] == pytest.approx(np.mean(each, axis=0))


def entropy_of(proba):
    """In nats, (S,)."""
    return -np.sum(np.where(proba > 0, proba * np.log(np.maximum(proba, 1e-300)), 0), axis=1)


def test_the_mean_entropy_is_that_of_every_seed_of_every_model_that_scored():
    two = replace(RECIPES[0], seeds=(3, 4))
    models = trained(two, CLASSES)
    raw, entropy = predict_and_compare(models, EXAMPLES, SPLIT.fold, TARGET)
    assert np.array_equal(raw, ensemble_predict(models, EXAMPLES, SPLIT.fold, TARGET))
    each = np.array([[entropy_of(proba) for proba in model.members(EXAMPLES)] for model in models])
    for i, k in enumerate(SPLIT.fold):
        assert entropy[i, 0] == pytest.approx(each[:, :, i].mean() if k < 0 else each[k, :, i].mean())
    found = TARGET.scores(ClassCalibration(), raw, entropy).bald
    assert (found >= 0).all() and found.max() > 0.01


def test_of_one_member_there_is_no_mean_and_of_a_quantity_none_at_all():
    models = trained(RECIPES[0], CLASSES)
    _, entropy = predict_and_compare(models, EXAMPLES, SPLIT.fold, TARGET)
    assert np.array_equal(np.isnan(entropy[:, 0]), SPLIT.fold >= 0)
    value = Regression.of("teff_k")
    _, none = predict_and_compare(trained(recipe("forest", value, trees=5), TEFF), EXAMPLES, SPLIT.fold, value)
    assert none.shape == (150, 1) and np.isnan(none).all()


def test_several_targets_have_an_entropy_each():
    both = Joint((CLASS, Regression.of("teff_k"))).bind(
        np.array([("EA", 1.0), ("RR", 2.0)], [("class", "U2"), ("teff_k", float)])
    )
    found = both.entropy(np.array([[0.5, 0.5, 5000.0, 10.0], [1.0, 0.0, 6000.0, 10.0]]))
    assert np.allclose(found[:, 0], [np.log(2), 0]) and np.isnan(found[:, 1]).all()
