"""Matches from candidates: cases by hand, laws against a plain loop over sources and stars."""

import numpy as np
import pyarrow as pa
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.crossmatch.kernel import separations
from tasks.crossmatch.resolve import CANDIDATES, RESOLVED, resolve

RA, DEC = 150.0, 20.0
SOURCES, NEIGHBOURS = ("source_id", "ra", "dec"), ("source_id", "ra", "dec")


def at(east, north):
    """Position (ra, dec) so many arcsec from (RA, DEC)."""
    return RA + east / 3600 / np.cos(np.radians(DEC)), DEC + north / 3600


def places(*rows):
    """A table of source_id, ra, dec from (source_id, east, north)."""
    where = [at(east, north) for _, east, north in rows]
    columns = [[row[0] for row in rows], [ra for ra, _ in where], [dec for _, dec in where]]
    return pa.table({n: pa.array(v, t) for n, v, t in zip(SOURCES, columns, (pa.int64(), pa.float64(), pa.float64()),
                                                          strict=True)})  # fmt: skip


def candidates(*rows, **more):
    """CANDIDATES by position from (source_id, objid, east, north)."""
    where = [at(row[2], row[3]) for row in rows]
    columns = {
        "source_id": [row[0] for row in rows],
        "objid": [row[1] for row in rows],
        "ra": [ra for ra, _ in where],
        "dec": [dec for _, dec in where],
        "is_identified": [False] * len(rows),
        "method": ["position"] * len(rows),
        **more,
    }
    return pa.table([pa.array(columns.get(f.name, [None] * len(rows)), f.type) for f in CANDIDATES], schema=CANDIDATES)


def resolved(sources, found, neighbours=None, match=1.0, group=0.0):
    """Matches as {(source_id, objid): row}."""
    table = resolve(sources, found, places() if neighbours is None else neighbours, match, group)
    assert table.schema == RESOLVED
    return {(row["source_id"], row["objid"]): row for row in table.to_pylist()}


def test_the_nearest_is_the_counterpart_and_the_rest_is_ranked_by_separation():
    got = resolved(places((1, 0, 0)), candidates((1, 10, 0.5, 0), (1, 11, 0, 0.1), (1, 12, 2, 0)))
    assert [got[1, objid]["rank"] for objid in (11, 10, 12)] == [1, 2, 3]
    assert got[1, 11]["sep_arcsec"] == pytest.approx(0.1, abs=1e-6)
    assert {row["n_candidates"] for row in got.values()} == {2}  # the third lies beyond the radius
    assert all(row["is_ambiguous"] for row in got.values())


def test_one_near_star_alone_is_not_ambiguous():
    got = resolved(places((1, 0, 0)), candidates((1, 10, 0.1, 0), (1, 11, 2, 0)))
    assert (got[1, 10]["rank"], got[1, 10]["is_ambiguous"], got[1, 10]["n_candidates"]) == (1, False, 1)


def test_a_source_with_nothing_within_the_radius_has_no_counterpart():
    got = resolved(places((1, 0, 0)), candidates((1, 10, 1.2, 0), (1, 11, 2, 0)))
    assert [got[1, objid]["rank"] for objid in (10, 11)] == [2, 3]
    assert {row["n_candidates"] for row in got.values()} == {0}


def test_entries_of_one_star_share_its_rank_over_links_and_another_star_follows():
    found = candidates((1, 20, 0.1, 0), (1, 21, 0.5, 0), (1, 22, 0.9, 0), (1, 30, -0.95, 0))
    got = resolved(places((1, 0, 0)), found, match=1.5, group=0.45)
    assert [got[1, objid]["rank"] for objid in (20, 21, 22, 30)] == [1, 1, 1, 2]
    assert {row["n_candidates"] for row in got.values()} == {2}
    alone = resolved(places((1, 0, 0)), found.slice(0, 3), match=1.5, group=0.45)
    assert {(row["n_candidates"], row["is_ambiguous"]) for row in alone.values()} == {(1, False)}


