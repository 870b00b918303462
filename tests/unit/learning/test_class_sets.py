"""Class sets hold the true class as often as stated: of every class that is large enough, and of all objects."""

import json

import numpy as np
import pytest

from tasks.learning.uncertainty.class_sets import FEWEST_MEMBERS, ClassSets

SHARES = np.array([0.7, 0.2, 0.1])
SEEDS = range(20)


def stars(n: int, seed: int, sharpness: float = 1.5):
    """Probabilities (n, 3) of a classifier that knows rare classes worse, and the true codes (n,)."""
    rng = np.random.default_rng(seed)
    codes = rng.choice(3, n, p=SHARES)
    logit = rng.normal(0, 1, (n, 3)) + np.log(SHARES) + sharpness * SHARES[codes, None] ** 0.2 * np.eye(3)[codes]
    return np.exp(logit) / np.exp(logit).sum(1, keepdims=True), codes


def coverage(sets: ClassSets, proba, codes) -> list[tuple[int, int]]:
    """How many members each class has, and how many of them are held by their sets."""
    inside = sets.contain(proba)[np.arange(codes.size), codes]
    return [(int((codes == c).sum()), int(inside[codes == c].sum())) for c in range(proba.shape[1])]


def test_every_class_is_held_as_often_as_stated():
    found = np.array([coverage(ClassSets.fit(*stars(2000, s), 0.9), *stars(4000, 100 + s)) for s in SEEDS])
    share = found[..., 1].sum(0) / found[..., 0].sum(0)
    assert np.abs(share - 0.9).max() < 0.015  # of 20 draws each way
    n, hits = found[..., 0], found[..., 1]
    spread = np.sqrt(0.09 / n + 0.09 / (2000 * SHARES))  # of the members that are asked, and that the threshold is from
    assert (np.abs(hits / n - 0.9) < 4 * spread).all()


def test_thresholds_shared_by_all_classes_would_fail_the_rare_one():
    """So what is fitted class by class is needed: the test above can fail."""
    proba, codes = stars(20_000, 1)
    own = np.sort(proba[np.arange(codes.size), codes])
    pooled = ClassSets(0.9, (float(own[2000]),) * 3)
    shares = [hits / n for n, hits in coverage(pooled, *stars(20_000, 2))]
    assert np.dot(shares, SHARES) == pytest.approx(0.9, abs=0.01) and shares[0] > 0.93 and shares[2] < 0.75


def test_a_class_of_few_members_shares_the_threshold_of_all():
    proba, codes = stars(1000, 3)
    few = np.r_[np.flatnonzero(codes != 2), np.flatnonzero(codes == 2)[: FEWEST_MEMBERS - 1]]
    sets = ClassSets.fit(proba[few], codes[few])
    own = np.sort(proba[few, codes[few]])
    assert sets.threshold[2] == own[(few.size + 1) // 10 - 1]
    more = np.r_[few, np.flatnonzero(codes == 2)[FEWEST_MEMBERS - 1]]
    assert ClassSets.fit(proba[more], codes[more]).threshold[2] != sets.threshold[2]


@pytest.mark.parametrize(("n", "place"), [(8, 0), (9, 1), (18, 1), (19, 2), (29, 3)])
def test_of_n_objects_the_right_one_is_the_threshold(n, place):
    """n = 9 is the least that promises 90 %: the tenth, new object is the lowest in one of ten cases."""
    proba = np.linspace(0.5, 0.9, n)[::-1]
    sets = ClassSets.fit(np.column_stack([proba, 1 - proba]), np.zeros(n, int), 0.9)
    assert sets.threshold[0] == (np.sort(proba)[place - 1] if place else 0.0)


def test_sets_of_sure_objects_are_small_and_of_strange_ones_empty():
    sets = ClassSets(0.9, (0.6, 0.3, 0.3))
    proba = np.array([[0.95, 0.03, 0.02], [0.1, 0.5, 0.4], [0.5, 0.25, 0.25]])
    assert sets.contain(proba).sum(1).tolist() == [1, 2, 0]


def test_a_card_gives_the_sets_back():
    sets = ClassSets.fit(*stars(300, 4), 0.8)
    assert ClassSets.from_json(json.loads(json.dumps(sets.to_json()))) == sets
    with pytest.raises(ValueError, match="the level is 90"):
        ClassSets.fit(*stars(300, 4), 90)
