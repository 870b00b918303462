"""The TIC at MAST and at CDS, and the truth, against the sky that they were made of."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.coordinates import SkyCoord

from schemas import TABLES
from tests.unit.replica.held_sky import N, holdings, query, sky, truth


@pytest.fixture(scope="module")
def tic() -> pd.DataFrame:
    return query("SELECT * FROM tic_catalogrecord").set_index("ID")


@pytest.fixture(scope="module")
def by_source(tic) -> pd.DataFrame:
    """Entries of the sky's own sources that are found by DR2 id, the first of each, by source_id."""
    dr2 = query("SELECT * FROM gaia_dr2_neighbourhood ORDER BY angular_distance").drop_duplicates("dr3_source_id")
    dr2 = dr2[dr2.dr3_source_id.isin(truth().index[~truth().is_duplicate])].assign(GAIA=dr2.dr2_source_id.astype(str))
    entries = tic[tic.disposition.isna() & tic.priority.notna()].reset_index()
    return entries.merge(dr2[["GAIA", "dr3_source_id"]], on="GAIA").set_index("dr3_source_id")


def test_parameters_are_the_labels(by_source):
    labels = sky().parameter_labels.to_pandas().query("origin == 'tic'")
    for column, quantity in (("Teff", "teff_k"), ("rad", "radius_rsun"), ("MH", "feh_dex")):
        label = labels[labels.quantity == quantity].set_index("source_id")
        got = by_source[column].dropna()
        assert set(got.index) == set(label.index) & set(by_source.index) and len(got) > 0.1 * N
        assert np.array_equal(got, label.value.loc[got.index])
        assert np.array_equal(by_source[f"e_{column}"].loc[got.index], label.err.loc[got.index])
        assert not (got == truth().loc[got.index, quantity]).any()


def test_luminosity_classes_follow_gravity(by_source):
    both = by_source[by_source.logg.notna()]
    assert both.lumclass.isin(["DWARF", "GIANT"]).all() and by_source.lumclass[by_source.logg.isna()].isna().all()
    assert (both.lumclass[both.logg > 4.1] == "DWARF").all() and (both.lumclass[both.logg < 3.5] == "GIANT").all()
    assert both.mass.notna().equals(both.lumclass == "DWARF")
    assert np.allclose(both.lum, both.rad**2 * (both.Teff / 5772) ** 4)
    kind = truth().loc[both.index]
    constant = kind["class"] == "CONST"
    assert ((both.lumclass == "GIANT")[constant] == (kind.subclass == "giant")[constant]).mean() > 0.8


def test_who_is_in_it(tic, by_source):
    bright = truth()[(truth().mean_g_mag < 19.5) & ~truth().is_duplicate]
    assert 0.85 < bright.index.isin(by_source.index).mean() < 0.95  # 95 % listed, 96 % of those with a Gaia id
    assert not by_source.index.isin(truth().index[truth().mean_g_mag > 19.6]).any()
    main = tic[tic.priority.notna()]
    assert 0.02 < main.GAIA.isna().mean() < 0.06
    assert tic.index.is_unique
    twice = tic.GAIA.dropna().value_counts()
    assert 0.001 < (twice > 1).mean() < 0.012 and twice.max() == 2


def test_dispositions_point_at_the_other_entry(tic):
    marked = tic[tic.disposition.notna()]
    assert set(marked.disposition) == {"ARTIFACT", "DUPLICATE", "SPLIT"} and 0.003 < len(marked) / len(tic) < 0.025
    assert marked.duplicate_id.notna().equals(marked.disposition == "DUPLICATE")
    pointing = tic[tic.duplicate_id.notna()]
    assert pointing.duplicate_id.isin(tic.index).all()
    other = tic.loc[pointing.duplicate_id]
    is_part = pointing.disposition.isna().to_numpy()
    assert (other.disposition[is_part] == "SPLIT").all() and not (other.disposition[~is_part] == "SPLIT").any()
    distance = SkyCoord(pointing.ra, pointing.dec, unit="deg").separation(SkyCoord(other.ra, other.dec, unit="deg"))
    assert distance.arcsec.max() < 4


