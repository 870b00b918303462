"""Every table refuses what its declaration forbids: values out of range, nulls, repeated keys; and nothing else."""

from datetime import UTC, datetime

import pandas as pd
import pandera.errors
import pyarrow as pa
import pytest

from schemas import TABLES

every_table = pytest.mark.parametrize("spec", TABLES.values(), ids=TABLES)
RANGED = [
    (spec, column)
    for spec in TABLES.values()
    for column in spec.columns
    if column.range and not (column.is_family or column.is_list)
]
every_range = pytest.mark.parametrize("spec, column", RANGED, ids=[f"{s.name}-{c.name}" for s, c in RANGED])


def value_of(column, low=True):
    """A value that the column allows: an end of its range where it has one."""
    if pa.types.is_string(column.type):
        return "text"
    if pa.types.is_boolean(column.type):
        return True
    if pa.types.is_timestamp(column.type):
        return datetime(2026, 11, 30, tzinfo=UTC)
    ends = [end for end in (column.range or ()) if end is not None] or [1]
    value = ends[0] if low else ends[-1]
    return int(value) if pa.types.is_integer(column.type) else float(value)


def row_of(spec, **changed):
    """One row that the table allows, but for what is `changed`."""
    columns = [column for column in spec.columns if not (column.is_family or column.is_list)]
    return {**{column.name: value_of(column) for column in columns}, **changed}


def failures(spec, *rows):
    """(column, check) of every failure."""
    columns = [c.name for c in spec.columns if not (c.is_family or c.is_list)]
    table = pa.Table.from_pylist(list(rows), pa.schema([spec.arrow().field(name) for name in columns]))
    try:
        spec.pandera().validate(table.to_pandas(types_mapper=pd.ArrowDtype), lazy=True)
    except pandera.errors.SchemaErrors as error:
        return set(zip(error.failure_cases["column"], error.failure_cases["check"], strict=True))
    return set()


def beyond(column, low):
    """A value just outside of one end of the range, which the type can hold."""
    end = column.range[0] if low else column.range[1]
    step = 1 if pa.types.is_integer(column.type) else max(abs(end) * 1e-3, 1e-3)
    return end - step if low else end + step


@every_table
def test_a_row_at_the_ends_of_all_ranges_passes(spec):
    assert failures(spec, row_of(spec)) == set()
    high = {c.name: value_of(c, low=False) for c in spec.columns if c.range and not (c.is_family or c.is_list)}
    assert failures(spec, row_of(spec, **high)) == set()


@every_range
def test_a_value_below_the_range_fails_in_its_column(spec, column):
    if column.range[0] is not None:
        found = failures(spec, row_of(spec, **{column.name: beyond(column, low=True)}))
        assert {name for name, _ in found} == {column.name}


@every_range
def test_a_value_above_the_range_fails_in_its_column(spec, column):
    if column.range[1] is not None:
        found = failures(spec, row_of(spec, **{column.name: beyond(column, low=False)}))
        assert {name for name, _ in found} == {column.name}


@every_table
def test_nulls_pass_where_they_are_allowed_and_nowhere_else(spec):
    for column in spec.columns:
        if column.is_family or column.is_list:
            continue
        found = {name for name, _ in failures(spec, row_of(spec, **{column.name: None}))}
        assert found == (set() if column.nullable else {column.name}), column.name


@every_table
def test_a_repeated_key_fails(spec):
    assert failures(spec, row_of(spec), row_of(spec)) != set()


@every_table
def test_rows_that_differ_in_the_key_pass(spec):
    names = [name for name in spec.key if pa.types.is_string(spec.columns_by_name[name].type)]
    assert failures(spec, row_of(spec), row_of(spec, **{names[0]: "another"})) == set()


def test_ids_beyond_the_digits_of_a_float_are_told_apart():
    spec = TABLES["core_gaia__source"]
    big = 2**62
    assert failures(spec, row_of(spec, source_id=big), row_of(spec, source_id=big + 1)) == set()


def test_columns_that_are_not_declared_are_left_out():
    spec = TABLES["core_dataset__band"]
    frame = pd.DataFrame({**row_of(spec), "stray": 1}, index=[0])
    types = {field.name: pd.ArrowDtype(field.type) for field in spec.arrow()}
    assert "stray" not in spec.pandera().validate(frame.astype(types), lazy=True).columns
