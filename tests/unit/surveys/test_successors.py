"""What became of earlier ids: kept, renamed, split, merged, lost; over arrays alone."""

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import BadInput
from tasks.surveys.gaia_releases import RELEASES
from tasks.surveys.successors import SUCCESSORS, find_step, follow_ids

PAIR = {
    name: SUCCESSORS.field(name).type for name in ("earlier_id", "source_id", "sep_mas", "delta_mag", "is_probable")
}


def follow(ids, pairs, named):
    """The rows as (earlier, later, outcome, is_carried, reason); `named` maps later ids to the earlier star."""
    table = pa.Table.from_pylist([dict(zip(PAIR, pair, strict=True)) for pair in pairs], pa.schema(list(PAIR.items())))
    later = np.array([*named], np.int64)
    found = follow_ids(np.array(ids, np.int64), table, later, np.array([*named.values()], np.int64))
    assert found.schema.equals(SUCCESSORS)
    return [tuple(row[name] for name in ("earlier_id", "source_id", "outcome", "is_carried", "reason"))
            for row in found.to_pylist()]  # fmt: skip


def test_every_outcome():
    pairs = [
        (1, 1, 0.1, 0.0, True),
        (2, 20, 0.2, 0.0, True), (2, 21, 900.0, 3.0, False),  # its neighbour is another star
        (3, 30, 5.0, 0.1, False), (3, 31, 9.0, 0.2, True), (3, 32, 1.0, 0.3, None),  # the named, not the nearest
        (4, 40, 5.0, 0.1, None), (4, 41, 3.0, 0.1, None),  # it says nothing: the nearest
        (5, 5, 0.1, 0.0, True), (6, 5, 300.0, 0.4, False),  # 6 has no other neighbour, and 5 is named for 5
        (7, 70, 0.1, 0.0, True),  # in the data release alone
        (8, 5, 800.0, 4.0, False),
    ]  # fmt: skip
    named = {1: 1, 20: 2, 21: -1, 30: 3, 31: 3, 32: 3, 40: 4, 41: 4, 5: 5, 99: -1}
    expected = [
        (1, 1, "kept", True, None),
        (2, 20, "renamed", True, None),
        (3, 31, "split", True, None), (3, 30, "split", False, "second_piece"), (3, 32, "split", False, "second_piece"),
        (4, 41, "split", True, None), (4, 40, "split", False, "second_piece"),
        (5, 5, "merged", True, None),
        (6, 5, "merged", False, "other_source"),
        (7, 70, "lost", False, "not_in_dataset"),
        (8, None, "lost", False, "other_star"),
        (9, None, "lost", False, "no_neighbour"),
    ]  # fmt: skip
    assert follow(range(1, 10), pairs, named) == expected
    assert follow(range(1, 10), pairs[::-1], dict(reversed(named.items()))) == expected


def test_nothing_to_follow():
    assert follow([], [], {}) == [] and follow([3], [], {3: -1}) == [(3, None, "lost", False, "no_neighbour")]


small = st.integers(1, 6)
MAS, MAG = st.floats(0, 9, width=32), st.floats(-1, 1, width=32)
PAIRS = st.lists(
    st.tuples(small, small, MAS, MAG, st.sampled_from([True, False, None])),
    unique_by=lambda pair: pair[:2],
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(PAIRS, st.sets(small), st.randoms())
def test_no_id_is_forgotten_or_followed_twice(pairs, inside, random):
    """Every earlier id has an outcome; at most one source follows it, which follows no other, and which names it."""
    neighbours = defaultdict(list)
    for earlier, later, *_ in pairs:
        neighbours[later].append(earlier)
    named = {later: random.choice([-1, *neighbours[later]]) for later in sorted(inside)}
    found = follow(range(1, 7), pairs, named)
    assert {row[0] for row in found} == set(range(1, 7))
    carried = [row for row in found if row[3]]
    assert len({row[0] for row in carried}) == len({row[1] for row in carried}) == len(carried)
    assert all(named[later] == earlier and reason is None for earlier, later, *_, reason in carried)
    assert {row[1] for row in found if row[2] != "lost" and named[row[1]] == row[0]} == {
        later for later, earlier in named.items() if earlier > 0
    }
    by_earlier = defaultdict(list)
    for row in found:
        by_earlier[row[0]].append(row)
    for rows in by_earlier.values():
        assert (rows[0][2] == "lost") == all(row[1] is None or row[1] not in named for row in rows)
        assert len(rows) == 1 or {row[2] for row in rows} <= {"split", "merged"}
    assert found == follow(range(1, 7), random.sample(pairs, len(pairs)), named)


def test_only_neighbours_lead_from_one_release_to_another():
    assert find_step(RELEASES["dr4"], RELEASES["dr3"]).name == "dr3_source_id"
    with pytest.raises(BadInput, match="No table of neighbours leads from gaia_dr3 to gaia_dr4"):
        find_step(RELEASES["dr3"], RELEASES["dr4"])
    with pytest.raises(BadInput, match="nothing to migrate"):
        find_step(RELEASES["dr4"], RELEASES["dr4"])
