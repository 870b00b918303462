"""Figures at their edges: ties, floors, absent classes, empty parts, single objects."""

import numpy as np
import pytest
from scipy.stats import entropy as entropy_of_scipy

from tasks.learning.abstention import abstention_metrics
from tasks.learning.calibration import ConformalInterval
from tasks.learning.class_calibration import MOST_LOST, ClassCalibration, Decision
from tasks.learning.coverage import FEWEST, Groups, coverage_metrics, set_size_metrics
from tasks.learning.data import Examples
from tasks.learning.interval_calibration import WIDE, IntervalCalibration
from tasks.learning.paired import resample_classes, resample_values, subtract
from tasks.learning.physics import FEWEST as FEWEST_IN_DOMAIN
from tasks.learning.physics import first_known, model_of
from tasks.learning.selection import Merit, choose
from tasks.learning.skill import skill_metrics
from tasks.learning.spec import NoConfig
from tasks.learning.splits import TEST, published_split
from tasks.learning.targets import Labels, Regression
from tasks.learning.uncertainty.class_sets import ClassSets
from tasks.learning.uncertainty.disagreement import bald, entropy
from tasks.learning.uncertainty.novelty import Novelty
from tests.unit.learning.synthetic_stars import recipe

RNG = np.random.default_rng(8)


def test_magnitude_bins_hold_their_lower_edge_and_repeated_quartiles_make_fewer_bins():
    groups = Groups.of(np.full(8, "a"), np.arange(8.0))
    assert [n for n in np.unique(groups.magnitude, return_counts=True)[1]] == [2, 2, 2, 2]
    assert groups.magnitude[0] == "0.0 to 1.8 mag" and groups.magnitude[7] == "5.2 to 7.0 mag"
    tied = Groups.of(np.full(8, "a"), [15.0] * 6 + [16.0, 17.0])
    assert len(set(tied.magnitude.tolist())) == 2 and "" not in tied.magnitude
    assert Groups.of([], []).magnitude.size == 0


def test_a_class_of_just_enough_objects_has_a_row_and_one_fewer_has_none():
    label = np.repeat(["few", "enough"], [FEWEST - 1, FEWEST])
    rows = coverage_metrics("coverage", np.ones(label.size), Groups.of(label))
    assert [(row.name, row.n) for row in rows] == [("all", 2 * FEWEST - 1), ("enough", FEWEST)]
    assert rows[0].hi == pytest.approx(1) and rows[0].lo < 0.9  # all inside is no certainty


def test_the_size_of_one_set_is_known_without_a_spread():
    size, empty = set_size_metrics(np.array([2]))
    assert (size.value, size.lo, size.hi) == (2, 2, 2) and empty.value == 0 and empty.hi > 0.5


def test_objects_as_sure_as_one_another_have_a_flat_curve_and_no_auc_of_their_errors():
    truth = RNG.integers(0, 2, 1000)
    guess = np.where(np.arange(1000) < 300, 1 - truth, truth)  # in the order of the rows the wrong ones come first
    found = {row.metric: row for row in abstention_metrics(truth, guess, np.full(1000, 0.5), draws=50)}
    assert found["error_auc"].value == pytest.approx(0.5)
    assert found["accuracy:kept 0.1"].value == pytest.approx(0.7, abs=0.15)
    assert found["accuracy:kept 1.0"].value == pytest.approx(0.7)


def test_the_entropy_of_probabilities_is_that_of_scipy_and_rounding_makes_no_negative_bald():
    proba = np.vstack([RNG.dirichlet(np.ones(4), 50), [1, 0, 0, 0]])
    assert np.allclose(entropy(proba), entropy_of_scipy(proba, axis=1)) and entropy(proba)[-1] == 0
    assert (bald(proba, entropy(proba) + 1e-15) == 0).all()


def test_a_class_without_a_member_shares_the_threshold_and_is_decided_by_no_division_by_zero():
    proba, codes = RNG.dirichlet(np.ones(3), 400), RNG.integers(0, 2, 400)
    found = ClassCalibration.fit(proba, codes)
    own = found.temperature.apply(proba)[np.arange(400), codes]
    assert found.sets.threshold[2] == np.sort(own)[40 - 1] and len(set(found.sets.threshold)) == 3
    assert np.isfinite(found.temperature.apply(proba)).all() and set(found.decision.decide(proba)) <= {0, 1, 2}
    assert ClassSets.fit(np.empty((0, 3)), np.empty(0, int), 0.9).threshold == (0, 0, 0)


def test_the_guard_of_accuracy_refuses_a_rule_that_finds_the_rare_class_at_the_cost_of_the_others():
    proba = np.repeat([[0.9, 0.1], [0.6, 0.4]], [800, 200], axis=0)
    codes = np.r_[np.zeros(800, int), np.arange(200) % 10 < 4]  # of the unsure ones 40 % are rare
    flipped = (np.arange(1000) >= 800).astype(int)
    lost = (codes == 0)[800:].sum() / 1000 - (codes == 1)[800:].sum() / 1000
    assert lost > MOST_LOST and resample_classes(codes, flipped, 2, 0)["macro_f1"] > 0.6
    assert Decision.fit(proba, codes) == Decision()


