"""Bad input is met with one clear sentence, exit code 2 and no traceback; bad rows are counted and the run goes on."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lakehouse.delta.store import Lake
from tests.integration.conftest import (
    FOREST_ONLY,
    argelander,
    refresh,
    rewrite_epochs,
    rewrite_objects,
    sentence,
    write_folder,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_server")]


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "data", 40)


def test_a_missing_folder_and_file(tmp_path, folder):
    assert "no folder" in sentence(refresh(tmp_path / "nowhere", tmp_path / "lake", check=False))
    (folder / "lightcurves.parquet").unlink()
    assert "lightcurves.parquet" in sentence(refresh(folder, tmp_path / "lake", check=False))


def test_a_missing_column_is_named_with_the_nearest(tmp_path, folder):
    rewrite_epochs(folder, lambda t: t.rename_columns(["object_id", "band", "mjd_", "mag", "mag_err"]))
    said = sentence(refresh(folder, tmp_path / "lake", check=False))
    assert "'mjd'" in said and "mjd_" in said


def test_seconds_for_days(tmp_path, folder):
    rewrite_epochs(folder, lambda t: t.set_column(2, "mjd", pc.multiply(t["mjd"], 86400.0)))
    said = sentence(refresh(folder, tmp_path / "lake", check=False))
    assert "time_unit" in said and '"s"' in said


def test_settings_are_refused_before_anything_runs(tmp_path, folder):
    assert "no 'n_tree'" in sentence(refresh(folder, tmp_path / "lake", "training.n_tree=5", check=False))
    assert "n_folds" in sentence(refresh(folder, tmp_path / "lake", "training.n_folds=1", check=False))
    assert not (tmp_path / "lake" / "tables").exists()
    assert "no preset 'dmeo'" in sentence(argelander("refresh", "dmeo", "--lake", tmp_path / "lake", check=False))


def test_a_lake_of_a_newer_schema(tmp_path, folder):
    lake = tmp_path / "lake"
    Lake(lake, create=True)
    about = json.loads((lake / "lake.json").read_text())
    (lake / "lake.json").write_text(json.dumps({**about, "format": about["format"] + 1}))
    assert "format" in sentence(refresh(folder, lake, check=False))


def test_scoring_without_a_model(tmp_path, folder):
    Lake(tmp_path / "lake", create=True)
    done = argelander("score", "--preset", "folder", "--data", folder, "--lake", tmp_path / "lake", "--out",
                      tmp_path / "scores.parquet", check=False)  # fmt: skip
    assert "argelander refresh" in sentence(done)


def test_bad_rows_are_quarantined_and_the_run_goes_on(tmp_path, folder):
    """Duplicate ids, NaN and negative errors, an unknown band, an object of one epoch and one of none."""
    ids = pq.read_table(folder / "objects.parquet")["object_id"].to_pylist()
    rewrite_objects(folder, lambda t: pa.concat_tables([t, t.slice(3, 1)]))

    def spoil(epochs: pa.Table) -> pa.Table:
        object_id = np.array(epochs["object_id"].to_pylist())
        first_of_0 = np.flatnonzero(object_id == ids[0])[:3]
        err = epochs["mag_err"].to_numpy().copy()
        err[first_of_0[0]], err[first_of_0[1]] = np.nan, -0.1
        band = np.array(epochs["band"].to_pylist())
        band[first_of_0[2]] = "U"
        keep = ~np.isin(object_id, ids[1:3])
        keep[np.flatnonzero(object_id == ids[1])[0]] = True
        table = epochs.set_column(4, "mag_err", pa.array(err)).set_column(1, "band", pa.array(band))
        return table.filter(pa.array(keep))

    rewrite_epochs(folder, spoil)
    done = refresh(folder, tmp_path / "lake", FOREST_ONLY)
    rows = Lake(tmp_path / "lake").read("core_quarantine__row")
    found = dict(
        zip(*np.unique(rows["check"].to_numpy(zero_copy_only=False).astype(str), return_counts=True), strict=True)
    )
    assert found == {"duplicate": 1, "finite": 1, "positive": 1, "unknown_band": 1, "no_epochs": 1}
    assert "Aside:   5 rows in core_quarantine__row" in done.stdout
    catalogue = Lake(tmp_path / "lake").read("out__catalogue")
    assert catalogue.num_rows == 39 and ids[2] not in catalogue["object_id"].to_pylist()
    again = refresh(folder, tmp_path / "lake", FOREST_ONLY)
    assert "no work was done again" in again.stdout
    assert Lake(tmp_path / "lake").read("core_quarantine__row").equals(rows)


def test_no_error_column_at_all_is_no_bad_row(tmp_path, folder):
    rewrite_epochs(folder, lambda t: t.drop_columns("mag_err"))
    text = (folder / "dataset.toml").read_text()
    (folder / "dataset.toml").write_text(text.replace('mag_err = "mag_err"', 'mag_err = ""'))
    refresh(folder, tmp_path / "lake", FOREST_ONLY)
    lake = Lake(tmp_path / "lake")
    assert lake.read("core_quarantine__row").num_rows == 0
    assert lake.read("out__catalogue").num_rows == 40
