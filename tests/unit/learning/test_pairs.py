"""Rows of (star, candidate period) by hand, and the model that sums over candidates."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from tasks.features import chosen_period_columns
from tasks.features.feature import CANDIDATE_PERIOD_DAY, CANDIDATE_PROB, N_CANDIDATE, PERIOD_DAY, candidate_names
from tasks.learning.data import Examples
from tasks.learning.fit import fit
from tasks.learning.models.pair import PairBody, PairConfig
from tasks.learning.pairs import LEAST, at_known_period, pairs_of
from tasks.learning.persistence import load, save
from tasks.learning.recipe import Recipe
from tasks.learning.recipes import recipes_for
from tasks.learning.spec import Offer
from tasks.learning.targets import CLASS

PERIODS, PROBS = candidate_names(CANDIDATE_PERIOD_DAY), candidate_names(CANDIDATE_PROB)
SMALL = {"trees": 8}


def examples_of(chance, period, n_other=2, seed=0) -> Examples:
    """Stars with these candidates (S, K), and other columns at random."""
    chance, period = np.asarray(chance, float), np.asarray(period, float)
    other = np.random.default_rng(seed).normal(size=(len(chance), n_other))
    names = (*(f"other_{i}" for i in range(n_other)), *PERIODS, *PROBS)
    return Examples(np.arange(len(chance)), np.hstack([other, period, chance]), names)


def stars(n=80, seed=1) -> tuple[Examples, np.ndarray]:
    """Two classes of different periods, in doubt of one of them."""
    rng = np.random.default_rng(seed)
    code = rng.integers(0, 2, n)
    period = np.column_stack([np.where(code, 2.0, 0.5), rng.uniform(0.1, 9, (n, N_CANDIDATE - 1))])
    period *= rng.uniform(0.9, 1.1, period.shape)
    chance = np.column_stack([rng.dirichlet([4, 1, 1], n), np.zeros(n)])
    return examples_of(chance, np.where(chance > 0, period, np.nan), seed=seed), np.where(code, "long", "short")


def test_a_row_has_the_columns_of_its_star_and_of_its_candidate():
    nan = np.nan
    examples = examples_of(
        [[0.6, 0.2, LEAST / 2, nan], [nan] * 4, [0.3, 0.1, 0.1, nan]], [[1, 2, 3, nan], [nan] * 4, [5, 6, 7, nan]]
    )
    pairs = pairs_of(examples)
    assert pairs.row.tolist() == [0, 0, 1, 2, 2, 2]
    np.testing.assert_allclose(pairs.chance, [0.75, 0.25, 1, 0.6, 0.2, 0.2], rtol=1e-6)
    assert pairs.examples.feature_names == ("other_0", "other_1", PERIODS[0], PROBS[0])
    np.testing.assert_array_equal(pairs.examples.matrix([PERIODS[0]])[:, 0], [1, 2, nan, 5, 6, 7])
    np.testing.assert_array_equal(pairs.examples.features[:, :2], examples.features[pairs.row, :2])
    np.testing.assert_array_equal(pairs.examples.source_id, examples.source_id[pairs.row])
    values = np.arange(12.0).reshape(6, 2)
    np.testing.assert_allclose(pairs.mean(values, 3)[:, 0], [0.5, 4, 0.6 * 6 + 0.2 * 8 + 0.2 * 10], rtol=1e-6)


def test_columns_without_candidates_make_one_row_of_each_star():
    examples, _ = stars()
    bare = examples.only(("other_0", "other_1"))
    pairs = pairs_of(bare)
    assert (pairs.chance == 1).all() and pairs.examples.feature_names == bare.feature_names
    np.testing.assert_array_equal(pairs.examples.features, bare.features)


@dataclass(frozen=True, eq=False)
class LongIsFirst:
    """A base that is sure: the first class where the candidate is longer than a day."""

    def predict(self, examples):
        return np.eye(2)[(examples.matrix([PERIODS[0]])[:, 0] < 1).astype(int)]

    def arrays(self):
        return {}

    def settings(self):
        return {}


def test_the_sum_over_candidates_may_decide_for_another_class_than_the_chosen_one():
    examples = examples_of([[0.4, 0.3, 0.2, 0.05]] * 2, [[2.0, 0.5, 0.7, 3.0], [2.0, 4.0, 5.0, 6.0]])
    proba = PairBody(LongIsFirst(), 2).predict(examples)
    np.testing.assert_allclose(proba[0], [0.45 / 0.95, 0.5 / 0.95], rtol=1e-6)
    np.testing.assert_allclose(proba[1], [1, 0])
    assert LongIsFirst().predict(examples)[0].argmax() == 0 != proba[0].argmax()


def pair(base="forest") -> Recipe:
    return Recipe("pair", (CLASS,), "pair", PairConfig(base, tuple(SMALL.items())))


def test_with_one_candidate_it_is_the_base_model():
    examples, y = stars()
    only = np.where(np.arange(len(PROBS)) == 0, 1.0, np.nan)
    place = [examples.feature_names.index(name) for name in PROBS]
    features = examples.features.copy()
    features[:, place] = only
    sure = Examples(examples.source_id, features, examples.feature_names)
    columns = ("other_0", "other_1", PERIODS[0], PROBS[0])
    base = Recipe("forest", (CLASS,), "forest", PairConfig("forest", tuple(SMALL.items())).of_base, columns)
    np.testing.assert_array_equal(fit(pair(), sure, y).predict(sure), fit(base, sure, y).predict(sure))


@pytest.mark.parametrize("base", ["forest", "extra_trees"])
def test_probabilities_add_up_and_a_stored_model_predicts_the_same_bits(base, tmp_path):
    (examples, y), (others, truth) = stars(), stars(seed=2)
    model = fit(pair(base), examples, y)
    proba = model.predict(others)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert np.mean(np.array(model.target.classes)[proba.argmax(1)] == truth) > 0.75
    save(model, tmp_path)
    assert np.array_equal(load(tmp_path).predict(others), proba)


def test_what_can_be_no_base_is_refused():
    for base, options, words in (
        ("lstm", {}, "lstm is no classifier of features"),
        ("median", {}, "median is no classifier"),
        ("mixture", {}, "mixture is no classifier"),
        ("pair", {}, "pair is no classifier"),
        ("forest", {"tree": 3}, "forest has no setting 'tree'"),
        ("forest", {"trees": 0}, "trees = 0"),
    ):
        with pytest.raises(ValueError, match=words):
            PairConfig(base, tuple(options.items()))


def test_a_star_trains_at_the_candidate_that_agrees_with_its_published_period():
    examples = examples_of([[0.5, 0.3, 0.1, np.nan]] * 3, [[1.0, 2.0, 3.0, np.nan]] * 3)
    known = replace(examples, period_day=np.array([2.01, np.nan, 17.0]))
    assert at_known_period(known).matrix([PERIODS[0]])[:, 0].tolist() == [2, 1, 1]
    assert at_known_period(examples).matrix([PERIODS[0]])[:, 0].tolist() == [1, 1, 1]
    some = known.select([2, 0]).period_day
    assert some is not None and some.tolist() == [17, 2.01]


def test_published_periods_help_to_learn_and_are_not_read_to_predict():
    """The chosen candidate is wrong for most stars that train, and its columns say nothing of the class."""
    (examples, y), (others, truth) = stars(300), stars(200, seed=2)
    swapped = np.flatnonzero(np.arange(len(examples)) % 4)
    features = examples.features.copy()
    for first, second in (PERIODS[:2], PROBS[:2]):
        place = np.array([examples.feature_names.index(name) for name in (first, second)])
        features[np.ix_(swapped, place)] = features[np.ix_(swapped, place[::-1])]
    training = replace(examples, features=features)
    period = examples.matrix(PERIODS[:1])[:, 0].astype(float)
    model = fit(pair(), replace(training, period_day=period), y)
    found = np.array([fitted.predict(others)[np.arange(len(others)), np.searchsorted(["long", "short"], truth)].mean()
                      for fitted in (model, fit(pair(), training, y))])  # fmt: skip
    assert found[0] > found[1] + 0.03
    wrong = replace(others, period_day=np.full(len(others), 0.5))
    assert np.array_equal(model.predict(wrong), model.predict(others))


def test_columns_of_the_chosen_period_alone_are_left_out():
    declared = {column.name for column in chosen_period_columns()}
    assert {"period_day", "period_r2", "folded_eta_{band}", "r21_{band}"} <= declared
    assert not declared & {CANDIDATE_PERIOD_DAY.name, "period_power", "std_mag_{band}", "period_window_1"}
    (recipe,) = recipes_for(["pair_boosting"], [CLASS])
    offer = Offer({"period_day": PERIOD_DAY, "std": None, **dict.fromkeys(PERIODS, CANDIDATE_PERIOD_DAY)})
    assert recipe.complete_for(offer).columns == ("std", *PERIODS)
