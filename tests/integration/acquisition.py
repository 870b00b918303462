"""Acquisition alone, without training: the same door as in a flow, against a replica on a real port."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pyarrow as pa

from lakehouse.answers.raw import DONE, RawStore, Record
from lakehouse.delta.store import Lake
from lakehouse.run import Run, StageResult
from schemas import TABLES
from schemas.inputs import ArchiveSource, ReplicaSky, Sample
from tasks.archives.endpoints import replica
from tasks.archives.limits import ServiceLimits
from tasks.archives.services import PROFILES
from tasks.surveys import gaia
from tasks.surveys.sample import sample_chunks
from tasks.surveys.survey import SampleChunk

N, SEED = 200, 3
EVERYTHING = Sample(random_index=(0, 3_999_999))  # asked in two ranges of source_id
# Ends of the paths by which data are asked for; polls of jobs, their removal and descriptions are none of them.
QUESTIONS = ("/async", "/data", "/invoke", "/nph_light_curves", "/xmatch/api/v1/sync", "/truth",
             ".csv.gz", "_MD5SUM.txt")  # fmt: skip
ON_THE_WIRE = {"status", "hang", "drop", "truncated_zip", "html"}  # faults after which the archive knows of no question


def source_of(base: str | None, **changes: Any) -> ArchiveSource:
    """Settings of an acquisition of the whole small sky from the replica at `base`."""
    return ArchiveSource(**{"sample": EVERYTHING, "base_url": base, "replica": ReplicaSky(n_objects=N, seed=SEED),
                            **changes})  # fmt: skip


def acquire_into(lake: Path, source: ArchiveSource, limit: int | None = None, run_id: str = "r1",
                 dataset: str = "sky") -> StageResult:  # fmt: skip
    """Run the acquisition door on a lake, and note its input as the flow does."""
    from lakehouse.manifest import RunManifest
    from tasks.stages.acquire.stage import acquire_sources

    place = Lake(lake, create=True)
    manifest = RunManifest.start(place, {}, "test", run_id)
    stage = acquire_sources(Run(run_id, str(lake), dataset, "none"), source, limit)
    for name, mark in stage.inputs.items():
        manifest.add_input(name, mark)
    manifest.finish(place)
    return stage


def tables(lake: Path, dataset: str | None = None) -> dict[str, pa.Table]:
    """Every table of the lake, or of one dataset in it, but the ledger, without what says when and in which run."""
    place, where = Lake(lake), None if dataset is None else {"dataset": dataset}
    found = {name: place.read(name, where=where) for name in place.tables() if name != "raw_archive__request"}
    names = ("run_id",) if dataset is None else ("run_id", "dataset")
    return {name: table.drop_columns([c for c in names if c in TABLES[name].columns_by_name])
            for name, table in found.items()}  # fmt: skip


def log(base: str) -> list[dict[str, Any]]:
    """Every request that the replica has seen since its log was cleared, its own administration left out."""
    with urlopen(f"{base}/_log") as answer:
        return json.load(answer)


def clear_log(base: str) -> None:
    """Forget the requests so far."""
    urlopen(Request(f"{base}/_log", method="DELETE")).close()


def questions(base: str) -> list[dict[str, Any]]:
    """The requests that asked for data: submissions of jobs and direct questions, in the order they came."""
    return [entry for entry in log(base) if entry["path"].endswith(QUESTIONS) and not entry.get("is_about")]


def asked(base: str) -> Counter[str]:
    """How many requests asked each service for data."""
    return Counter(entry["service"] for entry in questions(base))


def understood(base: str) -> Counter[tuple[str, str]]:
    """The questions that reached the archives (no fault of the wire kept them), and how often each."""
    return Counter((entry["service"], entry["digest"]) for entry in questions(base)
                   if entry["fault"] not in ON_THE_WIRE)  # fmt: skip


def jobs_held(base: str) -> set[str]:
    """Addresses of the asynchronous jobs that the archives have not been told to forget."""
    places = replica(base, "").addresses
    lists = [f"{places[name].rstrip('/')}/async" for name in ("gaia_tap", "mast_ps1", "mast_tic", "irsa_tap")]
    return {found for url in lists for found in re.findall(r'<uws:jobref [^>]*href="([^"]+)"', _get(url))}


def _get(url: str) -> str:
    with urlopen(url) as answer:
        return answer.read().decode()


def set_faults(base: str, *faults: dict[str, Any]) -> None:
    """Replace the replica's faults."""
    urlopen(Request(f"{base}/_faults", method="DELETE")).close()
    if faults:
        _post(f"{base}/_faults", list(faults))


def faults_left(base: str) -> list[dict[str, Any]]:
    """The faults that nobody has met yet."""
    with urlopen(f"{base}/_faults") as answer:
        return json.load(answer)


def set_limits(base: str, **limits: Any) -> None:
    """Change what the replica's services refuse or cut off."""
    _post(f"{base}/_limits", limits)


def limits_of(base: str) -> dict[str, Any]:
    """What the replica's services refuse or cut off."""
    with urlopen(f"{base}/_limits") as answer:
        return json.load(answer)


def _post(url: str, value: Any) -> None:
    urlopen(Request(url, data=json.dumps(value).encode(), headers={"Content-Type": "application/json"})).close()


def records(lake: Path) -> list[Record]:
    """What the lake remembers of its requests."""
    return list(RawStore(lake).records_since())


def items_answered_twice(lake: Path) -> list[str]:
    """Questions of which the lake has more than one answer about the same item."""
    held: dict[tuple[str, str], list[np.ndarray]] = {}
    for record in records(lake):
        if record.state == DONE:
            held.setdefault((record.service, record.identity), []).append(record.item_hashes)
    return [service for (service, _), item_hashes in held.items()
            if np.unique(np.concatenate(item_hashes)).size < sum(part.size for part in item_hashes)]  # fmt: skip


def limits_with(**changes: dict[str, Any]) -> dict[str, ServiceLimits]:
    """The fast profile with changes to some services; those to `every` hold for all of them."""
    every = changes.pop("every", {})
    return {name: replace(limits, **{**every, **changes.get(name, {})}) for name, limits in PROFILES["fast"].items()}


def in_chunks_of(size: int) -> Callable[..., Iterator[SampleChunk]]:
    """What the survey of the sample cuts it into chunks with, for chunks of `size` sources."""
    return partial(sample_chunks, size=size)


if __name__ == "__main__":  # python -m tests.integration.acquisition LAKE BASE [CHUNK_SIZE LIMITS]: one to be watched
    if len(sys.argv) > 3:
        gaia.sample_chunks = in_chunks_of(int(sys.argv[3]))
        PROFILES["fast"] = limits_with(**json.loads(sys.argv[4]))
    acquire_into(Path(sys.argv[1]), source_of(sys.argv[2]))
