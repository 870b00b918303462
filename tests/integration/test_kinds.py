"""The other kinds of folder: mean photometry alone, and folded curves without times."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.delta.store import Lake
from tests.integration.conftest import argelander, refresh

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_server")]

PHOTOMETRY = """
name = "means"
kind = "photometry"
[[parameters]]
quantity = "teff_k"
column = "teff"
[[bands]]
name = "BP"
mag = "bp"
mag_err = "bp_err"
[[bands]]
name = "RP"
mag = "rp"
"""
PHASES = """
name = "folded"
kind = "phase"
[[parameters]]
quantity = "feh_dex"
column = "feh"
is_photometric = true
[lightcurves]
time = "phase"
[[bands]]
name = "G"
"""


def test_mean_photometry_is_regressed_and_an_object_without_any_is_not(tmp_path):
    rng = np.random.default_rng(0)
    colour = rng.uniform(0.2, 1.6, 90)
    rp = rng.uniform(12, 16, 90)
    table = pa.table({"object_id": np.arange(90), "bp": rp + colour, "bp_err": np.full(90, 0.01), "rp": rp,
                      "teff": 8000 - 2500 * colour})  # fmt: skip
    nothing = pa.table({"object_id": [90], "bp": [np.nan], "bp_err": [np.nan], "rp": [np.nan], "teff": [5000.0]})
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "dataset.toml").write_text(PHOTOMETRY)
    pq.write_table(pa.concat_tables([table, nothing]), folder / "objects.parquet")
    done = refresh(folder, tmp_path / "lake")
    assert "no light curves" in done.stdout
    rows = Lake(tmp_path / "lake").read("out__catalogue")
    assert rows.num_rows == 90 and "90" not in rows["object_id"].to_pylist()
    truth = {str(i): t for i, t in zip(table["object_id"].to_pylist(), table["teff"].to_pylist(), strict=True)}
    error = rows["teff_k"].to_numpy() - np.array([truth[name] for name in rows["object_id"].to_pylist()])
    assert np.sqrt(np.mean(error**2)) < 300
    pq.write_table(pa.concat_tables([table, nothing]).drop_columns("teff"), folder / "objects.parquet")
    done = argelander("score", "--preset", "folder", "--data", folder, "--lake", tmp_path / "lake", "--out",
                      tmp_path / "scores.parquet")  # fmt: skip
    scores = pq.read_table(tmp_path / "scores.parquet")
    assert scores.num_rows == 91 and scores["teff_k"].null_count == 1 and "1 without" in done.stdout


def test_folded_curves_have_no_period_and_are_regressed(tmp_path):
    rng = np.random.default_rng(1)
    feh = rng.uniform(-2, 0, 80)
    phase = np.tile(np.arange(30) / 30, 80)
    star = np.repeat(np.arange(80), 30)
    mag = 15 + (0.3 + 0.2 * feh[star]) * np.cos(2 * np.pi * phase) + rng.normal(0, 0.01, phase.size)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "dataset.toml").write_text(PHASES)
    pq.write_table(pa.table({"object_id": np.arange(80).astype(str), "feh": feh}), folder / "objects.parquet")
    pq.write_table(
        pa.table({"object_id": star.astype(str), "phase": phase, "mag": mag}), folder / "lightcurves.parquet"
    )
    refresh(folder, tmp_path / "lake")
    lake = Lake(tmp_path / "lake")
    rows = lake.read("out__catalogue")
    assert rows.num_rows == 80 and rows["period_day"].null_count == 80 and rows["feh_dex"].null_count == 0
    assert lake.read("core_quarantine__row").num_rows == 0
    r2 = [r["value"] for r in lake.read("score_model__metric").to_pylist()
          if (r["split"], r["metric"], r["recipe"]) == ("oof", "r2", "forest")]  # fmt: skip
    assert r2[0] > 0.5
