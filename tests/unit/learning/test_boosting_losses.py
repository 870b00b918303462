"""The losses of boosting against differences of what they are the gradients of, and where their sums begin."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.special import log_softmax
from scipy.stats import norm

from tasks.learning import boosting
from tasks.learning.boosting import Bins, BoostingConfig, boost
from tasks.learning.data import Examples
from tasks.learning.fit import fit
from tasks.learning.models.boosting import N_INNER, cross_entropy, gaussian
from tasks.learning.targets import Regression
from tasks.learning.trees import BoostedClasses, BoostedValue
from tests.unit.learning.synthetic_stars import recipe

RNG = np.random.default_rng(0)
STEP = 1e-5
CODE, WEIGHT = RNG.integers(0, 3, 60) ** 2 // 2, RNG.uniform(0.2, 3, 60)  # classes 0, 0, 2: none is of code 1
Y = RNG.normal(5000, 300, 60)


def numeric_gradient(objective, raw):
    """Differences of an objective (S,) of raw predictions (S, K), each object's part by its own predictions."""
    columns = []
    for k in range(raw.shape[1]):
        step = STEP * (np.arange(raw.shape[1]) == k)
        columns.append((objective(raw + step) - objective(raw - step)) / (2 * STEP))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_the_gradient_of_classes_is_that_of_the_weighted_cross_entropy(power):
    loss, start = cross_entropy(CODE, WEIGHT, power)
    size = np.bincount(CODE, WEIGHT)
    own = WEIGHT * size[CODE] ** -power
    own /= own.mean()
    raw = RNG.normal(size=(60, 3))
    gradient, hessian = loss(raw)
    expected = numeric_gradient(lambda raw: -own * log_softmax(raw, axis=1)[np.arange(60), CODE], raw)
    np.testing.assert_allclose(gradient, expected, atol=1e-8)
    curvature = np.stack([numeric_gradient(lambda raw, k=k: loss(raw)[0][:, k], raw)[:, k] for k in range(3)], axis=1)
    np.testing.assert_allclose(hessian, curvature, atol=1e-8)
    frequency = np.bincount(CODE, own, minlength=3) / 60
    np.testing.assert_allclose(np.exp(start), frequency, atol=1e-12)  # no gradient of what is the same for all
    assert np.abs(loss(np.tile(start, (60, 1)))[0].sum(axis=0)).max() < 1e-10


def test_with_full_power_every_class_begins_with_the_same_probability():
    code = np.repeat([0, 1, 2], [90, 9, 1])
    for weight in (np.ones(100), np.linspace(1, 5, 100)):
        np.testing.assert_allclose(np.exp(cross_entropy(code, weight, 1.0)[1]), 1 / 3)


def test_each_mean_learns_from_the_others_parts_and_the_spread_from_the_mean_that_was_blind():
    loss, start = gaussian(Y, WEIGHT, seed=3)
    raw = np.tile(start, (60, 1))
    raw[:, :N_INNER] += 100 * np.arange(N_INNER)  # so that it is seen which mean a residual is about
    gradient, information = loss(raw)
    blind = gradient[:, :N_INNER] == 0
    assert (blind.sum(axis=1) == 1).all() and np.bincount(blind.argmax(axis=1)).tolist() == [15] * N_INNER
    assert np.array_equal(information[:, :N_INNER] == 0, blind) and np.array_equal(information[:, N_INNER], 2 * WEIGHT)
    for k in range(N_INNER):
        sees = ~blind[:, k]
        assert start[k] == pytest.approx(np.average(Y[sees], weights=WEIGHT[sees]))
        np.testing.assert_allclose(gradient[sees, k], (WEIGHT * (raw[:, k] - Y))[sees])
    about = raw[np.arange(60), blind.argmax(axis=1)]
    expected = numeric_gradient(lambda log: -WEIGHT * norm.logpdf(Y, about, np.exp(log[:, 0])), raw[:, N_INNER:])
    near = expected[:, 0] > -9 * WEIGHT
    np.testing.assert_allclose(gradient[near, N_INNER], expected[near, 0], atol=1e-6)
    assert np.exp(start[N_INNER]) == pytest.approx(np.sqrt(np.cov(Y, aweights=WEIGHT, ddof=0)))


def test_one_outlier_does_not_throw_the_spread():
    far = np.append(np.zeros(99), 1e6)
    loss, _ = gaussian(far, np.ones(100), 0)
    step = loss(np.zeros((100, N_INNER + 1)))[0][:, N_INNER]
    assert step[-1] == -9 and (step[:-1] == 1).all()


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_few_objects_and_few_that_weigh_are_enough_for_a_mean(n):
    """A mean that no object with a weight teaches begins where the others do, not at 0."""
    y = np.linspace(4000.0, 8000.0, 40)
    weight = np.where(np.arange(40) < 40 - n, 0.0, 1.0)
    start = gaussian(y, weight, seed=0)[1]
    assert (start[:N_INNER] >= y[-n]).all() and (start[:N_INNER] <= 8000).all()
    examples = Examples(np.arange(40), np.arange(40.0)[:, None], ("x",))
    target = Regression.of("teff_k")
    value = fit(recipe("boosting", target, rounds=5), examples, y, weight).predict(examples)[:, 0]
    assert (value >= y[-n] - 1e-6).all()
    few = fit(recipe("boosting", target, rounds=5), examples.select(np.arange(n)), y[:n]).predict(examples)
    assert np.isfinite(few).all() and (few[:, 0] >= 4000).all() and (few[:, 0] <= y[n - 1]).all()


