"""Splits: by object, stratified, whatever the row order."""

import numpy as np
import pytest

from tasks.learning.splits import TEST, published_split, same_star, split
from tasks.learning.targets import CLASS, Regression

NUMBER = Regression.of("teff_k")
IDS = np.random.default_rng(3).integers(0, 2**62, 1000)
LABELS = np.random.default_rng(4).choice(["a", "b", "c"], 1000, p=[0.7, 0.25, 0.05])


def test_every_class_has_its_share_of_every_part():
    found = split(CLASS, LABELS, IDS, 5, 0.2, 0)
    assert found.stratified and found.note == ""
    for name in "abc":
        parts = np.bincount(found.fold[name == LABELS] + 1, minlength=6)
        n = (name == LABELS).sum()
        assert abs(parts[0] - 0.2 * n) <= 1
        assert np.ptp(parts[1:]) <= 1
    assert np.ptp(np.bincount(found.fold[found.fold >= 0])) <= 1


def test_row_order_does_not_matter_and_the_seed_does():
    order = np.random.default_rng(5).permutation(1000)
    there = split(CLASS, LABELS, IDS, 5, 0.2, 0).fold
    assert np.array_equal(there[order], split(CLASS, LABELS[order], IDS[order], 5, 0.2, 0).fold)
    assert (there != split(CLASS, LABELS, IDS, 5, 0.2, 1).fold).mean() > 0.5


def test_a_class_smaller_than_the_folds_trains_and_is_named():
    labels = np.array(["big"] * 50 + ["one"] + ["few"] * 3)
    found = split(CLASS, labels, np.arange(54), 5, 0.2, 0)
    assert not found.stratified
    assert "one (1)" in found.note and "few (3)" in found.note and "big" not in found.note
    assert (found.fold[50:] >= 0).all()
    assert np.unique(found.fold[51:]).size == 3


def test_a_class_of_just_enough_members_is_in_every_fold():
    found = split(CLASS, ["x"] * 5 + ["y"] * 95, np.arange(100), 5, 0.2, 0)
    assert sorted(found.fold[:5]) == [0, 1, 2, 3, 4]
    assert found.stratified


def test_only_small_classes_still_split():
    found = split(CLASS, ["x", "y", "z"], [5, 6, 7], 5, 0.2, 0)
    assert (found.fold >= 0).all() and not found.stratified


def test_two_ids_of_one_star_share_a_fold_in_any_order():
    groups = np.arange(1000) // 2
    found = split(CLASS, LABELS, IDS, 5, 0.2, 0, groups).fold
    assert np.array_equal(found[::2], found[1::2])
    order = np.random.default_rng(6).permutation(1000)
    assert np.array_equal(found[order], split(CLASS, LABELS[order], IDS[order], 5, 0.2, 0, groups[order]).fold)


def test_numbers_are_stratified_by_decile():
    y = np.random.default_rng(7).lognormal(0, 2, 1000)
    found = split(NUMBER, y, IDS, 5, 0.2, 0)
    medians = [np.median(np.log(y[found.fold == k])) for k in range(-1, 5)]
    assert np.ptp(medians) < 0.15
    assert (found.fold == TEST).sum() == 200


def test_equal_numbers_and_impossible_settings():
    assert np.ptp(np.bincount(split(NUMBER, np.ones(50), np.arange(50), 5, 0.2, 0).fold + 1)[1:]) <= 1
    with pytest.raises(ValueError, match="n_folds is 1"):
        split(CLASS, LABELS, IDS, 1, 0.2, 0)
    with pytest.raises(ValueError, match="3 labels for 2 objects"):
        split(CLASS, ["a", "b", "c"], [1, 2])


def test_ids_of_one_place_are_one_star_across_ra_zero_and_at_the_pole():
    ra = [10.0, 10.0, 0.00005, 359.99995, 40.0, 220.0, np.nan, np.nan, 10.0]
    dec = [5.0, 5.0002, 0.0, 0.0, 89.99995, 89.99995, 1.0, 1.0, 5.01]
    star = same_star(ra, dec)
    assert star[0] == star[1] and star[2] == star[3] and star[4] == star[5]
    assert len(set(star.tolist())) == 6 and star[6] != star[7] and star[0] != star[8]
    fold = split(CLASS, np.array(["a"] * 9), np.arange(9), 2, 0.2, groups=star).fold
    assert fold[0] == fold[1] and fold[2] == fold[3] and fold[4] == fold[5]


def test_published_folds_are_the_folds_and_what_has_none_is_held_out():
    found = published_split([7, 7, 3, -1, 3, 9])
    assert found.fold.tolist() == [1, 1, 0, TEST, 0, 2] and not found.stratified
    assert found.note == "On the 3 published folds; 1 held out."
    assert published_split([5, 2, 5]).fold.tolist() == [1, 0, 1]
    assert published_split([5, 2, 5]).note.endswith("none held out.")
