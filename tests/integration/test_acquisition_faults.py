"""Every fault of an archive: the run ends complete, or stops with one sentence and resumes complete; nothing twice."""

from collections import Counter

import pytest

from lakehouse.answers.raw import SPLIT
from schemas import BadInput
from tasks.archives import services as profiles
from tasks.surveys import gaia
from tests.integration.acquisition import (
    N,
    acquire_into,
    asked,
    clear_log,
    in_chunks_of,
    items_answered_twice,
    limits_with,
    records,
    set_faults,
    set_limits,
    source_of,
    tables,
    understood,
)
from tests.integration.conftest import assert_same
from tests.integration.faulty import (
    DIRECT,
    POLL,
    RESULT,
    TAP,
    WAYS,
    assert_complete,
    assert_nothing_to_see,
    at,
    everywhere,
    extra,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("calm")]
TIMEOUT_S = 4.0


# Faults of a moment


STATUS = {"kind": "status"}


@pytest.mark.parametrize(
    "fault",
    [
        STATUS | {"status": 429, "retry_after": 0.2}, STATUS | {"status": 500}, STATUS | {"status": 502},
        STATUS | {"status": 503}, {"kind": "html"}, {"kind": "drop", "bytes": -1},
    ],
    ids=["429", "500", "502", "503", "html", "closed"],
)  # fmt: skip
def test_a_fault_that_passes_costs_one_request_more(fault, replica, acquired, tmp_path):
    set_faults(replica, *everywhere(WAYS, **fault))
    acquire_into(tmp_path / "lake", source_of(replica))
    assert_complete(replica, acquired, tmp_path / "lake", dict.fromkeys(WAYS, 1))


def test_an_answer_that_breaks_off_costs_one_request_more(replica, acquired, tmp_path):
    """But for a job's, which is fetched again from the same job."""
    set_faults(replica, *everywhere({**DIRECT, **RESULT}, kind="drop", bytes=300))
    acquire_into(tmp_path / "lake", source_of(replica))
    assert_complete(replica, acquired, tmp_path / "lake", dict.fromkeys(DIRECT, 1))


def test_an_archive_that_hangs_is_waited_for_so_long_and_asked_again(replica, acquired, tmp_path, monkeypatch):
    monkeypatch.setitem(profiles.PROFILES, "fast", limits_with(every={"timeout_s": TIMEOUT_S}))
    set_faults(replica, *everywhere(WAYS, kind="hang"), at("mast_ps1", POLL["mast_ps1"], kind="hang"))
    acquire_into(tmp_path / "lake", source_of(replica))
    assert_complete(replica, acquired, tmp_path / "lake", dict.fromkeys(WAYS, 1))
    failed = [attempt for record in records(tmp_path / "lake") for attempt in record.attempts if attempt["error"]]
    assert len(failed) == len(WAYS) + 1
    assert all(f"did not answer within {TIMEOUT_S:g} s" in attempt["error"] for attempt in failed)


@pytest.mark.parametrize(
    "faults",
    [
        everywhere(POLL, kind="status", status=503), everywhere(POLL, kind="html"),
        everywhere(RESULT, kind="status", status=502), everywhere(RESULT, kind="html"),
        [{"service": "mast_ps1", "path": "executionduration$|phase$", "kind": "status", "status": 503, "count": 2}],
    ],
    ids=["poll-503", "poll-html", "result-502", "result-html", "run-503"],
)  # fmt: skip
def test_a_fault_while_a_job_is_watched_sends_no_second_job(faults, replica, acquired, tmp_path):
    set_faults(replica, *faults)
    acquire_into(tmp_path / "lake", source_of(replica))
    assert_complete(replica, acquired, tmp_path / "lake", {})


@pytest.mark.parametrize("paths", [dict.fromkeys(TAP, ""), RESULT], ids=["watched", "fetched"])
def test_a_lost_job_is_sent_again(paths, replica, acquired, tmp_path):
    set_faults(replica, *everywhere(paths, kind="lost_job"))
    acquire_into(tmp_path / "lake", source_of(replica))
    once = dict.fromkeys(TAP, 1)
    assert_complete(replica, acquired, tmp_path / "lake", once, again=once)


