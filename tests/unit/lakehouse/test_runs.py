"""The runs of a lake as rows: each stage of each run that has ended, once."""

import pytest

from lakehouse.delta.reference import TableRef
from lakehouse.manifest import RunManifest
from lakehouse.query import run_sql
from lakehouse.run import StageResult
from lakehouse.runs import record_runs

SETTINGS = {"preset": "demo", "dataset": "demo"}
CLEAN = StageResult("clean", 3, 5, (TableRef("core_sample__epoch", 2, 3),), inputs={"archive of demo": "ab12"})


def end_run(lake, run_id="r1", settings=SETTINGS):
    """A run of one stage that has ended well."""
    manifest = RunManifest.start(lake, settings, "refresh demo", run_id)
    with manifest.stage(lake, "clean") as entry:
        manifest.add_result(entry, CLEAN)
    manifest.finish(lake)
    return manifest


def test_a_stage_says_what_it_did_and_with_which_code(lake):
    manifest = end_run(lake)
    assert record_runs(lake, "r1", "demo").rows == 1
    (row,) = lake.read("run_refresh__stage").to_pylist()
    assert (row["run_id"], row["stage"], row["status"], row["command"]) == ("r1", "clean", "done", "refresh demo")
    assert (row["n_done"], row["n_total"]) == (3, 5) and row["seconds"] >= 0 and row["error"] is None
    assert row["tables"] == ["core_sample__epoch@2"] and row["inputs"] == ["archive of demo=ab12"]
    assert row["code_version"] == manifest.code_version and '"preset": "demo"' in row["settings"]
    assert row["started"].isoformat() == manifest.stages[0]["started"]


def test_each_run_is_recorded_once_and_stays(lake):
    end_run(lake, "r1")
    record_runs(lake, "r1", "demo")
    assert record_runs(lake, "r1", "demo") is None
    end_run(lake, "r2")
    record_runs(lake, "r2", "demo")
    assert lake.read("run_refresh__stage")["run_id"].to_pylist() == ["r1", "r2"]
    assert len(lake.files("run_refresh__stage")) == 1


def test_a_failed_stage_has_the_sentence_that_says_why(lake):
    manifest = RunManifest.start(lake, SETTINGS, run_id="r1")
    with pytest.raises(ZeroDivisionError), manifest.stage(lake, "train"):
        raise ZeroDivisionError
    manifest.finish(lake, "there are no labels.")
    record_runs(lake, "r1", "demo")
    (row,) = lake.read("run_refresh__stage").to_pylist()
    assert (row["status"], row["error"]) == ("failed", "there are no labels.")
    assert row["n_done"] is None and row["tables"] is None


def test_a_run_under_way_waits_and_a_killed_one_is_interrupted(lake, python):
    program = """
import os, sys
from lakehouse.delta.store import Lake
from lakehouse.manifest import RunManifest
lake = Lake(sys.argv[1])
with RunManifest.start(lake, {"dataset": "demo"}, run_id="killed").stage(lake, "score"):
    os.kill(os.getpid(), 9)
"""
    python(program, lake.path)
    with RunManifest.start(lake, SETTINGS, run_id="alive").stage(lake, "score"):
        record_runs(lake, "r", "demo")
    (row,) = lake.read("run_refresh__stage").to_pylist()
    assert (row["run_id"], row["status"], row["seconds"]) == ("killed", "interrupted", None)


def test_datasets_do_not_mix(lake):
    end_run(lake, "r1")
    end_run(lake, "r2", {"preset": "folder", "dataset": "other"})
    RunManifest.start(lake, {}, run_id="r3").finish(lake)
    record_runs(lake, "r1", "demo")
    record_runs(lake, "r2", "other")
    found = run_sql(lake, "SELECT dataset, run_id FROM run_refresh__stage ORDER BY ALL").to_pylist()
    assert [tuple(row.values()) for row in found] == [("demo", "r1"), ("other", "r2")]
