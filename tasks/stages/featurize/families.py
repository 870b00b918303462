"""Which sources need which families of features: all where their input is new, else those with a new definition."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.delta.store import Lake
from schemas import TABLES
from schemas.arrays import align
from tasks.features import FeatureConfig, list_outdated

FEATURES = TABLES["feature_sample__source"]
Families = tuple[str, ...] | None  # None: all of them


def group_by_families(lake: Lake, dataset: str, config: FeatureConfig, sources: pa.Table) -> dict[Families, pa.Table]:
    """`sources` (S rows with source_id, tile, curve_hash) by the families to compute of them.

    A source whose stored row was made of the same light curve and settings (curve_hash) needs the families alone whose
    definition is new or changed; every other one needs all, under the key None.
    """
    if not sources.num_rows:
        return {}
    rows_of: dict[Families, list[NDArray[np.int64]]] = {}
    for definitions, rows in _rows_by_definitions(lake, dataset, sources):
        rows_of.setdefault(list_outdated(definitions, config), []).append(rows)
    some = {families: np.sort(np.concatenate(rows)) for families, rows in rows_of.items()}
    rest = np.setdiff1d(np.arange(sources.num_rows), np.concatenate([np.empty(0, np.int64), *some.values()]))
    groups: dict[Families, NDArray[np.int64]] = {None: rest} if rest.size else {}
    return {families: sources.take(pa.array(rows)) for families, rows in (groups | some).items()}


def _rows_by_definitions(lake: Lake, dataset: str, sources: pa.Table) -> list[tuple[str, NDArray[np.int64]]]:
    """Rows of `sources` whose stored features were made of the same input, by the definitions they were made with."""
    if not lake.exists(FEATURES) or "definitions" not in lake.dataset(FEATURES).schema.names:
        return []
    parts: dict[str, list[NDArray[np.int64]]] = {}
    columns = ["source_id", "curve_hash", "definitions"]
    for stored in lake.scan(FEATURES, columns=columns, where={"dataset": dataset}):
        for definitions, rows in _same_input(sources, stored):
            parts.setdefault(definitions, []).append(rows)
    whole = {definitions: np.concatenate(rows) for definitions, rows in sorted(parts.items())}
    return [(definitions, rows) for definitions, rows in whole.items() if rows.size]


def _same_input(sources: pa.Table, stored: pa.RecordBatch) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Rows of `sources` that are in `stored` with the same curve_hash, by the definitions there."""
    source_id, curve_hash = sources["source_id"].to_numpy(), sources["curve_hash"].to_numpy()
    place = align(stored["source_id"].to_numpy(), source_id)
    same = place >= 0
    same &= pc.equal(stored["curve_hash"], curve_hash[place]).fill_null(False).to_numpy(zero_copy_only=False)
    definitions = stored["definitions"].dictionary_encode()
    code = definitions.indices.to_numpy(zero_copy_only=False)
    for k, text in enumerate(definitions.dictionary.to_pylist()):
        yield text, place[same & (code == k)]