def noise_loss(raw):
    """Of targets that are nothing but noise, with a Hessian of one."""
    return raw - np.random.default_rng(1).normal(size=raw.shape), np.ones_like(raw)


def test_hundreds_of_classes_have_fewer_rounds(monkeypatch):
    monkeypatch.setattr(boosting, "MOST_TREES", 10)
    bins = Bins.of(RNG.normal(size=(50, 3)).astype(np.float32), 15)
    for n_class, rounds, n_tree in ((4, 99, 3 * 4), (4, 2, 2 * 4), (30, 99, 30)):
        offsets, _, _, depth = boost(bins, noise_loss, np.zeros(n_class), BoostingConfig(rounds=rounds), 0)
        assert depth.size == offsets.size - 1 == n_class + n_tree


def test_a_tree_reads_no_more_columns_and_no_deeper_than_the_settings_say():
    bins = Bins.of(RNG.normal(size=(200, 20)).astype(np.float32), 31)
    config = BoostingConfig(rounds=8, columns=0.1, max_depth=3, min_leaf=1, rate=1)
    offsets, nodes, values, depth = boost(bins, noise_loss, np.array([2.5]), config, 0)
    each = [set(nodes["feature"][start:stop]) - {-2} for start, stop in pairwise(offsets)]
    assert each[0] == set() and values[0, 0] == 2.5  # where the sum begins
    assert all(1 <= len(columns) <= 2 for columns in each[1:]) and len(set.union(*each)) > 4
    assert depth[0] == 0 and depth[1:].max() == 3 and np.diff(offsets).max() <= 15


def test_a_round_learns_from_its_share_of_the_objects_and_no_other():
    bins, y = Bins.of(RNG.normal(size=(40, 2)).astype(np.float32), 15), RNG.normal(size=40)
    config = BoostingConfig(rounds=1, rows=0.4, columns=1, min_leaf=1)

    def leaves_of(y):
        return boost(bins, lambda raw: (raw - y[:, None], np.ones_like(raw)), np.zeros(1), config, 0)[2]

    there = leaves_of(y)
    assert sum(not np.array_equal(leaves_of(y + 9.0 * (np.arange(40) == i)), there) for i in range(40)) == 16


@pytest.mark.parametrize("bins", [4, 127, 255])
def test_codes_keep_the_order_and_missing_values_have_one_of_their_own(bins):
    x = RNG.lognormal(0, 3, (1000, 1)).astype(np.float32)
    x[::9] = np.nan
    made = Bins.of(x, bins)
    codes, known = made.codes[0].astype(int), np.isfinite(x[:, 0])
    assert made.missing == bins and (codes[~known] == bins).all() and codes[known].max() == made.edges[0].size < bins
    order = np.argsort(x[known, 0])
    assert (np.diff(codes[known][order]) >= 0).all()
    assert np.array_equal(codes[known], np.searchsorted(made.edges[0], x[known, 0].astype(float)))
    assert np.ptp(np.bincount(codes[known])) <= 0.3 * known.sum() / bins + 2  # of equal counts
    few = Bins.of(np.array([[3.0], [1.0], [np.nan], [3.0], [2.0]], np.float32), bins)
    assert few.codes[0].tolist() == [2, 0, bins, 2, 1] and few.edges[0].tolist() == [1.5, 2.5]


def test_a_value_is_the_mean_of_the_means_within_the_labels_and_its_spread_is_positive():
    stump = {"left_child": -1, "right_child": -1, "feature": -2, "threshold": 0.0, "missing_go_to_left": 0}
    nodes = {name: np.full(3, value) for name, value in stump.items()}
    arrays = (("x",), np.arange(4), nodes, np.array([[10.0], [30.0], [-1.0]]), np.zeros(3, np.int32), 3)
    examples = Examples([1, 2], np.zeros((2, 1)), ("x",))
    np.testing.assert_allclose(BoostedValue(*arrays).predict(examples), [[20, np.exp(-1)]] * 2)
    for low, high, value in ((25, 40, 25), (0, 15, 15)):
        assert BoostedValue(*arrays, low, high).predict(examples)[:, 0].tolist() == [value] * 2
    np.testing.assert_allclose(BoostedClasses(*arrays).predict(examples)[0, 1], 1, rtol=1e-8)
