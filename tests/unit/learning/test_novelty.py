"""A star like those that trained has any rank alike; one that is like no class of them is stranger than all."""

import time
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest

from tasks.learning.data import Examples
from tasks.learning.uncertainty.novelty import AXES, FEWEST, MOST_DISTANCES, Novelty

NAMES = tuple(f"feature_{i}" for i in range(40))


def stars(n: int, seed: int, shift: float = 0.0) -> tuple[Examples, np.ndarray]:
    """Three classes in 40 features of very different units, a tenth of the values missing; `shift` moves them away."""
    rng = np.random.default_rng(seed)
    codes = rng.choice(3, n, p=[0.7, 0.25, 0.05])
    hidden = rng.normal(0, 1, (n, 6)) + 4 * np.eye(6)[codes] + shift
    mixing = np.random.default_rng(99).normal(0, 1, (6, 40))
    features = (hidden @ mixing + 0.3 * rng.normal(size=(n, 40))) * 10.0 ** np.arange(-4, 4).repeat(5)
    features[rng.random((n, 40)) < 0.1] = np.nan
    return Examples(np.arange(n) + 100_000 * seed, features, NAMES), codes


TRAINED, CODES = stars(1500, 1)
NOVELTY = Novelty.fit(TRAINED, CODES, NAMES)


def test_ranks_of_stars_like_those_that_trained_are_even():
    ranks = np.concatenate([NOVELTY.rank(stars(500, seed)[0]) for seed in range(2, 22)])
    assert kstest(ranks, "uniform").statistic < 0.05  # 0.035 at 95 % of 1,500 training stars themselves


def test_strangers_are_stranger_than_all_or_nearly():
    assert (NOVELTY.rank(stars(300, 30, shift=3.0)[0]) > 0.9).mean() > 0.95
    assert (NOVELTY.rank(stars(300, 31, shift=100.0)[0]) == 1).all()


def test_a_class_that_did_not_train_is_strange_and_not_to_the_mean_of_all_stars():
    """So distances to the classes are needed."""
    some, codes = stars(2000, 32)
    fewer = TRAINED.select(CODES != 1), CODES[CODES != 1]
    strange = [Novelty.fit(*fewer, NAMES).rank(some.select(codes == k)).mean() for k in (0, 1)]
    assert strange[0] < 0.6 and strange[1] > 0.9
    one = Novelty.fit(fewer[0], np.zeros(len(fewer[0]), int), NAMES)
    assert one.rank(some.select(codes == 1)).mean() < strange[1]


def test_a_star_without_features_has_no_rank_and_no_star_has_none():
    blank = replace(stars(2, 3)[0], features=np.full((2, 40), np.nan, np.float32))
    assert np.isnan(NOVELTY.rank(blank)).all() and NOVELTY.rank(blank.select([])).shape == (0,)


def test_the_rank_depends_on_no_order_of_stars_or_columns():
    some, order = stars(200, 4)[0], np.random.default_rng(0).permutation(200)
    assert np.array_equal(NOVELTY.rank(some.select(order)), NOVELTY.rank(some)[order])
    turned = Examples(some.source_id, some.features[:, ::-1], NAMES[::-1])
    assert np.array_equal(NOVELTY.rank(turned), NOVELTY.rank(some))
    turn = np.random.default_rng(1).permutation(1500)
    again = Novelty.fit(TRAINED.select(turn), CODES[turn], NAMES)
    assert np.allclose(again.rank(some), NOVELTY.rank(some), atol=3 / 1500)


def test_few_stars_and_models_without_features_have_none_and_one_column_is_enough():
    assert Novelty.fit(TRAINED.select(np.arange(FEWEST - 1)), CODES[: FEWEST - 1], NAMES) is None
    assert Novelty.fit(TRAINED, CODES, ()) is None
    one = Novelty.fit(TRAINED, CODES, NAMES[:1])
    assert one.axes.shape == (1, 1) and np.isfinite(one.rank(TRAINED)[np.isfinite(TRAINED.features[:, 0])]).all()


def test_columns_that_are_constant_empty_or_copies_change_little():
    features = np.column_stack([TRAINED.features, np.full(1500, 7.0), np.full(1500, np.nan), TRAINED.features[:, :2]])
    wider = Examples(TRAINED.source_id, features, (*NAMES, "constant", "empty", "copy", "other_copy"))
    ranks = Novelty.fit(wider, CODES, wider.feature_names).rank(wider), NOVELTY.rank(TRAINED)
    assert np.corrcoef(*ranks)[0, 1] > 0.9


def test_a_class_of_one_star_is_no_refuge_for_it():
    codes = np.where(np.arange(1500) == 7, 3, CODES)
    found = Novelty.fit(TRAINED, codes, NAMES)
    assert np.isfinite(found.distances).all() and found.means.shape[0] == 4 and found.distances[0] > 0


def test_a_file_gives_the_ranks_back_and_a_damaged_one_is_told(tmp_path):
    NOVELTY.save(tmp_path / "novelty.safetensors")
    some = stars(50, 6)[0]
    assert np.array_equal(Novelty.load(tmp_path / "novelty.safetensors").rank(some), NOVELTY.rank(some))
    (tmp_path / "damaged").write_bytes(b"no tensor")
    with pytest.raises(ValueError, match="damaged cannot be read"):
        Novelty.load(tmp_path / "damaged")


def test_many_stars_train_and_score_quickly():
    many, codes = stars(MOST_DISTANCES + 500, 7)
    found = Novelty.fit(many, codes, NAMES)
    assert found.axes.shape == (40, AXES) and found.distances.size == MOST_DISTANCES
    start = time.process_time()
    found.rank(many)
    assert len(many) / (time.process_time() - start) > 5_000
