"""Files of a table: rows that fit the declaration, one file for each partition, and copies without some rows."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.delta import files
from lakehouse.delta.files import (
    DataFile,
    conform,
    partition_text,
    rewrite,
    split_by_partition,
    write_files,
    write_table,
)
from schemas import TABLES, BadInput

SOURCE, LABEL = TABLES["core_sample__source"], TABLES["label_sample__class"]


def read(folder, file):
    return pq.ParquetFile(folder / file.path).read()


def keep_even(rows):
    return rows["source_id"].to_numpy() % 2 == 0


def test_rows_take_the_order_and_types_of_the_declaration(sources):
    table = sources([3, 1])
    mixed = table.select(table.column_names[::-1]).set_column(0, "content_hash", pa.array([7, 8], pa.int32()))
    found = conform(SOURCE, mixed)
    assert found.schema.names == SOURCE.arrow().names and found.schema.field("content_hash").type == pa.int64()
    assert found["content_hash"].to_pylist() == [7, 8] and found["source_id"].to_pylist() == [3, 1]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda t: t.append_column("colour", pa.array([1, 2])), ValueError, "declares no column 'colour' .1 such."),
        (lambda t: t.drop_columns("n_epoch"), ValueError, "n_epoch: the column is missing, but it is not nullable"),
        (
            lambda t: t.set_column(3, "object_id", pa.array(["a", None])),
            ValueError,
            "object_id: 1 of 2 values are null, but the column is not nullable",
        ),
        (lambda t: t.set_column(6, "n_epoch", pa.array([2**40, 1])), BadInput, "n_epoch: cannot be read as int32"),
    ],
    ids=["undeclared", "missing", "null", "too large"],
)
def test_rows_that_do_not_fit_name_the_column_and_the_fault(sources, change, error, words):
    with pytest.raises(error, match=words):
        conform(SOURCE, change(sources([1, 2])))


def test_a_column_that_may_be_null_may_be_absent(sources):
    assert "ra" not in conform(SOURCE, sources([1]).drop_columns("ra")).column_names


def test_each_partition_comes_once_with_its_rows_in_the_order_of_the_key(sources):
    table = pa.concat_tables([sources([9, 4, 1]), sources([5, 0], dataset="other")])
    parts = [(values, rows["source_id"].to_pylist()) for values, rows in split_by_partition(SOURCE, table)]
    assert parts == [
        ({"dataset": "demo", "tile": "0"}, [4]),
        ({"dataset": "demo", "tile": "1"}, [1, 9]),
        ({"dataset": "other", "tile": "0"}, [0]),
        ({"dataset": "other", "tile": "1"}, [5]),
    ]
    assert list(split_by_partition(SOURCE, table.slice(0, 0))) == []


@pytest.mark.parametrize("name", ["a/b", "..\\x", "", "ä", "two words", "line\n"])
def test_a_partition_that_could_not_be_a_folder_is_refused(name):
    with pytest.raises(BadInput, match=r"core_sample__source\.dataset: .* may hold only letters"):
        partition_text(SOURCE, "dataset", name)


def test_a_file_knows_its_partition_its_rows_and_the_ids_it_spans(tmp_path, sources):
    first, second = write_files(tmp_path, SOURCE, conform(SOURCE, sources([8, 4, 5])), "stem")
    assert first.partition == {"dataset": "demo", "tile": "0"} and (first.lowest, first.highest) == (4, 8)
    assert first.path.startswith("dataset=demo/tile=0/stem-") and first.size == (tmp_path / first.path).stat().st_size
    assert (second.rows, second.lowest, second.highest) == (1, 5, 5)
    assert read(tmp_path, first)["source_id"].to_pylist() == [4, 8]
    assert "tile" not in read(tmp_path, first).column_names  # the folder's name holds it


def test_statistics_are_those_of_the_delta_protocol():
    known = json.loads(DataFile("p", 1, 2, {}, 4, 8).stats())
    assert known == {"numRecords": 2, "minValues": {"source_id": 4}, "maxValues": {"source_id": 8},
                     "nullCount": {"source_id": 0}}  # fmt: skip
    assert json.loads(DataFile("p", 1, 2, {}).stats()) == {"numRecords": 2}


def test_an_id_that_may_be_null_has_no_span(tmp_path):
    spec = TABLES["core_quarantine__row"]
    texts = {name: pa.array(["x"]) for name in ("run_id", "table", "key", "column", "check", "value")}
    rows = conform(spec, pa.table({"dataset": ["demo"], **texts, "source_id": pa.array([5], pa.int64())}))
    (file,) = write_files(tmp_path, spec, rows, "stem")
    assert file.lowest is None and file.highest is None


def test_where_one_partition_cannot_be_written_no_file_is_left(tmp_path, sources, monkeypatch):
    whole, calls = files.write_table, []

    def fails_at_the_third(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise OSError("no")
        return whole(*arguments)

    monkeypatch.setattr(files, "write_table", fails_at_the_third)
    with pytest.raises(OSError, match="no"):
        write_files(tmp_path, SOURCE, sources(range(4)), "stem")
    assert len(calls) == 3 and [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_copy_holds_the_rows_that_are_kept_and_their_new_span(tmp_path, sources):
    (old,) = write_files(tmp_path, SOURCE, conform(SOURCE, sources([1, 5, 9])), "old")
    new = rewrite(tmp_path, old, "new", ["source_id"], lambda rows: rows["source_id"].to_numpy() > 1)
    assert (new.rows, new.lowest, new.highest, new.partition) == (2, 5, 9, old.partition)
    assert read(tmp_path, new)["object_id"].to_pylist() == ["o5", "o9"]
    assert read(tmp_path, old).num_rows == 3  # older versions of the table still name it


def test_a_file_that_loses_nothing_stays_and_one_that_loses_all_has_no_copy(tmp_path, sources):
    (old,) = write_files(tmp_path, SOURCE, sources([4, 8]), "old")
    before = sorted(tmp_path.rglob("*.parquet"))
    assert rewrite(tmp_path, old, "new", ["source_id"], keep_even) is old
    assert rewrite(tmp_path, old, "new", ["source_id"], lambda rows: ~keep_even(rows)) is None
    assert sorted(tmp_path.rglob("*.parquet")) == before


def test_a_copy_is_made_a_row_group_at_a_time(tmp_path, sources, monkeypatch):
    rows = sources(np.arange(64) * 4)
    monkeypatch.setattr(files, "ROW_GROUP_BYTES", rows.nbytes // 8)
    (old,) = write_files(tmp_path, SOURCE, rows, "old")
    assert pq.ParquetFile(tmp_path / old.path).num_row_groups > 4
    seen = []

    def keep(group):
        seen.append(group.num_rows)
        return group["source_id"].to_numpy() % 8 == 0

    new = rewrite(tmp_path, old, "new", ["source_id"], keep)
    assert max(seen) < 16 and sum(seen) == 64 and new.rows == 32
    assert read(tmp_path, new)["source_id"].to_pylist() == list(range(0, 256, 8))


def test_tables_without_rows_make_a_file_that_can_be_read(tmp_path):
    schema = LABEL.arrow()
    assert write_table(tmp_path / "empty.parquet", schema, [schema.empty_table()]) == 0
    assert pq.read_table(tmp_path / "empty.parquet").schema.names == schema.names


def test_a_table_that_fails_half_way_leaves_no_file(tmp_path, sources):
    def tables():
        yield sources([1])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_table(tmp_path / "half.parquet", sources([1]).schema, tables())
    assert list(tmp_path.iterdir()) == []
