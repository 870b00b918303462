"""Splits of whatever labels and groups: every object in one part, shares kept, stars whole, rows in any order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.learning.splits import TEST, hash_of, same_star, split
from tasks.learning.targets import CLASS, Regression

LAW = settings(max_examples=60, deadline=None, derandomize=True)
NUMBER = Regression.of("teff_k")


@st.composite
def samples(draw):
    """A target, labels and ids of 2 to 120 objects, folds, and the share that is held out."""
    n, seed = draw(st.integers(2, 120)), draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    source_id = rng.choice(2**60, n, replace=False) - 2**59
    if draw(st.booleans()):
        labels, target = rng.choice(["a", "b", "c", "d"], n, p=[0.6, 0.25, 0.1, 0.05]), CLASS
    else:
        labels, target = np.round(rng.normal(0, 1, n), draw(st.integers(0, 3))), NUMBER
    return target, labels, source_id, draw(st.integers(2, 6)), draw(st.floats(0, 0.5)), seed


@LAW
@given(samples())
def test_every_object_is_in_one_part_of_the_size_that_it_should_have(sample):
    target, labels, source_id, n_folds, share, seed = sample
    found = split(target, labels, source_id, n_folds, share, seed)
    assert found.fold.dtype == np.int8 and found.fold.shape == labels.shape
    assert found.fold.min() >= TEST and found.fold.max() < n_folds
    stratum = target.strata(labels)[0]
    folds = np.bincount(found.fold[found.fold >= 0], minlength=n_folds)
    assert np.ptp(folds) <= 1
    for each in np.unique(stratum):
        count = np.bincount(found.fold[stratum == each] - TEST, minlength=n_folds + 1)
        if count.sum() < n_folds:
            assert count[0] == 0 and not found.stratified  # too few: all of them train
        else:
            assert np.ptp(count[1:]) <= 1 and (count[1:] >= 1).all()
            assert abs(count[0] - share * count.sum()) <= max(0.5, share * count.sum() - (count.sum() - n_folds))


@LAW
@given(samples(), st.integers(0, 2**16))
def test_no_order_of_rows_changes_the_part_of_an_object(sample, shuffle):
    target, labels, source_id, n_folds, share, seed = sample
    order = np.random.default_rng(shuffle).permutation(labels.size)
    groups = np.arange(labels.size) // 2
    for own in (None, groups):
        one = split(target, labels, source_id, n_folds, share, seed, own)
        turned = None if own is None else own[order]
        other = split(target, labels[order], source_id[order], n_folds, share, seed, turned)
        assert np.array_equal(other.fold, one.fold[order])
        assert (other.note, other.stratified) == (one.note, one.stratified)


@LAW
@given(samples(), st.integers(1, 5))
def test_rows_of_one_star_are_in_one_part(sample, size):
    target, labels, source_id, n_folds, share, seed = sample
    groups = np.random.default_rng(seed).integers(0, max(1, labels.size // size), labels.size)
    fold = split(target, labels, source_id, n_folds, share, seed, groups).fold
    for each in np.unique(groups):
        assert np.unique(fold[groups == each]).size == 1
    alone = split(target, labels, source_id, n_folds, share, seed, np.arange(labels.size)[::-1]).fold
    assert np.array_equal(alone, split(target, labels, source_id, n_folds, share, seed).fold)


@LAW
@given(st.integers(1, 40), st.integers(0, 2**16), st.floats(0.2, 30))
def test_stars_are_the_chains_of_positions_closer_than_the_radius(n, seed, radius):
    rng = np.random.default_rng(seed)
    ra, dec = (rng.normal(0, 20 / 3600, n) + 360) % 360, rng.normal(30, 20 / 3600, n)
    star = same_star(ra, dec, radius)
    x = np.array([np.cos(np.radians(dec)) * np.cos(np.radians(ra)), np.cos(np.radians(dec)) * np.sin(np.radians(ra)),
                  np.sin(np.radians(dec))]).T  # fmt: skip
    near = np.degrees(2 * np.arcsin(np.linalg.norm(x[:, None] - x[None], axis=2) / 2)) * 3600 <= radius
    for _ in range(n):
        near = near | (near.astype(int) @ near.astype(int) > 0)
    assert np.array_equal(star[:, None] == star[None], near)


def test_hashes_are_spread_evenly_and_differ_by_seed():
    ids = np.arange(4096)
    first, second = hash_of(ids, 0), hash_of(ids, 1)
    assert first.dtype == np.uint64 and np.unique(first).size == 4096 and (first != second).all()
    for bit in range(64):
        share = ((first >> np.uint64(bit)) & np.uint64(1)).mean()
        assert share == pytest.approx(0.5, abs=0.04)  # five standard deviations
