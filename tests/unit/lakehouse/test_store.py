import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from lakehouse.delta.store import Lake
from schemas import TABLES, BadInput, Column

SOURCE = TABLES["core_sample__source"]
EPOCH = TABLES["raw_sample__epoch"]


def ids(lake, **how):
    return lake.read(SOURCE, ["source_id"], **how)["source_id"].to_pylist()


def test_append_then_read_back_everything(lake, epochs):
    rows = epochs([7, 2, 5])
    ref = lake.append("r1", EPOCH, rows)
    assert (ref.table, ref.version, ref.rows) == (EPOCH.name, 1, 3)
    assert lake.read(EPOCH).cast(EPOCH.arrow()).equals(rows.sort_by("source_id").cast(EPOCH.arrow()))


def test_rows_are_read_in_key_order_whatever_the_order_of_writing(lake, sources):
    lake.append("r1", SOURCE, sources([9, 1, 4]))
    lake.append("r1", SOURCE, sources([3, 8, 0]))
    assert ids(lake) == [0, 1, 3, 4, 8, 9]
    assert lake.read(SOURCE, ["object_id"])["object_id"].to_pylist() == ["o0", "o1", "o3", "o4", "o8", "o9"]


def test_column_and_key_filters(lake, sources):
    lake.append("r1", SOURCE, sources(range(20)))
    lake.append("r1", SOURCE, sources(range(5), dataset="other"))
    assert ids(lake, where={"dataset": "other"}) == [0, 1, 2, 3, 4]
    assert ids(lake, where={"dataset": "demo", "source_id": np.array([3, 17, 99])}) == [3, 17]
    assert ids(lake, where={"tile": [1, 2], "dataset": "other"}) == [1, 2]
    assert ids(lake, where=(pc.field("source_id") > 17)) == [18, 19]
    assert ids(lake, where={"ra": 10.0, "object_id": ["o3", "o17"]}) == [3, 17, 3]  # columns without statistics
    assert lake.read(SOURCE, ["ra", "dec"]).column_names == ["ra", "dec"]


def test_rows_of_a_nullable_id_are_found(lake):
    spec = TABLES["core_quarantine__row"]
    rows = {name: ["x", "y"] for name in spec.columns_by_name} | {"source_id": [None, 7], "dataset": ["demo"] * 2}
    lake.append("r1", spec, pa.table(rows, schema=spec.arrow()))
    assert lake.read(spec, ["key"], {"source_id": 7})["key"].to_pylist() == ["y"]
    assert lake.read(spec, ["key"], pc.field("source_id").is_null())["key"].to_pylist() == ["x"]
    assert lake.read(spec, ["key"], {"check": "x"})["key"].to_pylist() == ["x"]


def test_scan_gives_batches_of_the_same_rows(lake, sources):
    lake.append("r1", SOURCE, sources(range(100)))
    batches = list(lake.scan(SOURCE, ["source_id"], {"tile": [0, 1]}, batch_rows=10))
    assert max(batch.num_rows for batch in batches) <= 10
    found = np.sort(np.concatenate([batch["source_id"].to_numpy() for batch in batches]))
    assert found.tolist() == [i for i in range(100) if i % 4 < 2]


def test_merge_replaces_rows_of_equal_key_only(lake, sources):
    lake.append("r1", SOURCE, sources(range(6)))
    lake.append("r1", SOURCE, sources(range(6), dataset="other"))
    lake.merge("r2", SOURCE, sources([4, 5, 6], content=1))
    found = lake.read(SOURCE, ["source_id", "content_hash"], {"dataset": "demo"})
    assert found["source_id"].to_pylist() == list(range(7))
    assert found["content_hash"].to_pylist() == [0, 0, 0, 0, 1, 1, 1]
    assert lake.read(SOURCE, ["content_hash"], {"dataset": "other"})["content_hash"].to_pylist() == [0] * 6


def test_merge_finds_a_row_that_moved_to_another_tile(lake, sources):
    lake.append("r1", SOURCE, sources(range(4)))
    moved = sources([1]).set_column(1, "tile", pa.array([3], pa.int32()))
    lake.merge("r2", SOURCE, moved)
    assert ids(lake) == [0, 1, 2, 3]
    assert lake.count(SOURCE, dataset="demo", tile=1) == 0


