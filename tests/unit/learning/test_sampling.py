"""Batches and parts: every object where it belongs, the same whatever the order of rows."""

import numpy as np
import pytest

from tasks.learning.inputs.buckets import length_buckets
from tasks.learning.training.sampling import (
    balance_weight,
    balanced_batches,
    batch_size,
    shuffled_batches,
    stopping_part,
)


def test_every_object_with_rows_is_in_one_bucket_of_similar_length():
    length = np.random.default_rng(0).integers(0, 200, 1000)
    for rng in (None, np.random.default_rng(1)):
        parts = length_buckets(length, 64, rng)
        assert sorted(np.concatenate(parts)) == np.flatnonzero(length > 0).tolist()
        padded = sum(part.size * length[part].max() for part in parts)
        assert padded < 1.35 * length.sum()


def test_the_stopping_part_is_carved_by_object_from_every_class():
    y = np.repeat([0, 1, 2], [100, 20, 1])
    ids = np.arange(121)
    chosen = stopping_part(ids, y, 0.15, 0)
    assert [int(chosen[y == c].sum()) for c in range(3)] == [15, 3, 0]
    order = np.random.default_rng(0).permutation(121)
    assert np.array_equal(stopping_part(ids[order], y[order], 0.15, 0), chosen[order])


@pytest.mark.parametrize(("power", "expected"), [(0.0, [1, 1, 1]), (0.5, [1, 2, 4]), (1.0, [1, 4, 16])])
def test_rare_classes_weigh_by_a_power_of_their_frequency(power, expected):
    code = np.repeat([0, 1, 2], [64, 16, 4])
    weight = balance_weight(code, None, power)
    assert weight.mean() == pytest.approx(1)
    assert np.allclose([weight[code == c][0] / weight[0] for c in range(3)], expected)
    given = np.arange(84) + 1.0
    assert np.allclose(balance_weight(code, given, power) / weight, given / (given * weight).mean(), rtol=1e-5)


def test_small_sets_take_smaller_batches():
    assert [batch_size(n, 128) for n in (10, 400, 1200, 10_000)] == [16, 33, 100, 128]


def test_shuffled_batches_hold_every_object_once():
    parts = shuffled_batches(100, 32, np.random.default_rng(0))
    assert [part.size for part in parts] == [32, 32, 32, 4]
    order = np.concatenate(parts)
    assert sorted(order) == list(range(100)) and order.tolist() != list(range(100))


def test_balanced_batches_hold_the_classes_in_turn():
    code = np.repeat([0, 1, 3], [50, 7, 20])
    parts = balanced_batches(code, 30, np.random.default_rng(0))
    for part in parts:
        assert np.bincount(code[part], minlength=4).tolist() == [10, 10, 0, 10]
    drawn = np.bincount(np.concatenate(parts), minlength=77)
    assert (drawn[code == 0] == 1).all() and drawn.sum() == 150
    for rare in (1, 3):
        assert np.ptp(drawn[code == rare]) == 1
    again = balanced_batches(code, 30, np.random.default_rng(0))
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))
