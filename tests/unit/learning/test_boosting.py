"""Boosted trees: what they learn, what they bear, and that the arrays say what scikit-learn's trees say."""

import numpy as np
import pytest

from tasks.learning.boosting import Bins, BoostingConfig, boost
from tasks.learning.data import Examples
from tasks.learning.fit import fit
from tasks.learning.targets import Regression
from tasks.learning.trees import BoostedClasses, build
from tests.unit.learning.synthetic_stars import recipe, stars

EXAMPLES, CLASSES, TEFF = stars(300)
TRAINING = np.arange(300) < 200
SOME, OTHERS = EXAMPLES.select(TRAINING), EXAMPLES.select(~TRAINING)
TEMPERATURE = Regression.of("teff_k")
QUICK = {"rounds": 30, "rate": 0.2}


def examples_of(matrix: np.ndarray) -> Examples:
    """Examples with these columns."""
    return Examples(np.arange(len(matrix)), matrix, tuple(f"c{i}" for i in range(matrix.shape[1])))


def test_classes_and_values_are_learned_with_missing_columns():
    proba = fit(recipe("boosting", **QUICK), SOME, CLASSES[TRAINING]).predict(OTHERS)
    assert (np.unique(CLASSES)[proba.argmax(1)] == CLASSES[~TRAINING]).mean() > 0.9
    value = fit(recipe("boosting", TEMPERATURE, **QUICK), SOME, TEFF[TRAINING]).predict(OTHERS)[:, 0]
    known = np.isfinite(OTHERS.features[:, 2])
    assert np.std((value - TEFF[~TRAINING])[known]) < 0.4 * np.std(TEFF)


def test_the_first_step_down_the_gradient_is_friedmans():
    x, y = np.repeat([[0.0], [1.0]], 20, axis=0).astype(np.float32), np.repeat([1.0, 5.0], 20)
    config = BoostingConfig(rounds=1, rate=0.5, columns=1, rows=1, shrink=0.0)
    loss = lambda raw: (raw - y[:, None], np.ones_like(raw))  # noqa: E731
    body = BoostedClasses(("c0",), *boost(Bins.of(x, 63), loss, np.array([3.0]), config, 0), 1)
    assert np.allclose(body.sums(examples_of(x))[:, 0], np.repeat([2.0, 4.0], 20))  # half of the way from 3


def test_values_of_no_bin_go_where_the_edges_say():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 3)).astype(np.float32)
    x[rng.random(x.shape) < 0.2] = np.nan
    y = np.nan_to_num(x[:, 0]) + 2 * np.isnan(x[:, 1])
    bins, ends = Bins.of(x, 15), []

    def loss(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ends.append(raw.copy())
        return raw - y[:, None], np.ones_like(raw)

    config = BoostingConfig(rounds=12, columns=0.7)
    arrays = boost(bins, loss, np.zeros(1), config, 0)
    n_tree = 11 + 1  # what the last round started from: the start and eleven trees
    start = tuple(arrays[0][: n_tree + 1]), {name: each[: arrays[0][n_tree]] for name, each in arrays[1].items()}
    body = BoostedClasses(("c0", "c1", "c2"), np.array(start[0]), start[1], arrays[2][: arrays[0][n_tree]],
                          arrays[3][:n_tree], 1)  # fmt: skip
    assert np.allclose(body.sums(examples_of(x)), ends[-1], rtol=0, atol=1e-12)  # binned and raw are one


@pytest.mark.parametrize("odd", ["missing", "constant", "constant and missing", "two values"])
def test_columns_that_say_little_are_borne(odd):
    columns = {"missing": np.nan, "constant": 7.0}
    extra = np.full((300, 1), columns.get(odd, 1.0), np.float32)
    if odd not in columns:
        extra[::2] = np.nan if "missing" in odd else 2.0
    own = examples_of(np.hstack([EXAMPLES.features, extra]))
    for target, y in ((None, CLASSES), (TEMPERATURE, TEFF)):
        made = recipe("boosting", *([target] if target else []), rounds=3)
        assert np.isfinite(fit(made, own, y).predict(own)).all()
    useless = examples_of(extra)
    proba = fit(recipe("boosting", rounds=3), useless, CLASSES).predict(useless)
    assert np.allclose(proba.sum(1), 1)


def test_rare_many_and_single_classes_are_borne():
    rare = CLASSES.copy()
    rare[:3] = "rare"
    model = fit(recipe("boosting", **QUICK), EXAMPLES, rare)
    assert "rare (3)" in model.note and model.predict(EXAMPLES).shape == (300, 4)
    many = np.array([f"class {i}" for i in range(300)])
    assert fit(recipe("boosting", rounds=2), EXAMPLES, many).predict(EXAMPLES).shape == (300, 300)
    single = fit(recipe("boosting", rounds=2), EXAMPLES, np.full(300, "one"))
    assert (single.predict(EXAMPLES) == 1).all()
    same = fit(recipe("boosting", TEMPERATURE, rounds=2), EXAMPLES, np.full(300, 5000.0))
    assert (same.predict(EXAMPLES)[:, 0] == 5000).all() and (same.predict(EXAMPLES)[:, 1] > 0).all()


def test_a_weight_of_zero_takes_an_object_out():
    rng = np.random.default_rng(2)
    wrong = TEFF.copy()
    wrong[::2] = rng.permutation(wrong[::2])
    weight = np.tile([0.0, 1.0], 150)
    made = recipe("boosting", TEMPERATURE, **QUICK)
    error = [np.std(fit(made, EXAMPLES, wrong, w).predict(EXAMPLES)[1::2, 0] - TEFF[1::2]) for w in (None, weight)]
    assert error[1] < 0.7 * error[0]
    gone = np.where(np.arange(300) % 2, CLASSES, "gone")
    assert fit(recipe("boosting", **QUICK), EXAMPLES, gone, weight).predict(EXAMPLES)[:, 0].max() < 1e-3


def test_rare_classes_weigh_more_with_more_power():
    rng = np.random.default_rng(3)
    own = examples_of(rng.normal(size=(400, 2)))
    y = np.where(own.features[:, 0] + rng.normal(0, 1, 400) > 1.5, "rare", "usual")
    mean = [fit(recipe("boosting", class_power=p, **QUICK), own, y).predict(own)[:, 0].mean() for p in (0.0, 0.5, 1.0)]
    assert mean[0] == pytest.approx((y == "rare").mean(), abs=0.03) and mean[0] < mean[1] < mean[2]


def test_spreads_tell_certain_objects_from_uncertain_ones():
    rng = np.random.default_rng(4)
    own = examples_of(rng.uniform(-1, 1, (600, 2)))
    noise = np.where(own.features[:, 1] > 0, 400.0, 50.0)
    y = 5000 + 500 * own.features[:, 0] + noise * rng.normal(size=600)
    spread = fit(recipe("boosting", TEMPERATURE), own, y).predict(own)[:, 1]
    assert np.median(spread[noise > 100]) > 2.5 * np.median(spread[noise < 100])


def test_a_damaged_file_is_refused():
    body = fit(recipe("boosting", rounds=2), EXAMPLES, CLASSES).bodies[0]
    arrays = body.arrays()
    with pytest.raises(ValueError, match="the model file lacks threshold"):
        build(None, body.settings(), {name: each for name, each in arrays.items() if name != "threshold"})
    arrays["left_child"] = np.where(arrays["left_child"] > 0, 10**6, -1)
    with pytest.raises(ValueError, match="nodes point outside their tree"):
        build(None, body.settings(), arrays)
