"""A stand-in for Prefect's server that keeps what it is sent, and a flow run whose page it would show."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from tasks.monitoring import post

FLOW_RUN, TASK_RUN = uuid4(), uuid4()


class Server:
    """Takes what a client of Prefect sends; is lost where `is_lost`."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []
        self.names: list[str] = []
        self.policies: list[int | None] = []
        self.artifacts: dict[UUID, dict] = {}
        self.moves: list[float] = []
        self.is_lost, self.n_asked = False, 0

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def _answer(self) -> None:
        self.n_asked += 1
        if self.is_lost:
            raise ConnectionError("no server")

    def create_logs(self, lines) -> None:
        self._answer()
        self.lines += [(line.level, line.message) for line in lines]
        assert {line.flow_run_id for line in lines} == {FLOW_RUN}

    def create_artifact(self, artifact) -> SimpleNamespace:
        self._answer()
        made = SimpleNamespace(id=uuid4())
        self.artifacts[made.id] = artifact.model_dump()
        return made

    def update_artifact(self, artifact_id, change) -> None:
        self._answer()
        self.artifacts[artifact_id] |= change.model_dump(exclude_unset=True)
        self.moves.append(change.data)

    def set_flow_run_name(self, flow_run_id, name) -> None:
        self._answer()
        self.names.append(name)

    def update_flow_run(self, flow_run_id, empirical_policy) -> None:
        self._answer()
        self.policies.append(empirical_policy.retries)

    def find(self, kind: str) -> list[dict]:
        """The artifacts of a kind, in their order."""
        return [each for each in self.artifacts.values() if each["type"] == kind]


@pytest.fixture
def server(monkeypatch) -> Server:
    """The server of a task run that is at work."""
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__ID", str(FLOW_RUN))
    monkeypatch.setenv("PREFECT__RUNTIME__TASK_RUN__ID", str(TASK_RUN))
    stand_in = Server()
    monkeypatch.setattr(post, "get_client", lambda **options: stand_in)
    return stand_in