def test_a_spread_on_an_edge_belongs_to_the_bin_above_and_nothing_known_to_none():
    bins = tuple(ConformalInterval(0.68, width, 300) for width in (1.0, 3.0))
    found = IntervalCalibration((0.5,), bins, tuple(ConformalInterval(WIDE, 2 * b.width, 300) for b in bins))
    lo, hi, _, hi95 = found.intervals(np.zeros(3), [0.4, 0.5, 0.6])
    assert np.allclose(hi, [0.4, 1.5, 1.8]) and np.allclose(lo, -hi) and np.allclose(hi95, 2 * hi)
    none = IntervalCalibration.fit([], [], [], 0.68)
    assert np.isnan(none.intervals([1.0], [1.0])).all() and none.level == 0.68


def test_a_perfect_prediction_has_all_the_skill_and_the_class_median_none():
    label, y = np.repeat(["a", "b"], 30), np.r_[RNG.normal(0, 1, 30), RNG.normal(9, 1, 30)]
    medians = np.repeat([np.median(y[:30]), np.median(y[30:])], 30)
    assert {row.value for row in skill_metrics(y, y, label)} == {1.0}
    for row in skill_metrics(y, medians, label):
        assert (row.value, row.lo, row.hi) == (0, 0, 0)


def test_the_difference_of_two_predictions_changes_its_sign_with_their_order():
    truth, one, other = RNG.integers(0, 3, (3, 60))
    figures = [resample_classes(truth, each, 3, 100) for each in (one, other)]
    for there, back in zip(subtract(*figures, 60), subtract(*figures[::-1], 60), strict=True):
        assert (back.value, back.lo, back.hi) == pytest.approx((-there.value, -there.hi, -there.lo))
    exact = resample_values(np.arange(5.0), np.arange(5.0), 10)
    assert not exact["rmse"].any() and exact["mae"].shape == (11,)


def test_recipes_of_equal_merit_and_simplicity_fall_to_the_first_and_unmeasured_floors_bind_nothing():
    draws = np.zeros(9)
    names = ("colour_forest", "forest", "lstm")
    recipes = [recipe(name) for name in names]
    merits = dict(zip(names, (Merit(0.7, draws), Merit(None, draws), Merit(0.9, draws)), strict=True))
    assert choose(recipes, merits).recipe == "lstm"
    alike = choose(recipes, dict.fromkeys(names, Merit(0.5, draws)))
    assert alike.recipe == min(recipes, key=lambda each: each.spec.simplicity).name
    assert (alike.margin, alike.spread) == (0, 0)


def test_undefined_draws_are_left_out_of_the_spread_of_a_gain():
    draws = np.array([0.1, np.nan, 0.3])
    assert Merit(0.5, draws).gain_over(Merit(0.2, np.zeros(3))) == pytest.approx((0.3, 0.1))
    assert not Merit(0.3, draws).is_above(Merit(0.2, np.zeros(3)))  # by just its spread


def relation_model(n_in_domain: int) -> np.ndarray:
    """The four numbers learnt by y = x + 2 where x is known, of 30 labels that are x + 5."""
    x = np.where(np.arange(30) < n_in_domain, np.arange(30.0), np.nan)
    examples = Examples(np.arange(30), x[:, None], ("x",))
    spec = model_of("line", "feh_dex", (), lambda own: first_known(own, ["absent", "x"]) + 2, -1)
    body = spec.fit(NoConfig(), (Regression.of("feh_dex"),), examples, (Labels.of(np.arange(30.0) + 5),), None, 0)
    assert np.array_equal(spec.build(NoConfig(), {}, body.arrays()).predict(examples), body.predict(examples))
    return body.arrays()["numbers"]


def test_a_relation_with_few_labels_in_its_domain_keeps_its_own_zero_point():
    zero, spread, median, wide = relation_model(FEWEST_IN_DOMAIN)
    assert zero == pytest.approx(3) and spread < 1e-5 < 1 < wide and median == 19.5
    zero, spread, *_ = relation_model(FEWEST_IN_DOMAIN - 1)
    assert zero == 0 and spread == wide


def test_published_folds_of_any_names_are_counted_from_zero():
    assert published_split([TEST] * 3).note == "On the 0 published folds; 3 held out."
    assert published_split([100, -1, 40, 100]).fold.tolist() == [1, TEST, 0, 1]
    assert published_split([]).fold.size == 0


def test_novelty_without_scatter_has_finite_axes_and_ranks():
    same = Examples(np.arange(60), np.ones((60, 2)), ("p", "q"))
    found = Novelty.fit(same, np.zeros(60, int), ("p", "q"))
    assert np.isfinite(found.rank(same)).all()
