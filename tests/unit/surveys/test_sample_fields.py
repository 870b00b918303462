"""A sample: which sources it holds, each once, in order, at the least number of requests."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import BadInput
from schemas.rejections import REJECTED
from tasks.lightcurves.times import direction
from tasks.surveys.chain import SAME_STAR_MAG
from tasks.surveys.columns import list_columns, one_per_source, wide_query
from tasks.surveys.sample import (
    Cone,
    GaiaTable,
    IdFile,
    RandomIndex,
    Tiles,
    VariableClasses,
    sample_chunks,
    selections_of,
    union,
)
from tasks.surveys.selections import CELL, END, LAST_ID, N_CELL, TABLES, Piece, cell_ranges, id_ranges
from tasks.surveys.survey import CLASS_LABELS, PARAMETER_LABELS, SOURCES, SampleChunk
from tests.unit.surveys.gaia_sky import RELEASE, GaiaSky, gaia_sky


@pytest.fixture(scope="module")
def sky() -> GaiaSky:
    return gaia_sky()


def ids(found: list[SampleChunk]) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *(field.sources["source_id"].to_numpy() for field in found)])


def sampled(sky: GaiaSky, *selections, **options) -> tuple[np.ndarray, int]:
    """The sources of the sample and the number of requests."""
    sky.asked.clear()
    return ids(list(sample_chunks(sky.ask, selections, RELEASE, **options))), len(sky.asked)


def separation_deg(ra, dec, ra0, dec0):
    return np.degrees(np.arccos(np.clip(direction(ra, dec) @ direction(ra0, dec0), -1, 1)))


def test_by_class_with_a_floor(sky):
    vc = sky.tables["vc"]
    words = ("RR", "DSCT|GDOR|SXPHE")
    expected = vc[vc.best_class_name.isin(words) & (vc.best_class_score >= np.float32(0.4))].source_id.sort_values()
    found, n_request = sampled(sky, VariableClasses(words, 0.4))
    np.testing.assert_array_equal(found, expected)
    assert len(found) > 20 and n_request == 12


@pytest.mark.parametrize("name", [name for name in TABLES])
def test_whole_tables(sky, name):
    expected = np.sort(sky.tables[TABLES[name]].source_id)
    for n_range in (1, 5):
        found, n_request = sampled(sky, GaiaTable(name, n_range))
        np.testing.assert_array_equal(found, expected)
        assert n_request == n_range


@pytest.mark.parametrize("place", [(0.1, 3.0, 25.0), (120.0, -89.0, 20.0), (359.5, 40.0, 90.0)])
def test_cones(sky, place):
    g = sky.tables["g"]
    inside = g[separation_deg(g.ra, g.dec, *place[:2]) <= place[2]]
    found, n_request = sampled(sky, Cone(*place))
    np.testing.assert_array_equal(found, np.sort(inside.source_id))
    assert len(found) and n_request == 1
    with_epochs, _ = sampled(sky, Cone(*place, with_epochs=True, n_range=3))
    np.testing.assert_array_equal(with_epochs, np.sort(inside[inside.has_epoch_photometry].source_id))


def test_tiles(sky):
    g = sky.tables["g"]
    cells = (0, 1, 2, 30, 47)
    inside = g[np.isin(g.source_id // (CELL * 4**11), cells)]
    found, n_request = sampled(sky, Tiles(1, cells))
    np.testing.assert_array_equal(found, np.sort(inside.source_id))
    assert len(found) > 10 and n_request == 3  # 0, 1 and 2 are asked together


def test_random_index(sky):
    g = sky.tables["g"]
    found, n_request = sampled(sky, RandomIndex(10, 60))
    np.testing.assert_array_equal(found, np.sort(g[g.random_index.between(10, 59)].source_id))
    assert len(found) == 50 and n_request == 1
    assert RandomIndex(0, 250_001).items(RELEASE).num_rows == 3
    assert RandomIndex(0, 9, n_range=4).items(RELEASE).num_rows == 4


@given(chosen=st.lists(st.integers(0, 6), min_size=1, max_size=5), size=st.integers(1, 60), shift=st.integers(0, 9))
@settings(max_examples=8, deadline=None)
def test_a_union_holds_each_source_once_in_order(chosen, size, shift):
    sky = _SKY
    ways = [VariableClasses(("RR", "LPV"), n_range=3), GaiaTable("vari_rrlyrae", 5), Cone(10.0, 20.0, 60.0),
            Tiles(0, (0, 4, 5, 11)), RandomIndex(20 * shift, 20 * shift + 99), GaiaTable("vari_cepheid", 1),
            Cone(200.0, -40.0, 30.0, n_range=2)]  # fmt: skip
    selections = [ways[k] for k in chosen]
    alone = [ids(list(sample_chunks(sky.ask, [selection], RELEASE))) for selection in selections]
    found = list(sample_chunks(sky.ask, selections, RELEASE, size=size))
    np.testing.assert_array_equal(ids(found), np.unique(np.concatenate(alone)))
    assert [field.sources.num_rows for field in found[:-1]] == [size] * (len(found) - 1)
    turned = list(sample_chunks(sky.ask, selections[::-1], RELEASE, size=size))
    for field, same in zip(found, turned, strict=True):
        for name in ("sources", "class_labels", "parameter_labels"):
            assert getattr(field, name).equals(getattr(same, name)), name


_SKY = gaia_sky(150, seed=8)


def test_a_limit_stops_the_asking(sky):
    everything, _ = sampled(sky, GaiaTable("gaia_source"))
    found, n_request = sampled(sky, GaiaTable("gaia_source"), limit=25, size=10)
    np.testing.assert_array_equal(found, everything[:25])
    assert 0 < n_request < 12
    sky.asked.clear()
    sample_chunks(sky.ask, [GaiaTable("gaia_source")], RELEASE)
    assert not sky.asked  # nothing is asked before the first field is wanted


def test_pieces_go_out_as_soon_as_they_are_complete():
    """Memory: of two selections in lock step no more than a piece each is held."""

    def pieces(step, read):
        for lo in range(0, 100, step):
            read.append(lo)
            rows = pa.table({"source_id": np.arange(lo, lo + step)})
            yield Piece(END if lo + step == 100 else lo + step - 1, rows, REJECTED.empty_table())

    fast, slow, given_out = [], [], []
    for rows, _ in union([pieces(10, fast), pieces(25, slow)]):
        given_out += rows["source_id"].to_pylist()
        assert max(fast[-1] + 10, slow[-1] + 25) - len(given_out) <= 25
    assert given_out == list(range(100))


@given(n=st.integers(1, 3000))
def test_ranges_share_out_every_id(n):
    ranges = id_ranges(n)
    assert ranges[0, 0] == 0 and ranges[-1, 1] == LAST_ID == N_CELL * CELL - 1
    assert (ranges[1:, 0] == ranges[:-1, 1] + 1).all() and (ranges[:, 1] > ranges[:, 0]).all()
    size = ranges[:, 1] - ranges[:, 0]
    assert size.max() - size.min() <= CELL and (ranges[:, 0] % CELL == 0).all()


@given(order=st.integers(0, 12), data=st.data())
def test_ranges_of_tiles_are_the_tiles(order, data):
    cells = data.draw(st.lists(st.integers(0, 12 * 4**order - 1), min_size=1, max_size=30))
    ranges = cell_ranges(order, cells)
    size = CELL * 4 ** (12 - order)
    covered = [cell for lo, hi in ranges.tolist() for cell in range(lo // size, hi // size + 1)]
    assert covered == sorted(set(cells))
    assert (ranges[:, 0] % size == 0).all() and ((ranges[:, 1] + 1) % size == 0).all()


def test_all_tiles_are_the_base_ranges():
    np.testing.assert_array_equal(cell_ranges(2, range(12 * 16)), id_ranges(12))


def test_rows_are_those_of_gaia(sky):
    found = list(sample_chunks(sky.ask, [GaiaTable("gaia_source", 2)], RELEASE, size=70))
    table = pa.concat_tables([field.sources for field in found])
    assert table.schema == SOURCES and len(found) == 6
    g = sky.tables["g"].sort_values("source_id").reset_index(drop=True)
    for name in ("ra", "dec", "phot_g_mean_mag", "phot_variable_flag", "has_epoch_photometry"):
        assert table[name].to_pylist() == g[name].tolist(), name
    assert table["parallax"].null_count == int(g.parallax.isna().sum()) > 10
    ps = sky.tables["ps"].set_index("source_id").reindex(g.source_id)
    assert table["ps1_objid"].null_count == int(ps.original_ext_source_id.isna().sum()) > 10
    known = pc.is_valid(table["ps1_objid"]).to_numpy()
    np.testing.assert_array_equal(table["ps1_objid"].to_numpy()[known], ps.original_ext_source_id[known])
    assert all(field.class_labels.schema == CLASS_LABELS for field in found)
    assert all(field.parameter_labels.schema == PARAMETER_LABELS for field in found)


def test_the_dr2_id_is_of_the_nearest_with_the_same_magnitude(sky):
    table = next(sample_chunks(sky.ask, [GaiaTable("gaia_source", 1)], RELEASE)).sources
    found = dict(zip(table["source_id"].to_pylist(), table["dr2_source_id"].to_pylist(), strict=True))
    dr = sky.tables["dr"]
    same = dr[dr.magnitude_difference.abs() <= SAME_STAR_MAG].sort_values("angular_distance")
    expected = same.groupby("dr3_source_id").dr2_source_id.first()
    assert {own: dr2 for own, dr2 in found.items() if dr2 is not None} == expected.to_dict()
    assert 100 < len(expected) < dr.dr3_source_id.nunique()  # some have only neighbours of another magnitude


def test_one_row_per_source_whatever_the_order():
    def row(source_id, **given):
        return {name: None for name in list_columns(RELEASE)} | {"source_id": source_id} | given

    rows = [
        row(1, class_name="RR", class_score=0.4, dr2_source_id=11, dr2_distance_mas=5.0, dr2_delta_mag=0.1),
        row(1, class_name="CEP", class_score=0.9, dr2_source_id=12, dr2_distance_mas=9.0, dr2_delta_mag=-0.2),
        row(1, class_name="CEP", class_score=0.9, dr2_source_id=13, dr2_distance_mas=1.0, dr2_delta_mag=0.8),
        row(1, class_name="CEP", class_score=0.9, dr2_source_id=14, dr2_distance_mas=2.0, dr2_delta_mag=None),
        row(2, dr2_source_id=21, dr2_distance_mas=1.0, dr2_delta_mag=-0.51),
        row(3),
    ]
    rng = np.random.default_rng(1)
    schema = pa.schema(list(list_columns(RELEASE).items()))
    for _ in range(5):
        kept = one_per_source(pa.Table.from_pylist([rows[k] for k in rng.permutation(len(rows))], schema))
        assert kept.select(["source_id", "class_name", "dr2_source_id"]).to_pydict() == {
            "source_id": [1, 2, 3], "class_name": ["CEP", None, None], "dr2_source_id": [12, None, None],
        }  # fmt: skip
    assert one_per_source(schema.empty_table()).num_rows == 0


def test_the_query_joins_every_table_once_and_holds_no_upload():
    for driver in TABLES.values():
        text = wide_query(RELEASE, "1 = 1", driver)
        for alias, table in RELEASE.tables.items():
            assert text.count(f"{table} AS {alias}") == (alias != "lite")
        assert "upload" not in text.lower()


def test_nothing_but_checked_words_enters_a_query():
    for name in ("RR'; DROP TABLE x", "RR\n", "{lo}", ""):
        with pytest.raises(BadInput, match="no name of a class"):
            VariableClasses((name,))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: VariableClasses(()), "at least one class"),
        (lambda: VariableClasses(("RR",), 1.2), "min_score lies between 0 and 1, not 1.2"),
        (lambda: GaiaTable("vari_summary"), "no table 'vari_summary' to select from; known are gaia_source, "),
        (lambda: GaiaTable("vari_rrlyrae", 0), "n_range is between 1 and 201,326,592, not 0"),
        (lambda: Cone(361.0, 0.0, 1.0), "0 <= ra < 360 deg, not 361.0"),
        (lambda: Cone(10.0, 91.0, 1.0), "-90 <= dec <= 90 deg, not 91.0"),
        (lambda: Cone(10.0, 0.0, 0.0), "radius of a cone is above 0 and at most 90 deg, not 0.0"),
        (lambda: Cone(float("nan"), 0.0, 1.0), "0 <= ra < 360 deg, not nan"),
        (lambda: Tiles(13, (0,)), "order of 0 to 12, not 13"),
        (lambda: Tiles(1, (3, 48)), r"order 1 has the cells 0 to 47, not \[48\]"),
        (lambda: Tiles(1, ()), "at least one cell"),
        (lambda: RandomIndex(5, 5), "random_index goes from 0 up, not from 5 to 5"),
        (lambda: sample_chunks(_SKY.ask, [], RELEASE), "name at least one selection"),
        (lambda: sample_chunks(_SKY.ask, [GaiaTable("vari_cepheid")], RELEASE, size=0), "at least one source, not 0"),
    ],
)
def test_refusals(make, sentence):
    with pytest.raises(BadInput, match=sentence):
        make()


def test_settings_name_the_selections(tmp_path):
    pd.DataFrame({"source_id": [5, 3]}).to_csv(tmp_path / "mine.csv", index=False)
    sample = SimpleNamespace(
        tables=("vari_rrlyrae", "vari_cepheid"), classes=("RR", "CEP"), min_score=0.2, cones=((1.0, 2.0, 3.0),),
        tiles=(4, 2), tile_order=3, ids=tmp_path / "mine.csv", random_index=(0, 99), with_epochs=True, n_range=6,
        min_stetson=None, min_variable_score=None,
    )  # fmt: skip
    assert selections_of(sample) == (
        GaiaTable("vari_cepheid", 6),
        GaiaTable("vari_rrlyrae", 6),
        VariableClasses(("CEP", "RR"), 0.2, 6),
        Cone(1.0, 2.0, 3.0, True),
        Tiles(3, (2, 4), True),
        RandomIndex(0, 100, True),
        IdFile(str(tmp_path / "mine.csv")),
    )
