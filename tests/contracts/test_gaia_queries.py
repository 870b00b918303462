"""Every ADQL query to Gaia: the replica's answer beside the same question asked in NumPy of its tables, whole."""

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from tasks.surveys.gaia_releases import RELEASES
from tasks.surveys.id_lists import IdFile, counterparts, neighbourhood_question
from tasks.surveys.neighbours import neighbours_question
from tasks.surveys.selections import TABLES, Cone, GaiaTable, RandomIndex, Tiles, VariableClasses
from tests.contracts.plain_gaia import WIDE, PlainGaia, assert_same, chord, joined, units

RELEASE = RELEASES["dr3"]
ORDER = ("source_id", "dr2_source_id")
CLASSES = ("RR", "DSCT|GDOR|SXPHE", "LPV")
CONES = {
    "somewhere": (120.0, -35.0, 40.0), "north pole": (77.0, 90.0, 50.0), "beside the south pole": (200.0, -88.0, 50.0),
    "across RA 0 from the west": (359.5, 10.0, 60.0), "across RA 0 from the east": (0.0, -5.0, 60.0),
    "half of the sky": (10.0, 89.0, 90.0),
}  # fmt: skip


@pytest.fixture(scope="module")
def gaia(tmp_path_factory):
    return PlainGaia(tmp_path_factory.mktemp("holdings"))


def wide(gaia, selection):
    """What the selection's requests bring, and each is asked about its own range."""
    items = selection.items(RELEASE)
    assert items.num_rows == getattr(selection, "n_range", items.num_rows)
    return gaia.asked_each(selection.question(RELEASE), items)


def has_epochs(gaia):
    return gaia.whole("gaia_source")["has_epoch_photometry"].to_numpy(zero_copy_only=False).astype(bool)


def test_the_sky_has_what_is_compared(gaia):
    """Every column has values, those that may be null are somewhere, and a source has one row or several."""
    rows, names = gaia.everything, list(WIDE["gaia_source"])
    assert list(rows.column_names) == [name for columns in WIDE.values() for name in columns]
    assert not [name for name in rows.column_names if rows[name].null_count == rows.num_rows]
    always = {name for name in rows.column_names if rows[name].null_count == 0}
    assert always < {*names} and {"parallax", "pmra", "ruwe", "phot_bp_mean_mag"}.isdisjoint(always)
    per_source = np.bincount(gaia.of_row)
    assert per_source.min() == 1 and np.count_nonzero(per_source > 1) > 10
    assert 0.3 < has_epochs(gaia).mean() < 0.99


@pytest.mark.parametrize("is_scored", [False, True])
def test_variable_classes(gaia, is_scored):
    table = gaia.whole("vari_classifier_result")
    is_named = np.isin(table["best_class_name"].to_pylist(), CLASSES)
    score = table["best_class_score"].to_numpy().astype(float)
    floor = float(np.median(score[is_named])) if is_scored else 0.0
    floor = score[is_named][np.argmin(np.abs(score[is_named] - floor))] if is_scored else 0.0  # one that a star has
    is_wanted = is_named & (score >= floor)
    assert 20 < is_wanted.sum() < (is_named.sum() if is_scored else table.num_rows)
    got = wide(gaia, VariableClasses(CLASSES, min_score=float(floor), n_range=3))
    ids = gaia.column("source_id", "vari_classifier_result")[is_wanted]
    assert_same(got, gaia.of_sources(np.isin(gaia.column("source_id"), ids)), *ORDER)


@pytest.mark.parametrize("name", TABLES)
def test_whole_tables(gaia, name):
    ids = gaia.column("source_id", name)
    got = wide(gaia, GaiaTable(name, n_range=2))
    assert got.num_rows >= ids.size > 10
    assert_same(got, gaia.of_sources(np.isin(gaia.column("source_id"), ids)), *ORDER)


@pytest.mark.parametrize("with_epochs", [False, True])
@pytest.mark.parametrize("where", CONES)
def test_cones(gaia, where, with_epochs):
    inside = gaia.within(*CONES[where])
    is_wanted = inside & has_epochs(gaia) if with_epochs else inside
    assert 3 < is_wanted.sum() < (inside.sum() if with_epochs else inside.size)
    if where.startswith("across"):
        assert {True, False} == set(gaia.column("ra")[is_wanted] < 180)
    got = wide(gaia, Cone(*CONES[where], with_epochs=with_epochs, n_range=1 + with_epochs))
    assert_same(got, gaia.of_sources(is_wanted), *ORDER)


def test_cones_of_arcseconds(gaia):
    """Around a star with a neighbour: a hair wider than their separation both are inside, a hair narrower one."""
    place = units(gaia.column("ra"), gaia.column("dec"))
    apart = np.linalg.norm(place[:, None] - place, axis=2) + 9 * np.eye(len(place))
    star = np.unravel_index(np.argmin(np.where(apart > chord(1 / 3600), apart, 9)), apart.shape)[0]
    separation = np.degrees(2 * np.arcsin(apart[star].min() / 2))
    for radius, n in ((separation * (1 + 1e-6), 2), (separation * (1 - 1e-6), 1)):
        cone = (float(gaia.column("ra")[star]), float(gaia.column("dec")[star]), float(radius))
        is_wanted = gaia.within(*cone)
        assert is_wanted.sum() == n
        assert_same(wide(gaia, Cone(*cone)), gaia.of_sources(is_wanted), *ORDER)