def test_a_split_entry_says_nothing_and_its_part_is_the_star(tic):
    retired = tic[tic.disposition == "SPLIT"]
    assert retired[["GAIA", "Teff", "rad", "MH", "logg", "mass", "numcont", "priority"]].isna().all(axis=None)
    parts = tic[tic.duplicate_id.isin(retired.index)]
    assert 0.001 < len(retired) / len(tic) < 0.01 and sorted(parts.duplicate_id) == sorted(retired.index)
    assert parts.disposition.isna().all() and parts.priority.notna().all()
    assert parts.GAIA.notna().mean() > 0.8 and parts.Teff.notna().any()


def test_a_second_id_is_a_duplicate_with_an_id_of_its_own_or_no_entry(tic):
    second = tic[(tic.disposition == "DUPLICATE") & tic.priority.notna()]
    n_second = (truth().is_duplicate & (truth().mean_g_mag < 19.5)).sum()
    assert 0 < len(second) < 0.8 * n_second
    theirs = tic.GAIA.loc[second.duplicate_id].to_numpy()
    assert (second.GAIA.dropna().to_numpy() != theirs[second.GAIA.notna()]).all()


def test_entries_lie_where_the_star_was_in_2000(by_source):
    place = sky().sources.to_pandas().set_index("source_id").loc[by_source.index]
    dec = place.dec - place.pmdec * 16 / 3.6e6
    ra = place.ra - place.pmra * 16 / 3.6e6 / np.cos(np.radians(place.dec))
    distance = SkyCoord(ra, dec, unit="deg").separation(SkyCoord(by_source.ra, by_source.dec, unit="deg")).arcsec
    assert np.median(distance) < 0.06 and distance.max() < 0.2


def test_contamination_is_the_neighbours(by_source):
    around = truth().neighbour_sep_arcsec.loc[by_source.index].notna()
    assert (by_source.numcont == around).all() and ((by_source.contratio > 0) == around).all()
    delta = truth().neighbour_delta_g_mag.loc[by_source.index][around]
    assert np.allclose(by_source.contratio[around], 10 ** (-0.4 * delta))


def test_cds_has_the_same_entries(tic):
    cds = query("SELECT * FROM vizier_tic82")
    assert np.array_equal(np.sort(cds.TIC), np.sort(tic.index.astype("int64")))
    cds = cds.assign(ID=cds.TIC.astype(str)).set_index("ID").loc[tic.index]
    for theirs, ours in (
        ("RAJ2000", "ra"),
        ("Teff", "Teff"),
        ("M_H", "MH"),
        ("Rcont", "contratio"),
        ("Disp", "disposition"),
    ):
        assert cds[theirs].equals(tic[ours].rename(theirs))
    with holdings().connect() as connection:
        same = "SELECT count(*) FROM vizier_tic82 v JOIN tic_catalogrecord t ON v.TIC = CAST(t.ID AS BIGINT)"
        assert connection.execute(f"{same} AND v.GAIA IS NOT DISTINCT FROM CAST(t.GAIA AS BIGINT)").fetchone() == (
            len(tic),
        )


def test_the_truth_is_told_of_the_skys_own_sources_alone():
    field = query("SELECT source_id FROM gaia_source").source_id
    ids = truth().index.to_numpy()[::-7]
    told = holdings().truth(np.array([*ids, ids[0], *field[~field.isin(truth().index)], 5]))
    declared = [column for column in TABLES["label_truth__source"].columns if column.name not in ("dataset", "tile")]
    assert told.schema == pa.schema([(column.name, column.type) for column in declared])
    expected = sky().truth.select(told.column_names).filter(pa.array(np.isin(sky().truth["source_id"], ids)))
    assert told.equals(expected.sort_by("source_id"))
    assert holdings().truth(np.array([], np.int64)).num_rows == 0


def test_no_view_tells_the_truth():
    with holdings().connect() as connection:
        names = {
            row[0] for row in connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        }
    served = {
        t.relation for service in ("gaia", "ps1", "tic", "irsa", "vizier") for t in holdings().tables(service).values()
    }
    assert names == served and "truth" not in names
