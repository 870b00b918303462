"""Acquisition killed at random moments and begun again ends as if nothing had happened, and asks for nothing twice.

ARGELANDER_KILLS says how many moments are tried, ARGELANDER_KILL_SEED which. The acquisition alone is killed so often,
in a process of its own; the command line, with everything it starts, at some moments more.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import NamedTuple

import pyarrow as pa
import pytest

from lakehouse.answers.raw import DONE, SENT, RawStore
from tasks.archives import services as profiles
from tasks.surveys import gaia
from tests.integration.acquisition import SEED as REPLICA_SEED
from tests.integration.acquisition import (
    N,
    acquire_into,
    asked,
    clear_log,
    in_chunks_of,
    items_answered_twice,
    limits_with,
    questions,
    records,
    source_of,
    tables,
    understood,
)
from tests.integration.conftest import FOREST_ONLY, SMALL, assert_same, contents, environment, kill_all
from tests.integration.faulty import TAP

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("calm", "one_server")]
KILLS = int(os.environ.get("ARGELANDER_KILLS", "12"))
SEED = int(os.environ.get("ARGELANDER_KILL_SEED", random.randrange(10**6)))
# Small chunks: many requests, of which some are answered, some under way and some not sent when the kill comes.
CHUNKS = {name: {"chunk": 40} for name in ("gaia_datalink", "mast_ps1", "mast_tic", "irsa_tap", "truth")}
CHUNK_SIZE = 90  # three chunks, of which one is staged while the next is asked for
SHARES = (0.2, 0.8)  # of a whole refresh's questions: where the command line is killed


class Whole(NamedTuple):
    """A run that nobody killed: what it gave, how often it asked each service, and its seconds after that."""

    tables: dict[str, pa.Table]
    asked: Counter[str]
    seconds: float


def moment(number: int, whole: Whole) -> tuple[int, float]:
    """After how many questions a kill comes, and how many seconds later: at the door, or in a third of all later."""
    chance = random.Random(f"{SEED} {number}")
    if chance.random() < 1 / 3:
        return whole.asked.total(), chance.uniform(0, whole.seconds)
    return chance.randint(1, whole.asked.total()), chance.uniform(0, 0.05)


def start(lake, base, n_question: int) -> subprocess.Popen:
    """An acquisition in a process of its own; returns when it has asked so often."""
    clear_log(base)
    words = [str(lake), base, str(CHUNK_SIZE), json.dumps(CHUNKS)]
    command = [sys.executable, "-m", "tests.integration.acquisition", *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment())
    wait_for_questions(base, n_question, process)
    return process


def wait_for_questions(base: str, n: int, process: subprocess.Popen) -> None:
    """Returns as soon as the process has asked so often."""
    longest = time.monotonic() + 120
    while len(questions(base)) < n:
        has_ended = process.poll() is not None  # before the door is asked once more: the last question may be its end
        assert len(questions(base)) >= n or (not has_ended and time.monotonic() < longest), process.stderr.read()
        time.sleep(0.01)


@pytest.fixture(scope="module")
def whole(replica, tmp_path_factory):
    place = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARGELANDER_LIMITS", str(place / "limits"))
        assert start(place / "lake", replica, 1).wait() == 0
        seen = asked(replica)
        process = start(place / "again", replica, seen.total())
        began = time.monotonic()
        assert process.wait() == 0, process.stderr.read()
    return Whole(tables(place / "lake"), seen, time.monotonic() - began)


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_and_begun_again(number, whole, acquired, replica, tmp_path, monkeypatch):
    n_question, pause = moment(number, whole)
    lake = tmp_path / "lake"
    process = start(lake, replica, n_question)
    time.sleep(pause)
    is_alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.2)  # what was on its way has come to the door
    before, sent = {record.key: record for record in records(lake)}, asked(replica)
    clear_log(replica)

    monkeypatch.setitem(profiles.PROFILES, "fast", limits_with(**CHUNKS))
    monkeypatch.setattr(gaia, "sample_chunks", in_chunks_of(CHUNK_SIZE))
    acquire_into(lake, source_of(replica), run_id="r2")
    done = Counter(record.service for record in before.values() if record.state == DONE)
    jobs = Counter(record.service for record in before.values() if record.state == SENT and record.job_url)
    print(f"\nkill {number} of seed {SEED}: {sent.total()} of {whole.asked.total()} questions and {pause:.2f} s, "
          f"{'alive' if is_alive else 'over'}, {done.total()} answered, {jobs.total()} jobs to find again")  # fmt: skip
    assert_same(whole.tables, tables(lake))
    assert_same(acquired.tables, tables(lake))
    assert items_answered_twice(lake) == []
    assert not any(path.is_file() for path in (lake / "staging").rglob("*"))

    # What was answered is not asked again; a job on record is found again; the rest is asked once.
    after, again = {record.key: record for record in records(lake)}, asked(replica)
    answered = {key: record for key, record in before.items() if record.state == DONE}
    assert {key: after[key] for key in answered} == answered
    assert set(understood(replica).values()) <= {1}
    for service, n in whole.asked.items():
        assert n - done[service] - jobs[service] <= again[service] <= n - done[service], service
        # Under way at the kill: asked twice, or a job; a list may have come, and its count be under way.
        parallel = profiles.PROFILES["fast"][service].parallel * (1 + (service in TAP))
        assert 0 <= sent[service] - done[service] <= parallel, service
    # What may be left: a claim by one who died between its record and the claim's end, and drafts in the raw store.
    claims = {path.name for path in (lake / "raw").glob("*/*/.claims/*")}
    assert claims <= {record.key for record in before.values() if record.state == DONE}
    drafts = set((lake / "raw").rglob("*.tmp"))
    assert len(drafts) <= sent.total() - done.total()
    for path in drafts:  # kept for an hour, because their writer may live
        os.utime(path, (0, 0))
    RawStore(lake).clear_abandoned_drafts()
    assert not any(path.exists() for path in drafts)


def refreshing(lake, base: str) -> subprocess.Popen:
    """`argelander refresh rrlyrae`, into a lake, from the replica at `base`."""
    clear_log(base)
    settings = (*SMALL, "training.min_labels=10", FOREST_ONLY, f"source.base_url={base}",
                "source.sample.n_range=4", f"source.replica.n_objects={N}",
                f"source.replica.seed={REPLICA_SEED}")  # fmt: skip
    words = [word for setting in settings for word in ("--set", setting)]
    places = ["--lake", str(lake), "--release", str(lake / "release")]
    command = [sys.executable, "-m", "flows.cli", "refresh", "rrlyrae", *places, *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment())


@pytest.fixture(scope="module")
def refreshed_whole(replica, tmp_path_factory):
    place = tmp_path_factory.mktemp("refreshed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARGELANDER_LIMITS", str(place / "limits"))
        process = refreshing(place / "lake", replica)
        _, words = process.communicate()
    assert process.returncode == 0, words
    return contents(place / "lake"), asked(replica)


@pytest.mark.parametrize("share", SHARES)
def test_refresh_killed_while_it_acquires_and_run_again(share, refreshed_whole, replica, tmp_path):
    whole, whole_asked = refreshed_whole
    lake = tmp_path / "lake"
    process = refreshing(lake, replica)
    wait_for_questions(replica, max(1, round(share * whole_asked.total())), process)
    kill_all(process)
    assert process.returncode == -signal.SIGKILL
    (run,) = (json.loads(path.read_text()) for path in (lake / "runs").glob("*.json"))
    assert [stage["name"] for stage in run["stages"]] == ["acquire"]
    time.sleep(0.2)  # what was on its way has come to the door
    before = {record.key: record for record in records(lake)}

    process = refreshing(lake, replica)
    _, words = process.communicate()
    assert process.returncode == 0, words
    done = Counter(record.service for record in before.values() if record.state == DONE)
    again = asked(replica)
    print(f"\nrefresh killed: {sum(done.values())} of {whole_asked.total()} questions answered, then {again.total()}")
    ledger = "raw_archive__request"
    assert_same({name: table for name, table in whole.items() if name != ledger},
                {name: table for name, table in contents(lake).items() if name != ledger})  # fmt: skip
    assert items_answered_twice(lake) == []
    assert all(again[service] <= n - done[service] for service, n in whole_asked.items())
    assert not any(path.is_file() for path in (lake / "staging").rglob("*"))
