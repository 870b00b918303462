"""What tests of several rooms share: a replica of a small sky in its own process, and a hostile proxy before it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hostile_proxy import HostileProxy, hostile_proxy


@pytest.fixture(scope="session")
def replica(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a replica of a small sky, for all tests of acquisition."""
    from tasks.replica.serve import running
    from tests.integration.acquisition import SEED, N

    with running(N, SEED, tmp_path_factory.mktemp("replica")) as base:
        yield base


@pytest.fixture
def hostile(
    replica: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HostileProxy]:
    """A proxy before the replica that spoils the replies it is told to; gates are the test's own."""
    monkeypatch.setenv("ARGELANDER_LIMITS", str(tmp_path_factory.mktemp("limits")))
    with hostile_proxy(replica) as proxy:
        yield proxy
