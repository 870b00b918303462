import numpy as np
import pyarrow as pa
import pytest

from lakehouse.quarantine import validate
from schemas import TABLES, BadInput

SOURCE = TABLES["core_sample__source"]
REJECTED = TABLES["core_quarantine__row"]


def put(table, column, values, kind=None):
    return table.set_column(table.schema.get_field_index(column), column, pa.array(values, kind))


def test_good_rows_pass_unchanged(sources, epochs):
    good, rejected = validate(SOURCE, sources(range(5)), "demo", "r1")
    assert good.equals(sources(range(5))) and rejected.num_rows == 0
    assert rejected.schema.equals(REJECTED.arrow())
    rows = epochs(range(5))
    good, rejected = validate(TABLES["raw_sample__epoch"], rows, "demo", "r1")
    assert good.num_rows == 5 and good["mag"].to_pylist() == rows["mag"].to_pylist() and rejected.num_rows == 0


def test_each_bad_row_is_told_with_its_reason(sources):
    table = sources([0, 1, 2, 3, 4, 4, 6])
    table = put(table, "ra", [10, 400, np.nan, 0, 360, 1, 1], pa.float64())
    table = put(table, "object_id", ["a", "b", "c", None, "e", "f", "g"])
    table = put(table, "n_epoch", [0, -7, 1, 1, 1, 1, 1], pa.int32())
    good, rejected = validate(SOURCE, table, "demo", "r1")
    assert good["source_id"].to_pylist() == [0, 2, 4, 6]
    assert good["ra"].to_pylist() == [10, None, 360, 1]  # a NaN where null is allowed is a null
    told = {(r["key"], r["column"], r["check"], r["value"]) for r in rejected.to_pylist()}
    assert told == {
        ("1", "ra", "not above(360)", "400"),
        ("1", "n_epoch", "not below(0)", "-7"),
        ("3", "object_id", "not null", None),
        ("4", "source_id", "unique key", "4"),
    }
    assert set(rejected["run_id"].to_pylist()) == {"r1"} and set(rejected["table"].to_pylist()) == {SOURCE.name}
    assert sorted(rejected["source_id"].to_pylist()) == [1, 1, 3, 4]


def test_nan_is_refused_where_null_is(sources):
    spec = TABLES["core_sample__photometry"]
    rows = pa.table(
        {
            "dataset": ["demo"] * 3,
            "tile": pa.array([0] * 3, pa.int32()),
            "source_id": [1, 2, 3],
            "band": ["V"] * 3,
            "mag": pa.array([15, np.nan, 16], pa.float32()),
            "mag_err": pa.array([0.1, 0.1, -1], pa.float32()),
        }
    )
    good, rejected = validate(spec, rows, "demo", "r1")
    assert good["source_id"].to_pylist() == [1]
    told = [(r["key"], r["column"], r["check"]) for r in rejected.to_pylist()]
    assert sorted(told) == [("2 V", "mag", "not null"), ("3 V", "mag_err", "not below(0)")]


def test_a_rejected_row_can_be_written_and_counted(lake, sources):
    table = put(sources([1, 2]), "dec", [0.0, 91.0])
    _, rejected = validate(SOURCE, table, "demo", "r1")
    lake.merge("r1", REJECTED, rejected)
    assert lake.count(REJECTED, dataset="demo") == 1


def test_ids_beyond_the_reach_of_floats_stay_exact(sources):
    ids = np.array([2**62 + 1, 2**62 + 2, 2**62 + 3])
    table = put(sources(ids), "ra", [1.0, 500.0, np.nan])
    good, rejected = validate(SOURCE, table, "demo", "r1")
    assert good["source_id"].to_pylist() == [2**62 + 1, 2**62 + 3]
    assert rejected["source_id"].to_pylist() == [2**62 + 2]


def test_a_whole_column_that_is_wrong_is_one_sentence(sources):
    with pytest.raises(BadInput, match=r"core_sample__source\.object_id: the column is missing"):
        validate(SOURCE, sources([1]).drop_columns(["object_id"]), "demo", "r1")
    with pytest.raises(BadInput, match=r"core_sample__source\.ra: cannot be read as double \(Failed to parse"):
        validate(SOURCE, put(sources([1]), "ra", ["12h30m"]), "demo", "r1")


def test_all_rows_bad_or_no_rows_at_all(sources):
    good, rejected = validate(SOURCE, put(sources([1, 2]), "ra", [-1.0, 999.0]), "demo", "r1")
    assert good.num_rows == 0 and rejected.num_rows == 2
    good, rejected = validate(SOURCE, SOURCE.empty(), "demo", "r1")
    assert good.num_rows == 0 and rejected.num_rows == 0


def test_partial_bound_families_are_checked(features):
    spec, rows = features([1, 2], ["prob_x"])
    good, rejected = validate(spec, put(rows, "prob_x", [np.nan, 0.5], pa.float32()), "demo", "r1")
    assert good["prob_x"].to_pylist() == [None, 0.5] and rejected.num_rows == 0
