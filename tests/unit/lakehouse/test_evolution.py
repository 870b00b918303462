"""Families of columns: a dataset may bring its own, with the names of its own classes."""

import pyarrow.compute as pc
import pytest

from lakehouse.delta.staging import commit_staged, stage_rows
from lakehouse.query import run_sql

ODD = ["prob_RR Lyr", "prob_1O/2O", "prob_δ Sct", "prob_W UMa (EW)", "prob_a=b", "prob_it's", 'prob_"x"', "prob_a.b"]


def test_new_columns_come_and_old_rows_read_null(lake, features):
    first, rows = features([1, 2], ["amplitude_g"])
    lake.append("r1", first, rows)
    second, more = features([3], ["period_day", "amplitude_g"], dataset="other")
    lake.append("r2", second, more)
    table = lake.read(first.name)
    assert table["period_day"].to_pylist() == [None, None, 0.5]
    assert table["amplitude_g"].to_pylist() == [0.5, 0.5, 0.5]
    assert lake.read(first.name, version=1).column_names[-1] == "amplitude_g"
    third, last = features([4], ["amplitude_g"], dataset="other")
    lake.append("r3", third, last)
    assert lake.read(first.name, where={"dataset": "other"})["period_day"].to_pylist() == [0.5, None]


def test_new_columns_come_by_publish_and_by_merge(lake, features):
    first, rows = features([1, 2], ["a"])
    lake.merge("r1", first, rows)
    second, more = features([2, 3], ["b"])
    commit_staged(
        lake, "r2", second, "k", [stage_rows(lake.path, second, more, "k", 0)], more["source_id"].to_numpy(), "demo"
    )
    table = lake.read(first.name)
    assert table["a"].to_pylist() == [0.5, None, None] and table["b"].to_pylist() == [None, 0.5, 0.5]
    third, last = features([1], ["c"])
    lake.merge("r3", third, last)
    assert lake.read(first.name)["c"].to_pylist() == [0.5, None, None]


def test_an_unbound_family_column_is_refused(lake, features):
    spec, rows = features([1], ["a"])
    with pytest.raises(ValueError, match="no column 'b'"):
        lake.append("r1", spec, rows.append_column("b", rows["a"]))


@pytest.mark.parametrize("name", ODD)
def test_odd_class_names_write_read_merge_and_query(lake, features, name):
    spec, rows = features([1, 2, 3], [name])
    lake.append("r1", spec, rows)
    spec, rows = features([3, 4], [name, name + "_err"])
    lake.merge("r2", spec, rows)
    assert lake.read(spec, [name], pc.field(name) == 0.5).num_rows == 4
    quoted = name.replace('"', '""')
    found = run_sql(lake, f'select "{quoted}", "{quoted}_err" from feature_sample__source order by source_id')
    assert found[name].to_pylist() == [0.5] * 4
    assert found[name + "_err"].to_pylist() == [None, None, 0.5, 0.5]
