"""From the ids of a release to earlier ones: which neighbour is the same star, in one step and in two."""

import numpy as np
import pyarrow as pa
import pytest

from schemas import BadInput
from tasks.surveys.chain import chain_types, is_same_star, keep_same_stars
from tasks.surveys.columns import list_columns, one_per_source
from tasks.surveys.gaia_releases import RELEASES
from tasks.surveys.id_lists import counterparts, neighbourhood_question

DR3, DR4 = RELEASES["dr3"], RELEASES["dr4"]


def wide(*rows, release=DR4):
    types = list_columns(release)
    return pa.Table.from_pylist([dict.fromkeys(types) | row for row in rows], pa.schema(list(types.items())))


def link(source_id, dr3, mas, mag, probable, dr2=None, mas2=None, mag2=None, **more):
    return {
        "source_id": source_id, "dr3_source_id": dr3, "dr3_distance_mas": mas, "dr3_delta_mag": mag,
        "dr3_is_probable": probable, "dr2_source_id": dr2, "dr2_distance_mas": mas2, "dr2_delta_mag": mag2, **more,
    }  # fmt: skip


def chosen(*rows):
    found = one_per_source(wide(*rows)).select(["source_id", "dr3_source_id", "dr2_source_id"])
    return [tuple(row.values()) for row in found.to_pylist()]


def test_the_archives_own_word_counts_first():
    of = np.array([1, 1, 2, 2, 3])
    mag, probable = pa.chunked_array([[3.0, 0.1, 0.6, 0.2, None]]), pa.chunked_array([[True, False, None, False, None]])
    assert is_same_star(of, mag, probable).tolist() == [True, False, False, True, False]
    assert is_same_star(of, mag).tolist() == [False, True, False, True, False]


def test_the_star_is_followed_through_both_steps():
    assert chosen(
        link(1, 10, 9.0, 2.0, True, 100, 5.0, 0.1),  # the named one, farther and of another magnitude
        link(1, 11, 1.0, 0.0, False, 110, 1.0, 0.0),
        link(2, 20, 5.0, 0.1, None, 201, 4.0, 0.9),  # in DR2 only one of another magnitude
        link(2, 20, 5.0, 0.1, None, None, None, None),
        link(3, 30, 5.0, 0.9, False, 300, 1.0, 0.0),  # no same star in DR3: the DR2 id is another's
        link(4, None, None, None, None),
        link(5, 50, 5.0, 0.1, None, 501, 9.0, 0.1),
        link(5, 50, 5.0, 0.1, None, 502, 3.0, 0.1),
        link(5, 51, 7.0, 0.1, None, 503, 1.0, 0.1),  # nearer in DR2, of the star that is farther in DR3
    ) == [(1, 10, 100), (2, 20, None), (3, None, None), (4, None, None), (5, 50, 502)]


def test_rows_keep_their_columns_whatever_the_order():
    rows = [link(1, 10, 9.0, 0.1, True, 100, 5.0, 0.1, class_name="RR", class_score=0.9),
            link(1, 10, 9.0, 0.1, True, 100, 5.0, 0.1, class_name="CEP", class_score=0.2)]  # fmt: skip
    for order in (rows, rows[::-1]):
        found = one_per_source(wide(*order)).to_pylist()
        assert [(row["class_name"], row["dr2_source_id"]) for row in found] == [("RR", 100)]
    kept, links = keep_same_stars(wide(*rows))
    assert links == ["dr3_distance_mas", "dr3_source_id", "dr2_distance_mas", "dr2_source_id"]
    assert set(kept.column_names) == set(list_columns(DR4)) and set(chain_types(DR4.chain)) < set(kept.column_names)
    assert one_per_source(wide()).num_rows == 0
    assert keep_same_stars(wide(release=DR3))[1] == ["dr2_distance_mas", "dr2_source_id"]


HOPS = {
    "dr2_source_id": {7: [(70, 9.0, 0.1, None)], 8: [(80, 1.0, 0.9, None)], 9: [(90, 1.0, 0.1, None)],
                      6: [(60, 2.0, 0.1, None), (61, 1.0, 0.1, None)]},
    "dr3_source_id": {70: [(700, 1.0, 3.0, False), (701, 9.0, 3.0, True)], 61: [(610, 1.0, 0.2, None)],
                      90: [(900, 1.0, 1.0, False)], 80: [(800, 1.0, 0.0, True)]},
}  # fmt: skip


def ask(question, items):
    """Neighbours as HOPS has them, in the columns that the question reads."""
    key = question.key
    names = [key, "source_id", "angular_distance", "magnitude_difference", "is_probable"]
    rows = [(id, *row) for id in items[key].to_pylist() for row in HOPS[key].get(id, [])]
    lines = [",".join(names), *(",".join("" if v is None else str(v) for v in row) for row in rows)]
    return question.read(("\n".join(lines) + "\n").encode())


def test_dr2_ids_take_two_steps_to_dr4_and_dr3_ids_one():
    found, lost = counterparts(ask, np.array([5, 6, 7, 8, 9]), DR4)
    assert found.tolist() == [610, 701] and lost.tolist() == [5, 8, 9]
    found, lost = counterparts(ask, np.array([70, 80, 90, 99]), DR4, "dr3_source_id")
    assert found.tolist() == [701, 800] and lost.tolist() == [90, 99]
    found, lost = counterparts(ask, np.array([5, 6, 7]), DR3)
    assert found.tolist() == [61, 70] and lost.tolist() == [5]


def test_ids_that_no_chain_leads_to():
    with pytest.raises(BadInput, match="of gaia_dr3 takes source_id, dr2_source_id; the file has dr3x_source_id"):
        counterparts(ask, np.array([1]), DR3, "dr3x_source_id")


def test_the_questions_name_their_tables():
    texts = [neighbourhood_question(DR4, step).text for step in DR4.chain]
    assert "FROM gaiadr4.dr3_neighbourhood AS dr" in texts[0] and "dr.probable_match AS is_probable" in texts[0]
    assert "FROM gaiadr3.dr2_neighbourhood AS dr" in texts[1] and "probable" not in texts[1]
