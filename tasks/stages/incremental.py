"""What clean, featurize and score share: outdated sources, one stage key, chunks, workers, one commit a table.

A run that was killed left the parts that its workers had finished under the same stage key: those are not done again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.delta.reference import TableRef
from lakehouse.delta.staging import commit_staged, list_finished_parts, stage_rows
from lakehouse.delta.store import Lake
from lakehouse.lineage import select_sources, split_into_chunks, stage_key
from lakehouse.run import Run
from schemas import TableSpec
from tasks.stages.fanout import fan_out


@dataclass(frozen=True, eq=False)
class ChunkJob:
    """One chunk of a stage as it is sent to a worker.

    `sources` has a row for each of its S sources: source_id, tile, `input_hash` (of what the new row is made), and
    what else the stage needs of each; `part` is the chunk's number in the stage of this key.
    """

    run: Run
    stage_key: str
    part: int
    sources: pa.Table

    @property
    def source_id(self) -> NDArray[np.int64]:
        """Ids of the sources, (S,)."""
        return self.sources["source_id"].to_numpy()

    @property
    def tile(self) -> NDArray[np.int32]:
        """Tile of each source, (S,)."""
        return self.sources["tile"].to_numpy()

    @property
    def input_hash(self) -> NDArray[np.int64]:
        """Hash of what the row of each source is made of, (S,)."""
        return self.sources["input_hash"].to_numpy()

    @property
    def where(self) -> pc.Expression:
        """Filter for the rows of these sources in any table of the lake."""
        return select_sources(self.source_id) & (pc.field("dataset") == self.run.dataset)

    def stage(self, spec: TableSpec, rows: pa.Table) -> None:
        """Leave new rows of a table for the commit; no reader sees them before."""
        stage_rows(self.run.lake, spec, rows, self.stage_key, self.part)


@dataclass(frozen=True, eq=False)
class Work:
    """Sources that are treated alike: a row for each, as in `ChunkJob.sources`, and what else their worker is told."""

    sources: pa.Table
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, eq=False)
class Increment:
    """What a stage does for the sources that are not up to date: `function(job, *arguments)` for each chunk of them.

    Workers stage rows for all tables. Those of `appends` are committed first and take no row away; in each of
    `replaces` the rows of the sources at work, and of the sources in `gone` (G,), leave in the same commit. The last
    of `replaces` says which sources are up to date, so it is committed last. `key` holds what else the rows depend on;
    `chunk_objects` is the most sources of a chunk.
    """

    stage: str
    function: Callable[..., None]
    work: Sequence[Work]
    chunk_objects: int
    replaces: tuple[TableSpec, ...]
    appends: tuple[TableSpec, ...] = ()
    gone: NDArray[np.int64] | None = None
    key: tuple[object, ...] = ()

    def column(self, name: str) -> NDArray[np.int64]:
        """A column of the sources of all work, (S,)."""
        return np.concatenate([np.empty(0, np.int64), *(work.sources[name].to_numpy() for work in self.work)])


def run_incrementally(run: Run, increment: Increment) -> tuple[TableRef, ...]:
    """Do the work in chunks on the run's cluster and commit it, once a table; returns what was committed.

    Parts that are finished on disk under the same stage key, by a run that was killed, are not done again.
    """
    key = _stage_key(run, increment)
    jobs = _unfinished_jobs(run, increment, key)
    fan_out(
        run.scheduler,
        increment.function,
        jobs,
        increment.stage,
        [job.sources.num_rows for job, *_ in jobs],
        run.retries,
    )
    return _commit(run, increment, key)


def _stage_key(run: Run, increment: Increment) -> str:
    """Key of the stage: another where the sources at work, what they are made of, or the sources that leave differ."""
    gone = () if increment.gone is None else (increment.gone,)
    return stage_key(
        Lake(run.lake),
        increment.replaces[-1],
        increment.stage,
        run.dataset,
        run.chunk_objects,
        *increment.key,
        np.sort(increment.column("input_hash")),
        *gone,
    )


def _unfinished_jobs(run: Run, increment: Increment, key: str) -> list[tuple[Any, ...]]:
    """A job, with the arguments of its work, for every chunk whose part is not finished on disk."""
    finished = list_finished_parts(run.lake, increment.replaces[-1], key)
    chunked = [
        (work.sources.take(pa.array(part)), work.arguments)
        for work in increment.work
        for part in split_into_chunks(
            work.sources["source_id"].to_numpy(), work.sources["tile"].to_numpy(), increment.chunk_objects
        )
    ]
    return [
        (ChunkJob(run, key, part, sources), *arguments)
        for part, (sources, arguments) in enumerate(chunked)
        if str(part) not in finished
    ]


def _commit(run: Run, increment: Increment, key: str) -> tuple[TableRef, ...]:
    """One commit of each table, that which judges what is up to date last."""
    gone = np.empty(0, np.int64) if increment.gone is None else increment.gone
    leaving = np.union1d(increment.column("source_id"), gone)
    tables = [*((spec, None) for spec in increment.appends), *((spec, leaving) for spec in increment.replaces)]
    return tuple(
        commit_staged(Lake(run.lake), run.run_id, spec, key, None, sources, run.dataset, increment.stage)
        for spec, sources in tables
    )
