"""What the replica knows beyond its sky: faults to inject, requests seen, jobs, and the limits it keeps."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from starlette.requests import Request

from schemas import BadInput
from tasks.replica.adql import BOOLEAN_WORDS
from tasks.replica.jobs import Jobs
from tasks.replica.switches import Switches

# The services by the beginning of their paths, longest first; the names are those of the project's archive settings.
SERVICES: tuple[tuple[str, str], ...] = (
    ("/mast/vo-tap/api/v0.1/ps1dr2", "mast_ps1"),
    ("/mast/vo-tap/api/v0.1/tic", "mast_tic"),
    ("/irsa/cgi-bin/ZTF", "irsa_lightcurves"),
    ("/irsa/TAP", "irsa_tap"),
    ("/tap-server", "gaia_tap"),
    ("/data-server", "gaia_datalink"),
    ("/mast", "mast_portal"),
    ("/xmatch", "cds_xmatch"),
    ("/truth", "truth"),
    ("/cdn", "gaia_cdn"),
)
# Faults of the wire, done by the middleware to whatever the endpoint would have answered.
WIRE_FAULTS = ("status", "hang", "drop", "truncated_zip", "html")
# Faults of the content, done by the endpoint that takes them.
CONTENT_FAULTS = (
    "capped", "job_error", "lost_job", "empty_product", "wrong_structure", "sentinel", "duplicate_ids", "missing_ids",
)  # fmt: skip
LOG_LENGTH = 200_000


def service_of(path: str) -> str:
    """The service that a path belongs to, "admin" for the replica's own pages, "unknown" for anything else."""
    if path.startswith("/_"):
        return "admin"
    return next((name for start, name in SERVICES if path.startswith(start)), "unknown")


@dataclass(frozen=True)
class Fault:
    """One fault to inject into the requests to `service` ("*": any) whose path contains the regex `path`.

    The first `after` matching requests pass, the next `count` get it. `status`, `body` and `retry_after` are for
    kind "status" (with body also for "html" and "job_error"), `seconds` for "hang", `rows` for "capped" (rows
    left), "sentinel", "duplicate_ids" and "missing_ids" (rows or ids hit), `bytes` for "drop" and "truncated_zip"
    (what is sent before the end; half of the answer where 0; negative: the connection closes without an answer).
    """

    service: str
    kind: str
    path: str = ""
    count: int = 1
    after: int = 0
    status: int = 500
    body: str | None = None
    retry_after: float | None = None
    seconds: float = 3600.0
    rows: int = 1
    bytes: int = 0

    def __post_init__(self) -> None:
        names = {name for _, name in SERVICES} | {"*"}
        if self.service not in names:
            raise BadInput(f'a fault names the service "{self.service}", known are {", ".join(sorted(names))}')
        if self.kind not in (*WIRE_FAULTS, *CONTENT_FAULTS):
            raise BadInput(f'a fault is of kind "{self.kind}", known are {", ".join((*WIRE_FAULTS, *CONTENT_FAULTS))}')
        if self.count < 1 or self.after < 0:
            raise BadInput(
                f"a fault hits count={self.count} requests after {self.after}; use count >= 1 and after >= 0"
            )
        try:
            re.compile(self.path)
        except re.error as error:
            raise BadInput(f'a fault matches paths by the regex "{self.path}", which is none: {error}') from None

    def matches(self, service: str, path: str, kinds: tuple[str, ...]) -> bool:
        """Whether the fault is of one of `kinds` and meant for this service and path."""
        return self.kind in kinds and self.service in ("*", service) and re.search(self.path, path) is not None


