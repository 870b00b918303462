"""What does Dask cost the feature stage, and does its memory stay flat? Against the same chunks in a plain loop.

    argelander bench stage [largest number of stars, default 30000] [highest frequency, default 24]

Gaia-like stars (3 bands, 36 epochs each) lie cleaned in a lake. Before and after each stage the chunks of 4,000 stars
go one after the other through a plain process on every core, and one commit; the stage itself runs on a cluster of this
machine's cores, for 10,000 stars three times, then for more. Processor time is that of the workers and of the driver
(with the scheduler), from the start of the stage to its end; the workers have imported everything before. "Beside its
work" is what of it was not spent in the chunks, the count of their nulls and the commit but in Dask and in planning,
over what was: counted in the same run, so that a noisy machine does not blur it as it does the ratio to the loop. A low
highest frequency makes the search cheap, so that a million stars take minutes: it is for memory and order, not speed.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
from distributed import Client

from lakehouse.delta.staging import commit_staged
from lakehouse.delta.store import Lake
from lakehouse.run import Run
from schemas import TABLES
from tasks.features import FeatureConfig, compile_all, feature_columns
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.series import PeriodConfig
from tasks.stages import incremental
from tasks.stages.fanout import open_cluster
from tasks.stages.featurize import chunk
from tasks.stages.featurize import stage as featurize
from tasks.stages.featurize.chunk import featurize_chunk
from tasks.stages.incremental import ChunkJob

BANDS, EPOCHS, CHUNK, BLOCK, N_LOOP, ROUNDS = ("G", "BP", "RP"), 36, 500, 20_000, 4_000, 3
TARGETS = {"beside": 0.03, "steady": 1.05, "task": 300.0}
DATASET = "stage"
WORK = ((chunk, "featurize_chunk"), (incremental, "commit_staged"), (featurize, "count_nulls"))


def stars(n: int) -> Iterator[LightCurveBatch]:
    """Blocks of n Gaia-like stars, pulsators of all amplitudes, over 690 days: 50,000 frequencies."""
    for start in range(0, n, BLOCK):
        rng, size = np.random.default_rng(start), min(BLOCK, n - start)
        period, amplitude = 10 ** rng.uniform(-0.6, 1.5, size), 10 ** rng.uniform(-2, -0.3, size)
        transit = np.sort(rng.uniform(0, 690, (size, EPOCHS)), axis=1)
        time_ = (transit[:, :, None] + np.arange(3) * 5e-4).ravel()
        row = np.repeat(np.arange(size), 3 * EPOCHS)
        angle = 2 * np.pi * time_ / period[row]
        err = rng.uniform(0.01, 0.03, time_.size)
        mag = 16 + amplitude[row] * (np.cos(angle) + 0.4 * np.cos(2 * angle + 1)) + rng.normal(0, err)
        band = np.tile(np.arange(3), size * EPOCHS)
        offsets = np.arange(size + 1) * 3 * EPOCHS
        yield LightCurveBatch(np.arange(start, start + size) + 2**60, offsets, time_, mag, err, band,
                              np.zeros(time_.size), BANDS)  # fmt: skip


def fill(lake: Lake, n: int) -> None:
    """A lake with clean light curves of n stars."""
    specs = {name: TABLES[name] for name in ("core_dataset__band", "core_sample__source", "core_sample__epoch")}
    bands = {"dataset": [DATASET] * 3, "band": [0, 1, 2], "name": BANDS, "survey": ["gaia"] * 3,
             "system": ["Vega"] * 3, "wavelength_nm": [622.0, 511.0, 777.0]}  # fmt: skip
    write(lake, specs["core_dataset__band"], bands)
    for batch in stars(n):
        size = len(batch)
        same = {"dataset": [DATASET] * size, "tile": batch.source_id // 5_000 % 1_000, "source_id": batch.source_id}
        write(lake, specs["core_sample__source"], same | {
            "object_id": batch.source_id.astype(str), "ra": np.zeros(size), "dec": np.zeros(size),
            "n_epoch": batch.n_epoch, "content_hash": batch.source_id,
        })  # fmt: skip
        curves = batch.to_arrow()
        write(lake, specs["core_sample__epoch"], same | {
            "survey": ["gaia"] * size, "input_hash": batch.source_id,
            **{name: curves[name] for name in ("time", "mag", "mag_err", "band", "flags")},
        })  # fmt: skip


def write(lake: Lake, spec, columns: dict) -> None:
    """Append rows of a table."""
    schema = spec.arrow()
    arrays = [pa.array(columns[name]) if not isinstance(columns[name], pa.ChunkedArray | pa.Array) else columns[name]
              for name in schema.names]  # fmt: skip
    lake.append(
        "r", spec, pa.table([array.cast(schema.field(i).type) for i, array in enumerate(arrays)], schema=schema)
    )


def loop(run: Run, config: FeatureConfig, first: int) -> float:
    """Seconds of processor time per star of N_LOOP stars' chunks from `first` on, one after the other in a process."""
    compile_all(config)
    ids = first + np.arange(N_LOOP) + 2**60
    began = time.process_time()
    for part, start in enumerate(range(0, N_LOOP, CHUNK)):
        source_id = ids[start : start + CHUNK]
        rows = pa.table({"tile": pa.array(source_id // 5_000 % 1_000, pa.int32()), "source_id": source_id,
                         "input_hash": source_id, "curve_hash": source_id})  # fmt: skip
        featurize_chunk(ChunkJob(run, f"loop-{first}", part, rows), BANDS, config, None)
    return (time.process_time() - began) / N_LOOP


def loops(run: Run, config: FeatureConfig, n_core: int) -> float:
    """The same on every core at once, as the workers are (they share caches and memory), and one commit of it all."""
    with ProcessPoolExecutor(n_core, mp_context=get_context("spawn")) as pool:
        chunks = list(pool.map(loop, [run] * n_core, [config] * n_core, range(n_core)))
    lake, spec = Lake(run.lake), TABLES["feature_sample__source"].bind(feature_columns(BANDS, config))
    began = time.process_time()
    commit_staged(lake, "loop", spec, "loop-0", dataset=DATASET)
    spent = (time.process_time() - began) / N_LOOP
    shutil.rmtree(lake.folder(spec))
    return float(np.mean(chunks)) + spent


def peak_mib() -> float:
    """The most memory that this process has held, MiB; Linux counts in getrusage what its parent held before it."""
    return memory_mib("VmHWM")


def memory_mib(kind: str = "VmRSS") -> float:
    """Memory of this process, MiB, as the system counts it: by default what it holds now."""
    return float(re.search(rf"{kind}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024


def clocked(function: Callable) -> Callable:
    """`function`, with the processor time that this process has spent in it as its `seconds`."""

    @functools.wraps(function)
    def counted(*args: object) -> object:
        began = time.process_time()
        try:
            return function(*args)
        finally:
            counted.seconds += time.process_time() - began

    counted.seconds = 0.0
    return counted


def work_seconds() -> float:
    """Processor time of this process in the work that a loop would do as well, from the first call on."""
    for module, name in WORK:
        if not hasattr(getattr(module, name), "seconds"):
            setattr(module, name, clocked(getattr(module, name)))
    featurize.featurize_chunk = chunk.featurize_chunk  # the driver sends what the workers find under its name
    return sum(getattr(module, name).seconds for module, name in WORK)


def stage(run: Run, config: FeatureConfig, n: int) -> tuple[float, float, float, float, float, float, float]:
    """The stage: processor time per star, all, the driver's and that beside its work (s), wall time (s), memory (MiB):
    the peak of a worker, what of it came after it stood ready, at most, the peak of the driver.
    """
    with Client(run.scheduler, set_as_default=False) as client:

        def spent() -> np.ndarray:
            """Seconds of the driver, of all, and of the work: less those of the event loops, which run beside it and
            in whose threads Dask asks the workers.
            """
            own, work = time.process_time(), work_seconds() + sum(client.run(work_seconds).values())
            workers, loops_ = (sum(client.run(clock).values()) for clock in (time.process_time, time.thread_time))
            return np.array([own, own + workers, work - loops_])

        idle = client.run(memory_mib)
        before, began = spent(), time.monotonic()
        done = featurize.featurize_sources(run, config)
        wall = time.monotonic() - began
        own, all_, work = (spent() - before) / n
        assert done.done == n
        peak = client.run(peak_mib)
        task = max(peak[worker] - held for worker, held in idle.items())
        return all_, own, all_ - work, wall, max(peak.values()), task, peak_mib()


def main(largest: int = 30_000, f_max: float = 24.0) -> dict[str, float]:
    """Prints the curve and the ratios; returns them."""
    config = FeatureConfig(groups=(0, 0, 0), period=replace(PeriodConfig(), f_max=f_max))
    compile_all(config)
    sizes = [n for n in (10_000, 30_000, 100_000, 1_000_000) if n <= largest] or [largest]
    n_core, ratios, shares, tasks = os.cpu_count() or 1, [], [], []
    heads = ("stars", "CPU ms/star", "driver's", "beside its work", "over the loop", "wall s", "stars/s/core",
             "worker's peak MiB", "of it the tasks'", "driver's peak MiB")  # fmt: skip
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for n in [sizes[0]] * (ROUNDS - 1) + sizes:
        with tempfile.TemporaryDirectory() as folder, open_cluster(n_core) as scheduler:
            lake = Lake(Path(folder), create=True)
            fill(lake, n)
            run = Run("r", folder, DATASET, scheduler, CHUNK)
            warm_up(run, config)
            before = loops(run, config, n_core)
            spent, own, beside, wall, worker, task, driver = stage(run, config, n)
            once = 0.5 * (before + loops(run, config, n_core))
        ratios.append(spent / once)
        shares.append(beside / (spent - beside))
        tasks.append(task)
        cells = (f"{n:,}", f"{spent * 1e3:.3f}", f"{own * 1e3:.3f}", f"{shares[-1]:.2%}", f"{ratios[-1]:.3f}",
                 f"{wall:.0f}", f"{n / wall / n_core:,.0f}", f"{worker:,.0f}", f"{task:,.0f}",
                 f"{driver:,.0f}")  # fmt: skip
        print("| " + " | ".join(cells) + " |", flush=True)
    overhead, steady = float(np.median(ratios)), ratios[-1] / float(np.median(ratios[:ROUNDS]))
    print(f"the stage takes {np.median(shares):.2%} beside its work (limit {TARGETS['beside']:.0%}) and "
          f"{overhead:.3f} times the processor time of the loop; a star of the largest size {steady:.3f} times that of "
          f"the smallest (limit {TARGETS['steady']}); the tasks of a worker hold up to {max(tasks):.0f} MiB (limit "
          f"{TARGETS['task']:.0f})")  # fmt: skip
    return {"beside": float(np.median(shares)), "steady": steady, "task": max(tasks)}


def warm_up(run: Run, config: FeatureConfig) -> None:
    """Everything imported and compiled in every worker."""
    with Client(run.scheduler, set_as_default=False) as client:
        client.run(compile_all, config)


if __name__ == "__main__":
    main(*(kind(word) for kind, word in zip((int, float), sys.argv[1:3], strict=False)))
