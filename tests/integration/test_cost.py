"""What a run is reckoned to cost is what one with several fields and small chunks really sends."""

from collections import Counter

import pytest

from benchmarks.cost import by_chunks, costs, ledger
from lakehouse.answers.raw import DONE
from tasks.archives import services as profiles
from tasks.surveys import gaia
from tests.integration.acquisition import N, acquire_into, asked, in_chunks_of, limits_with, records, source_of

CHUNK_SIZE = 60  # three chunks of the sample, and a smaller one
CHUNKS = {name: {"chunk": 25} for name in ("gaia_tap", "gaia_datalink", "mast_ps1", "mast_portal", "irsa_tap", "truth")}


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


def test_no_request_goes_beyond_a_field():
    assert by_chunks(1.0, 1_000_000, 2500, 1000) == 1200
    assert by_chunks(1.0, 1_000_000, 2500, 20_000) == 400
    assert by_chunks(1.0, 10_100, 2500, 1000) == 13
    assert by_chunks(2e-4, 1_000_000, 2500, 500) == pytest.approx(200)  # one item in every second field
