"""A folder as an archive: chunks of whole objects with their labels and inputs, and a fingerprint of it all."""

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from flows.presets import preset
from tasks.stages.folder import folder_archive
from tests.unit.stages.conftest import DATASET, N_EPOCHS, N_STARS, write_folder


@pytest.fixture
def source(tmp_path):
    return preset("folder", write_folder(tmp_path / "data")).source


def test_a_chunk_has_whole_objects_and_what_belongs_to_them(source):
    archive = folder_archive(source, "tiny", None)
    (chunk,) = archive.object_chunks
    ids = chunk.sources["source_id"].to_numpy()
    np.testing.assert_array_equal(ids, chunk.epochs.source_id)
    assert archive.n_objects == N_STARS == len(ids) and set(chunk.epochs.n_epoch) == {N_EPOCHS}
    assert {"core_sample__input", "label_sample__class", "label_sample__parameter"} == set(chunk.beside)
    labels = dict(
        zip(*(chunk.beside["label_sample__class"][n].to_pylist() for n in ("source_id", "class")), strict=True)
    )
    inputs = chunk.beside["core_sample__input"]
    near = np.array([labels[i] == "near" for i in inputs["source_id"].to_pylist()])
    assert (near == (inputs["parallax"].to_numpy() > 10)).all()


def test_a_limit_takes_the_first_objects_and_is_part_of_the_fingerprint(source):
    some = folder_archive(source, "tiny", 5)
    (chunk,) = some.object_chunks
    assert chunk.sources["object_id"].to_pylist() == [f"star{k:02d}" for k in range(5)]
    assert chunk.beside["core_sample__input"].num_rows == 5
    assert some.fingerprint != folder_archive(source, "tiny", None).fingerprint


def test_the_fingerprint_changes_with_the_mapping_and_the_values(source, tmp_path):
    before = folder_archive(source, "tiny", None).fingerprint
    assert folder_archive(source, "tiny", None).fingerprint == before
    less = write_folder(tmp_path / "less", DATASET.replace('parallax_error = "e_plx"\n', ""))
    assert folder_archive(preset("folder", less).source, "tiny", None).fingerprint != before


def test_objects_without_an_epoch_are_reported_and_not_given(source):
    path = source.folder / "lightcurves.parquet"
    epochs = pq.read_table(path)
    pq.write_table(epochs.filter(pc.not_equal(epochs["object_id"], "star03")), path)
    (chunk,) = folder_archive(source, "tiny", None).object_chunks
    assert "star03" not in chunk.sources["object_id"].to_pylist()
    assert [(r["object_id"], r["check"]) for r in chunk.rejected.to_pylist()] == [("star03", "no_epochs")]


def test_for_scoring_no_label_is_touched(source):
    path = source.folder / "objects.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["label"]), path)
    (chunk,) = folder_archive(source, "tiny", None, need_labels=False).object_chunks
    assert chunk.beside["label_sample__class"].num_rows == 0 and chunk.beside["core_sample__input"].num_rows == N_STARS
