"""An archive that knows `id % 3` rows about each id: in this process, and behind real HTTP, with faults on demand."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pyarrow as pa
import requests
from pyarrow import csv

from lakehouse.answers.raw import RawStore
from tasks.archives.errors import BadQuestion, Refused, Retryable
from tasks.archives.limits import ServiceLimits
from tasks.archives.question import Question
from tasks.stages.acquire.exchange import Exchange

QUICK = ServiceLimits(2, 10, 5.0, backoff_s=(0.001, 0.004), poll_s=(0.001, 0.01))


def answer_about(ids):
    """The verbatim answer: CSV with the columns id and value."""
    ids = np.asarray(ids, np.int64)
    return "id,value\n" + "".join(f"{i},{10 * i + j}\n" for i in ids.tolist() for j in range(i % 3))


def rows_about(ids):
    """What the exchange should give, straight from the rule."""
    ids = np.unique(np.asarray(ids, np.int64))
    pairs = [(i, 10 * i + j) for i in ids.tolist() for j in range(i % 3)]
    return pairs


def read(answer):
    if answer.startswith(b"<"):
        raise Retryable("a page came instead of data")
    if answer.startswith(b"?"):
        raise BadQuestion("no such column")
    types = {"id": pa.int64(), "value": pa.int64()}
    return csv.read_csv(pa.py_buffer(answer), convert_options=csv.ConvertOptions(column_types=types))


def question(key="id", **more):
    return Question(**({"service": "vo", "text": "about {items}", "release": "dr1", "read": read, "key": key} | more))


def items(ids):
    return pa.table({"id": pa.array(np.asarray(ids), pa.int64())})


def pairs(table):
    return list(zip(table["id"].to_pylist(), table["value"].to_pylist(), strict=True))


class InProcess:
    """A client of `answer_about`; `faults` are raised or returned in turn (None: no fault), then all is well."""

    def __init__(self, *faults, delay=0.0):
        self.faults, self.delay = list(faults), delay
        self.asked, self.failed = [], 0  # ids of each request that was answered
        self.given = []  # job addresses that the requests came with
        self._mutex = threading.Lock()

    def ids(self, table):
        if "lo" in table.column_names:
            return list(range(table["lo"][0].as_py(), table["hi"][0].as_py() + 1))
        return table["id"].to_pylist()

    def send(self, question, table, job):
        time.sleep(self.delay)
        with self._mutex:
            ids = self.ids(table)
            fault = self.faults.pop(0) if self.faults else None
            self.given.append(job.url)
        if callable(fault):
            fault = fault(ids, job)
        with self._mutex:
            if isinstance(fault, Exception):
                self.failed += 1
                raise fault
            self.asked.append(ids)
            return fault if isinstance(fault, bytes) else answer_about(ids).encode()

    @property
    def times_asked(self):
        """How often each id was answered."""
        ids, counts = np.unique(np.concatenate([[], *self.asked]).astype(int), return_counts=True)
        return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def exchange(folder, client, limits=QUICK, offline=False, endpoint="here", **more):
    """An exchange on the lake `folder/lake` with the limits in `folder/limits`."""
    return Exchange(
        RawStore(folder / "lake"), {"vo": client}, {"vo": limits}, folder / "limits", endpoint, "r1", offline, **more
    )


class OverHttp:
    """A client that asks the server below."""

    def __init__(self, url):
        self.url = url

    def send(self, question, table, job):
        try:
            reply = requests.post(self.url, json={"ids": table["id"].to_pylist()}, timeout=5)
        except requests.RequestException as error:
            raise Retryable(f"no reply ({type(error).__name__})") from error
        if reply.status_code == 403:
            raise Refused("403 Forbidden")
        if reply.status_code == 400:
            raise BadQuestion(reply.text)
        if reply.status_code >= 429:
            after = reply.headers.get("Retry-After")
            raise Retryable(f"{reply.status_code} {reply.reason}", float(after) if after else None)
        return reply.content


class Door:
    """What the server sees: for each request its ids, when it came and went, and how many were there with it."""

    def __init__(self, delay):
        self.delay, self.faults, self.seen, self.n_open = delay, [], [], 0
        self.mutex = threading.Lock()

    @property
    def n_most(self):
        return max(seen["n_open"] for seen in self.seen)


@contextmanager
def server(delay=0.0):
    """(url, Door) of an archive on a port of this machine; a fault is (status, headers, body), or "drop"."""
    door = Door(delay)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            ids = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["ids"]
            with door.mutex:
                door.n_open += 1
                fault = door.faults.pop(0) if door.faults else None
                seen = {"ids": ids, "began": time.time(), "n_open": door.n_open, "fault": fault}
                door.seen.append(seen)
            time.sleep(door.delay)
            with door.mutex:  # before the reply: the next request may be here before this thread goes on
                door.n_open -= 1
                seen["ended"] = time.time()
            body = answer_about(ids).encode()
            status, headers = 200, {}
            if fault == "drop":
                self.send_response(200)
                self.send_header("Content-Length", str(len(body) + 10))
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = True
                return
            if fault is not None:
                status, headers, body = fault
            try:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # whoever asked was killed

        def log_message(self, *_):
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_):
            pass

    httpd = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}/", door
    finally:
        httpd.shutdown()
        httpd.server_close()