def test_merge_compares_the_whole_key(lake, epochs):
    lake.append("r1", EPOCH, epochs([1, 2], survey="gaia"))
    lake.merge("r2", EPOCH, epochs([1], survey="ztf"))
    assert lake.read(EPOCH, ["survey"])["survey"].to_pylist() == ["gaia", "ztf", "gaia"]


def test_merge_leaves_untouched_files_alone(lake, sources):
    lake.append("r1", SOURCE, sources(range(8)))
    before = set(lake.open(SOURCE).file_uris())
    lake.merge("r2", SOURCE, sources([1], content=1))
    assert len(before & set(lake.open(SOURCE).file_uris())) == 3


def test_overwrite_replaces_one_partition(lake, sources):
    lake.append("r1", SOURCE, sources(range(8)))
    lake.overwrite("r2", SOURCE, sources([2, 10]), {"dataset": "demo", "tile": 2})
    assert ids(lake) == [0, 1, 2, 3, 4, 5, 7, 10]
    lake.overwrite("r3", SOURCE, sources([1]), {"dataset": "demo"})
    assert ids(lake) == [1]
    lake.overwrite("r4", SOURCE, sources([]), {"dataset": "demo"})
    assert ids(lake) == []


def test_overwrite_refuses_rows_of_another_partition(lake, sources):
    with pytest.raises(ValueError, match="1 of 2 rows lie outside tile=2"):
        lake.overwrite("r1", SOURCE, sources([2, 3]), {"dataset": "demo", "tile": 2})
    with pytest.raises(ValueError, match="not partitioned by 'n_epoch'"):
        lake.overwrite("r1", SOURCE, sources([2, 3]), {"n_epoch": 3})


def test_the_same_write_twice_leaves_one_version(lake, sources):
    writes = [
        lambda: lake.append("r1", SOURCE, sources(range(4))),
        lambda: lake.merge("r1", SOURCE, sources([3, 4])),
        lambda: lake.overwrite("r1", SOURCE, sources([8]), {"dataset": "demo", "tile": 0}),
    ]
    for write in writes:
        first = write()
        again = write()
        assert again == first
        assert lake.version(SOURCE) == first.version
    assert ids(lake) == [1, 2, 3, 8]


def test_another_run_may_write_the_same_rows(lake, sources):
    lake.merge("r1", SOURCE, sources([1]))
    assert lake.merge("r2", SOURCE, sources([1])).version == 2
    assert ids(lake) == [1]


def test_a_run_may_go_back_to_what_it_wrote_before(lake, sources):
    for content in (1, 2, 1):
        lake.overwrite("r1", SOURCE, sources([1], content=content), {"dataset": "demo"})
    assert lake.read(SOURCE, ["content_hash"])["content_hash"].to_pylist() == [1]


def test_a_token_makes_a_write_happen_once(lake, sources):
    first = lake.append("r1", SOURCE, sources([1]), token="stage-7")
    assert lake.append("r2", SOURCE, sources([2]), token="stage-7") == first
    assert ids(lake) == [1]


def test_versions_tell_who_wrote_what_and_when(lake, sources):
    begin = datetime.now(UTC)
    lake.append("r1", SOURCE, sources(range(4)), stage="sample")
    lake.merge("r2", SOURCE, sources([3, 4]), stage="clean")
    newest, first, created = lake.versions(SOURCE)
    assert [newest.version, newest.run_id, newest.stage, newest.operation, newest.rows] == [
        2,
        "r2",
        "clean",
        "merge",
        5,
    ]
    assert [first.version, first.run_id, first.stage, first.operation, first.rows] == [1, "r1", "sample", "append", 4]
    assert created.version == 0 and created.rows == 0
    assert abs((first.time - begin).total_seconds()) < 60


def test_old_versions_stay_readable(lake, sources):
    lake.append("r1", SOURCE, sources(range(4)))
    lake.overwrite("r2", SOURCE, sources([9]), {"dataset": "demo"})
    assert ids(lake, version=1) == [0, 1, 2, 3]
    assert ids(lake, version=0) == []
    assert lake.count(SOURCE, version=1) == 4 and lake.count(SOURCE) == 1
    with pytest.raises(BadInput, match="versions 0 to 2, not 7"):
        ids(lake, version=7)


