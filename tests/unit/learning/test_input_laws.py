"""Inputs of networks, whatever the curves: what a shift changes, what padding holds, whom a batch holds."""

from dataclasses import replace

import numpy as np
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tasks.learning.inputs.buckets import length_buckets
from tasks.learning.inputs.differences import context_width, difference_rows
from tasks.learning.inputs.epochs import centre, distinct_epochs, rank_in_band
from tasks.learning.inputs.padding import gather_rows, pad_rows, take_padded
from tasks.learning.inputs.windows import cut_views, cut_window
from tests.unit.learning.synthetic_stars import stars

LAW = settings(max_examples=30, deadline=None, derandomize=True)
BANDS = ("g", "r")


@st.composite
def curves(draw):
    """Distinct epochs of 1 to 8 objects in two bands; some bands and some objects have none."""
    seed = draw(st.integers(0, 2**16))
    batch = stars(draw(st.integers(1, 8)), seed, BANDS, (1, draw(st.integers(2, 14))))[0].batch
    absent = np.random.default_rng(seed).random((len(batch), 2)) < 0.2
    return distinct_epochs(batch.keep(~absent[batch.row, batch.band]), BANDS)


CURVES = curves()


@LAW
@given(CURVES, st.integers(-50, 50), st.integers(-8, 8))
def test_differences_do_not_depend_on_the_first_day_or_the_zero_point(epochs, day, mag):
    one = difference_rows(epochs, 1)
    other = difference_rows(replace(epochs, time=epochs.time + day, mag=epochs.mag + np.float32(mag)), 1)
    assert np.allclose(one.x, other.x, atol=1e-4) and np.allclose(one.context, other.context, atol=1e-4)
    assert np.array_equal(one.merged, other.merged) and np.array_equal(one.band_weight, other.band_weight)


@LAW
@given(CURVES, st.integers(0, 4))
def test_rows_are_counted_from_the_third_epoch_of_a_band_and_weights_sum_to_one(epochs, n_skip):
    rows = difference_rows(epochs, n_skip)
    per_band = np.bincount(epochs.row * 2 + epochs.band, minlength=2 * len(epochs))
    assert np.array_equal(np.diff(rows.band_offsets), np.maximum(per_band - 2, 0))
    assert np.array_equal(np.sort(rows.merged), np.arange(len(rows.x)))
    assert rows.context.shape == (len(rows.x), context_width(2)) and np.isfinite(rows.context).all()
    owner = np.repeat(np.arange(len(rows)), rows.length)
    total = np.bincount(owner, rows.place_weight, len(rows))
    assert np.allclose(total[rows.length > 0], 1, atol=1e-5) and (rows.band_weight >= 0).all()


@LAW
@given(CURVES, st.data())
def test_padded_rows_hold_each_object_and_zeros(epochs, data):
    rows = difference_rows(epochs, 0)
    assume(len(rows.x) > 0)  # a batch has objects with rows alone
    index = np.array(data.draw(st.lists(st.integers(0, len(epochs) - 1), min_size=1, max_size=6)))
    batch = pad_rows(rows, index)
    assert np.array_equal(batch.place_valid.sum(1).numpy(), rows.length[index])
    steps = torch.cat(batch.x, 1)
    for k, i in enumerate(index):
        part = slice(rows.offsets[i], rows.offsets[i + 1])
        n = rows.length[i]
        assert np.array_equal(steps[k, batch.place[k, :n]].numpy(), rows.x[rows.merged[part]])
        assert np.array_equal(batch.context[k, :n].numpy(), rows.context[part]) and (batch.context[k, n:] == 0).all()
        assert batch.last[k] == n - 1
        for b in range(2):
            own = rows.x[part][rows.band[part] == b]
            assert np.array_equal(batch.x[b][k, : len(own)].numpy(), own) and (batch.x[b][k, len(own) :] == 0).all()


@LAW
@given(st.lists(st.integers(0, 6), min_size=1, max_size=12), st.data())
def test_gathered_rows_are_the_slices(lengths, data):
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    index = np.array(data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=8)))
    rows, exists = gather_rows(offsets, index)
    assert rows.shape == exists.shape == (index.size, max(1, *(lengths[i] for i in index), 1))
    values = np.arange(1, offsets[-1] + 1, dtype=np.float32)
    taken = take_padded(values, rows, exists).numpy()
    for k, i in enumerate(index):
        assert taken[k, : lengths[i]].tolist() == values[offsets[i] : offsets[i + 1]].tolist()
        assert (taken[k, lengths[i] :] == 0).all()


@LAW
@given(CURVES, st.integers(1, 10), st.integers(0, 2**16))
def test_a_window_holds_successive_epochs_and_all_of_a_short_curve(epochs, limit, seed):
    where = np.random.default_rng(seed).random(len(epochs))
    window = cut_window(epochs, limit, where)
    assert len(window) == len(epochs) and rank_in_band(window).max(initial=0) < limit
    assert np.array_equal(cut_window(window, limit, 1 - where).time, window.time)
    whole, cut = (np.bincount(each.row * 2 + each.band, minlength=2 * len(epochs)) for each in (epochs, window))
    assert np.array_equal(cut, np.minimum(whole, limit))
    views = cut_views(epochs, limit)
    assert views[0][0].size == len(epochs) and len(views) == (3 if whole.max(initial=0) > limit else 1)


@LAW
@given(CURVES)
def test_centring_twice_is_centring_once(epochs):
    once = centre(epochs)
    assert np.allclose(centre(once).mag, once.mag, atol=1e-5)


@LAW
@given(st.lists(st.integers(0, 300), max_size=60), st.integers(1, 20), st.booleans())
def test_buckets_hold_every_object_with_rows_once(lengths, size, is_random):
    length = np.array(lengths, np.int64)
    parts = length_buckets(length, size, np.random.default_rng(0) if is_random else None)
    held = np.concatenate([*parts, np.empty(0, np.int64)])
    assert sorted(held.tolist()) == np.flatnonzero(length > 0).tolist()
    assert all(1 <= part.size <= size for part in parts) and len(parts) == -(-held.size // size)
    if not is_random:
        assert (np.diff(length[held.astype(int)]) >= 0).all()
