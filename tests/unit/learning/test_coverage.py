"""Coverage is stated of all objects, of each class and in bins of magnitude, with its binomial interval."""

import numpy as np
import pytest
from scipy.stats import binomtest

from tasks.learning.coverage import FEWEST, MAGNITUDE_BINS, Groups, coverage_metrics, set_size_metrics

N = 400
RNG = np.random.default_rng(0)
LABEL = RNG.choice(["CEP", "ECL", ""], N, p=[0.3, 0.6, 0.1])
MAG = np.where(RNG.random(N) < 0.1, np.nan, RNG.uniform(12, 20, N))
INSIDE = np.where(LABEL == "CEP", 1.0, RNG.random(N) < 0.8)


def test_every_group_has_its_own_share():
    rows = {(row.metric, row.name): row for row in coverage_metrics("set_coverage", INSIDE, Groups.of(LABEL, MAG))}
    assert rows["set_coverage", "all"].value == INSIDE.mean() and rows["set_coverage", "CEP"].value == 1
    own = INSIDE[LABEL == "ECL"]
    found = rows["set_coverage", "ECL"]
    expected = binomtest(int(own.sum()), own.size).proportion_ci(method="wilson")
    assert (found.value, found.n) == (own.mean(), own.size)
    assert (found.lo, found.hi) == pytest.approx((expected.low, expected.high), abs=1e-5)
    bins = [row for (metric, _), row in rows.items() if ":" in metric]
    assert len(bins) == MAGNITUDE_BINS and sum(row.n for row in bins) == np.isfinite(MAG).sum()
    assert bins[0].metric.startswith("set_coverage:12.") and bins[0].metric.endswith(" mag")


def test_small_groups_and_objects_without_an_interval_have_no_row():
    inside = INSIDE.copy()
    inside[np.flatnonzero(LABEL == "CEP")[FEWEST - 1 :]] = np.nan
    rows = coverage_metrics("coverage", inside, Groups.of(LABEL), "A note.")
    assert [row.name for row in rows] == ["all", "ECL"] and rows[0].n == np.isfinite(inside).sum()
    assert {row.note for row in rows} == {"A note."}
    assert coverage_metrics("coverage", np.full(5, np.nan)) == []


def test_one_magnitude_for_all_is_no_bin():
    groups = Groups.of(LABEL, np.full(N, 15.0))
    assert (groups.magnitude == "").all() and (groups.select(LABEL == "CEP").label == "CEP").all()


def test_sets_have_a_mean_size_with_its_interval_and_a_share_that_is_empty():
    size = np.repeat([0, 1, 2, 3], [10, 60, 20, 10])
    mean, empty = set_size_metrics(size, "A note.")
    assert (mean.metric, mean.value, mean.n, mean.note) == ("set_size", 1.3, 100, "A note.")
    half = 1.96 * size.std() / 10
    assert (mean.lo, mean.hi) == pytest.approx((1.3 - half, 1.3 + half), abs=1e-4)
    assert (empty.metric, empty.value) == ("empty_sets", 0.1) and empty.lo < 0.1 < empty.hi
