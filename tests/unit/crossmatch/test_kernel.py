"""The parts of the join: bits of cells, the search in sorted cells, the order of pairs, and cells around positions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.crossmatch.cells import NARROWEST, ORDER, narrowest_order, reach_of
from tasks.crossmatch.cover import CHUNK, cells_within, cover, keep_distinct
from tasks.crossmatch.kernel import (
    adjacent,
    cells_around,
    gather,
    nearest_first,
    seek,
    separation,
    separations,
    spread,
    touch_cells,
    unsort,
)

LAW = settings(max_examples=80, deadline=None)
COORDINATE = st.integers(0, 2**29 - 1)


@LAW
@given(COORDINATE, COORDINATE)
def test_gathered_bits_are_those_that_were_spread(x, y):
    """The index of a cell interleaves both coordinates: each comes back from it."""
    cell = spread(x) | (spread(y) << 1)
    assert (gather(cell), gather(cell >> 1)) == (x, y)
    assert f"{cell:b}"[::-1][::2].ljust(30, "0") == f"{x:b}"[::-1].ljust(30, "0")


@LAW
@given(st.lists(st.integers(0, 50), max_size=40).map(sorted), st.integers(-1, 51), st.integers(0, 40))
def test_the_search_is_that_of_numpy_wherever_it_starts(cells, value, start):
    cells = np.array(cells, np.int64)
    assert seek(cells, value, min(start, cells.size)) == np.searchsorted(cells, value)


@pytest.mark.parametrize("n", [0, 1, 2, 32, 33, 100])
def test_pairs_are_sorted_by_separation_and_ties_keep_their_order(n):
    apart = np.random.default_rng(n).integers(0, 6, n).astype(float)
    second, order = np.arange(n), np.argsort(apart, kind="stable")
    expected = apart[order]
    nearest_first(apart, second)
    np.testing.assert_array_equal(second, order)
    np.testing.assert_array_equal(apart, expected)


def test_separations_are_symmetric_and_go_around():
    draw = np.random.default_rng(0)
    ra, dec = draw.uniform(0, 360, (2, 50)), draw.uniform(-90, 90, (2, 50))
    there = separations(ra[0], dec[0], ra[1], dec[1])
    np.testing.assert_allclose(there, separations(ra[1], dec[1], ra[0], dec[0]), rtol=1e-14)
    np.testing.assert_allclose(there, separations(ra[0] + 360, dec[0], ra[1], dec[1]), rtol=1e-9)
    assert separation(10.0, 90.0, 190.0, -90.0) == pytest.approx(180 * 3600)
    assert separation(0.0, 89.0, 180.0, 89.0) == pytest.approx(2 * 3600)


def test_pairs_come_back_in_the_order_of_the_rows():
    """Two first positions, given as rows 1 and 0: the one with two pairs is row 1."""
    found, row1, row2 = np.array([2, 1]), np.array([1, 0]), np.array([7, 5, 6])
    first, second, apart = unsort(found, row1, np.array([0, 2, 1]), row2, np.array([0.1, 0.2, 0.3]))
    assert (first.tolist(), second.tolist(), apart.tolist()) == ([0, 1, 1], [5, 7, 6], [0.3, 0.1, 0.2])


@pytest.mark.parametrize("order", [1, 2, 4])
def test_the_neighbour_of_a_neighbour_is_the_cell_itself(order):
    """Across every edge of the twelve faces: the cell that lies one step away has this one among its own neighbours."""
    side = 2**order
    steps = [(dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy]

    def around(face, x, y):
        return {near for near in (adjacent(face, x + dx, y + dy, side) for dx, dy in steps) if near[0] >= 0}

    for cell in np.ndindex(12, side, side):
        near = around(*cell)
        assert len(near) in (7, 8) and all(cell in around(*other) for other in near)


def test_a_disc_inside_a_cell_touches_it_alone():
    cell, out = (5 << 58) + (1 << 57) - 7, np.empty(9, np.int64)
    middle = (cell >> 40 << 40) | (0b11 << 38)  # the middle of a cell of order 9
    assert touch_cells(middle, 9, 1, out) == 1 and out[0] == cell >> 40
    assert touch_cells(cell >> 40 << 40, 9, 1, out) == 4  # at its corner


@LAW
@given(st.lists(st.integers(0, 9), max_size=30))
def test_distinct_values_are_those_of_numpy(values):
    np.testing.assert_array_equal(keep_distinct(np.array(values, np.int64)), np.unique(np.array(values, np.int64)))


def test_a_reach_holds_its_radius_and_its_cells_are_as_wide():
    for radius in np.radians([1e-6, 1 / 3600, 0.1, 10.0, 39.0]):
        reach = reach_of(radius)
        assert reach * NARROWEST / 2**ORDER > radius
        order = narrowest_order(reach)
        assert 2 ** (ORDER - order) >= reach > 2 ** (ORDER - order - 1)


def random_cells(n, seed=1):
    return np.sort(np.random.default_rng(seed).integers(0, 12 * 4**ORDER, n))


@pytest.mark.parametrize("order", [2, 6])
def test_cells_within_reach_are_the_union_of_those_of_each_position(order, monkeypatch):
    cells, reach = random_cells(300), 2 ** (ORDER - order)
    expected = set()
    for cell in cells:
        out = np.empty(9, np.int64)
        expected |= set(out[: touch_cells(cell, order, reach, out)].tolist())
    assert cells_within(cells, order, reach).tolist() == sorted(expected)
    monkeypatch.setattr("tasks.crossmatch.cover.CHUNK", 7)
    assert cells_within(cells, order, reach).tolist() == sorted(expected)
    assert cells_within(cells[:0], order, reach).size == 0 and CHUNK > 7


def test_partitions_that_discs_touch_are_those_of_a_plain_loop(monkeypatch):
    """Partitions of two orders, some cells of the sky in none of them."""
    start = np.concatenate([np.arange(0, 20, 2) << 2 * (ORDER - 1), np.arange(90, 180) << 2 * (ORDER - 2)])
    stop = start + np.where(start < 20 << 2 * (ORDER - 1), 1 << 2 * (ORDER - 1), 1 << 2 * (ORDER - 2))
    cells, reach = random_cells(200, 3), 2 ** (ORDER - 7)
    which, around = cells_around(cells, 7, reach)
    low, high = around << 2 * (ORDER - 7), (around + 1) << 2 * (ORDER - 7)
    touches = (low[:, None] < stop) & (high[:, None] > start)
    expected = sorted({(int(which[row]), int(partition)) for row, partition in zip(*np.nonzero(touches), strict=True)})
    monkeypatch.setattr("tasks.crossmatch.cover.CHUNK", 33)
    position, partition = cover(cells, start, stop, reach)
    assert list(zip(position.tolist(), partition.tolist(), strict=True)) == expected
    assert len({row for row, _ in expected}) < 200 < len(expected) + 100
    assert cover(cells[:0], start, stop, reach)[0].size == cover(cells, start[:0], stop[:0], reach)[1].size == 0
