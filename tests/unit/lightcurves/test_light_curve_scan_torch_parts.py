"""The parts of the torch scan: batches that fit, padded epochs, angles, sums of a tile, and the highest peaks."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.lightcurves import scan_torch
from tasks.lightcurves.batch import offsets_of
from tasks.lightcurves.scan import highest_peaks, slots_gain
from tasks.lightcurves.scan_torch import HALF, LANES, batch_gain, batches, cosine_sine, pad, scale_bands, side_gain
from tests.unit.lightcurves.test_light_curve_scan import objects, series

LAW = settings(max_examples=25, deadline=None)


def tensors(*arrays):
    return tuple(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)


def test_padded_epochs_are_those_of_each_band_and_zeros():
    values, start, count = tensors(np.arange(1.0, 8.0), np.array([0, 3, 6]), np.array([3, 2, 1]))
    assert pad(values, start, count, 4).tolist() == [[1, 2, 3, 0], [4, 5, 0, 0], [7, 0, 0, 0]]


@LAW
@given(st.floats(-1e7, 1e7), st.floats(0, 1))
def test_angles_lose_no_digits_over_many_turns(whole, turns):
    """Whole turns are taken off before the angle becomes float32."""
    whole = round(whole)
    c, s = cosine_sine(torch.tensor([whole + turns], dtype=torch.float64))
    angle = 2 * np.pi * ((whole + turns) - whole)
    assert c.dtype == torch.float32 and float(c[0]) == pytest.approx(np.cos(angle), abs=1e-6)
    assert float(s[0]) == pytest.approx(np.sin(angle), abs=1e-6)


@pytest.mark.parametrize("room", [1, 1 << 16, 1 << 20, 1 << 40])
def test_every_object_is_in_one_batch_that_fits(room):
    (*_, bands, slot_offsets, object_offsets), grid = objects(30)
    grid[2][[3, 11]] = 0
    done = []
    for rows, start, count, slot, row, freedom in batches(bands, slot_offsets, object_offsets, grid[2], room):
        done += rows.tolist()
        n_band, width = np.bincount(row[slot], minlength=rows.size), np.zeros(rows.size, np.int64)
        np.maximum.at(width, row[slot], count)
        cost = grid[2][rows] + 2 * LANES * n_band * width
        assert rows.size == 1 or cost.max() * rows.size <= room
        assert np.all(freedom > 0) and set(row) == set(range(rows.size)) and np.all(np.diff(slot) >= 0)
        np.testing.assert_array_equal(freedom, np.bincount(slot, count) - np.bincount(slot) - 2)
        assert np.isin(np.stack([start, start + count], 1), bands).all()
    possible = [i for i in range(30) if grid[2][i] > 0 and has_freedom(bands, slot_offsets, object_offsets, i)]
    assert sorted(done) == possible and len(set(done)) == len(done)


def has_freedom(bands, slot_offsets, object_offsets, i):
    count = bands[:, 1] - bands[:, 0]
    slots = range(object_offsets[i], object_offsets[i + 1])
    return any(count[a:b].sum() - (b - a) - 2 > 0 for a, b in ((slot_offsets[k], slot_offsets[k + 1]) for k in slots))


def test_a_smaller_room_makes_more_batches():
    (*_, bands, slot_offsets, object_offsets), grid = objects(30)
    n_batch = [len(list(batches(bands, slot_offsets, object_offsets, grid[2], room))) for room in (1, 1 << 18, 1 << 40)]
    assert n_batch[0] > n_batch[1] > n_batch[2] == 1


def gain_of(time, residual, weight, bands, slot, first, step, n_point, room=1 << 24):
    """Curve of one object from the padded epochs of its bands, whose slots are `slot`."""
    count = bands[:, 1] - bands[:, 0]
    start, n, slot_ = tensors(bands[:, 0], count, slot)
    padded = (pad(values, start, n, int(count.max())) for values in tensors(time, residual, weight))
    freedom = np.bincount(slot, count).astype(np.int64) - np.bincount(slot) - 2
    row = torch.zeros(freedom.size, dtype=torch.int64)
    grid = tensors(np.array([first]), np.array([step]))
    return batch_gain(*padded, slot_, row, *tensors(freedom), *grid, n_point, room, side_gain)[0].numpy()


@pytest.mark.parametrize("slots", [[[40]], [[9, 7, 12]], [[30], [8, 6, 5]]])
@pytest.mark.parametrize("n_point", [1, LANES, 3 * LANES + 5])
def test_a_curve_is_that_of_the_compiled_scan(slots, n_point):
    time, residual, weight, bands = series([n for slot in slots for n in slot])
    edges = offsets_of(np.array([len(slot) for slot in slots]))
    expected = slots_gain(time, residual, weight, bands, edges, 0.05, 2e-3, n_point)
    slot = np.repeat(np.arange(len(slots)), np.diff(edges))
    for room in (1, 1 << 24):  # a tile for each block, or one for all
        found = gain_of(time, residual, weight, bands, slot, 0.05, 2e-3, n_point, room)
        np.testing.assert_allclose(found[:n_point], expected, rtol=1e-3, atol=1e-3)


def test_scaled_epochs_sum_to_one_in_every_slot():
    time, residual, weight, bands = series([12, 9, 20])
    count, slot = bands[:, 1] - bands[:, 0], np.array([0, 0, 1])
    start, n, slot_ = tensors(bands[:, 0], count, slot)
    padded = [pad(values, start, n, 20) for values in tensors(time, residual, weight)]
    scaled = scale_bands(*padded, slot_, 2, *tensors(np.full(3, 0.1), np.full(3, 0.01)))
    np.testing.assert_allclose(np.bincount(slot, scaled.weight.sum((1, 2))), [1, 1], rtol=1e-6)
    np.testing.assert_allclose(scaled.rooted.sum(2) ** 2, scaled.weight.sum(2), rtol=1e-5)
    np.testing.assert_allclose(scaled.lanes[..., :HALF] ** 2 + scaled.lanes[..., HALF:] ** 2, 1, atol=1e-6)
    twice = 2 * scaled.lanes[..., :HALF] * scaled.lanes[..., HALF:]
    np.testing.assert_allclose(scaled.double[..., HALF:], twice, atol=1e-6)


@LAW
@given(st.integers(3, 900), st.integers(1, 6), st.integers(0, 999), st.booleans())
def test_the_highest_peaks_are_those_of_the_compiled_search(n_point, n_peak, seed, ramp):
    """Of distinct heights; beyond the grid there may be anything."""
    rng = np.random.default_rng(seed)
    gain = rng.permutation(n_point).astype(np.float32) if not ramp else np.arange(n_point, dtype=np.float32)
    width = max(n_point + 3, n_peak + 2)
    curve = np.full((2, width), 1e9, np.float32)
    curve[:, :n_point] = gain, gain[::-1]
    place, height = scan_torch.highest_peaks(*tensors(curve, np.full(2, n_point)), n_peak)
    for row, one in enumerate((gain, gain[::-1].copy())):
        expected, theirs = highest_peaks(one, n_peak)
        np.testing.assert_array_equal(height[row].numpy(), theirs)
        np.testing.assert_array_equal(place[row].numpy()[theirs > 0], expected[theirs > 0])


def test_products_are_exact_for_as_long_as_the_scan_runs():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    with pytest.raises(RuntimeError, match="stop"), scan_torch.exact_products():
        assert torch.get_float32_matmul_precision() == "highest"
        raise RuntimeError("stop")
    assert torch.get_float32_matmul_precision() == "high"
    torch.set_float32_matmul_precision(before)