@pytest.mark.parametrize("with_epochs", [False, True])
@pytest.mark.parametrize(("order", "cells"), [(0, (11, 0, 1)), (1, (2, 3, 4, 7, 8, 9, 25, 47, 25))])
def test_tiles(gaia, order, cells, with_epochs):
    cell = gaia.column("source_id") >> (35 + 2 * (12 - order))
    is_wanted = np.isin(cell, cells) & (has_epochs(gaia) | (not with_epochs))
    assert 5 < is_wanted.sum() < is_wanted.size
    assert_same(wide(gaia, Tiles(order, cells, with_epochs)), gaia.of_sources(is_wanted), *ORDER)


@pytest.mark.parametrize("with_epochs", [False, True])
def test_random_index(gaia, with_epochs):
    index = gaia.column("random_index")
    is_wanted = (index >= 30) & (index < 250) & (has_epochs(gaia) | (not with_epochs))
    assert is_wanted.sum() == 220 if not with_epochs else 20 < is_wanted.sum() < 220
    got = wide(gaia, RandomIndex(30, 250, with_epochs, n_range=2 + with_epochs))
    assert_same(got, gaia.of_sources(is_wanted), *ORDER)


def test_lists_of_ids(gaia, tmp_path):
    ids = gaia.column("source_id")
    several = ids[np.bincount(gaia.of_row) > 1]
    asked = np.unique(np.concatenate([ids[::5], several, [4, 2**62 + 1]]))
    selection = IdFile(write(tmp_path, "source_id", asked))
    got = gaia.asked(selection.question(RELEASE), selection.items(RELEASE))
    assert got.num_rows > np.isin(ids, asked).sum() > 150
    assert_same(got, gaia.of_sources(np.isin(ids, asked)), *ORDER)


def test_neighbours_of_dr2_ids(gaia, tmp_path):
    """The rows of the neighbourhood, and the counterparts among them: the nearest of like brightness."""
    table = gaia.whole("dr2_neighbourhood")
    ids, count = np.unique(gaia.column("dr2_source_id", "dr2_neighbourhood"), return_counts=True)
    assert (count > 1).any()
    asked = np.unique(np.concatenate([ids[::3], ids[count > 1], [4, 2**62 + 1]]))
    items = IdFile(write(tmp_path, "dr2_source_id", asked)).items(RELEASE)
    expected = table.filter(pa.array(np.isin(gaia.column("dr2_source_id", "dr2_neighbourhood"), asked)))
    names = {
        "dr2_source_id": "dr2_source_id",
        "dr3_source_id": "source_id",
        "angular_distance": "angular_distance",
        "magnitude_difference": "magnitude_difference",
    }
    expected = expected.select(list(names)).rename_columns(list(names.values()))
    got = gaia.asked(neighbourhood_question(RELEASE, RELEASE.chain[0]), items)
    assert got.num_rows > 200
    assert_same(got, expected, "dr2_source_id", "source_id")

    found, lost = counterparts(gaia.asked, asked, RELEASE)
    best = {}
    for row in sorted(expected.to_pylist(), key=lambda row: (row["angular_distance"], row["source_id"])):
        if abs(row["magnitude_difference"]) <= 0.5:
            best.setdefault(row["dr2_source_id"], row["source_id"])
    assert found.tolist() == sorted(set(best.values())) and lost.tolist() == sorted({*asked.tolist()} - {*best})
    assert {4, 2**62 + 1} < set(lost)


@pytest.mark.parametrize("hair", [-1e-6, 1e-6])
@pytest.mark.parametrize("reach_arcsec", [5.0, 1.0])
def test_neighbours(gaia, reach_arcsec, hair):
    """A hair inside and outside of the farthest pair within reach."""
    rows, ids = gaia.whole("gaia_source_lite"), gaia.column("source_id", "gaia_source_lite")
    place = units(*(gaia.column(name, "gaia_source_lite") for name in ("ra", "dec")))
    asked = np.sort(ids)[np.arange(ids.size) % 3 > 0]
    apart = np.linalg.norm(place[:, None] - place, axis=2) + 9 * np.eye(ids.size)
    apart[~np.isin(ids, asked)] = 9
    farthest = apart[apart < chord(reach_arcsec / 3600)].max()
    radius_arcsec = float(np.degrees(2 * np.arcsin(farthest / 2)) * 3600 * (1 + hair))
    star, other = np.nonzero(apart <= chord(radius_arcsec / 3600))
    assert star.size > 3 and not np.isin(ids[other], asked).all() and (farthest in apart[star, other]) == (hair > 0)
    columns = {name: rows[name].take(pa.array(other)) for name in ("ra", "dec", "pmra", "pmdec", "phot_g_mean_mag")}
    expected = pa.table({"source_id": ids[star], "neighbour_source_id": ids[other], **columns})
    got = gaia.asked(neighbours_question(RELEASE, radius_arcsec), pa.table({"source_id": np.append(asked, 2**62 + 1)}))
    assert_same(got, expected, "source_id", "neighbour_source_id")


def test_the_join_itself():
    left, right = joined(np.array([5, 1, 5, 9]), np.array([9, 5, 7, 5]))
    assert left.tolist() == [0, 0, 1, 2, 2, 3] and right.tolist() == [1, 3, -1, 1, 3, 0]
    left, right = joined(np.array([5, 1]), np.empty(0, np.int64))
    assert left.tolist() == [0, 1] and right.tolist() == [-1, -1]


def write(folder, column, ids):
    path = folder / "ids.csv"
    pyarrow.csv.write_csv(pa.table({column: ids}), path)
    return str(path)
