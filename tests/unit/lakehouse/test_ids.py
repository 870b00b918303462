import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse import ids
from schemas import BadInput


def test_hash_is_the_same_for_ever():
    # Frozen values: lakes on disk hold them, so a change of the hash would split every object in two.
    expected = [4886079602452886430, 4172376047919220428]
    assert ids.source_ids("ztf_vsx", ["ZTFJ000000.13+620605.8", "7"]).tolist() == expected


def test_hash_depends_on_dataset_and_object_alone():
    first = ids.source_ids("a", ["x", "y", "x"])
    assert first[0] == first[2] != first[1]
    assert ids.source_ids("a", pa.chunked_array([["y"], ["x"]])).tolist() == [first[1], first[0]]
    assert ids.source_ids("b", ["x"])[0] != first[0]


def test_hash_of_many_objects_has_no_collision_and_fills_63_bits():
    found = ids.source_ids("big", [str(i) for i in range(200_000)])
    assert len(np.unique(found)) == 200_000
    assert found.min() >= 0 and found.dtype == np.int64
    assert np.isclose(found.mean() / 2**62, 1, atol=0.01)


def test_two_objects_of_one_hash_are_refused():
    with pytest.raises(BadInput, match=r"'a' and 'c' have the same 63-bit hash \(1 such pairs\)"):
        ids.refuse_collisions("demo", np.array([4, 9, 4]), pa.array(["a", "b", "c"]))


def test_missing_object_id_is_refused():
    with pytest.raises(BadInput, match="1 of 2 objects have no object_id"):
        ids.source_ids("demo", ["a", None])


@given(st.integers(0, 12 * 4**12 - 1), st.integers(0, 2**35 - 1), st.integers(0, 12))
def test_gaia_tile_is_the_parent_of_the_cell_in_the_id(cell, rest, order):
    tile = ids.tile_of_gaia(np.array([cell * 2**35 + rest]), order)
    assert tile[0] == cell >> 2 * (12 - order)


def test_gaia_tile_is_where_the_star_is():
    # Gaia DR3 4472832130942575872 is Barnard's star (ra 269.448503, dec 4.739420 at J2016).
    star = np.array([4472832130942575872])
    for order in (0, 1, 5, 8):
        at_2016 = ids.tile_of_position(np.array([269.448503]), np.array([4.739420]), order)
        assert ids.tile_of_gaia(star, order) == at_2016


def test_an_id_beyond_the_last_cell_is_placed_by_its_position():
    cells, last = 12 * 4**12, 2**63 - 1
    source_id = np.array([cells * 2**35 - 1, cells * 2**35, last, last])
    ra, dec = np.array([10.0, 10.0, 200.0, np.nan]), np.array([20.0, 20.0, -70.0, 5.0])
    tile = ids.tiles(source_id, ra, dec, is_gaia=True, order=1)
    placed = ids.tile_of_position(ra[1:3], dec[1:3], 1)
    assert tile.tolist() == [47, *placed, last % 48] and tile.max() < 48
    assert (ids.tiles(source_id, None, None, is_gaia=True) < 12).all()


def test_tile_falls_back_to_the_hash_without_a_position():
    source_id = np.array([1, 100, 48 * 7 + 3])
    ra, dec = np.array([np.nan, 10.0, 400.0]), np.array([0.0, 20.0, 95.0])
    tile = ids.tiles(source_id, ra, dec, is_gaia=False)
    assert tile[0] == 1 and tile[2] == 3
    assert tile[1] == ids.tile_of_position(np.array([10.0]), np.array([20.0]))[0]
    assert tile.dtype == np.int32
    assert (ids.tiles(source_id, None, None, is_gaia=False) == source_id % 48).all()
