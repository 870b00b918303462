"""ZTF objects and light curves, against the sky that they were made of."""

import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord

from tasks.lightcurves.flags import BAD_QUALITY, BLENDED, MOONLIGHT, SATURATED
from tasks.lightcurves.times import mjd, to_barycentre
from tests.unit.replica.held_sky import holdings, query, sky, truth

CATFLAGS = {BAD_QUALITY: 32768, MOONLIGHT: 2, SATURATED: 16, BLENDED: 1}


@pytest.fixture(scope="module")
def objects() -> pd.DataFrame:
    return query("SELECT * FROM irsa_ztf_objects").set_index("oid")


@pytest.fixture(scope="module")
def curves(objects) -> pd.DataFrame:
    return holdings().ztf_epochs(objects.index.to_numpy()).to_pandas()


def moved(source_id) -> pd.DataFrame:
    """Places of some stars in 2020.5."""
    place = sky().sources.to_pandas().set_index("source_id").loc[source_id]
    place["dec"] += place.pmdec * 4.5 / 3.6e6
    place["ra"] += place.pmra * 4.5 / 3.6e6 / np.cos(np.radians(place.dec))
    return place


def pairs(source_id, objects, reach: float = 0.8) -> pd.DataFrame:
    """Every object within `reach` arcsec of each star: source_id, oid, sep."""
    place = moved(source_id)
    stars, there = (SkyCoord(ra, dec, unit="deg") for ra, dec in ((place.ra, place.dec), (objects.ra, objects.dec)))
    row, star, distance, _ = stars.search_around_sky(there, 6.5 * stars.ra.unit / 3600)
    table = pd.DataFrame({"source_id": place.index[star], "oid": objects.index[row], "sep": distance.arcsec})
    return table[table.sep < reach]


@pytest.fixture(scope="module")
def own(objects) -> pd.Series:
    """source_id of each object that is a star of the sky itself (the first id of those with two)."""
    batch = sky().epochs["ztf"]
    stars = truth().loc[batch.source_id].query("not is_wrong_match_ztf and not is_duplicate")
    return pairs(stars.index, objects).drop_duplicates("oid").set_index("oid").source_id


def test_light_curves_tell_the_sky_again(own, curves):
    batch = sky().epochs["ztf"]
    chosen = own.unique()[::60]
    mine = batch.select(np.flatnonzero(np.isin(batch.source_id, chosen)))
    expected = pd.DataFrame(
        {
            "source_id": mine.source_id[mine.row],
            "time": mine.time,
            "mag": mine.mag,
            "mag_err": mine.mag_err,
            "band": mine.band,
            "flags": mine.flags,
        }
    )
    got = curves[curves.oid.isin(own.index[own.isin(chosen)])].copy()
    got["source_id"] = got.oid.map(own)
    place = sky().sources.to_pandas().set_index("source_id").loc[got.source_id]
    got["time"] = to_barycentre(mjd(got.hjd), place.ra, place.dec, "utc", "sun")
    got["by_mjd"] = to_barycentre(got.mjd, place.ra, place.dec, "utc", "earth")
    got["band"] = got.filtercode.map({"zg": 8, "zr": 9, "zi": 10})
    got, expected = (table.sort_values(["source_id", "time"]).reset_index(drop=True) for table in (got, expected))
    assert len(expected) > 5000 and got.source_id.equals(expected.source_id)
    assert np.abs(got.time - expected.time).max() * 86400 < 1e-3
    assert np.abs(got.by_mjd - expected.time).max() * 86400 < 1e-3
    assert np.abs(mjd(got.hjd) - got.mjd).max() * 1440 > 4  # light travels for up to 8.3 min
    assert (got.band == expected.band).all()
    assert np.array_equal(got.mag, expected.mag) and np.array_equal(got.magerr, expected.mag_err)
    assert np.array_equal(got.catflags, sum(((expected["flags"] & bit) != 0) * flag for bit, flag in CATFLAGS.items()))
    assert set(got.catflags) == {0, 1, 2, 16, 32768}


