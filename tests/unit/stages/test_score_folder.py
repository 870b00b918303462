"""A folder is scored as the refresh scores its stars: the same cuts, features, inputs and models."""

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from flows.presets import preset
from lakehouse.query import run_sql
from schemas import BadInput
from tasks.stages.score.folder import write_scores
from tests.unit.stages.conftest import DATASET, N_STARS, write_folder


def scored(refreshed, folder, out):
    """The scores of a folder by the models of the lake."""
    settings, source = refreshed.settings, preset("folder", folder).source
    counts = write_scores(refreshed.run, source, settings.cut_config, settings.feature_config, out)
    return counts, pq.read_table(out)


def test_the_same_stars_get_the_rows_of_the_refresh(refreshed, tmp_path):
    counts, scores = scored(refreshed, refreshed.folder, tmp_path / "scores.parquet")
    assert counts == (N_STARS, 0)
    catalogue = refreshed.lake.read("out__catalogue").sort_by("object_id")
    assert scores["object_id"].to_pylist() == catalogue["object_id"].to_pylist()
    common = [name for name in scores.column_names if name in catalogue.column_names]
    assert {"class_pred", "prob_near", "prob_far", "period_day", "model_id"} <= set(common)
    for name in common:
        if name in ("class_pred", "model_id", "object_id"):
            assert scores[name].to_pylist() == catalogue[name].to_pylist(), name
        else:
            np.testing.assert_array_equal(scores[name].to_numpy(), catalogue[name].to_numpy(), err_msg=name)


def test_the_model_reads_the_parallax(refreshed):
    """Without it the classes could not be told apart: nothing else of the stars differs between them."""
    catalogue = refreshed.lake.read("out__catalogue")
    labels = refreshed.lake.read("label_sample__class").select(["source_id", "class"])
    both = catalogue.join(labels, "source_id")
    right = pc.sum(pc.equal(both["class_pred"], both["class"])).as_py()
    assert right >= 0.95 * N_STARS


def test_other_parallaxes_give_other_scores(refreshed, tmp_path):
    folder = write_folder(tmp_path / "data")
    objects = pq.read_table(folder / "objects.parquet")
    swapped = pc.subtract(21.0, objects["plx"])
    pq.write_table(objects.set_column(2, "plx", swapped), folder / "objects.parquet")
    _, scores = scored(refreshed, folder, tmp_path / "scores.parquet")
    before = refreshed.lake.read("out__catalogue").sort_by("object_id")["class_pred"]
    assert pc.sum(pc.equal(scores["class_pred"], before)).as_py() <= 0.2 * N_STARS


def test_a_folder_without_the_inputs_of_the_models_is_refused_in_one_sentence(refreshed, tmp_path):
    start, end = DATASET.index("[inputs]"), DATASET.index("[lightcurves]")
    folder = write_folder(tmp_path / "data", DATASET[:start] + DATASET[end:])
    with pytest.raises(BadInput, match=r"read parallax, parallax_error, .*\[inputs\].*parallax = "):
        scored(refreshed, folder, tmp_path / "scores.parquet")
    folder = write_folder(tmp_path / "half", DATASET.replace('parallax_error = "e_plx"\n', ""))
    with pytest.raises(BadInput, match=r"read parallax_error, which"):
        scored(refreshed, folder, tmp_path / "scores.parquet")
    assert not (tmp_path / "scores.parquet").exists()


def test_a_band_that_the_dataset_does_not_know_is_refused(refreshed, tmp_path):
    folder = write_folder(tmp_path / "data", DATASET.replace('name = "g"', 'name = "G9"\nvalue = "g"'))
    with pytest.raises(BadInput, match="has the band G9, but the models of tiny read g, r"):
        scored(refreshed, folder, tmp_path / "scores.parquet")


def test_a_star_without_a_usable_epoch_has_a_row_of_nulls(refreshed, tmp_path):
    folder = write_folder(tmp_path / "data")
    epochs = pq.read_table(folder / "lightcurves.parquet")
    pq.write_table(epochs.filter(pc.not_equal(epochs["object_id"], "star07")), folder / "lightcurves.parquet")
    counts, scores = scored(refreshed, folder, tmp_path / "scores.parquet")
    assert counts == (N_STARS, 1)
    row = scores.filter(pc.equal(scores["object_id"], "star07")).to_pylist()[0]
    assert row["class_pred"] is None and row["prob_near"] is None


def test_nothing_is_written_into_the_lake(refreshed, tmp_path):
    """It may be one that nobody may write; the chunks for the workers lie beside the scores."""

    def look():
        return {path: path.stat().st_mtime_ns for path in Path(refreshed.run.lake).rglob("*")}

    before = look()
    (tmp_path / "real.parquet").touch()
    (tmp_path / "link.parquet").symlink_to("real.parquet")
    scored(refreshed, refreshed.folder, tmp_path / "link.parquet")
    run_sql(refreshed.run.lake, "SELECT count(*) FROM out__catalogue")
    assert look() == before
    assert (tmp_path / "link.parquet").is_symlink() and len(list(tmp_path.iterdir())) == 2
