"""Reports of what is refused: one form for archives and folders, keys that differ."""

import numpy as np
import pyarrow as pa
import pytest

from schemas import TABLES
from schemas.rejections import REJECTED, join_reports, number_repeats, reject


def test_repeated_keys_are_numbered_in_order():
    keys = number_repeats(pa.array(["a", "b", "a", "a", "b", "c"]))
    assert keys.to_pylist() == ["a", "b", "a #2", "a #3", "b #2", "c"]
    assert number_repeats(pa.array([], pa.string())).to_pylist() == []
    assert number_repeats(pa.chunked_array([["a"], ["a", "b"]])).to_pylist() == ["a", "a #2", "b"]


def test_reports_have_one_form_whatever_they_are_made_of():
    ids = pa.array([7, 8])
    first = reject("t.parquet", ids, "mag", "range", np.array([99.0, np.nan]))
    second = reject("t.parquet", ids.slice(0, 1), "id", "duplicate", None, pa.array(["7 #2"]))
    every = join_reports(first, second)
    assert every.schema == REJECTED and every["key"].num_chunks == 1
    assert every["key"].to_pylist() == ["7", "8", "7 #2"] and every["value"].to_pylist() == ["99", "nan", None]
    assert join_reports().num_rows == 0


def test_a_report_fits_the_quarantine():
    spec = TABLES["core_quarantine__row"]
    assert set(REJECTED.names) - {"object_id"} <= set(spec.columns_by_name)
    assert all(spec.arrow().field(name).type == REJECTED.field(name).type for name in REJECTED.names[1:])


@pytest.mark.parametrize("ids", [pa.array([1, 2]), pa.chunked_array([[1], [2]]), np.array([1, 2]), ["1", "2"]])
def test_ids_of_any_kind_become_text(ids):
    rows = reject("t", ids, "mag", "range", value="99")
    assert rows["object_id"].to_pylist() == ["1", "2"] == rows["key"].to_pylist()
    assert rows["value"].to_pylist() == ["99", "99"]


def test_an_id_that_is_missing_stays_missing():
    assert reject("t", pa.array([None, 3]), "id", "null_id", key=["row 0", "row 1"])["object_id"].to_pylist() == [
        None,
        "3",
    ]
