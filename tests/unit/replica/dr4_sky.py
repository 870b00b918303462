"""A served sky with DR4, and short ways to ask it: one server for all tests of DR4 in a process."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.csv
import requests

from tasks.replica import cdn, datalink, tap, truth
from tasks.replica.state import Limits
from tasks.replica.switches import Switches
from tests.unit.replica.served_sky import Server, serving


@contextmanager
def served_dr4() -> Iterator[Server]:
    with serving(tap, datalink, truth, cdn) as server:
        yield server


def reset(server: Server) -> None:
    server.state.faults.clear()
    server.state.limits.__dict__.update(Limits().__dict__)


def switch(server: Server, **switches) -> Switches:
    """Set switches of DR4 as a test's own HTTP request would."""
    answer = requests.post(f"{server.url}/_limits", json={"dr4": switches}, timeout=20)
    assert answer.status_code == 200, answer.text
    return server.state.limits.dr4


def adql(server: Server, query: str) -> pa.Table:
    """Rows of a synchronous query; fails where the service refuses it."""
    answer = ask_tap(server, query)
    assert answer.status_code == 200, answer.text
    return pyarrow.csv.read_csv(io.BytesIO(answer.content))


def ask_tap(server: Server, query: str) -> requests.Response:
    form = {"REQUEST": "doQuery", "LANG": "ADQL", "FORMAT": "csv", "QUERY": query}
    return requests.post(f"{server.url}/tap-server/tap/sync", data=form, timeout=120)


def ask_data(server: Server, ids, **parameters) -> requests.Response:
    form = {"ID": ",".join(map(str, ids)), "RETRIEVAL_TYPE": "EPOCH_PHOTOMETRY", "FORMAT": "csv"}
    form |= {"USE_ZIP_ALWAYS": "true", "VALID_DATA": "false", "RELEASE": "Gaia DR4", **parameters}
    form.setdefault("DATA_STRUCTURE", "INDIVIDUAL" if form["RELEASE"] == "Gaia DR3" else "DATAMODEL_STANDARD")
    return requests.post(f"{server.url}/data-server/data", data=form, timeout=120)


def members(answer: requests.Response) -> dict[str, pa.Table]:
    """The files of an answer by name."""
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
        return {name: pyarrow.csv.read_csv(io.BytesIO(files.read(name))) for name in files.namelist()}


def epochs(server: Server, ids, **parameters) -> pa.Table:
    """Rows of all files of an answer."""
    return pa.concat_tables(members(ask_data(server, ids, **parameters)).values())
