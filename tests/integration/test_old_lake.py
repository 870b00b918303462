"""A lake that an older program wrote opens, is queried, and refreshes from its stored answers to the same values.

tests/data/make_old_lake.py wrote it, with the code of November 2026. What it holds is never written again here, so that
the readers of today meet what users have.
"""

import shutil
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from flows.presets import preset
from flows.settings import override
from lakehouse.delta.store import Lake
from lakehouse.manifest import read_manifests
from lakehouse.models import read_card, read_current
from lakehouse.query import run_sql
from lakehouse.run import Run
from schemas import TABLES
from tasks.stages.acquire.stage import acquire_sources
from tests.integration.conftest import argelander, assert_same, sentence, write_folder

ARCHIVE = Path(__file__).parents[1] / "data" / "old_lake.tar.xz"
# The settings of make_old_lake.py by their names of today.
SETTINGS = (
    "source.replica.n_objects=250", "source.sample.tiles=[3]", "source.sample.tile_order=0",
    "source.sample.random_index=null", "limit=24", "training.n_folds=2", "training.min_labels=10",
    "training.quantities=[teff_k]", "training.options.folded.channels=[2]", "training.options.folded.max_passes=1",
    *(f"training.options.{name}.trees=10" for name in ("forest", "balanced_forest", "colour_forest")),
    "training.options.boosting.rounds=5", "features.period.f_max=5", "compute.n_workers=1",
)  # fmt: skip
# By whom and of what a row was made.
STAMPS = ("run_id", "scored_at", "model_id", "feature_hash", "input_hash", "curve_hash", "definitions")

# Which run, code and model gave each temperature, and in which run the archives were asked.
ORIGIN = """
SELECT c.source_id, any_value(c.teff_k) AS teff_k, any_value(s.value) AS value, any_value(m.model) AS model,
       any_value(r.run_id) AS scored_in, any_value(r.code_version) AS scored_by,
       any_value(a.run_id) AS asked_in, count(q.request_hash) AS n_request
FROM out__catalogue c
JOIN score__value s ON s.dataset = c.dataset AND s.source_id = c.source_id AND s.run_id = c.run_id
                   AND s.name = 'teff_k'
JOIN score_model__card m ON m.dataset = s.dataset AND m.target = s.target AND m.model_id = s.model_id
JOIN run_refresh__stage r ON r.dataset = s.dataset AND r.run_id = s.run_id AND r.stage = 'score'
JOIN run_refresh__stage a ON a.dataset = c.dataset AND a.stage = 'acquire'
JOIN raw_archive__request q ON q.run_id = a.run_id
GROUP BY c.source_id
"""


def is_score(column: str) -> bool:
    """Whether a model gave the values of a column of the catalogue."""
    return column.startswith(("prob_", "class_", "novelty_rank", "teff_k"))


@pytest.fixture
def old_lake(tmp_path):
    """A fresh copy of the old lake."""
    with tarfile.open(ARCHIVE) as tar:
        tar.extractall(tmp_path, filter="data")
    return tmp_path / "lake"


def values(lake: Path, name: str, columns: list[str] | None = None) -> pa.Table:
    """Rows of a table without their stamps."""
    rows = Lake(lake).read(name, columns=columns)
    return rows.select([column for column in rows.column_names if column not in STAMPS])


def test_an_old_lake_opens_and_answers_queries(old_lake):
    place = Lake(old_lake)
    assert set(place.tables()) <= set(TABLES)
    assert all(place.read(name).num_rows == place.count(name) for name in place.tables())
    joined = run_sql(place, "SELECT c.source_id, s.value FROM out__catalogue c JOIN score__value s USING (source_id) "
                            "WHERE s.name = c.class_pred")  # fmt: skip
    assert joined.num_rows == place.count("out__catalogue") == 24


