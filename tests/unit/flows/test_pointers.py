"""What to type next is runnable, names columns that hold something, and counts tell what was lost."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from flows import pointers
from flows.pointers import count_stars, list_columns, own_command, query_to_type
from flows.run_list import list_runs, tell_outcome
from lakehouse.delta.store import Lake
from lakehouse.manifest import RunManifest, read_manifests
from schemas import TABLES
from schemas.tables.catalogue import QUANTITY, QUANTITY_HI, QUANTITY_LO
from tests.unit.stages.labelled_lake import rows

TEFF = [each.rename(each.name.format(quantity="teff_k"), "x.") for each in (QUANTITY, QUANTITY_LO, QUANTITY_HI)]


@pytest.fixture
def lake(tmp_path) -> Lake:
    """Three stars of the dataset `tiny` with a class and a temperature and no position; two more were lost."""
    place, ids = Lake(tmp_path / "lake", create=True), np.array([1, 2, 3])
    spec = TABLES["out__catalogue"].bind(TEFF)
    given = {"object_id": list("abc"), "class_pred": ["x", "y", None], "period_day": [0.5, 1, 2], "n_epoch": [9, 8, 7]}
    place.append("r", spec, rows(spec, ids, **given, teff_k=[5000.0, 6000, 7000], unscored_reason=[None] * 3))
    source = TABLES["core_sample__source"]
    place.append("r", source, rows(source, ids, object_id=list("abc")))
    refused = {"check": ["no_epoch", "unknown_id", "range", "range", "duplicate"], "table": ["t"] * 5}
    keys = {"column": ["n_epoch"] * 5, "key": list("12345"), "value": [""] * 5}
    quarantine = TABLES["core_quarantine__row"]
    place.append("r", quarantine, rows(quarantine, np.array([10, 11, 12, 12, 1]), **refused, **keys))
    return place


def test_the_query_shows_columns_that_hold_something(lake):
    assert list_columns(lake, "tiny") == ["object_id", "class_pred", "period_day", "teff_k", "n_epoch"]
    text = query_to_type(lake, "tiny")
    assert "SELECT object_id, class_pred, period_day, teff_k, n_epoch FROM out__catalogue" in text
    assert text.endswith(f"--lake {lake.path}")


def test_counts_tell_what_became_of_the_others(lake):
    assert count_stars(lake, "tiny") == "3 of 6; 2 without a usable epoch, 1 unknown to the archive"
    lake.overwrite("r", TABLES["core_quarantine__row"], TABLES["core_quarantine__row"].empty(), {"dataset": "tiny"})
    assert count_stars(lake, "tiny") == "3"
    spec = TABLES["out__catalogue"].bind(TEFF)
    lake.append("r", spec, rows(spec, np.array([4, 5]), object_id=["d", "e"], unscored_reason=["no_epoch", "no_model"]))
    assert count_stars(lake, "tiny") == "3; the cuts left 1 without an epoch"


def test_the_command_is_named_as_it_is_run(tmp_path, monkeypatch):
    script = tmp_path / "my env" / "bin" / "argelander"
    script.parent.mkdir(parents=True)
    script.touch()
    monkeypatch.setattr(sys, "executable", str(script.with_name("python")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pointers.shutil, "which", lambda name: None)
    assert own_command() == "'my env/bin/argelander'"
    monkeypatch.chdir("/")
    monkeypatch.setattr(pointers.shutil, "which", lambda name: str(script))
    assert own_command() == "argelander"
    script.unlink()
    assert own_command() == "argelander"


def test_runs_say_what_they_did_or_why_they_ended_early(tmp_path):
    lake = Lake(tmp_path / "lake", create=True)
    stages = [{"name": "acquire", "done": 1200}, {"name": "clean", "done": 0}]
    ends = {
        "done": (None, False),
        "failed": ("No [room] left.\nAt all.", False),
        "cancelled": ("KeyboardInterrupt", True),
    }
    for status, (error, is_cancelled) in ends.items():
        manifest = RunManifest.start(lake, {"preset": "demo"}, run_id=status)
        manifest.stages += stages
        manifest.finish(lake, error, is_cancelled)
    gone = RunManifest.start(lake, {"preset": "demo"}, run_id="gone")
    gone.pid = 2**30
    gone.write(lake)
    words = {manifest.run_id: (manifest.status, tell_outcome(manifest)) for manifest in read_manifests(lake)}
    assert words == {
        "done": ("done", "acquire 1,200"),
        "failed": ("failed", "clean: No [room] left."),
        "cancelled": ("cancelled", "clean: stopped by KeyboardInterrupt"),
        "gone": ("interrupted", "start: its program ended without a word: it was killed, or the machine stopped"),
    }
    assert list_runs(lake).row_count == 4
    assert tell_outcome(SimpleNamespace(status="done", stages=[])) == "nothing new"  # type: ignore[arg-type]