@pytest.mark.parametrize("words", [None, "Query timed out after 1200 s"], ids=["no-reason", "time"])
def test_a_job_that_ends_in_error_is_sent_again(words, replica, acquired, tmp_path):
    set_faults(replica, *everywhere(dict.fromkeys(TAP, ""), kind="job_error", body=words))
    acquire_into(tmp_path / "lake", source_of(replica))
    once = dict.fromkeys(TAP, 1)
    assert_complete(replica, acquired, tmp_path / "lake", once, again=once)


@pytest.mark.parametrize("kind", ["truncated_zip", "empty_product", "wrong_structure"])
def test_datalink_is_asked_again_for_what_is_no_product(kind, replica, acquired, tmp_path):
    """wrong_structure: the server takes the other names from now on, and the other name is tried once."""
    set_faults(replica, {"service": "gaia_datalink", "kind": kind})
    acquire_into(tmp_path / "lake", source_of(replica))
    reached = {} if kind == "truncated_zip" else {"gaia_datalink": 1}
    if kind == "wrong_structure":  # another spelling is another question
        assert_same(acquired.tables, tables(tmp_path / "lake"))
        assert extra(replica, acquired) == reached and items_answered_twice(tmp_path / "lake") == []
    else:
        assert_complete(replica, acquired, tmp_path / "lake", {"gaia_datalink": 1}, again=reached)


# Stops


def stops(base, lake, match: str) -> str:
    """Run into a fault: one sentence, and nothing of the sample to see. Returns the sentence."""
    with pytest.raises(BadInput, match=match) as stop:
        acquire_into(lake, source_of(base))
    sentence = str(stop.value)
    assert sentence.endswith(".") and "\n" not in sentence and "nothing is lost" in sentence
    assert_nothing_to_see(lake)
    return sentence


@pytest.mark.parametrize(
    ("service", "path"), [*WAYS.items(), *POLL.items()], ids=[*WAYS, *(f"{service}-poll" for service in POLL)]
)
def test_a_refusal_stops_at_once_and_the_next_run_completes(service, path, replica, acquired, tmp_path):
    is_poll = (service, path) in POLL.items()
    set_faults(replica, at(service, path, kind="status", status=403))
    sentence = stops(replica, tmp_path / "lake", "403")
    assert sentence.startswith(f"{service} refuses all requests")
    acquire_into(tmp_path / "lake", source_of(replica), run_id="r2")
    assert_complete(replica, acquired, tmp_path / "lake", {} if is_poll else {service: 1})


@pytest.mark.parametrize("service", TAP)
def test_a_query_that_is_not_understood_stops(service, replica, acquired, tmp_path):
    words = 'Incorrect ADQL query: Encountered "FORM". Was expecting "FROM"'
    set_faults(replica, {"service": service, "kind": "job_error", "body": words})
    assert words in stops(replica, tmp_path / "lake", f"^{service} has no usable answer to")
    acquire_into(tmp_path / "lake", source_of(replica), run_id="r2")
    assert_complete(replica, acquired, tmp_path / "lake", {service: 1}, again={service: 1})


def test_a_fault_that_stays_stops_after_so_many_attempts(replica, acquired, tmp_path):
    """No product of 200 sources that have photometry: never taken as true, and never asked for in halves."""
    attempts = profiles.PROFILES["fast"]["gaia_datalink"].attempts
    set_faults(replica, {"service": "gaia_datalink", "kind": "empty_product", "count": attempts})
    sentence = stops(replica, tmp_path / "lake", f"^gaia_datalink failed {attempts} times")
    assert f"without a row about any of {N} items" in sentence
    acquire_into(tmp_path / "lake", source_of(replica), run_id="r2")
    more = {"gaia_datalink": attempts}
    assert_complete(replica, acquired, tmp_path / "lake", more, again=more)