def test_old_manifests_and_cards_are_read(old_lake):
    (manifest,) = read_manifests(Lake(old_lake))
    assert manifest.status == "done" and [stage["name"] for stage in manifest.stages][-1] == "publish"
    models = read_current(old_lake, "demo")
    assert set(models) == {"class", "teff_k"}
    for target, model_id in models.items():
        assert read_card(old_lake, "demo", target, model_id)["run_id"] == manifest.run_id
    assert manifest.run_id in argelander("runs", "--lake", old_lake).stdout


def test_the_stored_answers_give_the_same_tables_without_asking_again(old_lake, tmp_path):
    """The answers alone, in a lake that has nothing else: offline, a question that has another hash would fail."""
    settings = override(preset("demo", None), (*SETTINGS, "source.offline=true"))
    bare = Lake(tmp_path / "bare", create=True)
    shutil.copytree(old_lake / "raw", bare.path / "raw")
    stage = acquire_sources(Run("r2", str(bare.path), "demo", "none"), settings.source, settings.limit)
    assert stage.done == stage.total == 24
    for name in sorted(set(bare.tables()) - {"raw_archive__request"}):
        if Lake(old_lake).exists(name):
            columns = Lake(old_lake).dataset(name).schema.names  # what the table had then
            assert_same({name: values(bare.path, name, columns)}, {name: values(old_lake, name, columns)})  # exact
        else:
            assert bare.count(name) == 0, name


@pytest.mark.slow
def test_an_old_lake_refreshes_to_the_same_catalogue(old_lake):
    """But for the star whose period is another trial since version 3 of the family `period`, for the scores, as models
    that have learnt from its features are trained anew, and for the last digits, which processors round differently.
    """
    old = {name: values(old_lake, name) for name in ("out__catalogue", "feature_sample__source")}
    words = [word for setting in SETTINGS for word in ("--set", setting)]
    argelander("refresh", "demo", "--offline", "--lake", old_lake, "--release", old_lake / "release", *words)
    new = {name: values(old_lake, name, table.column_names) for name, table in old.items()}
    before, after = (tables["out__catalogue"] for tables in (old, new))
    (changed,) = np.flatnonzero(~np.isclose(before["period_day"], after["period_day"], rtol=1e-9, atol=0))
    truth = Lake(old_lake).read("label_truth__source", where={"source_id": before["source_id"][changed].as_py()})
    assert after["period_day"][changed].as_py() == pytest.approx(truth["period_day"][0].as_py(), rel=1e-5)
    kept = pa.array(np.arange(24) != changed)
    for name, table in old.items():
        measured = [each for each in table.column_names if not is_score(each)]
        pd.testing.assert_frame_equal(*(t.select(measured).filter(kept).to_pandas() for t in (new[name], table)),
                                      rtol=1e-5, obj=name)  # fmt: skip
    assert after["class_pred"].null_count == after["teff_k"].null_count == 0
    assert [manifest.status for manifest in read_manifests(Lake(old_lake))] == ["done", "done"]
    newest, oldest = read_manifests(Lake(old_lake))
    origins = run_sql(old_lake, ORIGIN).to_pylist()
    assert len(origins) == 24
    for row in origins:
        assert row["teff_k"] == pytest.approx(row["value"], rel=1e-6) and row["model"]
        assert (row["scored_in"], row["asked_in"]) == (newest.run_id, oldest.run_id) and row["n_request"] > 5
        assert row["scored_by"] == newest.code_version


@pytest.mark.slow
def test_an_old_lake_scores_a_folder_or_says_in_one_sentence_why_not(old_lake, tmp_path):
    folder = write_folder(tmp_path / "data", 5)
    done = argelander("score", "--data", folder, "--out", tmp_path / "scores.parquet", "--preset", "demo", "--lake",
                      old_lake, check=False)  # fmt: skip
    if done.returncode:
        assert "refresh" in sentence(done)
    else:
        assert (tmp_path / "scores.parquet").exists()
