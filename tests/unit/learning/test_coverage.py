"""Coverage is stated of all objects, of each class and in bins of magnitude, with its binomial interval."""

import numpy as np
import pytest
from scipy.stats import binomtest

from tasks.learning.coverage import FEWEST, MAGNITUDE_BINS, Groups, coverage_metrics

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
    rows = coverage_metrics("coverage", inside, Groups.of(LABEL, np.full(N, np.nan)), "A note.")
    assert [row.name for row in rows] == ["all", "ECL"] and rows[0].n == np.isfinite(inside).sum()
    assert {row.note for row in rows} == {"A note."}
    assert coverage_metrics("coverage", np.full(5, np.nan)) == []


def test_one_magnitude_for_all_is_no_bin():
    groups = Groups.of(LABEL, np.full(N, 15.0))
    assert (groups.magnitude == "").all() and (groups.select(LABEL == "CEP").label == "CEP").all()
