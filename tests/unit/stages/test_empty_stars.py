"""A star of which the cuts leave no epoch goes through every stage: null features, no scores, a reason, no figure."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from flows.presets import preset
from flows.settings import override
from lakehouse.delta.store import Lake
from lakehouse.manifest import RunManifest
from lakehouse.models import LABELS, model_dir, read_current
from lakehouse.run import Run
from schemas import BadInput
from tasks.stages.publish.findings import gather_findings
from tasks.stages.publish.stage import publish_release
from tasks.stages.score.folder import write_scores
from tests.unit.stages.conftest import N_STARS, SMALL, Refreshed, refresh, write_folder

EMPTY = ("star02", "star03")


def spoil(folder: Path, names: tuple[str, ...]) -> Path:
    """Errors of 1.2 mag at every epoch of these stars: a cut takes them all."""
    epochs = pq.read_table(folder / "lightcurves.parquet")
    is_bad = pc.is_in(epochs["object_id"], value_set=pa.array(names)).to_numpy()
    errors = np.where(is_bad, 1.2, epochs["mag_err"].to_numpy())
    pq.write_table(epochs.set_column(4, "mag_err", pa.array(errors)), folder / "lightcurves.parquet")
    return folder


@dataclass(frozen=True)
class Published(Refreshed):
    """A refreshed lake and where its release lies."""

    manifest: RunManifest
    release: Path


@pytest.fixture(scope="module")
def published(tmp_path_factory, scheduler) -> Published:
    """A lake with two empty stars, one of each class, and its release."""
    place = tmp_path_factory.mktemp("empty")
    settings = override(preset("folder", spoil(write_folder(place / "data"), EMPTY)), SMALL)
    lake = Lake(place / "lake", create=True)
    manifest = RunManifest.start(lake, settings.model_dump(mode="json"), command="refresh folder")
    run = Run(manifest.run_id, str(lake.path), settings.dataset, scheduler, 25)
    stages = refresh(run, settings)
    stages["publish"] = publish_release(run, place / "release", manifest)
    return Published(run, place / "data", settings, stages, manifest, place / "release")


def test_an_empty_star_has_a_row_with_the_reason_and_nothing_else(published):
    rows = published.lake.read("out__catalogue")
    assert rows.num_rows == N_STARS
    empty = rows.filter(pc.is_in(rows["object_id"], value_set=pa.array(EMPTY)))
    for row in empty.to_pylist():
        assert row["n_epoch"] == 0 and row["unscored_reason"] == "no_epoch" and not row["is_training"]
        assert all(row[name] is None for name in ("class_pred", "prob_near", "prob_far", "period_day", "period_prob"))
    others = rows.filter(pc.greater(rows["n_epoch"], 0))
    assert others["class_pred"].null_count == 0 and others["unscored_reason"].null_count == N_STARS - 2


def test_it_has_null_features_no_history_and_trains_nothing(published):
    lake, rows = published.lake, published.lake.read("out__catalogue")
    ids = rows.filter(pc.is_in(rows["object_id"], value_set=pa.array(EMPTY)))["source_id"].to_pylist()
    features = lake.read("feature_sample__source")
    own = features.filter(pc.is_in(features["source_id"], value_set=pa.array(ids)))
    assert own.num_rows == 2 and own["mean_mag_g"].null_count == own["period_day"].null_count == 2
    assert not set(ids) & set(lake.read("score__value")["source_id"].to_pylist())
    (model,) = read_current(lake.path, "tiny").items()
    trained = pq.read_table(model_dir(lake.path, "tiny", *model) / LABELS)["source_id"].to_pylist()
    assert len(trained) == N_STARS - 2 and not set(ids) & set(trained)


def test_the_report_draws_no_empty_star_and_says_how_many_there_are(published):
    rows = published.lake.read("out__catalogue")
    told = gather_findings(published.run, published.lake, rows, published.manifest)
    assert len(told.curves) == 4 and not {curve.object_id for curve in told.curves} & set(EMPTY)
    assert told.counts is not None and told.counts.predicted.sum() == N_STARS - 2
    assert told.notes[0] == "The cuts left no epoch of 2 objects: no class and no quantity is given."
    (folder,) = published.release.glob("tiny-*")
    assert told.notes[0] in (folder / "report.html").read_text()
    assert published.stages["clean"].notes == ("no epoch of 2 of 60 sources is left: they get no scores",)


def test_where_no_star_is_left_one_sentence_says_which_cut_took_them_each_time(tmp_path, scheduler):
    folder = spoil(write_folder(tmp_path / "data"), tuple(f"star{k:02d}" for k in range(N_STARS)))
    settings = override(preset("folder", folder), SMALL)
    run = Run("r1", str(Lake(tmp_path / "lake", create=True).path), settings.dataset, scheduler, 25)
    for _ in range(2):
        with pytest.raises(
            BadInput, match=r"no epoch of the 60 sources of tiny \(well_measured removed 1,800 epochs\)"
        ):
            refresh(run, settings)


def test_an_empty_star_of_a_folder_that_is_scored_has_null_scores(refreshed, tmp_path):
    folder = spoil(write_folder(tmp_path / "data"), EMPTY)
    epochs = pq.read_table(folder / "lightcurves.parquet")
    pq.write_table(epochs.filter(pc.not_equal(epochs["object_id"], "star09")), folder / "lightcurves.parquet")
    settings, source = refreshed.settings, preset("folder", folder).source
    out = tmp_path / "scores.parquet"
    counts = write_scores(refreshed.run, source, settings.cut_config, settings.feature_config, out)
    scores = pq.read_table(out)
    empty = scores.filter(scores["class_pred"].is_null())
    assert counts == (N_STARS, 3) and empty["object_id"].to_pylist() == [*EMPTY, "star09"]
    assert empty["unscored_reason"].to_pylist() == ["no_epoch"] * 3 and empty["prob_near"].null_count == 3
    assert scores["unscored_reason"].null_count == N_STARS - 3


def test_a_folder_of_empty_stars_alone_is_scored_with_nulls(refreshed, tmp_path):
    folder = spoil(write_folder(tmp_path / "data"), tuple(f"star{k:02d}" for k in range(N_STARS)))
    settings, source = refreshed.settings, preset("folder", folder).source
    run = replace(refreshed.run, chunk_objects=7)
    counts = write_scores(run, source, settings.cut_config, settings.feature_config, tmp_path / "scores.parquet")
    assert counts == (N_STARS, N_STARS)
    assert pq.read_table(tmp_path / "scores.parquet")["prob_far"].null_count == N_STARS
