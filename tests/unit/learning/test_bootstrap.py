"""Bootstrap: the resamples, their spread against the formulas of statistics, and intervals of what is undefined."""

import numpy as np
import pytest

from tasks.learning import bootstrap as module
from tasks.learning.bootstrap import bootstrap, class_counts, interval, resamples

SAMPLE = np.random.default_rng(0).normal(3.0, 2.0, 150)


@pytest.mark.parametrize("n", [1, 2, 37])
def test_a_resample_draws_as_many_objects_as_there_are(n):
    blocks = list(resamples(n, draws=50, seed=4))
    index = np.concatenate(blocks)
    assert index.shape == (50, n) and index.min() >= 0 and index.max() <= n - 1
    assert np.array_equal(index, np.concatenate(list(resamples(n, draws=50, seed=4))))
    assert n == 1 or not np.array_equal(index, np.concatenate(list(resamples(n, draws=50, seed=5))))


def test_every_object_is_drawn_as_often_as_any_other():
    count = np.bincount(np.concatenate(list(resamples(40, draws=2000))).ravel(), minlength=40)
    assert np.abs(count - 2000).max() < 5 * np.sqrt(2000)  # a binomial of mean 2000


@pytest.mark.parametrize(("n", "draws"), [(10, 95), (100, 95), (5000, 3)])
def test_blocks_hold_no_more_cells_than_the_limit(monkeypatch, n, draws):
    monkeypatch.setattr(module, "CELLS", 1000)
    blocks = list(resamples(n, draws=draws))
    assert sum(len(block) for block in blocks) == draws
    assert all(block.size <= 1000 or len(block) == 1 for block in blocks)
    assert len(blocks) == -(-draws // max(1, 1000 // n))


def test_the_size_of_blocks_changes_no_draw(monkeypatch):
    whole = bootstrap(lambda index: SAMPLE[index].mean(1)[:, None], SAMPLE.size, 64, 2)
    monkeypatch.setattr(module, "CELLS", 10 * SAMPLE.size)
    assert np.array_equal(bootstrap(lambda index: SAMPLE[index].mean(1)[:, None], SAMPLE.size, 64, 2), whole)


def test_the_spread_of_a_mean_is_the_spread_of_the_sample_over_the_root_of_its_size():
    means = bootstrap(lambda index: SAMPLE[index].mean(1)[:, None], SAMPLE.size, 4000)[:, 0]
    assert means.mean() == pytest.approx(SAMPLE.mean(), abs=0.02)
    assert means.std() == pytest.approx(SAMPLE.std() / np.sqrt(SAMPLE.size), rel=0.05)


def test_several_figures_are_resampled_by_the_same_objects():
    values = bootstrap(lambda index: np.stack([SAMPLE[index].mean(1), 2 * SAMPLE[index].mean(1)], 1), SAMPLE.size, 30)
    assert values.shape == (30, 2) and np.allclose(values[:, 1], 2 * values[:, 0])


@pytest.mark.parametrize("level", [0.5, 0.68, 0.95])
def test_an_interval_holds_its_share_of_the_draws(level):
    values = np.random.default_rng(1).normal(0, 1, (5000, 2)) * [1, 10]
    lo, hi = interval(values, level)
    inside = ((values >= lo) & (values <= hi)).mean(0)
    assert np.allclose(inside, level, atol=1e-3)
    assert np.allclose((values < lo).mean(0), (1 - level) / 2, atol=1e-3)  # as many below as above


def test_undefined_draws_are_left_out_and_a_figure_without_any_has_no_interval():
    values = np.array([[1.0, np.nan, np.nan], [2.0, 5.0, np.nan], [3.0, np.nan, np.nan]])
    lo, hi = interval(values)
    assert lo[0] == pytest.approx(1.05) and hi[0] == pytest.approx(2.95)
    assert lo[1] == hi[1] == 5 and np.isnan(lo[2]) and np.isnan(hi[2])


def test_counts_of_cells_are_those_of_a_multinomial():
    cells = np.repeat([0, 2, 3], [50, 30, 20])
    count = class_counts(cells, 5, 4000, seed=3)
    share = np.array([0.5, 0, 0.3, 0.2, 0])
    assert count.shape == (4000, 5) and (count.sum(1) == 100).all() and (count[:, [1, 4]] == 0).all()
    assert np.allclose(count.mean(0), 100 * share, atol=0.5)
    assert np.allclose(count.var(0), 100 * share * (1 - share), rtol=0.1)
    assert np.cov(count[:, 0], count[:, 2])[0, 1] == pytest.approx(-100 * 0.5 * 0.3, rel=0.1)
    assert np.array_equal(count, class_counts(cells[::-1], 5, 4000, seed=3))
