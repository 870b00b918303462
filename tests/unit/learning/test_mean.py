"""The mean of recipes is a model like any other: it is put together, stored, loaded and scores as its members say."""

import json

import numpy as np
import pytest

from tasks.learning.calibration import Levels
from tasks.learning.ensemble import ensemble_predict
from tasks.learning.fit import assemble, fit
from tasks.learning.members import choose_members
from tasks.learning.models.mixture import MixtureConfig
from tasks.learning.persistence import load, model_id, save
from tasks.learning.recipe import Recipe, recipe_from_json
from tasks.learning.recipes import recipes_for
from tasks.learning.spec import Offer
from tasks.learning.splits import TEST, split
from tasks.learning.targets import CLASS, Joint, Regression
from tests.unit.learning.synthetic_stars import recipe, stars

EXAMPLES, CLASSES, TEFF = stars(90)
OTHERS = stars(40, seed=5)[0]
TEMPERATURE = Regression.of("teff_k")
NAMES = EXAMPLES.feature_names
LSTM = {"hidden": 4, "head": (4,), "central_head": (4,), "max_passes": 1, "max_per_band": 8}
MEMBERS = {
    CLASS: (recipe("forest", columns=NAMES, trees=6),
            recipe("balanced_forest", columns=NAMES[1:], seeds=(0, 4), trees=3), recipe("lstm", **LSTM)),
    TEMPERATURE: (recipe("forest", TEMPERATURE, NAMES, trees=6), recipe("median", TEMPERATURE)),
}  # fmt: skip
LABELS = {CLASS: CLASSES, TEMPERATURE: TEFF}
every_target = pytest.mark.parametrize("target", [CLASS, TEMPERATURE], ids=lambda target: target.name)


def mean_of(target, members=None) -> Recipe:
    return Recipe("mean", (target,), "mixture", MixtureConfig()).join(members or MEMBERS[target])


def each_of(target, part):
    return [fit(member, EXAMPLES.select(part), LABELS[target][part]) for member in MEMBERS[target]]


@every_target
def test_it_is_the_mean_of_its_members_whatever_their_seeds_and_columns(target):
    members = each_of(target, np.arange(90))
    found = assemble(mean_of(target), members).predict(OTHERS)
    raws = np.stack([member.predict(OTHERS) for member in members])
    np.testing.assert_allclose(found[:, 0], raws[:, :, 0].mean(0), rtol=1e-14)
    if target is CLASS:
        np.testing.assert_allclose(found, raws.mean(0), rtol=1e-14)
    order = np.random.default_rng(0).permutation(40)
    np.testing.assert_allclose(
        assemble(mean_of(target), members).predict(OTHERS.select(order)), found[order], atol=1e-6
    )


@every_target
def test_trained_at_once_or_put_together_it_is_the_same_model_and_survives_the_disk(target, tmp_path):
    whole = fit(mean_of(target), EXAMPLES, LABELS[target])
    order = np.random.default_rng(1).permutation(90)
    parts = assemble(mean_of(target), each_of(target, order))
    assert model_id(whole) == model_id(parts) == save(whole, tmp_path)
    again = load(tmp_path)
    assert again.recipe == whole.recipe and len(again.bodies) == sum(len(each.seeds) for each in MEMBERS[target])
    assert np.array_equal(again.predict(OTHERS), whole.predict(OTHERS)) and again.has_seen(EXAMPLES.source_id).all()


