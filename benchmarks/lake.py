"""What the lake costs beside plain Parquet files: `python benchmarks/lake.py [objects] [epochs]`.

Floors: one commit against one synced Parquet file of the same rows; a staged write against pyarrow writing the same
rows with the same codec; a read in key order against pyarrow reading those files; a query against DuckDB on them.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lakehouse.delta.staging import commit_staged, stage_rows
from lakehouse.delta.store import Lake
from lakehouse.disk import sync
from lakehouse.query import run_sql
from schemas import TABLES

EPOCH = TABLES["raw_sample__epoch"]
SOURCE = TABLES["core_sample__source"]
CODEC = {"compression": "zstd", "compression_level": 3}


def seconds(call, repeats=3):
    """Median time of `call`, s."""
    times = []
    for n in range(repeats):
        began = time.perf_counter()
        call(n)
        times.append(time.perf_counter() - began)
    return median(times)


def epochs(n, length, seed=1):
    """`n` light curves of `length` epochs, rounded as archives round them, in 12 tiles."""
    rng = np.random.default_rng(seed)
    ids = np.sort(rng.integers(0, 2**62, n))
    offsets = pa.array(np.arange(n + 1) * length, pa.int32())
    total = n * length
    lists = {
        "time": (np.sort(rng.uniform(57000, 59000, (n, length)).round(5), axis=1).ravel(), pa.float64()),
        "mag": (rng.normal(16, 1, total).round(4), pa.float32()),
        "mag_err": (rng.uniform(0.01, 0.05, total).round(4), pa.float32()),
        "band": (rng.integers(0, 3, total), pa.int8()),
        "flags": (np.zeros(total, np.int32), pa.int32()),
    }
    columns = {
        "dataset": pa.array(["demo"] * n),
        "tile": pa.array(np.arange(n) * 12 // n, pa.int32()),
        "source_id": ids,
        "survey": pa.array(["ztf"] * n),
        "content_hash": ids,
    }
    columns |= {name: pa.ListArray.from_arrays(offsets, pa.array(v).cast(t)) for name, (v, t) in lists.items()}
    return pa.table(columns)


def sources(ids):
    """One row of core_sample__source for each id, all in one tile."""
    n = len(ids)
    return pa.table(
        {
            "dataset": ["demo"] * n, "tile": pa.array([0] * n, pa.int32()), "source_id": ids,
            "object_id": [str(i) for i in ids], "ra": np.full(n, 1.0), "dec": np.full(n, 1.0),
            "n_epoch": np.full(n, 3, np.int32), "content_hash": ids,
        }
    )  # fmt: skip


def main(n=20_000, length=150):
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake", create=True)
        commits(lake, Path(folder))
        ragged(lake, Path(folder), epochs(n, length), n * length)


def commits(lake, folder):
    small = [sources(np.arange(i * 100, i * 100 + 100)) for i in range(60)]

    def file(i):
        pq.write_table(small[i], folder / f"{i}.parquet", **CODEC)
        sync(folder / f"{i}.parquet")

    floor = seconds(file, 60)
    commit = seconds(lambda i: lake.append("r", SOURCE, small[i]), 60)
    print(f"commit of 100 rows      {commit * 1e3:8.1f} ms   {commit / floor:5.1f} x one synced Parquet file")
    again = seconds(lambda i: lake.append("r", SOURCE, small[0]), 5)
    print(f"commit found done       {again * 1e3:8.1f} ms")
    many = sources(np.arange(6000, 106_000))
    lake.append("r", SOURCE, many)
    merge = seconds(lambda i: lake.merge("r", SOURCE, many.slice(i * 10, 50_000)))
    print(f"merge 50k into 106k     {50_000 / merge / 1e3:8.0f} krow/s")
    query = seconds(lambda _: run_sql(lake, "select count(*), avg(ra) from core_sample__source"), 5)
    print(f"query over its files    {query * 1e3:8.1f} ms")


def ragged(lake, folder, table, n_epoch):
    tiles = [
        table.filter(pa.compute.equal(table["tile"], tile)).drop_columns(["dataset", "tile"]) for tile in range(12)
    ]

    def plain(_):
        for tile, rows in enumerate(tiles):
            pq.write_table(rows, folder / f"tile{tile}.parquet", **CODEC)
            sync(folder / f"tile{tile}.parquet")

    floor = seconds(plain)
    parts = {}

    def stage(i):
        parts[i] = stage_rows(lake.path, EPOCH, table, f"key{i}", 0)

    staged = seconds(stage)
    rate = table.num_rows / staged / 1e3
    print(f"staged write            {rate:8.0f} kobject/s {staged / floor:4.2f} x plain Parquet")
    publishing = seconds(lambda i: commit_staged(lake, "r", EPOCH, f"key{i}", [parts[i]]), 1)
    size = sum(path.stat().st_size for path in lake.folder(EPOCH).rglob("tile=*/*.parquet"))
    print(f"publish that one part   {publishing * 1e3:8.1f} ms   {publishing / floor:5.2f} x plain Parquet")
    print(f"size on disk            {size / n_epoch:8.1f} byte/epoch")
    one = np.asarray(table["source_id"])[: table.num_rows // 100]
    part = stage_rows(lake.path, EPOCH, table.slice(0, len(one)), "replace", 0)
    replace = seconds(lambda _: commit_staged(lake, "r", EPOCH, "replace", [part], one, "demo"), 1)
    print(f"publish, replacing 1 %  {replace * 1e3:8.1f} ms")
    floor = seconds(lambda _: [pq.read_table(folder / f"tile{tile}.parquet") for tile in range(12)])
    read = seconds(lambda _: lake.read(EPOCH))
    print(f"read, in key order      {table.num_rows / read / 1e3:8.0f} kobject/s {read / floor:4.2f} x plain Parquet")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
