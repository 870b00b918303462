"""Row hashes say what is to be done: new, changed, and nothing else."""

import numpy as np
import pyarrow as pa

from lakehouse.delta.store import Lake
from lakehouse.lineage import chain_hashes, find_outdated, fingerprint, select_sources, split_into_chunks, stage_key
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


def test_a_fingerprint_tells_texts_arrays_and_their_borders_apart():
    one = fingerprint("ab", "c", np.array([1, 2]))
    assert one == fingerprint("ab", "c", np.array([1, 2])) and len(one) == 16 and int(one, 16) >= 0
    others = [("a", "bc", np.array([1, 2])), ("ab", "c", np.array([2, 1])), ("ab", "c", np.array([1.0, 2.0])), ("ab",)]
    assert len({one, *(fingerprint(*parts) for parts in others)}) == 5
    # An array counts with all its bytes, also where its text would be cut short.
    long = np.arange(10_000)
    assert fingerprint(long) != fingerprint(np.where(long == 5_000, 0, long))


def test_only_the_rows_of_one_model_count_where_it_is_asked_for(tmp_path):
    lake, ids, hashes = Lake(tmp_path, create=True), np.array([1, 2]), np.array([10, 20])
    spec, empty = TABLES["score__value"], {pa.string(): "x", pa.bool_(): False}
    given = {"dataset": ["d", "d"], "source_id": ids, "feature_hash": hashes, "model_id": ["a", "b"]}
    columns = {f.name: pa.array(given.get(f.name, [empty.get(f.type, 0)] * 2)).cast(f.type) for f in spec.arrow()}
    lake.append("run", spec, pa.table(columns, schema=spec.arrow()))
    for model, outdated in (("a", [False, True]), ("b", [True, False]), ("c", [True, True])):
        found = find_outdated(lake, spec, "d", ids, hashes, "feature_hash", {"model_id": model})
        assert found.tolist() == outdated, model


def test_an_id_and_a_hash_that_swap_places_are_not_taken_for_each_other(tmp_path):
    lake = Lake(tmp_path, create=True)
    lake.append("run", SPEC, rows([7, 8], [8, 7]))
    assert find_outdated(lake, SPEC, "d", np.array([7, 8]), np.array([7, 8])).all()
    assert not find_outdated(lake, SPEC, "d", np.array([7, 8]), np.array([8, 7])).any()


def test_no_sources_make_no_chunk():
    assert split_into_chunks(np.empty(0, np.int64), np.empty(0, np.int32), 5) == []
