"""What goes to the orchestrator's server beside the run: sent in order by one thread, dropped where it cannot be."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from datetime import UTC, datetime
from itertools import chain
from logging import ERROR, INFO
from uuid import UUID

from prefect import runtime
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate, LogCreate
from prefect.client.schemas.objects import FlowRunPolicy

LOGGER = "argelander"  # the name that our lines have in a log
LONGEST_QUEUE = 1000  # letters that wait; more than that are dropped
GIVEN_UP_AFTER = 3  # letters in a row that could not be sent
ANSWER_S, DRAIN_S = 10.0, 10.0  # a letter may take so long, and all that are left at the end of a run
_OPEN: list[Post] = []

Letter = Callable[[SyncPrefectClient], object]


class Post:
    """Letters to the server. `send` returns at once and raises nothing."""

    def __init__(self) -> None:
        self._letters: queue.Queue[Letter | None] = queue.Queue(LONGEST_QUEUE)
        self._is_lost = False
        # In our own context, where Prefect keeps the address of the server.
        self._thread = threading.Thread(target=copy_context().run, args=(self._work,), daemon=True)
        self._thread.start()

    def send(self, letter: Letter) -> None:
        """Have `letter` called with a client of the server, soon; never where the server is lost."""
        if not self._is_lost:
            with suppress(queue.Full):
                self._letters.put_nowait(letter)

    def close(self) -> None:
        """Wait until all is sent, but not long."""
        with suppress(queue.Full):
            self._letters.put_nowait(None)
        self._thread.join(DRAIN_S)
        self._is_lost = True

    def _work(self) -> None:
        letters = iter(self._letters.get, None)
        first = next(letters, None)  # without one no server is looked for
        if first is None:
            return
        with suppress(Exception), get_client(httpx_settings={"timeout": ANSWER_S}, sync_client=True) as client:
            n_failed = 0
            for letter in chain([first], letters):
                if self._is_lost:
                    break
                try:
                    letter(client)
                    n_failed = 0
                except Exception:  # whatever is wrong with the server, a run goes on without its pages
                    n_failed += 1
                    self._is_lost = n_failed >= GIVEN_UP_AFTER
        self._is_lost = True


@contextmanager
def open_post() -> Iterator[Page]:
    """Within the block what doors and flows say goes to the server; gives the page of the flow run."""
    post = Post()
    _OPEN.append(post)
    try:
        yield Page(post)
    finally:
        _OPEN.remove(post)
        post.close()


def find_page() -> Page | None:
    """The page of the task run or flow run that is at work; None where nobody listens."""
    return Page(_OPEN[-1]) if _OPEN else None


class Page:
    """The page of one run, of a flow or of a task, as the server shows it."""

    def __init__(self, post: Post) -> None:
        self._post = post
        flow_run, task_run = runtime.flow_run.id, runtime.task_run.id
        self._flow_run = UUID(flow_run) if flow_run else None
        self._run = {"flow_run_id": self._flow_run, "task_run_id": UUID(task_run) if task_run else None}

    def _send(self, letter: Letter) -> None:
        """Send a letter about the run, if there is one: stages are called outside of flows, too."""
        if self._flow_run is not None:
            self._post.send(letter)

    def log(self, sentence: str, is_error: bool = False) -> None:
        """A line in the log of the run."""
        if self._flow_run is not None:
            line = LogCreate(name=LOGGER, level=ERROR if is_error else INFO, message=sentence,
                             timestamp=datetime.now(UTC), **self._run)  # fmt: skip
            self._send(lambda client: client.create_logs([line]))

    def tell(self, sentence: str) -> None:
        """A line on standard error and in the log of the run."""
        print(sentence, file=sys.stderr, flush=True)
        self.log(sentence.strip())

    def put(self, kind: str, key: str, data: object, description: str | None = None) -> Callable[[object, str], None]:
        """An artifact of the run; `key`, of any text, tells what is the same in other runs. Gives a function to change
        its data and description.
        """
        artifact = ArtifactCreate(type=kind, key=clean_key(key), data=data, description=description, **self._run)
        made: list[UUID] = []
        self._send(lambda client: made.append(client.create_artifact(artifact).id))

        def change(data: object, description: str) -> None:
            fresh = ArtifactUpdate(data=data, description=description)

            def letter(client: SyncPrefectClient) -> None:
                client.update_artifact(made[0], fresh)  # fails where it was not made

            self._send(letter)

        return change

    def rename(self, name: str) -> None:
        """Give the flow run a name that says what happened."""
        if (flow_run := self._flow_run) is not None:
            self._post.send(lambda client: client.set_flow_run_name(flow_run, name))

    def refuse_retries(self) -> None:
        """Have the flow run fail for good where it fails now."""
        if (flow_run := self._flow_run) is not None:
            policy = FlowRunPolicy(retries=0)
            self._post.send(lambda client: client.update_flow_run(flow_run, empirical_policy=policy))


def clean_key(text: str) -> str:
    """`text` as Prefect takes the keys of artifacts: lower case letters, digits and dashes."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text.lower()).strip("-")
