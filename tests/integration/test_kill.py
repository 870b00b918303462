"""A run killed in any stage and started again ends as if nothing had happened; so does one that met a full disk."""

import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time

import pytest

from tests.integration.conftest import (
    SMALL,
    argelander,
    assert_same,
    contents,
    environment,
    kill_all,
    refresh,
    write_folder,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_server")]
STAGES = ("acquire", "clean", "featurize", "train", "score", "publish")
KILLS = int(os.environ.get("ARGELANDER_KILLS", "1"))  # random moments tried in each stage
SEED = os.environ.get("ARGELANDER_KILL_SEED", str(random.randrange(10**6)))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    place = tmp_path_factory.mktemp("undisturbed")
    folder = write_folder(place / "data", 100)
    refresh(folder, place / "lake")
    return folder, place / "lake"


def command(folder, lake) -> list[str]:
    settings = [word for setting in SMALL for word in ("--set", setting)]
    return [sys.executable, "-m", "flows.cli", "refresh", "folder", "--data", str(folder), "--lake", str(lake),
            "--release", str(lake / "release"), *settings]  # fmt: skip


def wait_for_stage(lake, stage: str, process, longest: float = 300) -> None:
    """Return as soon as the run's manifest says that the stage has begun."""
    end = time.monotonic() + longest
    while time.monotonic() < end and process.poll() is None:
        for path in (lake / "runs").glob("*.json"):
            if any(entry["name"] == stage for entry in json.loads(path.read_text())["stages"]):
                return
        time.sleep(0.01)
    raise AssertionError(f"stage {stage} did not begin: exit code {process.poll()}")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("attempt", range(KILLS))
def test_killed_in_a_stage_and_started_again(stage, attempt, undisturbed, tmp_path):
    folder, reference = undisturbed
    seconds = next(entry["seconds"] for path in (reference / "runs").glob("*.json")
                   for entry in json.loads(path.read_text())["stages"] if entry["name"] == stage)  # fmt: skip
    lake = tmp_path / "lake"
    process = subprocess.Popen(command(folder, lake), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=environment(), start_new_session=True)  # fmt: skip
    stage_begun = False
    try:
        wait_for_stage(lake, stage, process)
        stage_begun = True
        time.sleep(random.Random(f"{SEED} {stage} {attempt}").uniform(0, seconds))
    finally:
        kill_all(process)
    assert stage_begun
    refresh(folder, lake)
    assert_same(contents(reference), contents(lake))
    assert not [path for place in ("staging", "work") for path in (lake / place).rglob("*") if path.is_file()]


def test_training_alone_killed_in_a_fit_and_started_again(undisturbed, tmp_path):
    _, reference = undisturbed
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for lake in (whole, killed):
        shutil.copytree(reference, lake, symlinks=True)
    words = ["train", "small", "--recipe", "folded", "--folds", "2", "--budget", "5", "--lake"]
    done = argelander(*words, whole)
    assert "folded" in done.stdout and "train" in done.stderr

    command = [sys.executable, "-m", "flows.cli", *words, str(killed)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    end = time.monotonic() + 300
    while not (fitted := [*(killed / "work").rglob("predictions.parquet")]) and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    kill_all(process)
    n_fit = 4  # two targets, two folds each, on two workers: as the first ends, others have just begun
    assert 0 < len(fitted) < n_fit and process.returncode == -9
    argelander(*words, killed)
    assert models_of(killed) == models_of(whole) and len(models_of(whole)) > len(models_of(reference))
    assert_same(contents(whole), contents(killed))
    assert not [path for path in (killed / "work").rglob("*") if path.is_file()]


def models_of(lake) -> dict[str, bytes]:
    """Every learnt array of the lake's models, byte for byte."""
    return {str(path.relative_to(lake)): path.read_bytes() for path in (lake / "models").rglob("*.safetensors")}


def test_a_full_disk_is_one_sentence_and_the_next_run_completes(undisturbed, tmp_path):
    folder, reference = undisturbed
    lake = tmp_path / "lake"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))

    done = subprocess.run(command(folder, lake), capture_output=True, text=True, env=environment(), preexec_fn=limit)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr[-3000:]
    assert sum(line.startswith("Error:") for line in done.stderr.splitlines()) == 1, done.stderr[-3000:]
    assert "disk" in done.stderr
    refresh(folder, lake)
    assert_same(contents(reference), contents(lake))