@every_target
def test_one_model_for_each_fold_scores_as_the_means_of_the_folds(target):
    y, fold = LABELS[target], split(target, LABELS[target], EXAMPLES.source_id, 2, 0.2, 0).fold
    folds = [each_of(target, (fold != k) & (fold != TEST)) for k in (0, 1)]
    bound = target.bind(y)
    found = ensemble_predict([assemble(mean_of(target), each) for each in folds], EXAMPLES, fold, bound)
    raws = [[bound.align_to(model.predict(EXAMPLES), model.target) for model in each] for each in folds]
    of_fold = [bound.mix(each) for each in raws]
    expected = np.where((fold == TEST)[:, None], np.mean(of_fold, axis=0), np.where((fold == 0)[:, None], *of_fold))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_the_spread_of_a_mean_is_that_of_the_mixture():
    one, other = np.array([[10.0, 3.0]]), np.array([[14.0, 4.0]])
    rng = np.random.default_rng(0)
    drawn = np.concatenate([rng.normal(*row[0], 200_000) for row in (one, other)])
    np.testing.assert_allclose(TEMPERATURE.mix([one, other])[0], [drawn.mean(), drawn.std()], rtol=0.01)
    assert TEMPERATURE.mix([one]) is one
    both = Joint((CLASS.bind(np.array(["a", "b"])), TEMPERATURE))
    proba = [np.array([[0.2, 0.8]]), np.array([[0.6, 0.4]])]
    found = both.mix([np.hstack([proba[0], one]), np.hstack([proba[1], other])])
    np.testing.assert_allclose(found, np.hstack([[[0.4, 0.6]], TEMPERATURE.mix([one, other])]))


def test_models_of_other_objects_are_not_put_together():
    one, other = each_of(CLASS, np.arange(90))[0], each_of(CLASS, np.arange(80))[1]
    with pytest.raises(ValueError, match="recipe mean: balanced_forest and forest differ in their labels"):
        assemble(mean_of(CLASS), [one, other])
    with pytest.raises(ValueError, match="name its members"):
        fit(Recipe("mean", (CLASS,), "mixture", MixtureConfig()), EXAMPLES, CLASSES)


def test_its_card_names_its_members_and_it_needs_what_they_need():
    own = mean_of(CLASS)
    card = json.loads(json.dumps(own.to_json()))
    assert recipe_from_json(card) == own and [each["name"] for each in card["members"]] == list(own.config.members)
    assert own.columns == NAMES and own.reads_curves and not mean_of(CLASS, MEMBERS[CLASS][:2]).reads_curves
    assert own.lacks(Offer(has_curves=False)) == "features, light curves"
    (free,) = recipes_for(("mean",), (CLASS,))
    assert free.lacks(Offer(has_curves=False)) == "" and free.spec.is_joined and not free.members


def guesses(rng, codes, noise):
    logit = 1.2 * np.eye(3)[codes] + rng.normal(0, noise, (codes.size, 3))
    return np.exp(logit) / np.exp(logit).sum(1, keepdims=True)


@pytest.mark.parametrize("spoil_held_out", [False, True])
def test_members_are_those_that_help_out_of_fold(spoil_held_out):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 1500)
    fold = np.where(np.arange(1500) % 5 == 4, TEST, 0).astype(np.int8)
    noises = {"forest": 1.0, "balanced_forest": 1.05, "lstm": 1.1, "colour_forest": 6.0}  # each with noise of its own
    predictions = {name: guesses(rng, codes, noise) for name, noise in noises.items()}
    predictions["twin"] = predictions["forest"]  # of the same kind, and no better
    if spoil_held_out:
        for values in predictions.values():
            values[fold == TEST] = values[fold == TEST][:, ::-1]
    trained = [recipe(name) for name in noises]
    trained.append(Recipe("twin", (CLASS,), "forest", trained[0].config))
    y, target = np.array(["a", "b", "c"])[codes], CLASS.bind(np.array(["a", "b", "c"]))
    found = choose_members((), trained, target, predictions, y, fold, Levels())
    assert {each.name for each in found} == {"forest", "balanced_forest", "lstm"}
    alone = choose_members((), [trained[0], trained[3]], target, predictions, y, fold, Levels())
    assert [each.name for each in alone] == ["forest"]
    named = choose_members(("lstm", "forest", "absent"), trained, target, predictions, y, fold, Levels())
    assert [each.name for each in named] == ["forest", "lstm"] and choose_members(
        (), (), target, {}, y, fold, Levels()
    ) == ()
