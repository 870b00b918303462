"""Programs that are killed, and programs that run at the same time, seen from the server's door over real HTTP."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lakehouse.answers.raw import RawStore
from tests.unit.stages.archive_stand_ins import OverHttp, exchange, items, pairs, question, rows_about, server

ROOT = Path(__file__).parents[3]

PROGRAM = """
import json, os, signal, sys
from dataclasses import replace
from pathlib import Path
from tests.unit.stages.archive_stand_ins import *
from lakehouse.answers import answer_index, raw
from tasks.stages.acquire import sending

folder, url, parallel, per_second, first, last = Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:7])
limits = replace(QUICK, parallel=parallel, per_second=per_second or None)
die = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)

def dies_after(owner, name, at=1):
    whole, calls = getattr(owner, name), []
    def then_die(*a, **k):
        result = whole(*a, **k)
        calls.append(1)
        if len(calls) == at:
            die()
        return result
    setattr(owner, name, then_die)

def dies_instead(owner, name, at=1):
    whole, calls = getattr(owner, name), []
    def or_die(*a, **k):
        calls.append(1)
        return die() if len(calls) == at else whole(*a, **k)
    setattr(owner, name, or_die)

{moment}
store, clients, here = RawStore(folder / "lake"), {{"vo": OverHttp(url)}}, dict(addresses={{"vo": url}})
with Exchange(store, clients, {{"vo": limits}}, LIMITS, "here", "r1", **here) as ask:
    print("ready", flush=True)
    sys.stdin.readline()
    table = ask(question(), items(range(first, last)))
    print(json.dumps(pairs(table)))
"""


def program(folder, url, moment="", parallel=2, per_second=0, first=0, last=100, limits=None, waits=False):
    text = PROGRAM.format(moment=moment).replace("LIMITS", repr(str(limits or folder / "limits")))
    command = [sys.executable, "-c", text, *map(str, (folder, url, parallel, per_second, first, last))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    stdin = subprocess.PIPE if waits else subprocess.DEVNULL
    return subprocess.Popen(command, env=environment, stdin=stdin, stdout=subprocess.PIPE, text=True)


def together(programs):
    """Starts programs that wait at the same time; what each says in the end."""
    for one in programs:
        one.stdout.readline()
    for one in programs:
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [json.loads(one.communicate(timeout=30)[0]) for one in programs]
    assert [one.returncode for one in programs] == [0] * len(programs)
    return [[tuple(pair) for pair in pairs] for pairs in said]


def wait_for(door, n_request):
    latest = time.monotonic() + 20
    while len(door.seen) < n_request and time.monotonic() < latest:
        time.sleep(0.002)
    assert len(door.seen) >= n_request


def asked(door):
    """How often each request reached the server, by its first id."""
    firsts = [seen["ids"][0] for seen in door.seen]
    return {first: firsts.count(first) for first in firsts}


# Where a program is killed at its third request, and how many requests have to be asked again.
MOMENTS = {
    "before it sends": ('dies_instead(OverHttp, "send", 3)', 0),
    "the answer is there": ('dies_after(OverHttp, "send", 3)', 1),
    "the answer is kept": ('dies_after(raw.RawStore, "keep", 3)', 1),
    "the record is kept": ('dies_after(raw.RawStore, "write", 3)', 0),
    "the journal has it": ('dies_after(answer_index.AnswerIndex, "finish", 3)', 0),
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_step_of_a_request(tmp_path, moment):
    kill, n_again = MOMENTS[moment]
    with server() as (url, door):
        died = program(tmp_path, url, kill, parallel=1)
        assert died.wait(30) == -signal.SIGKILL
        with exchange(tmp_path, OverHttp(url)) as ask:
            assert pairs(ask(question(), items(range(100)))) == rows_about(range(100))
        again = [first for first, n in asked(door).items() if n > 1]
        assert again == [20] * n_again and len(door.seen) == 10 + n_again
    with exchange(tmp_path, None, offline=True) as ask:
        assert pairs(ask(question(), items(range(100)))) == rows_about(range(100))
    assert not list((tmp_path / "lake").rglob(".claims/*")) and not list((tmp_path / "lake").rglob("*.tmp"))


@pytest.mark.slow
def test_killed_again_and_again_nothing_that_was_kept_is_asked_twice(tmp_path):
    with server(delay=0.01) as (url, door):
        for k in range(4):
            running = program(tmp_path, url, parallel=3, last=600)
            wait_for(door, len(door.seen) + random.randint(3, 14))
            time.sleep(random.uniform(0, 0.02))
            running.kill()
            running.wait()
            kept = {i for record in RawStore(tmp_path / "lake").records_since() for i in record.item_hashes.tolist()}
            n_seen = len(door.seen)
            assert n_seen - len(kept) // 10 <= 3 * (k + 1)  # what was on its way
        time.sleep(0.05)
        n_seen = len(door.seen)
        with exchange(tmp_path, OverHttp(url)) as ask:
            assert pairs(ask(question(), items(range(600)))) == rows_about(range(600))
        later = [i for seen in door.seen[n_seen:] for i in seen["ids"]]
        assert sorted(later) == sorted(set(range(600)) - kept) and len(kept) > 0


def test_a_killed_program_leaves_its_job_to_the_next(tmp_path):
    """A client that has started a job dies while it waits for it: the next program asks for that job."""
    job = """
