"""What runs need of a machine and its Prefect server, looked at before anything runs; secrets are never printed."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import requests
from packaging.requirements import Requirement

from lakehouse.disk import require_writable
from schemas import BadInput
from tasks.archives.gaia_connection import PASSWORD, USER
from tasks.archives.gate import limits_folder

ROOM_GB, CLOCK_S = 2.0, 30.0  # below and above which a run is in danger
DATABASE = "PREFECT_API_DATABASE_CONNECTION_URL"


@dataclass(frozen=True)
class Finding:
    """What was looked at, and in words how it is."""

    what: str
    words: str
    is_wrong: bool = False

    @property
    def verdict(self) -> str:
        """ "wrong" or "ok"."""
        return "wrong" if self.is_wrong else "ok"


def examine(lake: Path) -> list[Finding]:
    """Everything that can be said about this machine, the lake's folder and the server that PREFECT_API_URL names."""
    database = os.environ.get(DATABASE, "")
    return [
        *check_versions(),
        *check_server(os.environ.get("PREFECT_API_URL", "")),
        *([check_isolation(database)] if database.startswith("postgresql") else []),
        check_disk(lake),
        check_folder("limits", limits_folder()),
        check_folder("lake", lake),
        check_credentials(),
    ]


def check_versions(package: str = "argelander") -> Iterator[Finding]:
    """The packages that are installed, by what this program asks for; a line for each that does not fit."""
    wanted = [Requirement(line) for line in requires(package) or () if "extra ==" not in line]
    n_wrong = 0
    for each in wanted:
        try:
            held = version(each.name)
        except PackageNotFoundError:
            held = "none"
        if held == "none" or not each.specifier.contains(held, prereleases=True):
            n_wrong += 1
            yield Finding("versions", f"{each.name} {held} is installed, {each} is needed: install the lock", True)
    if not n_wrong:
        yield Finding("versions", f"{len(wanted)} packages are as needed, prefect {version('prefect')} among them")


def check_server(address: str) -> Iterator[Finding]:
    """Server and workers are of one version: of two, a worker starts again and again. The clocks agree, too."""
    if not address:
        yield Finding("server", "PREFECT_API_URL is not set: a run starts a server of its own, which ends with it")
        return
    try:
        answer = requests.get(f"{address}/admin/version", timeout=10)
        answer.raise_for_status()
        there, here = str(answer.json()), version("prefect")
    except (requests.RequestException, ValueError) as error:
        yield Finding(
            "server", f"{address} does not answer ({type(error).__name__}): start it with argelander up", True
        )
        return
    words = f"Prefect {there} at {address}"
    yield Finding("server", words if there == here else f"{words}, and {here} here: install one of them", there != here)
    if date := answer.headers.get("Date"):
        off = abs(parsedate_to_datetime(date).timestamp() - time.time())
        advice = ": schedules and heartbeats need clocks that agree" if off > CLOCK_S else ""
        yield Finding("clock", f"{off:.0f} s from that of the server{advice}", off > CLOCK_S)


def check_isolation(database: str) -> Finding:
    """PostgreSQL reads what is committed: at a stricter level deployments with a limit stand still."""
    import asyncio

    import asyncpg

    async def ask() -> str:
        connection = await asyncpg.connect(database.replace("+asyncpg", ""), timeout=10)
        try:
            return str(await connection.fetchval("SHOW default_transaction_isolation"))
        finally:
            await connection.close()

    try:
        level = asyncio.run(ask())
    except Exception as error:  # asyncpg's own, the network's, the system's; their texts may hold the password
        return Finding("database", f"PostgreSQL does not answer ({type(error).__name__})", True)
    is_wrong = level != "read committed"
    return Finding("database", f"PostgreSQL at {level}{': set read committed' if is_wrong else ''}", is_wrong)


def check_disk(lake: Path) -> Finding:
    """Room on the disk of the lake."""
    place = lake.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 1e9
    advice = f": a run needs {ROOM_GB:g} GB at the least" if free < ROOM_GB else ""
    return Finding("disk", f"{free:,.1f} GB free at {place}{advice}", free < ROOM_GB)


def check_folder(what: str, folder: Path) -> Finding:
    """Whether a folder can be written, or made."""
    try:
        require_writable(folder, what)
    except BadInput as error:
        return Finding(what, str(error), True)
    return Finding(what, f"{folder} can be written")


def check_credentials() -> Finding:
    """Whether a login of the Gaia archive is whole; without one everybody is anonymous there."""
    held = [name for name in (USER, PASSWORD) if os.environ.get(name)]
    words = {0: "no login of the Gaia archive: anonymous", 1: f"{''.join(held)} alone is set: set both, or neither"}
    return Finding("credentials", words.get(len(held), f"{USER} and {PASSWORD} are set"), len(held) == 1)
