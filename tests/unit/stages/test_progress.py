"""How far a stage is, in words, where there is no terminal."""

import pytest

from schemas import BadInput
from tasks.stages import progress as module
from tasks.stages.fanout import require_scheduler
from tasks.stages.progress import pace, progress, say


@pytest.mark.parametrize(("n", "seconds", "words"), [(500, 2, "250/s"), (3, 2, "90/min"), (0, 5, "0/min")])
def test_a_rate_is_per_second_or_per_minute_where_that_says_more(n, seconds, words):
    assert pace(n, seconds) == words


@pytest.mark.parametrize(("total", "words"), [(40, "clean: 30 of 40, "), (0, "clean: 30, ")])
def test_lines_count_what_is_done_and_are_not_too_many(capsys, monkeypatch, total, words):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    with progress("clean", total) as advance:
        for now[0] in (1.0, 11.0, 12.0):
            advance(15)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].strip().startswith(words)


def test_a_scheduler_that_does_not_answer_is_one_sentence(monkeypatch):
    monkeypatch.setattr("tasks.stages.fanout.ANSWER_S", 0.3)
    with pytest.raises(BadInput, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        require_scheduler("tcp://127.0.0.1:9")


def test_a_sentence_is_a_line_of_its_own_where_there_is_no_terminal(capsys):
    say("irsa_tap is asked again at 12:30, in 5 min")
    assert capsys.readouterr().err == "  irsa_tap is asked again at 12:30, in 5 min\n"


def test_a_sentence_stands_above_the_bar(capsys, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    with module._bar("acquire", 10) as advance:
        advance(5)
        say("irsa_tap [bold] waits")
    assert "  irsa_tap [bold] waits\n" in capsys.readouterr().err
    say("after it")
    assert capsys.readouterr().err == "  after it\n"
