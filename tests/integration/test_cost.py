"""What a run is reckoned to cost is what one with several fields and small chunks really sends."""

from collections import Counter

import pytest

from benchmarks.cost import costs, ledger
from lakehouse.answers.raw import DONE
from tasks.archives import services as profiles
from tasks.surveys import SURVEYS, gaia
from tasks.surveys.cost import KIB, reckon
from tests.integration.acquisition import N, acquire_into, asked, in_chunks_of, limits_with, records, source_of

CHUNK_SIZE = 60  # three chunks of the sample, and a smaller one
CHUNKS = {name: {"chunk": 25} for name in ("gaia_tap", "gaia_datalink", "mast_ps1", "mast_tic", "irsa_tap", "truth")}


@pytest.mark.slow
@pytest.mark.usefixtures("calm")
def test_a_run_sends_as_many_requests_as_are_reckoned(replica, acquired, tmp_path, monkeypatch):
    changed = limits_with(**CHUNKS)
    monkeypatch.setitem(profiles.PROFILES, "fast", changed)
    monkeypatch.setattr(gaia, "sample_chunks", in_chunks_of(CHUNK_SIZE))
    acquire_into(tmp_path / "lake", source_of(replica))
    sent = Counter(record.service for record in records(tmp_path / "lake") if record.state == DONE)
    assert sent == asked(replica)
    # From the ledger of a run with other chunks and a single field: what is reckoned knows items, not these requests.
    found = costs(ledger(acquired.lake), N, N, CHUNK_SIZE, changed)
    reckoned = {service: cost.requests for service, cost in found.items()}
    print(f"\nsent {dict(sent)}\nreckoned {reckoned}")
    assert reckoned.keys() == sent.keys()
    for service, n in sent.items():  # a field has not just its share of the items: one request more or less in each
        assert abs(reckoned[service] - n) <= max(4, 0.1 * n), service
    exact = ("gaia_tap", "gaia_datalink", "cds_xmatch", "truth")
    assert {service: reckoned[service] for service in exact} == {service: sent[service] for service in exact}


@pytest.mark.slow
def test_what_surveys_declare_of_a_source_is_what_a_run_asks(acquired):
    """By a third; bytes of light curves are those of DR4, which are twice as long."""
    limits = profiles.PROFILES["live"]
    asked_of = costs(ledger(acquired.lake), N, N, N, limits)
    declared = reckon(N, [survey for survey in SURVEYS.values() if not survey.is_simulated], limits)
    print({service: (cost.items / N, cost.bytes / KIB / N) for service, cost in asked_of.items()})
    for service, cost in declared.items():
        if cost.items > 0.2 * N:
            assert asked_of[service].items == pytest.approx(cost.items, rel=0.34), service
        if service != "gaia_datalink":
            assert asked_of[service].bytes == pytest.approx(cost.bytes, rel=0.34), service
