"""Row lineage: each derived row keeps a hash of its input and of the step that made it.

A row is up to date when that hash is what its input and the step give now; so a stage redoes what changed and no more,
whether it is new data, a changed setting or a run that was killed.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.delta.staging import dataset_mark
from lakehouse.delta.store import Lake
from schemas import TableSpec
from schemas.arrays import splitmix64


def fingerprint(*parts: object) -> str:
    """Sixteen hex digits that stand for the text of `parts`; arrays count with all their bytes."""
    digest = blake2b(digest_size=8)
    for part in parts:
        digest.update(part.tobytes() if isinstance(part, np.ndarray) else str(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def stage_key(lake: Lake, spec: TableSpec, stage: str, dataset: str, *inputs: object) -> str:
    """Key of a stage that ends by a commit to `spec`: the same until then, so that a killed stage is taken up again.

    The files of the table are part of it: going back to old settings is new work, not work already done. Not its
    version: a stage killed between making the table, or its columns, and committing its rows must find its parts again.
    """
    held = lake.files(spec) if lake.exists(spec) else []
    return f"{stage}-{dataset_mark(dataset)}-{fingerprint(dataset, spec.name, *held, *inputs)}"


def chain_hashes(hashes: NDArray[np.int64], step: str) -> NDArray[np.int64]:
    """Hash of each input hash and the step, (S,); mixed by splitmix64."""
    salt = np.uint64(int(fingerprint(step), 16))
    return splitmix64(hashes.astype(np.uint64) ^ salt).astype(np.int64)


def find_outdated(
    lake: Lake,
    spec: TableSpec,
    dataset: str,
    source_id: NDArray[np.int64],
    expected: NDArray[np.int64],
    column: str = "input_hash",
    where: Mapping[str, str] | None = None,
) -> NDArray[np.bool_]:
    """True for each source, (S,), that has no row in the table whose hash `column` is the `expected` one.

    `where` narrows the rows that count, such as to those of one model.
    """
    if not lake.exists(spec):
        return np.ones(source_id.size, bool)
    rows = lake.read(spec, columns=["source_id", column], where={"dataset": dataset, **(where or {})})
    known, hashes = rows["source_id"].to_numpy(), rows[column].to_numpy()
    return ~np.isin(_pair(source_id, expected), _pair(known, hashes))


def _pair(source_id: NDArray[np.int64], hashes: NDArray[np.int64]) -> NDArray[np.int64]:
    with np.errstate(over="ignore"):
        return source_id * np.int64(-7046029254386353131) ^ hashes  # an odd factor: 2**64 / golden ratio


def split_into_chunks(source_id: NDArray[np.int64], tile: NDArray[np.int32], size: int) -> list[NDArray[np.int64]]:
    """Indices of the sources in consecutive chunks of at most `size`, in the order of (tile, source_id)."""
    order = np.lexsort((source_id, tile))
    return [order[start : start + size] for start in range(0, order.size, size)]


def select_sources(source_id: NDArray[np.int64]) -> pc.Expression:
    """Filter for the rows of these sources; the bounds let whole files be skipped."""
    import pyarrow as pa

    field = pc.field("source_id")
    inside = (field >= pa.scalar(int(source_id.min()))) & (field <= pa.scalar(int(source_id.max())))
    return inside & field.isin(pa.array(source_id))