def test_a_stop_in_a_later_field_shows_nothing_of_the_earlier_ones(replica, acquired, tmp_path, monkeypatch):
    monkeypatch.setattr(gaia, "sample_chunks", in_chunks_of(N // 4))
    set_faults(replica, at("gaia_datalink", DIRECT["gaia_datalink"], kind="status", status=403, after=3))
    stops(replica, tmp_path / "lake", "^gaia_datalink refuses all requests")
    assert any((tmp_path / "lake" / "staging").rglob("*.parquet"))
    acquire_into(tmp_path / "lake", source_of(replica), run_id="r2")
    assert_same(acquired.tables, tables(tmp_path / "lake"))
    assert asked(replica)["gaia_datalink"] == 4 + 1
    # A list that waits for its count when the run stops is not asked for again; a count that was begun may be.
    assert {n for (service, _), n in understood(replica).items() if service not in TAP} == {1}
    assert items_answered_twice(tmp_path / "lake") == []
    assert not any((tmp_path / "lake" / "staging").rglob("*.parquet"))


# Too much at once


def n_split(lake) -> Counter[str]:
    """How many requests of each service were split."""
    return Counter(record.service for record in records(lake) if record.state == SPLIT)


def assert_split(replica, acquired, lake, services: set[str], n_lost: int = 1) -> None:
    """The run is complete; each request that was split cost `n_lost` requests and the two halves, which are counted."""
    split = n_split(lake)
    assert set(split) == services
    assert_same(acquired.tables, tables(lake))
    assert extra(replica, acquired) == {service: (n_lost + 1 + (service in TAP)) * n for service, n in split.items()}
    assert items_answered_twice(lake) == []
    clear_log(replica)
    acquire_into(lake, source_of(replica), run_id="r2", dataset="other")  # what was split is known to be
    assert asked(replica) == {}
    assert_same(tables(lake, "sky"), tables(lake, "other"))


def test_answers_cut_off_at_the_cap_are_split(replica, acquired, tmp_path, monkeypatch):
    """MAST and ESA both cut off without a word: as many rows as the cap means that there are more."""
    caps = {"gaia_tap": 60, "mast_ps1": 2000}
    set_limits(replica, row_caps={service: [cap, cap] for service, cap in caps.items()})
    changed = limits_with(**{service: {"row_cap": cap} for service, cap in caps.items()})
    monkeypatch.setitem(profiles.PROFILES, "fast", changed)
    acquire_into(tmp_path / "lake", source_of(replica))
    done = [record for record in records(tmp_path / "lake") if record.service in caps and record.state != SPLIT]
    assert all(record.rows < caps[record.service] for record in done)
    assert_split(replica, acquired, tmp_path / "lake", set(caps))


def test_one_capped_answer_is_split(replica, acquired, tmp_path, monkeypatch):
    monkeypatch.setitem(profiles.PROFILES, "fast", limits_with(mast_ps1={"row_cap": 5000}))
    set_faults(replica, {"service": "mast_ps1", "kind": "capped", "rows": 5000, "after": 2})
    acquire_into(tmp_path / "lake", source_of(replica))
    assert n_split(tmp_path / "lake") == {"mast_ps1": 1}
    assert_split(replica, acquired, tmp_path / "lake", {"mast_ps1"})


def test_more_ids_than_datalink_takes_are_split(replica, acquired, tmp_path):
    set_limits(replica, max_datalink_ids=N // 3)
    acquire_into(tmp_path / "lake", source_of(replica))
    assert n_split(tmp_path / "lake") == {"gaia_datalink": 3}
    assert_split(replica, acquired, tmp_path / "lake", {"gaia_datalink"})


def test_repeated_server_errors_halve_a_request(replica, acquired, tmp_path):
    n = profiles.PROFILES["fast"]["mast_tic"].halve_after
    set_faults(replica, at("mast_tic", TAP["mast_tic"], kind="status", status=504, count=n))
    acquire_into(tmp_path / "lake", source_of(replica))
    assert_split(replica, acquired, tmp_path / "lake", {"mast_tic"}, n_lost=n)
