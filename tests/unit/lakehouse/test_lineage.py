"""Row hashes say what is to be done: new, changed, and nothing else."""

import numpy as np
import pyarrow as pa

from lakehouse.delta.store import Lake
from lakehouse.lineage import chain_hashes, find_outdated, select_sources, split_into_chunks, stage_key
from schemas import TABLES

SPEC = TABLES["feature_sample__source"].bind([])


def rows(source_id, hashes, dataset="d"):
    n = len(source_id)
    return pa.table({"dataset": [dataset] * n, "tile": pa.array([0] * n, pa.int32()), "source_id": source_id,
                     "input_hash": hashes, "curve_hash": hashes, "definitions": ["a:1"] * n},
                    schema=SPEC.arrow())  # fmt: skip


def test_chained_hashes_depend_on_input_and_step():
    hashes = np.arange(-500, 500)
    one, other = chain_hashes(hashes, "cut 8"), chain_hashes(hashes, "cut 7")
    assert np.array_equal(one, chain_hashes(hashes, "cut 8"))
    assert len({*one.tolist(), *other.tolist()}) == 2000
    bits = np.unpackbits((one ^ chain_hashes(hashes + 1, "cut 8")).view(np.uint8)).mean()
    assert 0.45 < bits < 0.55  # neighbours differ in half of their bits


def test_outdated_is_what_is_absent_or_differs_in_this_dataset(tmp_path):
    lake = Lake(tmp_path, create=True)
    ids, hashes = np.array([1, 2, 3, 4]), np.array([10, 20, 30, 40])
    assert find_outdated(lake, SPEC, "d", ids, hashes).all()
    lake.append("run", SPEC, rows([1, 2, 9], [10, 21, 30]))
    lake.append("run", SPEC, rows([3], [30], dataset="other"))
    assert find_outdated(lake, SPEC, "d", ids, hashes).tolist() == [False, True, True, True]
    assert find_outdated(lake, SPEC, "d", ids[::-1], hashes[::-1]).tolist() == [True, True, True, False]


def test_a_key_holds_until_its_table_changes(tmp_path):
    lake = Lake(tmp_path, create=True)
    before = stage_key(lake, SPEC, "s", "d", np.array([1]))
    assert before == stage_key(lake, SPEC, "s", "d", np.array([1])) != stage_key(lake, SPEC, "s", "d", np.array([2]))
    lake.create(SPEC)  # what a stage does before its commit, which may never come
    assert stage_key(lake, SPEC, "s", "d", np.array([1])) == before
    lake.append("run", SPEC, rows([1], [10]))
    after = stage_key(lake, SPEC, "s", "d", np.array([1]))
    assert after != before
    lake.open(SPEC).alter.set_table_properties({"argelander.version": "2"}, raise_if_not_exists=False)
    assert lake.version(SPEC) == 2 and stage_key(lake, SPEC, "s", "d", np.array([1])) == after


def test_chunks_hold_every_source_once_and_filters_find_them(tmp_path):
    rng = np.random.default_rng(0)
    ids, tile = rng.permutation(1000) * 2**40, rng.integers(0, 12, 1000).astype(np.int32)
    parts = split_into_chunks(ids, tile, 64)
    assert max(map(len, parts)) == 64 and sorted(np.concatenate(parts).tolist()) == list(range(1000))
    assert np.all(np.diff(tile[np.concatenate(parts)]) >= 0)
    lake = Lake(tmp_path, create=True)
    lake.append("run", SPEC, rows(ids.tolist(), ids.tolist()))
    assert sorted(lake.read(SPEC, where=select_sources(ids[parts[3]]))["source_id"].to_pylist()) == sorted(
        ids[parts[3]].tolist()
    )
