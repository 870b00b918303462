"""What a user changes between two runs: positions, what is learnt, names, labels."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lakehouse.delta.store import Lake
from tests.integration.conftest import FOREST_ONLY, argelander, refresh, rewrite_epochs, rewrite_objects, write_folder

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_server")]


def test_corrected_positions_move_every_row(tmp_path):
    folder, lake = write_folder(tmp_path / "data", 60), tmp_path / "lake"
    right = pq.read_table(folder / "objects.parquet")["ra"]
    rewrite_objects(folder, lambda t: t.set_column(1, "ra", pa.array(np.full(60, 10.0))))
    refresh(folder, lake, FOREST_ONLY)
    rewrite_objects(folder, lambda t: t.set_column(1, "ra", right))
    refresh(folder, lake, FOREST_ONLY, "compute.chunk_objects=7")
    place = Lake(lake)
    sources = place.read("core_sample__source")
    for table in ("raw_sample__epoch", "core_sample__epoch", "feature_sample__source", "out__catalogue"):
        rows = place.read(table, columns=["source_id", "tile"])
        assert rows.num_rows == 60, table
        assert rows["tile"].equals(sources["tile"]), table
    assert place.read("out__catalogue")["ra"].equals(sources["ra"])
    assert len(sources["tile"].unique()) > 1


def test_references_and_unwanted_quantities_are_not_learnt(tmp_path):
    folder, lake = write_folder(tmp_path / "data", 60), tmp_path / "lake"
    text = (folder / "dataset.toml").read_text()
    (folder / "dataset.toml").write_text(text.replace("[[parameters]]", "[[references]]"))
    refresh(folder, lake, FOREST_ONLY)
    metrics = Lake(lake).read("score_model__metric")
    assert metrics["target"].unique().to_pylist() == ["class"]
    assert Lake(lake).read("label_sample__parameter").num_rows == 120
    (folder / "dataset.toml").write_text(text)
    refresh(folder, lake, FOREST_ONLY)
    assert Lake(lake).read("out__catalogue")["teff_k"].null_count == 0
    refresh(folder, lake, FOREST_ONLY, "training.quantities=[]")
    assert Lake(lake).read("out__catalogue")["teff_k"].null_count == 60


def test_bands_and_classes_that_differ_in_case_live_in_one_lake(tmp_path):
    folder, lake, out = write_folder(tmp_path / "data", 60), tmp_path / "lake", tmp_path / "scores.parquet"
    rewrite_epochs(folder, lambda t: t.set_column(1, "band", pc.replace_substring(t["band"], "BP", "g")))
    rewrite_objects(folder, lambda t: t.set_column(3, "label", pa.array(["rr", "RR"] * 30)))
    toml = folder / "dataset.toml"
    toml.write_text(toml.read_text().replace('name = "BP"', 'name = "g"'))
    refresh(folder, lake, FOREST_ONLY)
    features, catalogue = Lake(lake).read("feature_sample__source"), Lake(lake).read("out__catalogue")
    assert {"mean_mag_G", "mean_mag_g_small", "prob_RR", "prob_rr_small"} <= {*features.column_names,
                                                                             *catalogue.column_names}  # fmt: skip
    assert set(catalogue["class_pred"].to_pylist()) == {"rr", "RR"}
    assert len({name.casefold() for name in features.column_names}) == len(features.column_names)
    words = next((lake / "release").glob("*/data_dictionary.md")).read_text()
    assert "band g is g_small" in words and "class rr is rr_small" in words and "probability of class rr." in words
    argelander("score", "--preset", "folder", "--data", folder, "--lake", lake, "--out", out)
    scores = pq.read_table(out).sort_by("object_id"), catalogue.sort_by("object_id")
    np.testing.assert_allclose(*(each["prob_rr_small"].to_numpy() for each in scores), rtol=1e-6)
    assert "Nothing to do" in refresh(folder, lake, FOREST_ONLY).stdout


def test_a_class_of_one_member_beside_one_of_many_is_not_trained(tmp_path):
    folder, lake = write_folder(tmp_path / "data", 40), tmp_path / "lake"
    rewrite_objects(folder, lambda t: t.set_column(3, "label", pa.array(["A"] * 39 + ["B"])).drop_columns("teff"))
    toml = folder / "dataset.toml"
    toml.write_text(toml.read_text().replace('[[parameters]]\nquantity = "teff_k"\ncolumn = "teff"\n', ""))
    done = refresh(folder, lake, FOREST_ONLY)
    assert "nothing to train" in done.stdout and "out__catalogue" in done.stdout