def send(self, question, table, job):
    (folder / "given").open("a").write(f"{job.url}\\\\n")
    if job.url is None:
        job.remember("http://archive/async/42")
        die()
    return answer_about(table["id"].to_pylist()).encode()
OverHttp.send = send
"""
    died = program(tmp_path, "http://nowhere", job.replace("\\\\", "\\"), last=10)
    assert died.wait(30) == -signal.SIGKILL
    (record,) = RawStore(tmp_path / "lake").records_since()
    assert (record.state, record.job_url) == ("sent", "http://archive/async/42")
    after = program(tmp_path, "http://nowhere", job.replace("\\\\", "\\"), last=10)
    out, _ = after.communicate(timeout=30)
    assert [tuple(pair) for pair in json.loads(out.splitlines()[-1])] == rows_about(range(10))
    assert (tmp_path / "given").read_text().split() == ["None", "http://archive/async/42"]


def test_two_programs_on_one_lake_share_the_work(tmp_path):
    """Their lists overlap, with borders of requests at other places; no id is asked for twice."""
    with server(delay=0.01) as (url, door):
        both = [program(tmp_path, url, first=first, last=first + 150, waits=True) for first in (0, 55)]
        assert together(both) == [rows_about(range(first, first + 150)) for first in (0, 55)]
        ids = [i for seen in door.seen for i in seen["ids"]]
    assert sorted(ids) == list(range(205))


@pytest.mark.slow
def test_a_program_waits_for_one_that_dies_and_takes_its_place(tmp_path):
    with server(delay=20) as (url, door):
        first = program(tmp_path, url, parallel=1, last=10)
        wait_for(door, 1)
        second = program(tmp_path, url, parallel=1, last=10)
        second.stdout.readline()
        time.sleep(0.1)
        assert len(door.seen) == 1
        door.delay = 0
        first.kill()
        first.wait()
        out, _ = second.communicate(timeout=30)
    assert [tuple(pair) for pair in json.loads(out)] == rows_about(range(10)) and len(door.seen) == 2


@pytest.mark.slow
def test_two_programs_on_two_lakes_respect_one_limit_together(tmp_path):
    with server(delay=0.02) as (url, door):
        (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
        both = [program(tmp_path / name, url, parallel=2, limits=tmp_path / "limits", waits=True) for name in "ab"]
        together(both)
    assert len(door.seen) == 20 and door.n_most == 2


@pytest.mark.slow
def test_two_programs_begin_so_many_a_second_together(tmp_path):
    with server() as (url, door):
        (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
        limits = tmp_path / "limits"
        both = [program(tmp_path / n, url, parallel=4, per_second=20, limits=limits, waits=True) for n in "ab"]
        together(both)
    began = sorted(seen["began"] for seen in door.seen)
    assert len(began) == 20
    # 0.95 s, but for the scatter of the way here; each program by itself would be through in half of that.
    assert 0.75 < began[-1] - began[0] < 5
    assert all(late - early > 0.3 for early, late in zip(began, began[9:], strict=False))  # 0.45 s
