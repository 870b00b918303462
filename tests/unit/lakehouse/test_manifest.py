import json
import re
import signal

import pytest

from lakehouse.delta.reference import TableRef
from lakehouse.manifest import RunManifest, new_run_id, read_manifests


def test_run_ids_sort_by_time_and_differ():
    names = {new_run_id() for _ in range(50)}
    assert len(names) > 45 and all(re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{4}", name) for name in names)


def test_a_manifest_tells_the_whole_run(lake):
    manifest = RunManifest.start(lake, {"preset": "demo", "limit": 3}, "refresh demo")
    assert read_manifests(lake)[0].status == "running"
    manifest.add_input("objects.parquet", "sha256:12", rows=3)
    with manifest.stage(lake, "sample") as entry:
        entry["rows"] = 3
    assert json.loads((lake.path / "runs" / f"{manifest.run_id}.json").read_text())["stages"][0]["rows"] == 3
    manifest.add_outputs(TableRef("core_sample__source", 1, 3), TableRef("core_sample__source", 1, 3))
    manifest.set_counts(quarantined=2)
    manifest.finish(lake)
    found = read_manifests(lake)[0]
    assert found == manifest
    assert found.status == "done" and found.seconds >= 0 and found.counts == {"quarantined": 2}
    assert found.outputs == [{"table": "core_sample__source", "version": 1, "rows": 3}]
    assert found.inputs == [{"name": "objects.parquet", "fingerprint": "sha256:12", "rows": 3}]
    assert found.settings == {"preset": "demo", "limit": 3} and len(found.lock_hash) == 64
    assert found.hardware["cores"] >= 1 and found.hardware["memory_gib"] > 0 and found.code_version


def test_a_failed_stage_is_told(lake):
    manifest = RunManifest.start(lake, {})
    with pytest.raises(ZeroDivisionError), manifest.stage(lake, "train"):
        raise ZeroDivisionError
    manifest.finish(lake, "train failed: no labels.")
    found = read_manifests(lake)[0]
    assert found.stages[0]["status"] == "failed" and found.status == "failed"
    assert found.error == "train failed: no labels."


def test_a_killed_run_is_shown_as_interrupted(lake, python):
    killed = python(
        "import os, sys; from lakehouse.manifest import RunManifest; from lakehouse.delta.store import Lake;"
        "RunManifest.start(Lake(sys.argv[1]), {}); os.kill(os.getpid(), 9)",
        lake.path,
    )
    assert killed.returncode == -signal.SIGKILL
    assert read_manifests(lake)[0].status == "interrupted"


def test_runs_are_listed_newest_first(lake):
    started = [RunManifest.start(lake, {}, run_id=f"r{i}").run_id for i in (3, 1, 2)]
    assert [found.run_id for found in read_manifests(lake)] == started[::-1]


def test_what_a_newer_program_adds_to_a_manifest_is_left_out(lake):
    manifest = RunManifest.start(lake, {})
    path = lake.path / "runs" / f"{manifest.run_id}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "novelty": 1}))
    assert read_manifests(lake) == [manifest]


def test_only_the_runs_that_are_not_known_are_read(lake):
    for name in ("r1", "r2"):
        RunManifest.start(lake, {}, run_id=name)
    (lake.path / "runs" / "r1.json").write_text("{ damaged")
    assert [found.run_id for found in read_manifests(lake, but={"r1"})] == ["r2"]
