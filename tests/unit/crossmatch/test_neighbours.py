"""All pairs within a radius, against brute force, astropy and extended precision; the cells against cdshealpix."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord, search_around_sky
from cdshealpix.nested import healpix_to_lonlat
from cdshealpix.nested import neighbours as cells_around
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import BadInput
from tasks.crossmatch import neighbours as module
from tasks.crossmatch.cells import NARROWEST, ORDER, narrowest_order, reach_of
from tasks.crossmatch.kernel import gather, join, touch_cells
from tasks.crossmatch.neighbours import MAX_RADIUS_ARCSEC, SortedPositions, cells_of, neighbours, pairs

LAW = settings(max_examples=150, deadline=None)
TRANSITION = np.degrees(np.arcsin(2 / 3))  # where the polar faces of HEALPix begin to narrow


def vectors(ra, dec):
    ra, dec = np.radians(np.asarray(ra, np.longdouble)), np.radians(np.asarray(dec, np.longdouble))
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def all_separations(ra1, dec1, ra2, dec2):
    """Chords of every pair in 80-bit floats, arcsec: another formula than the one under test."""
    chord = np.linalg.norm((vectors(ra1, dec1)[:, None] - vectors(ra2, dec2)[None]).astype(np.longdouble), axis=-1)
    return np.degrees(2 * np.arcsin(np.minimum(chord / 2, 1))) * 3600


def assert_brute_force_agrees(ra1, dec1, ra2, dec2, radius):
    truth = all_separations(ra1, dec1, ra2, dec2)
    found = neighbours(ra1, dec1, ra2, dec2, radius)
    slack = 1e-6 + 1e-12 * radius
    assert np.all(found.sep_arcsec <= radius)
    np.testing.assert_allclose(found.sep_arcsec, truth[found.i, found.j].astype(float), rtol=1e-12, atol=1e-6)
    matrix = np.zeros(truth.shape, bool)
    matrix[found.i, found.j] = True
    assert matrix.sum() == found.i.size, "a pair was found twice"
    missed, extra = (truth < radius - slack) & ~matrix, matrix & (truth > radius + slack)
    assert not missed.any() and not extra.any(), f"{missed.sum()} missed, {extra.sum()} too many"
    return found


def around(draw, ra, dec, spread_arcsec, n):
    """n positions scattered around one, also across the pole."""
    centre = vectors(ra, dec).astype(float)
    near = centre + draw.normal(0, np.radians(spread_arcsec / 3600), (n, 3))
    near /= np.linalg.norm(near, axis=-1, keepdims=True)
    return np.degrees(np.arctan2(near[:, 1], near[:, 0])) % 360, np.degrees(np.arcsin(np.clip(near[:, 2], -1, 1)))


CENTRES = st.one_of(
    st.tuples(st.floats(0, 360), st.floats(-90, 90)),
    st.tuples(st.sampled_from([0.0, 45.0, 90.0, 180.0, 270.0, 315.0]), st.floats(-90, 90)),  # edges and seams
    st.tuples(st.floats(0, 360), st.sampled_from([-90.0, 90.0, 0.0, TRANSITION, -TRANSITION])),
    st.tuples(
        st.sampled_from([0.0, 45.0, 90.0, 135.0, 225.0, 360.0]),
        st.sampled_from([-90.0, 90.0, 0.0, TRANSITION, -TRANSITION]),  # corners of the twelve faces
    ),
)


@LAW
@given(CENTRES, st.floats(-3, np.log10(MAX_RADIUS_ARCSEC)), st.floats(0.2, 3), st.integers(0, 2**32 - 1))
def test_brute_force_finds_the_same_pairs(centre, log_radius, spread, seed):
    """At every scale from a milliarcsecond to 39 degrees, around every kind of edge of the grid."""
    draw, radius = np.random.default_rng(seed), min(10.0**log_radius, MAX_RADIUS_ARCSEC)
    first = around(draw, *centre, radius * spread, 40)
    second = around(draw, *centre, radius * spread, 60)
    assert_brute_force_agrees(*first, *second, radius)


@LAW
@given(st.integers(0, 28), st.floats(0, 1, exclude_max=True), st.integers(0, 2**32 - 1))
def test_pairs_across_edges_of_cells_are_found(order, where, seed):
    """Positions on the borders of cells of every order: each partition of a catalogue is such a cell."""
    draw = np.random.default_rng(seed)
    cell = draw.integers(0, 12 * 4**order, 1)
    lon, lat = healpix_to_lonlat(cell, order, dx=where, dy=float(draw.choice([0.0, 1 - 1e-9])))
    radius = min(20.0, 30_000 / 2**order)
    first = around(draw, lon.deg[0], lat.deg[0], radius, 30)
    second = around(draw, lon.deg[0], lat.deg[0], radius, 30)
    assert_brute_force_agrees(*first, *second, radius)


def test_whole_sky_agrees_with_astropy():
    draw = np.random.default_rng(5)
    ra, dec = draw.uniform(0, 360, 4000), np.degrees(np.arcsin(draw.uniform(-1, 1, 4000)))
    i, j, sep, _ = search_around_sky(
        SkyCoord(ra[:1500], dec[:1500], unit="deg"), SkyCoord(ra[1500:], dec[1500:], unit="deg"), 3 * u.deg
    )
    found = neighbours(ra[:1500], dec[:1500], ra[1500:], dec[1500:], 3 * 3600.0)
    order, theirs = np.lexsort((found.j, found.i)), np.lexsort((j, i))
    np.testing.assert_array_equal(found.i[order], i[theirs])
    np.testing.assert_array_equal(found.j[order], j[theirs])
    np.testing.assert_allclose(found.sep_arcsec[order], sep.arcsec[theirs], rtol=1e-9)
    assert found.i.size > 2000


@pytest.mark.parametrize("dec", [0.0, 41.81, -66.6, 89.999999, -90.0])
def test_small_separations_are_good_to_a_microarcsecond(dec):
    draw = np.random.default_rng(9)
    ra1, dec1 = np.full(400, 359.9999999), np.full(400, dec)
    ra2, dec2 = around(draw, 359.9999999, dec, 0.2, 400)
    found = neighbours(ra1[:1], dec1[:1], ra2, dec2, 5.0)
    truth = all_separations(ra1[:1], dec1[:1], ra2, dec2)[0, found.j].astype(float)
    assert found.j.size == 400
    assert np.abs(found.sep_arcsec - truth).max() < 1e-7  # 0.1 microarcsecond


def test_any_order_of_cells_gives_the_same_pairs():
    draw = np.random.default_rng(2)
    first = SortedPositions.of(*around(draw, 45.0, TRANSITION, 900, 500))
    second = SortedPositions.of(*around(draw, 45.0, TRANSITION, 900, 700))
    reach = reach_of(np.radians(60 / 3600))
    narrowest = narrowest_order(reach)
    arrays = (first.cell, first.ra, first.dec, second.cell, second.ra, second.dec)
    reference = join(*arrays, 60.0, 0, reach)
    assert reference[0].sum() > 300
    for order in range(1, narrowest + 1):
        for ours, theirs in zip(join(*arrays, 60.0, order, reach), reference, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert 0 <= module.search_order(second, reach) <= narrowest


def test_rank_and_number_of_candidates():
    found = neighbours([10.0, 20.0, 30.0], [0.0, 0.0, 0.0], [30.0, 10.0, 10.0, 10.0], [0, 2e-4, -1e-4, 3e-4], 1.0)
    np.testing.assert_array_equal(found.i, [0, 0, 2])
    np.testing.assert_array_equal(found.j, [2, 1, 0])
    np.testing.assert_allclose(found.sep_arcsec, [0.36, 0.72, 0.0], atol=1e-9)
    np.testing.assert_array_equal(found.rank(), [1, 2, 1])
    np.testing.assert_array_equal(found.n_candidates(), [2, 2, 1])


@LAW
@given(st.integers(0, 2**32 - 1), st.integers(0, 30), st.integers(0, 30))
def test_rows_count_as_given_and_the_nearest_comes_first(seed, n1, n2):
    draw = np.random.default_rng(seed)
    first, second = around(draw, 0.0, 90.0, 30, n1), around(draw, 0.0, 90.0, 30, n2)
    found = neighbours(*first, *second, 25.0)
    assert np.all(np.diff(found.i) >= 0)
    assert np.all((np.diff(found.sep_arcsec) >= 0) | (np.diff(found.i) > 0))
    assert np.array_equal(found.n_candidates(), np.bincount(found.i, minlength=n1)[found.i])
    shuffle = draw.permutation(n2)
    again = neighbours(*first, second[0][shuffle], second[1][shuffle], 25.0)
    np.testing.assert_array_equal(shuffle[again.j], found.j)
    np.testing.assert_array_equal(again.sep_arcsec, found.sep_arcsec)


def test_many_pairs_of_one_position_and_none():
    found = neighbours(np.zeros(3), np.zeros(3), np.zeros(2000), np.zeros(2000), 0.0)
    assert found.i.size == 6000 and found.rank().max() == 2000
    assert neighbours([], [], [1.0], [1.0], 1.0).i.size == 0
    assert neighbours([1.0], [1.0], [], [], 1.0).rank().size == 0


def test_sorted_once_used_often():
    draw = np.random.default_rng(4)
    ra, dec = draw.uniform(0, 360, 3000), np.degrees(np.arcsin(draw.uniform(-1, 1, 3000)))
    catalogue = SortedPositions.of(ra, dec)
    np.testing.assert_array_equal(catalogue.ra, ra[catalogue.row])
    assert np.all(np.diff(catalogue.cell) >= 0)
    again = SortedPositions.of(catalogue.ra, catalogue.dec)
    np.testing.assert_array_equal(again.row, np.arange(3000))
    at = np.flatnonzero(catalogue.dec > 60)
    found = pairs(catalogue.take(at), catalogue, 0.0)
    np.testing.assert_array_equal(found.i, np.arange(at.size))
    np.testing.assert_array_equal(found.j, catalogue.row[at])


def test_refusals():
    with pytest.raises(BadInput, match="3 of 4 positions are not on the sphere"):
        neighbours([0.0, np.nan, 1.0, -999.0], [0.0, 0.0, 90.1, -9.0], [0.0], [0.0], 1.0)
    with pytest.raises(BadInput, match="radius of 200000"):
        neighbours([0.0], [0.0], [0.0], [0.0], 200_000.0)
    with pytest.raises(BadInput, match="radius of nan"):
        neighbours([0.0], [0.0], [0.0], [0.0], np.nan)
    with pytest.raises(ValueError, match="one length"):
        neighbours([0.0, 1.0], [0.0], [0.0], [0.0], 1.0)


# -- the cells ---------------------------------------------------------------------------------------------------------


def every_touched(cells, order, reach):
    out = np.full((cells.size, 9), -1, np.int64)
    for row, cell in enumerate(cells):
        touch_cells(cell, order, reach, out[row])
    return out


@pytest.mark.parametrize("order", [0, 1, 2, 3, 29])
def test_cells_around_a_cell_are_those_of_cdshealpix(order):
    """A disc as wide as a cell touches all around: every face, border and corner of the grid."""
    n = 12 * 4**order
    cells = np.arange(n) if order < 9 else np.random.default_rng(0).integers(0, n, 2000)
    ours = every_touched(cells << (2 * (ORDER - order)), order, 2 ** (ORDER - order))
    theirs = cells_around(cells, order, num_threads=1).astype(np.int64)
    np.testing.assert_array_equal(np.sort(ours, axis=1), np.sort(theirs, axis=1))


def test_no_step_of_the_grid_is_shorter_than_the_narrowest():
    """Grid steps per radian of sky, over positions and directions everywhere: at most 1 / NARROWEST, and near it."""
    draw, n, radius = np.random.default_rng(1), 200_000, 1e-4
    ra, dec = draw.uniform(0, 360, n), np.degrees(np.arcsin(draw.uniform(-1, 1, n)))
    dec[: n // 2] = draw.uniform(88, 90, n // 2)  # cells are narrowest at the pole
    towards = draw.uniform(0, 2 * np.pi, n)
    from tasks.crossmatch.propagate import propagate

    moved = propagate(ra, dec, radius * np.sin(towards), radius * np.cos(towards), None, 0.0, 180 * 3600e3 / np.pi)
    before, after = cells_of(ra, dec), cells_of(*moved)
    same_face = before >> (2 * ORDER) == after >> (2 * ORDER)
    mask = (1 << (2 * ORDER)) - 1
    gather_all = np.vectorize(gather, otypes=[np.int64])
    steps = np.maximum(
        *(
            np.abs(gather_all((after[same_face] & mask) >> shift) - gather_all((before[same_face] & mask) >> shift))
            for shift in (0, 1)
        )
    )
    assert same_face.mean() > 0.9
    relative = steps.max() / 2**ORDER / radius * NARROWEST
    assert 0.995 < relative < 1 + 1e-4
    assert reach_of(radius) >= steps.max()
