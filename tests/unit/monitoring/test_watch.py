"""A stage on its page: a bar that moves now and then, lines in the log, a table at the end."""

import json
from types import SimpleNamespace

import pytest

from lakehouse.delta.reference import TableRef
from lakehouse.run import StageResult
from schemas import BadInput
from tasks.monitoring import watch
from tasks.monitoring.post import open_post
from tasks.monitoring.watch import watched
from tasks.stages.progress import note, progress, say

RUN = SimpleNamespace(dataset="demo")
REF = TableRef("core_sample__epoch", 3, 900)
DONE = StageResult("clean", 40, 100, (REF,), ("2 sources have no epoch",), {"quarantined": 7})


@watched
def clean(run, result: StageResult, steps: int = 0) -> StageResult:
    """A stage that counts its steps."""
    with progress("clean", 12) as advance:
        for _ in range(steps):
            advance(1)
    say("irsa is asked again")
    note("in the log alone")
    return result


@pytest.fixture
def clock(monkeypatch):
    """Seconds pass where they are told to."""
    now = [1000.0]

    def tick() -> float:
        now[0] += 1.0
        return now[0]

    monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=tick))


@pytest.mark.usefixtures("clock")
def test_a_bar_moves_while_a_stage_runs_but_not_at_each_step(server):
    with open_post():
        assert clean(RUN, DONE, steps=12) is DONE
    (bar,) = server.find("progress")
    assert bar["key"] == "demo-clean-progress" and bar["data"] == 100.0 and "40 of 100" in bar["description"]
    assert 2 <= len(server.moves) <= 6 and server.moves == sorted(server.moves)


def test_the_log_has_what_was_said_and_how_it_ended(server, capsys):
    with open_post():
        clean(RUN, DONE)
    lines = [line for _, line in server.lines]
    assert lines[:2] == ["irsa is asked again", "in the log alone"]
    assert lines[2].startswith("clean: 40 of 100 in ") and lines[3] == "clean: 2 sources have no epoch"
    assert "in the log alone" not in capsys.readouterr().err


def test_a_table_lists_what_came_of_it(server):
    with open_post():
        clean(RUN, DONE)
    (table,) = server.find("table")
    facts = {row["what"]: row["value"] for row in json.loads(table["data"])}
    assert facts["done"] == "40" and facts["of"] == "100" and facts["quarantined"] == "7"
    assert facts["wrote"] == "core_sample__epoch@3, 900 rows" and facts["note"] == DONE.notes[0]
    assert facts["rate"].endswith(("/s", "/min"))


def test_a_stage_without_work_has_no_bar(server):
    with open_post():
        clean(RUN, StageResult("clean", 0, 100))
    assert server.find("progress") == [] and len(server.find("table")) == 1
    assert any("up to date" in line for _, line in server.lines)


def test_a_stage_that_fails_says_why_and_fails_all_the_same(server):
    @watched
    def acquire(run) -> StageResult:
        raise BadInput("The folder has no band.")

    with pytest.raises(BadInput, match="no band"), open_post():
        acquire(RUN)
    assert server.lines == [(40, "acquire ended early: The folder has no band.")]


def test_where_nobody_listens_a_stage_is_as_it_is(server, capsys):
    assert clean(RUN, DONE) is DONE
    assert server.n_asked == 0 and "irsa is asked again" in capsys.readouterr().err