def test_light_curves_are_in_order_and_carry_their_object(curves, objects):
    key = curves[["oid", "hjd"]]
    assert key.equals(key.sort_values(["oid", "hjd"]))
    of = objects.loc[curves.oid]
    for name in ("filtercode", "ra", "dec", "field", "ccdid", "qid"):
        assert (curves[name].to_numpy() == of[name].to_numpy()).all()
    day = pd.to_datetime(curves.filefracday.astype(str).str[:8])
    assert ((day - pd.Timestamp("1858-11-17")).dt.days == np.floor(curves.mjd)).all()
    assert curves.notna().all(axis=None)
    assert holdings().ztf_epochs(np.array([3, -1])).num_rows == 0


def test_objects_sum_up_their_light_curves(curves, objects):
    good = curves[curves.catflags < 32768].groupby("oid").mag
    assert objects.nobs.equals(curves.groupby("oid").size().astype("int32").rename("nobs"))
    some = objects.loc[good.size().index]
    assert (some.ngoodobs == good.size()).all() and (objects.ngoodobsrel == objects.ngoodobs).all()
    assert np.allclose(some.medianmag, good.median(), atol=1e-4) and np.allclose(some.maxmag, good.max(), atol=1e-4)
    assert np.allclose(some.magrms, good.std(), atol=1e-3, equal_nan=True)


def test_each_filter_of_most_stars_is_one_object_and_of_the_others_two(own, objects):
    of = objects.loc[own.index].assign(source_id=own)
    n_fields = of.groupby("source_id").field.nunique()
    assert 0.65 < (n_fields == 1).mean() < 0.76 and n_fields.max() == 2
    assert not of.duplicated(["source_id", "field", "ccdid", "qid", "filtercode"]).any()
    two = of[of.source_id.isin(n_fields.index[n_fields == 2])]
    share = two[two.field > 1000].nobs.sum() / two.nobs.sum()
    assert 0.25 < share < 0.35
    assert objects.ccdid.between(1, 16).all() and objects.qid.between(1, 4).all() and objects.index.is_unique
    assert (objects.fid.map({1: "zg", 2: "zr", 3: "zi"}) == objects.filtercode).all()
    assert objects.index.to_series().between(10**12, 10**18).all()


def test_each_object_scatters_by_itself(own, objects):
    place = moved(own.to_numpy())
    there = objects.loc[own.index]
    distance = SkyCoord(place.ra, place.dec, unit="deg").separation(SkyCoord(there.ra, there.dec, unit="deg")).arcsec
    assert np.sqrt((distance**2).mean() / 2) == pytest.approx(0.1, rel=0.1)
    assert pd.Series(distance).groupby(own.to_numpy()).nunique().max() > 1


def test_a_wrong_match_lies_at_the_neighbour(objects, curves):
    batch = sky().epochs["ztf"]
    number = pd.Series(batch.n_epoch, batch.source_id)
    wrong = truth()[truth().is_wrong_match_ztf & truth().index.isin(number.index) & ~truth().is_duplicate]
    near = pairs(wrong.index, objects, reach=6.5)
    assert len(wrong) > 5 and set(near.source_id) == set(wrong.index)
    assert np.abs(near.sep - wrong.neighbour_sep_arcsec.loc[near.source_id].to_numpy()).max() < 0.6
    total = curves.groupby("oid").size().loc[near.oid].groupby(near.source_id.to_numpy()).sum()
    assert (total == number.loc[total.index]).all()


def test_resolved_neighbours_have_few_epochs_and_blended_ones_none(objects):
    batch = sky().epochs["ztf"]
    number = pd.Series(batch.n_epoch, batch.source_id)
    around = truth()[truth().index.isin(number.index[number > 100])].query(
        "not is_wrong_match_ztf and not is_duplicate and neighbour_delta_g_mag < 1"
    )
    near = pairs(around.index, objects, reach=6.5)
    beside = near[near.sep > 0.8].groupby("source_id").oid.agg(list)
    resolved = around.neighbour_sep_arcsec >= 2.0
    assert (
        resolved.sum() > 10
        and not beside.index.isin(around.index[~resolved & around.neighbour_sep_arcsec.notna()]).any()
    )
    assert around.index[resolved].isin(beside.index).mean() > 0.7
    few = beside.map(lambda oids: objects.nobs.loc[oids].sum())
    assert (few < 0.15 * number.loc[few.index]).all()