def test_a_neighbour_on_the_object_makes_the_match_ambiguous():
    """A wrong match: the survey lists the neighbour alone, 0.9 arcsec away, and nothing of the source."""
    got = resolved(places((1, 0, 0)), candidates((1, 10, 0.9, 0)), places((1, 0.9, 0.05)))
    assert (got[1, 10]["rank"], got[1, 10]["n_mates"], got[1, 10]["is_ambiguous"]) == (1, 1, True)


def test_a_neighbour_farther_from_the_object_than_any_source_may_be_is_no_mate():
    got = resolved(places((1, 0, 0)), candidates((1, 10, 0.1, 0)), places((1, -1.1, 0), (1, 1.05, 0)))
    assert (got[1, 10]["n_mates"], got[1, 10]["is_ambiguous"]) == (1, True)  # 1.2 and 0.95 arcsec from the object


def test_a_mate_of_one_entry_is_a_mate_of_its_star():
    got = resolved(places((1, 0, 0)), candidates((1, 10, 0.3, 0), (1, 11, -0.1, 0)), places((1, 1.25, 0)), group=0.5)
    assert {(row["rank"], row["n_mates"], row["is_ambiguous"]) for row in got.values()} == {(1, 1, True)}


def test_one_object_chosen_by_two_sources_is_ambiguous_for_both():
    sources = places((1, 0, 0), (2, 0, 0.2), (3, 0, 30))
    got = resolved(sources, candidates((1, 10, 0, 0.1), (2, 10, 0, 0.1), (3, 12, 0, 30)))
    assert [got[key]["is_ambiguous"] for key in ((1, 10), (2, 10), (3, 12))] == [True, True, False]


def test_an_object_that_is_only_the_second_choice_of_another_source_is_not_shared():
    got = resolved(places((1, 0, 0), (2, 0, 3.0)), candidates((1, 10, 0, 0.1), (2, 10, 0, 0.1), (2, 11, 0, 3.0)))
    assert (got[2, 10]["rank"], got[1, 10]["is_ambiguous"]) == (2, False)


def test_a_link_without_a_position_keeps_the_published_separation_and_counts():
    found = candidates(
        (1, 10, 0, 0), (2, 11, 0, 0), ra=[None] * 2, dec=[None] * 2, sep_arcsec=[0.3, 0.1], n_candidates=[1, 2],
        n_mates=[0, 3], is_identified=[True] * 2, method=["gaia_best_neighbour"] * 2,
    )  # fmt: skip
    got = resolved(places((1, 0, 0), (2, 0, 90)), found)
    assert (got[1, 10]["sep_arcsec"], got[1, 10]["rank"], got[1, 10]["is_ambiguous"]) == (0.3, 1, False)
    assert (got[2, 11]["n_candidates"], got[2, 11]["n_mates"], got[2, 11]["is_ambiguous"]) == (2, 3, True)
    assert got[1, 10]["method"] == "gaia_best_neighbour"


def test_without_a_position_every_neighbour_that_may_be_near_the_object_is_a_mate():
    found = candidates((1, 10, 0, 0), ra=[None], dec=[None], sep_arcsec=[0.3], is_identified=[True])
    got = resolved(places((1, 0, 0)), found, places((1, 1.25, 0), (1, 0, 1.35)))
    assert got[1, 10]["n_mates"] == 1


def test_what_is_identified_by_id_precedes_what_is_merely_near():
    found = candidates((1, 10, 2.5, 0), (1, 11, 1.5, 0), is_identified=[True, False])
    got = resolved(places((1, 0, 0)), found)
    assert (got[1, 10]["rank"], got[1, 11]["rank"], got[1, 10]["n_candidates"]) == (1, 2, 1)


def test_an_object_listed_twice_counts_once():
    got = resolved(places((1, 0, 0)), candidates((1, 10, 0.1, 0), (1, 10, 0.1, 0)))
    assert len(got) == 1 and got[1, 10]["n_candidates"] == 1


