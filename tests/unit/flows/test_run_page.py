"""The page of a run says what was new, what was reused and why, and how the release differs from the one before."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows import run_page
from flows.run_page import describe_run, entitle, open_page
from lakehouse.delta.store import Lake
from lakehouse.run import StageResult
from schemas import TABLES, BadInput

METRIC, REJECTED = TABLES["score_model__metric"], TABLES["core_quarantine__row"]
TODAY = f"{datetime.now(UTC):%Y%m%d}"
SETTINGS = SimpleNamespace(dataset="d", models=None)


def metric(value: float) -> dict:
    return {"dataset": "d", "target": "class", "recipe": "forest", "model_id": "m", "split": "test", "class": "all",
            "metric": "macro_f1", "value": value, "lo": value - 0.1, "hi": value + 0.1, "n": 50, "note": None,
            "is_chosen": True}  # fmt: skip


@pytest.fixture
def lake(tmp_path) -> Lake:
    """A lake with a metric, two rows put aside, and two releases of the dataset."""
    place = Lake(tmp_path / "lake", create=True)
    place.overwrite("r", METRIC, pa.Table.from_pylist([metric(0.9)], METRIC.arrow()), {"dataset": "d"})
    row = {"dataset": "d", "run_id": "r", "table": "raw_sample__epoch", "column": "mag", "check": "not null"}
    rows = [{**row, "key": key} for key in ("1", "2")]
    place.overwrite("r", REJECTED, pa.Table.from_pylist(rows, REJECTED.arrow()), {"dataset": "d"})
    for name, value, classes in (("d-1", 0.8, ["RRab", "RRab"]), ("d-2", 0.9, ["RRab", "ECL", None])):
        folder = tmp_path / "release" / name
        folder.mkdir(parents=True)
        (folder / "report.html").touch()
        pq.write_table(pa.Table.from_pylist([metric(value)], METRIC.arrow()), folder / f"{METRIC.name}.parquet")
        pq.write_table(pa.table({"class_pred": classes}), folder / "out__catalogue.parquet")
    return place


@pytest.mark.parametrize(
    ("done", "title"),
    [
        ({"acquire": 1200, "score": 9}, f"demo {TODAY} +1,200 stars"),
        ({"acquire": 0, "train": 1, "score": 9}, f"demo {TODAY} train, score"),
        ({"acquire": 0, "publish": 0}, "demo nothing new"),
    ],
)
def test_the_name_of_a_run_says_what_happened(done, title):
    assert entitle("demo", [StageResult(name, n, 10) for name, n in done.items()]) == title


def test_the_summary_compares_with_the_release_before(lake, tmp_path):
    release = tmp_path / "release" / "d-2"
    stages = [
        StageResult("acquire", 5, 50, seconds=2.0, notes=("3 stars have no epoch",)),
        StageResult("publish", 50, 50, seconds=1.0, notes=(f"release {release}",)),
    ]
    text = describe_run("d +5 stars", SETTINGS, lake, stages)
    assert "| acquire | 5 | 50 | 2.0 | 2/s | 45: its inputs" in text and "acquire: 3 stars have no epoch" in text
    assert "macro_f1, test | 0.9 [0.8, 1] of 50 | 0.8 [0.7, 0.9] of 50 |" in text
    assert "50.0% of the stars" in text and re.search(r"ECL \| 50.0% \| 0.0%", text)
    assert "| raw_sample__epoch.mag: not null | 2 |" in text and f"{release}/report.html" in text
    first = describe_run(
        "d", SETTINGS, lake, [StageResult("publish", 0, 5, notes=(f"release {tmp_path}/release/d-1",))]
    )
    assert "0.9 [0.8, 1] of 50 |  |" in first and "Drift" not in first


class Page:
    """Keeps what is put on it."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, bool]] = []
        self.names: list[str] = []
        self.is_final = False

    def log(self, sentence: str, is_error: bool = False) -> None:
        self.lines.append((sentence, is_error))

    def rename(self, name: str) -> None:
        self.names.append(name)

    def refuse_retries(self) -> None:
        self.is_final = True


@pytest.mark.parametrize(
    ("error", "word", "is_final"),
    [
        (BadInput("No band."), "failed", True),
        (ConnectionError("refused"), "failed", False),
        (KeyboardInterrupt(), "stopped", False),
    ],
)
def test_a_run_that_ends_early_says_so_and_only_bad_input_is_final(monkeypatch, error, word, is_final):
    class Post:
        def __enter__(self) -> Page:
            return page

        def __exit__(self, *error: object) -> None:
            pass

    page = Page()
    monkeypatch.setattr(run_page, "open_post", Post)
    with pytest.raises(type(error)), open_page("demo"):
        raise error
    assert page.names == [f"demo {TODAY} {word}"] and page.is_final is is_final
    ((sentence, is_error),) = page.lines
    assert is_error and sentence.startswith("The run ended early: ")
