"""The end of a run is a page: its stages, a line for each target, and where to look next."""

from types import SimpleNamespace

import pyarrow as pa
import pytest

from flows.summary import chosen_figures, line, show
from lakehouse.delta.store import Lake
from lakehouse.run import StageResult
from schemas import TABLES

METRIC = TABLES["score_model__metric"]


def metric(target: str, recipe: str, split: str, name: str, value: float | None, chosen: bool) -> dict:
    ends = {"lo": None, "hi": None} if value is None else {"lo": value - 0.1, "hi": value + 0.1}
    return {"dataset": "d", "target": target, "recipe": recipe, "model_id": "m", "split": split, "metric": name,
            "class": "all", "value": value, "n": 1234, "note": None, "is_chosen": chosen, **ends}  # fmt: skip


@pytest.fixture
def lake(tmp_path):
    place = Lake(tmp_path / "a lake", create=True)
    rows = [
        metric("class", "forest", "test", "macro_f1", 0.9215, True),
        metric("class", "forest", "truth", "macro_f1", 0.95, True),
        metric("class", "forest", "oof", "macro_f1", 0.93, True),
        metric("class", "forest", "test", "accuracy", 0.96, True),
        metric("class", "majority", "test", "macro_f1", 0.1, False),
        metric("teff_k", "median", "test", "rmse", None, True),
        metric("feh_dex", "forest", "test", "rmse", 0.39, True),
    ]
    place.overwrite("r", METRIC, pa.Table.from_pylist(rows, METRIC.arrow()), {"dataset": "d"})
    return place


def shown(capsys, lake: Lake, *stages: StageResult) -> str:
    outcome = SimpleNamespace(run_id="r7", stages=stages)
    show(outcome, lake.path, SimpleNamespace(dataset="d", models=None))
    return capsys.readouterr().out


def test_a_target_has_the_measure_that_decided_and_no_other(lake):
    found = {(row["target"], row["split"]): row["value"] for row in chosen_figures(lake, "d")}
    assert found == {("class", "test"): 0.9215, ("class", "truth"): 0.95, ("class", "oof"): 0.93,
                     ("feh_dex", "test"): 0.39}  # fmt: skip
    assert chosen_figures(lake, "another") == []


def test_the_page_says_what_was_done_how_good_it_is_and_where_to_look(lake, capsys):
    done = StageResult("acquire", 5, 1000, seconds=2.0)
    text = shown(capsys, lake, done, StageResult("publish", 1000, 1000, notes=("release out/d-1",), seconds=1.0))
    assert "Run r7" in text and " acquire  5      1,000  2.0" in text
    row = next(each for each in text.splitlines() if each.strip().startswith("class"))
    assert row.split()[:3] == ["class", "forest", "macro_f1"] and "[0.822, 1.02] of 1,234" in row
    assert "0.95 [0.85, 1.05]" in row
    assert "teff_k" not in text and "majority" not in text
    assert "Aside:   0 rows" in text and "out/d-1/report.html" in text
    assert f"--lake '{lake.path}'" in text and "feature_sample__source" in text
    assert len(text.splitlines()) <= 16


def test_figures_are_those_of_the_models_that_scored(lake, tmp_path, capsys):
    outcome = SimpleNamespace(run_id="r7", stages=(StageResult("score", 3, 3),))
    mine = Lake(tmp_path / "mine", create=True)
    show(outcome, mine.path, SimpleNamespace(dataset="ids", models=f"{lake.path}/d"))
    assert "macro_f1" in capsys.readouterr().out


def test_notes_are_shown_as_they_are(lake, capsys):
    note = "41 rows are in bands that are not declared ('[red]', '[/b]')."
    assert note in shown(capsys, lake, StageResult("acquire", 1, 1, notes=(note,)), StageResult("publish", 1, 1))


def test_a_run_that_found_nothing_new_says_so(lake, capsys):
    text = shown(capsys, lake, StageResult("publish", 0, 9, notes=("release out/d-1 is current",)))
    assert "no work was done again" in text and "out/d-1/report.html" in text
    assert line(StageResult("clean", 0, 9)) == "  clean: up to date"
    assert line(StageResult("clean", 4, 9, seconds=1.25)) == "  clean: 4 of 9 in 1.2 s"


def test_a_lake_without_models_has_no_figures(tmp_path, capsys):
    text = shown(capsys, Lake(tmp_path / "lake", create=True), StageResult("publish", 0, 0, notes=("no catalogue",)))
    assert "target" not in text and "Report" not in text and "Next:" in text