def test_old_versions_stay_readable_beyond_a_checkpoint(lake, sources):
    for i in range(105):
        lake.append("r1", SOURCE, sources([i]))
    assert (lake.folder(SOURCE) / "_delta_log" / "_last_checkpoint").exists()
    assert ids(lake, version=3) == [0, 1, 2] and len(ids(lake)) == 105
    assert lake.append("r1", SOURCE, sources([2])).version == 3


def test_duplicate_keys_in_one_write_are_refused(lake, sources):
    with pytest.raises(BadInput, match=r"1 of 3 rows repeat the key \(dataset, source_id\)"):
        lake.append("r1", SOURCE, sources([1, 2, 1]))
    assert not lake.exists(SOURCE)


def test_writes_must_fit_the_declaration(lake, sources):
    rows = sources([1, 2])
    with pytest.raises(ValueError, match="no column 'colour'"):
        lake.append("r1", SOURCE, rows.append_column("colour", pa.array([1, 2])))
    with pytest.raises(ValueError, match="object_id: the column is missing"):
        lake.append("r1", SOURCE, rows.drop_columns(["object_id"]))
    with pytest.raises(ValueError, match="object_id: 1 of 2 values are null"):
        lake.append("r1", SOURCE, rows.set_column(3, "object_id", pa.array(["a", None])))
    with pytest.raises(BadInput, match="dataset: 'a/b' may hold only letters"):
        lake.append("r1", SOURCE, sources([1], dataset="a/b"))


def test_reading_what_is_not_there_says_so(lake, sources):
    with pytest.raises(BadInput, match="has no table core_sample__source; it has none"):
        lake.read(SOURCE)
    lake.append("r1", SOURCE, sources([1]))
    with pytest.raises(BadInput, match="no column 'colour'"):
        lake.read(SOURCE, ["colour"])


def test_creating_and_opening(tmp_path, sources):
    with pytest.raises(BadInput, match="There is no lake at"):
        Lake(tmp_path / "none")
    lake = Lake(tmp_path / "lake", create=True)
    lake.create(SOURCE)
    lake.create(SOURCE)
    assert Lake(tmp_path / "lake").tables() == [SOURCE.name]
    assert lake.version(SOURCE) == 0 and lake.read(SOURCE).num_rows == 0


def test_a_newer_lake_or_table_is_refused(lake, sources):
    lake.append("r1", replace(SOURCE, version=9), sources([1]))
    with pytest.raises(BadInput, match="written with version 9 of its schema and this program knows version 1"):
        lake.read(SOURCE)
    with pytest.raises(BadInput, match="written with version 9"):
        lake.append("r1", SOURCE, sources([2]))
    (lake.path / "lake.json").write_text(json.dumps({"format": 99, "tile_order": 1}))
    with pytest.raises(BadInput, match="has format 99 and this program knows format 1"):
        Lake(lake.path)


def test_an_older_table_gains_the_new_columns(lake, sources):
    lake.append("r1", SOURCE, sources([1]))
    extra = Column("parallax", pa.float64(), "Parallax.", unit="mas", nullable=True)
    newer = replace(SOURCE, version=2, columns=(*SOURCE.columns, extra))
    assert lake.read(newer)["parallax"].to_pylist() == [None]
    lake.append("r2", newer, sources([2]).append_column("parallax", pa.array([0.5])))
    assert lake.read(newer)["parallax"].to_pylist() == [None, 0.5]
    with pytest.raises(BadInput, match="version 2 of its schema and this program knows version 1"):
        lake.read(SOURCE)


def test_a_column_of_another_type_is_refused(lake, sources):
    lake.append("r1", SOURCE, sources([1]))
    columns = tuple(replace(c, type=pa.int64()) if c.name == "n_epoch" else c for c in SOURCE.columns)
    with pytest.raises(BadInput, match="n_epoch is int32 in the lake and int64 in version 2"):
        lake.append("r2", replace(SOURCE, version=2, columns=columns), sources([2]))
    assert ids(lake) == [1]
