"""The publish stage: one release for a catalogue, a new one for another, and what the report is told."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lakehouse.disk import read_json, write_json
from lakehouse.manifest import RunManifest
from tasks.reporting.page import render
from tasks.stages.publish.findings import gather_findings
from tasks.stages.publish.stage import find_release, publish_release
from tasks.stages.score.stage import score_sources
from tests.unit.stages.conftest import N_EPOCHS, N_STARS, replace_rows


@pytest.fixture
def manifest(copied):
    return RunManifest.start(copied.lake, copied.settings.model_dump(mode="json"), command="refresh folder")


def test_a_release_holds_the_catalogue_and_is_not_written_twice(copied, manifest, tmp_path):
    run = replace(copied.run, run_id=manifest.run_id)
    first = publish_release(run, tmp_path / "release", manifest)
    assert first.done == N_STARS
    (folder,) = (tmp_path / "release").glob("tiny-*")
    assert (folder / "report.html").stat().st_size > 10_000 and list(folder.rglob("out__catalogue*"))
    for name, mark in first.inputs.items():
        manifest.add_input(name, mark)
    manifest.finish(copied.lake)
    second = publish_release(run, tmp_path / "release", manifest)
    assert second.done == 0 and "is current" in second.notes[0]


def test_without_a_catalogue_there_is_nothing_to_release(copied, manifest, tmp_path):
    replace_rows(copied.lake, "out__catalogue", copied.lake.read("out__catalogue").slice(0, 0))
    done = publish_release(copied.run, tmp_path / "release", manifest)
    assert done.notes == ("no catalogue: nothing to release",) and not (tmp_path / "release").exists()


def test_without_a_model_the_release_holds_periods_and_features(copied, manifest, tmp_path):
    (copied.lake.path / "models" / "tiny" / "current.json").unlink()
    score_sources(copied.run)
    publish_release(replace(copied.run, run_id=manifest.run_id), tmp_path / "release", manifest)
    (folder,) = (tmp_path / "release").glob("tiny-*")
    features = pq.read_table(folder / "feature_sample__source.parquet")
    assert features.num_rows == N_STARS and features["mean_mag_g"].null_count == 0
    catalogue = pq.read_table(folder / "out__catalogue.parquet")
    assert catalogue["period_day"].null_count == 0 and "prob_near" not in catalogue.column_names
    rows = copied.lake.read("out__catalogue", where={"dataset": "tiny"})
    told = gather_findings(copied.run, copied.lake, rows, manifest)
    assert told.notes == ("No model has been trained, so 60 objects have no class and no quantity.",)
    assert told.periods is not None and told.curves == () and told.counts is None


def test_the_report_of_a_synthetic_sky_says_so_on_top(copied, manifest):
    rows = copied.lake.read("out__catalogue", where={"dataset": "tiny"})
    synthetic = gather_findings(copied.run, copied.lake, rows, manifest, is_synthetic=True)
    assert synthetic.about == "A synthetic sky: these stars are simulated, and none of them was observed."
    page = render(synthetic)
    assert page.index(synthetic.about) < page.index('class="facts"')
    assert gather_findings(copied.run, copied.lake, rows, manifest).about == ""


def test_the_report_is_told_what_the_lake_holds(copied, manifest):
    rows = copied.lake.read("out__catalogue", where={"dataset": "tiny"})
    told = gather_findings(copied.run, copied.lake, rows, manifest)
    assert (told.n_objects, told.n_epochs, told.bands) == (N_STARS, N_STARS * N_EPOCHS, ("g", "r"))
    cuts = {(row["cut"], row["survey"]): row for row in told.cuts}
    assert cuts["outlier", "one"]["n_removed"] == N_STARS and cuts["outlier", "two"]["n_removed"] == 0
    assert told.sky is None  # the folder gives no positions
    shown = sorted(curve.class_pred for curve in told.curves)
    assert shown == ["far", "far", "near", "near"]  # the surest and the least sure of each class
    assert told.held_out is not None and told.held_out.prob.shape[1] == 2


def test_counts_of_labels_and_predictions_are_by_class(copied, manifest):
    rows = copied.lake.read("out__catalogue", where={"dataset": "tiny"})
    everyone_far = rows.set_column(rows.column_names.index("class_pred"), "class_pred", pa.repeat("far", N_STARS))
    counts = gather_findings(copied.run, copied.lake, everyone_far, manifest).counts
    assert counts.classes == ("far", "near")
    labels = copied.lake.read("label_sample__class")["class"]
    assert [*counts.labelled] == [pc.sum(pc.equal(labels, name)).as_py() for name in counts.classes] == [30, 30]
    assert [*counts.predicted] == [N_STARS, 0]


def test_a_release_that_a_killed_run_left_is_not_written_again(copied, manifest, tmp_path):
    """The release itself says which catalogue it holds: the manifest of its run may never have."""
    run = replace(copied.run, run_id=manifest.run_id)
    publish_release(run, tmp_path / "release", manifest)
    (tmp_path / "release" / "latest").unlink()
    again = RunManifest.start(copied.lake, manifest.settings)
    done = publish_release(replace(run, run_id=again.run_id), tmp_path / "release", again)
    (folder,) = (tmp_path / "release").glob("tiny-*")
    assert done.done == 0 and str(folder) in done.notes[0]
    assert (tmp_path / "release" / "latest").resolve() == folder.resolve()


def test_the_release_of_an_older_program_is_known_by_the_manifest_of_its_run(copied, manifest, tmp_path):
    run = replace(copied.run, run_id=manifest.run_id)
    first = publish_release(run, tmp_path / "release", manifest)
    (folder,) = (tmp_path / "release").glob("tiny-*")
    about = read_json(folder / "manifest.json")
    write_json(folder / "manifest.json", {name: value for name, value in about.items() if name != "catalogue"})
    (mark,) = first.inputs.values()
    assert find_release(copied.lake, tmp_path / "release", "tiny", mark) is None
    for name, value in first.inputs.items():
        manifest.add_input(name, value)
    manifest.finish(copied.lake)
    assert find_release(copied.lake, tmp_path / "release", "tiny", mark) == folder
    assert find_release(copied.lake, tmp_path / "release", "tiny", "another") is None
