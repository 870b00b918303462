"""The ragged batch: layout, refusals and the border with Arrow."""

import numpy as np
import pyarrow as pa
import pytest

from tasks.lightcurves import LightCurveBatch

BANDS = ("g", "r")


@pytest.fixture
def batch() -> LightCurveBatch:
    return LightCurveBatch.from_epochs(
        source_id=[7, 3, 7, 3, 7],
        time=[2.0, 1.0, 1.0, 0.5, 3.0],
        mag=[12, 15, 11, 14, 13],
        mag_err=[0.1] * 5,
        band=[1, 0, 0, 0, 1],
        flags=None,
        bands=BANDS,
    )


def test_from_epochs_sorts_by_object_and_time(batch):
    assert batch.source_id.tolist() == [3, 7]
    assert batch.offsets.tolist() == [0, 2, 5]
    assert batch.mag.tolist() == [14, 15, 11, 12, 13]
    assert batch.n_epoch.tolist() == [2, 3]
    assert batch.row.tolist() == [0, 0, 1, 1, 1]


def test_dtypes_are_the_declared_ones(batch):
    types = {name: getattr(batch, name).dtype.name for name in ("source_id", "time", "mag", "mag_err", "band", "flags")}
    assert types == {
        "source_id": "int64",
        "time": "float64",
        "mag": "float32",
        "mag_err": "float32",
        "band": "int8",
        "flags": "int32",
    }


def test_arrow_round_trip_copies_nothing(batch):
    back = LightCurveBatch.from_arrow(batch.to_arrow(), BANDS)
    assert all(np.shares_memory(getattr(back, name), getattr(batch, name)) for name in ("time", "mag", "band"))


def test_a_slice_of_an_arrow_table_is_its_own_batch(batch):
    back = LightCurveBatch.from_arrow(batch.to_arrow().slice(1), BANDS)
    assert back.offsets.tolist() == [0, 3]
    assert back.mag.tolist() == [11, 12, 13]


def test_chunked_columns_are_combined(batch):
    table = pa.concat_tables([batch.to_arrow(), batch.to_arrow()])
    assert LightCurveBatch.from_arrow(table, BANDS).offsets.tolist() == [0, 2, 5, 7, 10]


def test_absent_and_null_errors_become_nan(batch):
    table = batch.to_arrow()
    assert np.isnan(LightCurveBatch.from_arrow(table.drop_columns("mag_err"), BANDS).mag_err).all()
    partly = table.set_column(3, "mag_err", pa.array([None, [0.1, None, 0.3]], pa.list_(pa.float32())))
    np.testing.assert_allclose(LightCurveBatch.from_arrow(partly, BANDS).mag_err, [np.nan, np.nan, 0.1, np.nan, 0.3])


def test_null_times_are_refused(batch):
    table = batch.to_arrow().set_column(1, "time", pa.array([[0.5, None], [1.0, 2.0, 3.0]]))
    with pytest.raises(ValueError, match="time: 1 of 5 values are null"):
        LightCurveBatch.from_arrow(table, BANDS)


def test_lists_of_unequal_length_are_refused(batch):
    table = batch.to_arrow().set_column(2, "mag", pa.array([[1.0], [1.0, 2.0, 3.0, 4.0]], pa.list_(pa.float32())))
    with pytest.raises(ValueError, match="mag: 2 of 2 lists have another length"):
        LightCurveBatch.from_arrow(table, BANDS)


def test_offsets_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="2 objects need 3 offsets"):
        LightCurveBatch([1, 2], [0, 1], [0.0], [1.0], [0.1], [0], [0], BANDS)
    with pytest.raises(ValueError, match="offsets end at 2 epochs"):
        LightCurveBatch([1], [0, 2], [0.0], [1.0], [0.1], [0], [0], BANDS)


@pytest.mark.parametrize("code", [-1, 2])
def test_codes_of_no_band_are_refused(code):
    with pytest.raises(ValueError, match=f"from {min(code, 0)} to {max(code, 0)} for 2 bands"):
        LightCurveBatch([1], [0, 2], [0.0, 1.0], [1.0, 1.0], [0.1, 0.1], [0, code], [0, 0], ("g", "r"))


def test_more_bands_than_a_code_tells_apart_are_refused():
    with pytest.raises(ValueError, match="there may be 128"):
        LightCurveBatch([1], [0, 1], [0.0], [1.0], [0.1], [0], [0], tuple(map(str, range(129))))


def test_select_takes_masks_integers_and_slices(batch):
    for index in ([1], np.array([False, True]), slice(1, 2), slice(1, 0, -1)):
        assert batch.select(index).mag.tolist() == [11, 12, 13]
    assert batch.select([1, 0, 1]).n_epoch.tolist() == [3, 2, 3]
    assert np.shares_memory(batch.select(slice(1, 2)).mag, batch.mag)


def test_keep_leaves_emptied_objects_in_place(batch):
    kept = batch.keep(batch.band == 1)
    assert kept.source_id.tolist() == [3, 7]
    assert kept.n_epoch.tolist() == [0, 2]


def test_merged_joins_neighbours_only():
    batch = LightCurveBatch(
        [5, 5, 6, 5], [0, 1, 2, 2, 3], [1.0, 2.0, 3.0], [1, 2, 3], [0.1] * 3, [0] * 3, [0] * 3, BANDS
    )
    assert batch.merge_rows().source_id.tolist() == [5, 6, 5]
    assert batch.merge_rows().n_epoch.tolist() == [2, 0, 1]


def test_an_empty_batch_goes_through_everything():
    empty = LightCurveBatch([], [0], [], [], [], [], [], BANDS)
    assert len(empty.merge_rows().sort_by_time().by_band()[0]) == 0
    assert len(LightCurveBatch.from_arrow(empty.to_arrow(), BANDS)) == 0
