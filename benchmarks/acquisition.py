"""What does it cost us to acquire stars from all four surveys, and how fast is DataLink's photometry parsed?

Prints our own processor time per 1,000 sources (the replica runs in a process of its own and is not counted), the peak
memory of both processes, requests and bytes by service, and parsed sources per second per core against the floor of
1,000.

OMP_NUM_THREADS=1 python -m benchmarks.acquisition [n_objects] [--lake DIR]
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import psutil

from lakehouse.answers.raw import RawStore
from lakehouse.delta.store import Lake
from lakehouse.run import Run
from schemas.inputs import ArchiveSource, ReplicaSky, Sample
from tasks.replica.serve import running
from tasks.stages.acquire.stage import acquire
from tasks.surveys.gaia_layouts import read_datalink

FLOOR = 1000.0  # sources/s/core


def main(n: int = 100_000, folder: str | None = None) -> None:
    """Acquires `n` sources into a new lake below `folder` (default: a temporary one) and prints the figures."""
    with tempfile.TemporaryDirectory(prefix="acquisition-", dir=folder) as place:
        began = time.perf_counter()
        with running(n, 1, Path(place) / "replica") as base:
            print(f"replica of {n:,} stars ready after {time.perf_counter() - began:.0f} s")
            lake = Path(place) / "lake"
            _acquire(n, lake, base)
        _requests(lake)
        _parsing(lake)


def _acquire(n: int, lake: Path, base: str) -> None:
    Lake(lake, create=True)
    source = ArchiveSource(
        sample=Sample(random_index=(0, 100_000_000)), base_url=base, replica=ReplicaSky(n_objects=n, seed=1)
    )
    wall, processor = time.perf_counter(), time.process_time()
    stage = acquire.fn(Run("benchmark", str(lake), "sky", "none"), source, None)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    served = max((_peak_gib(child.pid) for child in psutil.Process().children(recursive=True)), default=0.0)
    epochs = duckdb.sql(f"select sum(len(time)) from '{lake}/tables/raw_sample__epoch/**/*.parquet'").fetchone()
    print(f"{stage.total:,} sources, {epochs[0] if epochs else 0:,} epochs of gaia, ps1 and ztf in {wall:.0f} s; "
          f"our own code: {1000 * processor / stage.total:.2f} s of processor time per 1,000 sources")  # fmt: skip
    print(f"peak memory: {own:.2f} GiB here (limit 2), {served:.2f} GiB in the replica")


def _peak_gib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**20


def _requests(lake: Path) -> None:
    ledger = Lake(lake).read("raw_archive__request")
    rows = duckdb.sql(
        "select service, count(*) as requests, sum(n_attempt) as attempts, sum(n_item) as items, sum(n_row) as rows, "
        "sum(n_byte) as bytes, sum(seconds) as seconds from ledger group by service order by service"
    ).fetchall()
    print(f"{'service':18}{'requests':>10}{'attempts':>10}{'items':>12}{'rows':>14}{'MB':>10}{'seconds':>10}")
    for service, requests, attempts, items, n_row, size, seconds in rows:
        print(f"{service:18}{requests:10,}{attempts:10,}{items or 0:12,}{n_row or 0:14,}{(size or 0) / 1e6:10.1f}"
              f"{seconds or 0:10.1f}")  # fmt: skip
    assert ledger.num_rows


def _parsing(lake: Path) -> None:
    """Parses the stored answers of DataLink again, and nothing else."""
    store = RawStore(lake)
    records = [record for record in store.records_since(0) if record.service == "gaia_datalink" and record.content]
    answers = [store.answer(record.content) for record in records[:20]]
    read_datalink(answers[0])
    began, sources = time.process_time(), 0
    for answer in answers:
        sources += len(set(read_datalink(answer)["source_id"].to_numpy().tolist()))
    rate = sources / (time.process_time() - began)
    print(f"DataLink: {rate:,.0f} sources/s/core parsed; ratio to the floor of {FLOOR:,.0f}: {rate / FLOOR:.1f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:3])
