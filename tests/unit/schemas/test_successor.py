"""The table of successors: what its rows may be, and that it says of a lost star that nothing follows it."""

import pandas as pd
import pandera.errors
import pyarrow as pa
import pytest

from lakehouse.delta.keys import find_duplicates
from schemas import TABLES

SPEC = TABLES["assn_sample__successor"]
LARGEST = 2**63 - 1  # ids of DR4 may lie beyond the last HEALPix cell


def rows(*changes) -> pa.Table:
    """A kept star of the largest id, with one change for each row."""
    kept = {"dataset": "new", "earlier_dataset": "old", "earlier_id": LARGEST, "source_id": LARGEST, "outcome": "kept",
            "is_carried": True}  # fmt: skip
    filled = [dict.fromkeys(SPEC.arrow().names) | kept | change for change in changes]
    return pa.Table.from_pylist(filled, schema=SPEC.arrow())


def check(table: pa.Table) -> None:
    SPEC.pandera().validate(table.to_pandas(types_mapper=pd.ArrowDtype), lazy=True)


def test_a_lost_star_has_no_successor_and_nothing_is_carried():
    check(
        rows({}, {"earlier_id": 7, "source_id": None, "outcome": "lost", "is_carried": False, "reason": "no_neighbour"})
    )
    assert rows({})["source_id"].to_pylist() == [LARGEST]


@pytest.mark.parametrize("change", [{"earlier_id": -1}, {"source_id": -1}, {"sep_mas": -0.1}])
def test_what_cannot_be_is_refused(change):
    with pytest.raises(pandera.errors.SchemaErrors) as caught:
        check(rows({}, change))
    assert set(caught.value.failure_cases["index"]) == {1}


def test_pieces_of_a_star_and_lost_stars_are_rows_of_their_own():
    """A pair stands there once; of a lost star, whose later id is null, there is one row."""
    pieces = rows({"source_id": 1}, {"source_id": 2}, {"source_id": None}, {"source_id": None}, {"source_id": 2})
    assert find_duplicates(pieces, SPEC.key).tolist() == [False, False, False, True, True]
    others = rows({}, {"dataset": "newer"}, {"earlier_dataset": "older"}, {"earlier_id": 3})
    assert not find_duplicates(others, SPEC.key).any()
    assert set(SPEC.partition) == {"dataset", "earlier_dataset"}  # one migration is replaced without the others
