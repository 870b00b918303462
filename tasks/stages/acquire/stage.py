"""Bring the sample and its photometry into the lake, from the surveys' archives or from a folder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lakehouse.delta.staging import commit_staged
from lakehouse.delta.store import Lake
from lakehouse.lineage import stage_key
from lakehouse.manifest import read_last_fingerprint
from lakehouse.quarantine import count_reasons
from lakehouse.run import Run, StageResult
from schemas.inputs import ArchiveSource, FolderSource
from tasks.stages.acquire.commit import QUARANTINE, commit_tables
from tasks.stages.acquire.receive import RAW, SOURCE, ReceivedRows, receive_chunk
from tasks.stages.acquire.surveys import survey_archive
from tasks.stages.acquire.variants import refuse_other_variant
from tasks.stages.archive import Archive
from tasks.stages.folder import folder_archive
from tasks.stages.followed import carry_labels
from tasks.stages.names import call_bands_apart
from tasks.stages.progress import note, progress


def acquire_sources(run: Run, source: ArchiveSource | FolderSource, limit: int | None) -> StageResult:
    """Read the archive where it changed; only new and changed light curves are written, the sample itself last."""
    if isinstance(source, FolderSource):
        archive = folder_archive(source, run.dataset, limit)
    else:
        refuse_other_variant(Lake(run.lake), run, source, _input_name(run))
        archive = survey_archive(run, source, limit)
    try:
        done = _acquire(run, Lake(run.lake), archive)
        return replace(done, tables=(*done.tables, *carry_labels(run, Lake(run.lake))))
    except BaseException:
        archive.close()
        raise


def _acquire(run: Run, lake: Lake, archive: Archive) -> StageResult:
    inputs = {_input_name(run): archive.fingerprint}
    if _holds(lake, run, archive) and not archive.is_asked_again:
        total = lake.count(SOURCE, dataset=run.dataset)
        return StageResult("acquire", 0, total, archive.close(), notes=("input unchanged",), inputs=inputs)
    archive = call_bands_apart(lake, run.dataset, archive)
    lake.create(RAW)  # before the key, of which its version is a part: a run that dies on the way finds its own parts
    key = stage_key(lake, RAW, "acquire", run.dataset, archive.fingerprint)
    received, changed = _receive_all(run, lake, archive, key)
    tables = []
    if archive.has_epochs:
        tables += [commit_staged(lake, run.run_id, RAW, key, None, changed, run.dataset, "acquire")]
    tables += [*commit_tables(run, lake, archive, received), *archive.close()]
    counts = {"quarantined": lake.count(QUARANTINE, dataset=run.dataset)}
    for reason, n in count_reasons(lake, run.dataset).items():
        note(f"put aside: {n:,} rows, {reason}")
    total = lake.count(SOURCE, dataset=run.dataset)
    return StageResult("acquire", changed.size, total, tuple(tables), tuple(archive.notes), counts, inputs=inputs)


def _holds(lake: Lake, run: Run, archive: Archive) -> bool:
    """Whether the lake's rows were made of just what the archive would give.

    The tables say it, whatever the clocks of runs and the order of their manifests; of older programs, manifests do.
    """
    if not lake.exists(SOURCE) or (archive.has_epochs and not lake.exists(RAW)):
        return False
    source = lake.source_of(SOURCE, {"dataset": run.dataset}) or read_last_fingerprint(lake, _input_name(run))
    return source == archive.fingerprint


def _input_name(run: Run) -> str:
    """What the manifests call the input of the dataset."""
    return f"archive of {run.dataset}"


def _receive_all(run: Run, lake: Lake, archive: Archive, key: str) -> tuple[list[ReceivedRows], NDArray[np.int64]]:
    """The rows of every chunk for the small tables, and the sources whose light curves are staged: new and changed."""
    received: list[ReceivedRows] = []
    changed = [np.empty(0, np.int64)]
    with progress("acquire", archive.n_objects) as advance:
        for part, chunk in enumerate(archive.object_chunks):
            rows, new = receive_chunk(run, lake, archive, chunk, key, part)
            received.append(rows)
            changed.append(new)
            advance(chunk.sources.num_rows)
    return received, np.concatenate(changed)