def test_no_candidates_no_matches():
    assert resolve(places((1, 0, 0)), CANDIDATES.empty_table(), places(), 1.0).equals(RESOLVED.empty_table())


def test_a_candidate_of_an_unknown_source_is_refused():
    with pytest.raises(ValueError, match="1 of 2 candidates belong to no source, first that of source_id 9"):
        resolve(places((1, 0, 0)), candidates((1, 10, 0, 0), (9, 10, 0, 0)), places(), 1.0)


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 0.0), (359.9999999, 45.0), (10.0, 90.0), (200.0, -89.9999999)])
def test_separations_are_those_of_astropy_at_the_poles_and_at_ra_0(ra, dec):
    draw = np.random.default_rng(1)
    other_ra, other_dec = ra + draw.normal(0, 1e-3, 50), np.clip(dec + draw.normal(0, 1e-4, 50), -90, 90)
    truth = SkyCoord(ra, dec, unit="deg").separation(SkyCoord(other_ra, other_dec, unit="deg")).arcsec
    got = separations(np.full(50, ra), np.full(50, dec), other_ra, other_dec)
    np.testing.assert_allclose(got, truth, rtol=0, atol=1e-9)


# Offsets on a lattice: no separation is near a radius, so that the plain loop below may compare in the plane.
OFFSET = st.integers(-6, 6).map(lambda step: step * 0.37)
FIELD = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4), OFFSET, OFFSET), max_size=10,
                 unique_by=lambda row: row[:2])  # fmt: skip
AROUND = st.lists(st.tuples(st.integers(1, 3), OFFSET, OFFSET), max_size=6)
MATCH, GROUP = 1.5, 0.6


@settings(max_examples=150, deadline=None)
@given(FIELD, AROUND, st.randoms(use_true_random=False))
def test_resolve_agrees_with_a_plain_loop_whatever_the_order(rows, around, random):
    sources = {1: (0.0513, 0.0219), 2: (0.1137, 0.0731), 3: (0.8311, 0.2907)}
    shuffled = random.sample(rows, len(rows))
    table = places(*((key, *where) for key, where in sources.items()))
    got = resolved(table, candidates(*shuffled), places(*around), MATCH, GROUP)
    assert got.keys() == {row[:2] for row in rows}
    for key, row in by_loop(sources, rows, around).items():
        assert {name: got[key][name] for name in row} == row


def by_loop(sources, rows, around):
    """The same matches by comparing everything with everything, one source and one star at a time."""
    matches = {}
    for source, (east, north) in sources.items():
        stars = []  # lists of (objid, east, north)
        for _, *entry in (row for row in rows if row[0] == source):
            linked = [star for star in stars if any(np.hypot(e[1] - entry[1], e[2] - entry[2]) <= GROUP for e in star)]
            stars = [star for star in stars if star not in linked] + [sum(linked, [entry])]
        nearest = [min((np.hypot(e[1] - east, e[2] - north), e[0]) for e in star) for star in stars]
        nearest = [(d, min(e[0] for e in star)) for (d, _), star in zip(nearest, stars, strict=True)]
        order = sorted(range(len(stars)), key=lambda i: nearest[i])
        n = sum(distance <= MATCH for distance, _ in nearest)
        for rank, star in enumerate((stars[i] for i in order), 1 if n else 2):
            mates = max(sum(s == source and np.hypot(e[1] - x, e[2] - y) <= MATCH for s, x, y in around) for e in star)
            for objid, _, _ in star:
                matches[source, objid] = {"rank": rank, "n_candidates": n, "n_mates": mates, "star": star}
    chosen = [objid for (_, objid), row in matches.items() if row["rank"] == 1]
    for row in matches.values():
        shared = any(chosen.count(objid) > 1 for objid, _, _ in row.pop("star"))
        row["is_ambiguous"] = row["n_candidates"] > 1 or row["n_mates"] > 0 or shared
    return matches