class Faults:
    """Faults that wait for their requests, in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, faults: list[dict[str, Any]]) -> None:
        """Add faults given as JSON objects; `BadInput` names an unknown field, kind or service."""
        known = {field.name for field in fields(Fault)}
        for fault in faults:
            if unknown := set(fault) - known:
                raise BadInput(f"a fault has unknown fields {sorted(unknown)}, known are {sorted(known)}")
        new = [Fault(**fault) for fault in faults]
        with self._lock:
            self._waiting += new

    def clear(self) -> None:
        """Drop every fault that did not happen yet."""
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[dict[str, Any]]:
        """The faults that did not happen yet, with the counts that are left."""
        with self._lock:
            return [asdict(fault) for fault in self._waiting]

    def take(self, service: str, path: str, kinds: tuple[str, ...]) -> Fault | None:
        """The fault that this request gets, of one of `kinds`; counts the request against those that match."""
        with self._lock:
            for index, fault in enumerate(self._waiting):
                if not fault.matches(service, path, kinds):
                    continue
                if fault.after > 0:
                    self._waiting[index] = replace(fault, after=fault.after - 1)
                    continue
                if fault.count > 1:
                    self._waiting[index] = replace(fault, count=fault.count - 1)
                else:
                    del self._waiting[index]
                return fault
        return None


class RequestLog:
    """Every request but the replica's own: what, when, how many at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self._in_flight: Counter[str] = Counter()

    def begin(self, service: str, method: str, path: str, jobs: int) -> dict[str, Any]:
        """A new entry; `concurrent` counts the requests to the service now in flight, this one among them."""
        with self._lock:
            self._in_flight[service] += 1
            entry = {
                "began": time.time(),
                "ended": None,
                "service": service,
                "method": method,
                "path": path,
                "status": None,
                "n_items": None,
                "bytes_in": 0,
                "bytes_out": 0,
                "fault": None,
                "concurrent": self._in_flight[service],
                "jobs": jobs,
            }
            self._entries.append(entry)
            return entry

    def end(self, entry: dict[str, Any]) -> None:
        """Note that a request is answered: its service has one request less in flight."""
        with self._lock:
            self._in_flight[entry["service"]] -= 1
            entry["ended"] = time.time()

    def entries(self) -> list[dict[str, Any]]:
        """A copy of every entry that is kept, the oldest first."""
        with self._lock:
            return [dict(entry) for entry in self._entries]

    def clear(self) -> None:
        """Remove every entry."""
        with self._lock:
            self._entries.clear()


@dataclass
class Limits:
    """What the services refuse or cut off; changed by POST /_limits.

    `job_seconds`: how long every asynchronous job takes beside its query. `answer_seconds`: service -> how long each
    of its answers is held back. `row_caps`: service -> (sync, async) rows after which an answer is cut off without an
    error (None: never). `structures`: what DATA_STRUCTURE may be; any other is refused with the server's sentence.
    `layout` is what INDIVIDUAL looks like: "wide" (one row a transit, since March 2025) or "long" (one row a band and
    transit, before). `queue_seconds`: how long a job is QUEUED before it runs. `boolean_words`: what Gaia's TAP lets
    booleans be compared with. `dr4`: how DR4 is served.
    """

    max_datalink_ids: int = 5000
    job_seconds: float = 0.0
    queue_seconds: float = 0.0
    boolean_words: tuple[str, ...] = BOOLEAN_WORDS
    dr4: Switches = field(default_factory=Switches)
    answer_seconds: dict[str, float] = field(default_factory=dict)
    structures: tuple[str, ...] = ("RAW", "INDIVIDUAL")
    layout: str = "wide"
    portal_page: int = 50_000
    xmatch_rows: int = 50_000
    row_caps: dict[str, tuple[int | None, int | None]] = field(
        default_factory=lambda: {
            "gaia_tap": (2000, 3_000_000),
            "mast_ps1": (100_000, 100_000),
            "mast_tic": (100_000, 100_000),
            "irsa_tap": (None, None),
        }
    )

    def change(self, values: dict[str, Any]) -> None:
        """Set limits from a JSON object; `row_caps` is merged service by service. `BadInput` names unknown limits."""
        known = {field.name for field in fields(self)}
        if unknown := set(values) - known:
            raise BadInput(f"no limits {sorted(unknown)}, known are {sorted(known)}")
        for name, value in values.items():
            if name == "dr4":
                self.dr4 = self.dr4.change(value)
            elif name == "row_caps":
                self.row_caps.update({service: (caps[0], caps[1]) for service, caps in value.items()})
            else:
                setattr(self, name, tuple(value) if isinstance(value, list) else value)


class State:
    """One server's faults, log, jobs and limits, shared by its endpoints and threads.

    An endpoint that can do a content fault asks for it, once and after it has understood the request:
    ``fault = state.take(request, "empty_product", "duplicate_ids")``; faults of the wire are applied before it.
    ``state.note(request, n_items=len(ids))`` tells the log how much was asked for.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.faults = Faults()
        self.log = RequestLog()
        self.limits = limits or Limits()
        self.jobs = Jobs()

    def take(self, request: Request, *kinds: str) -> Fault | None:
        """The content fault, of one of `kinds`, that this request gets, or None."""
        path = request.url.path
        fault = self.faults.take(service_of(path), path, kinds)
        if fault is not None:
            self.note(request, fault=fault.kind)
        return fault

    def note(self, request: Request, **what: Any) -> None:
        """Add to the log's entry of this request."""
        entry = request.scope.get("entry")
        if entry is not None:
            entry.update(what)
