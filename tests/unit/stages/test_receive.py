"""Objects of an archive as rows of the lake: what of them is new, and the order of their epochs."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from lakehouse.delta.staging import commit_staged, list_finished_parts, read_part
from lakehouse.delta.store import Lake
from lakehouse.run import Run
from schemas.dataset_nodes import Band
from tasks.lightcurves.batch import LightCurveBatch
from tasks.stages.acquire.receive import RAW, receive_chunk
from tasks.stages.archive import Archive, ObjectChunk
from tasks.stages.rows import epoch_rows, source_rows

BANDS = (Band(name="g", survey="one"), Band(name="r", survey="two"))
ARCHIVE = Archive(BANDS, "mark", 3, iter(()))


@pytest.fixture
def chunk():
    """Three stars: with epochs in both surveys, in the first alone, and in none."""
    batch = LightCurveBatch.from_epochs(
        np.array([10, 10, 10, 20]), np.array([3.0, 1.0, 2.0, 5.0]), np.array([15.0, 16.0, 15.5, 17.0]),
        np.full(4, 0.1), np.array([0, 1, 0, 0], np.int8), np.zeros(4, np.int32), ("g", "r"),
    )  # fmt: skip
    ids = pa.array([10, 20], pa.int64())
    sources = pa.table({"source_id": ids, "object_id": ["a", "b"], "ra": [1.0, None], "dec": [2.0, None]})
    labels = pa.table({"source_id": [20], "class": ["CEP"]})
    return ObjectChunk(sources, batch, {"label_sample__class": labels})


@pytest.fixture
def run(tmp_path):
    return Run("r1", str(Lake(tmp_path / "lake", create=True).path), "tiny", "")


def hashes(chunk, archive=ARCHIVE):
    return source_rows("tiny", archive, chunk, 0)["content_hash"].to_pylist()


def moved(chunk, ra):
    return replace(chunk, sources=chunk.sources.set_column(2, "ra", pa.array(ra)))


def brightened(chunk, epoch):
    mag = chunk.epochs.mag.copy()
    mag[epoch] -= 0.5
    return replace(chunk, epochs=replace(chunk.epochs, mag=mag))


def test_a_source_has_its_name_its_place_and_its_epochs(chunk):
    rows = source_rows("tiny", ARCHIVE, chunk, 0)
    assert rows["object_id"].to_pylist() == ["a", "b"] and rows["n_epoch"].to_pylist() == [3, 1]
    assert rows["dataset"].to_pylist() == ["tiny"] * 2
    assert rows["tile"].to_pylist()[1] == 20 % 12  # without a position, by the id
    without = source_rows("tiny", replace(ARCHIVE, has_epochs=False), chunk, 0)
    assert without["n_epoch"].to_pylist() == [0, 0]  # mean magnitudes stand in as epochs for the hash alone


def test_the_content_hash_changes_with_an_epoch_and_with_the_position(chunk):
    before = hashes(chunk)
    assert len(set(before)) == 2 and hashes(chunk) == before
    first, second = hashes(brightened(chunk, 3))
    assert first == before[0] and second != before[1]
    first, second = hashes(moved(chunk, [1.5, None]))
    assert first != before[0] and second == before[1]


def test_epochs_of_one_survey_are_a_row_by_time(chunk):
    sources = source_rows("tiny", ARCHIVE, chunk, 0)
    rows = epoch_rows(chunk.epochs, None, ["one", "two"], sources, np.array([True, True])).to_pylist()
    assert [(row["source_id"], row["survey"], row["objid"], row["time"]) for row in rows] == [
        (10, "one", 0, [2.0, 3.0]), (10, "two", 0, [1.0]), (20, "one", 0, [5.0])
    ]  # fmt: skip
    assert [row["mag"] for row in rows] == [[15.5, 15.0], [16.0], [17.0]]
    assert [row["content_hash"] for row in rows] == [sources["content_hash"][i].as_py() for i in (0, 0, 1)]


def test_epochs_that_come_in_any_order_are_stored_by_time(chunk):
    epochs = chunk.epochs
    turned = {name: getattr(epochs, name)[[2, 1, 0, 3]] for name in ("time", "mag", "mag_err", "band", "flags")}
    assert turned["time"].tolist() != epochs.time.tolist()
    sources = source_rows("tiny", ARCHIVE, chunk, 0)
    rows = [
        epoch_rows(batch, None, ["one", "two"], sources, np.array([True, True]))
        for batch in (epochs, replace(epochs, **turned))
    ]
    assert rows[0].equals(rows[1])


def test_two_surveys_of_one_name_are_one_row(chunk):
    sources = source_rows("tiny", ARCHIVE, chunk, 0)
    rows = epoch_rows(chunk.epochs, None, ["one", "one"], sources, np.array([True, False])).to_pylist()
    assert [(row["survey"], row["time"], row["band"]) for row in rows] == [("one", [1.0, 2.0, 3.0], [1, 0, 0])]


def test_no_source_wanted_gives_no_row_with_the_columns_of_the_table(chunk):
    sources = source_rows("tiny", ARCHIVE, chunk, 0)
    rows = epoch_rows(chunk.epochs, None, ["one", "two"], sources, np.array([False, False]))
    assert rows.num_rows == 0 and set(rows.column_names) == set(RAW.arrow().names)


def test_what_is_new_is_staged_and_told_and_the_rest_waits(run, chunk):
    lake = Lake(run.lake)
    received, new = receive_chunk(run, lake, ARCHIVE, chunk, "k1", 0)
    assert new.tolist() == [10, 20] and received.sources.num_rows == 2
    label = received.beside["label_sample__class"].to_pylist()
    assert label == [{"dataset": "tiny", "tile": 20 % 12, "source_id": 20, "class": "CEP"}]
    commit_staged(lake, "r1", RAW, "k1", None, new, "tiny")
    _, new = receive_chunk(run, lake, ARCHIVE, brightened(chunk, 0), "k2", 0)
    assert new.tolist() == [10] and read_part(run.lake, RAW, "k2", 0).rows == 2
    _, new = receive_chunk(run, lake, ARCHIVE, chunk, "k3", 0)
    assert new.size == 0 and list_finished_parts(run.lake, RAW, "k3") == set()


def test_a_label_of_a_source_that_is_not_in_the_chunk_is_refused(run, chunk):
    stray = replace(chunk, beside={"label_sample__class": pa.table({"source_id": [99], "class": ["CEP"]})})
    with pytest.raises(ValueError, match="core_sample__source: 1 of 1 sources have no row"):
        receive_chunk(run, Lake(run.lake), ARCHIVE, stray, "k1", 0)
