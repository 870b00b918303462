"""Pan-STARRS1 objects and detections, and Gaia's match with them, against the sky that they were made of."""

import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord

from tasks.lightcurves.photometry import jansky_to_ab
from tasks.lightcurves.times import to_barycentre
from tests.unit.replica.held_sky import holdings, query, sky, truth

# Becker et al. 2025, appendix A: bits of the three flags that reject a detection.
REJECT = {
    "infoFlag": [8, 16, 32, 128, 256, 1024, 2048, 4096, 8192, 32768, 65536, 131072, 262144, 4194304, 268435456,
                 536870912, 1073741824, 2147483648],
    "infoFlag2": [8, 16, 32, 64, 4096, 8192, 16384, 4194304],
    "infoFlag3": [8192, 16384],
}  # fmt: skip


@pytest.fixture(scope="module")
def objects() -> pd.DataFrame:
    return query("SELECT * FROM ps1_mean_object").set_index("objID")


@pytest.fixture(scope="module")
def detections() -> pd.DataFrame:
    return query("SELECT * FROM ps1_detection")


@pytest.fixture(scope="module")
def match() -> pd.DataFrame:
    return query("SELECT * FROM gaia_panstarrs1_best_neighbour").set_index("source_id")


@pytest.fixture(scope="module")
def own_object(objects) -> pd.Series:
    """objID of each star with epochs of its own: the object with as many of them, within an arcsecond."""
    batch = sky().epochs["ps1"]
    table = truth().loc[batch.source_id].assign(n_epoch=batch.n_epoch).query("not is_wrong_match_ps1")
    place = sky().sources.to_pandas().set_index("source_id").loc[table.index]
    index, distance, _ = at_ps1(place, objects)
    taken = objects.iloc[index]
    near = (distance < 1.0) & (taken.nDetections.to_numpy() == table.n_epoch.to_numpy())
    assert near.all()
    return pd.Series(taken.index, table.index)


def at_ps1(place: pd.DataFrame, objects: pd.DataFrame) -> tuple:
    """The nearest object of each star, moved to the mean of PS1, 2012.2: index, distance in arcsec, candidates."""
    years = 2012.2 - 2016.0
    dec = place.dec + place.pmdec.fillna(0) * years / 3.6e6
    ra = place.ra + place.pmra.fillna(0) * years / 3.6e6 / np.cos(np.radians(place.dec))
    stars, there = SkyCoord(ra, dec, unit="deg"), SkyCoord(objects.raMean, objects.decMean, unit="deg")
    index, distance, _ = stars.match_to_catalog_sky(there)
    return index, distance.arcsec, there


def rejected(table: pd.DataFrame) -> np.ndarray:
    bad = table.psfQfPerfect.to_numpy() <= 0.9
    for name, bits in REJECT.items():
        bad |= (table[name].to_numpy() & sum(bits)) != 0
    return bad


def test_detections_tell_the_sky_again(own_object, detections):
    batch = sky().epochs["ps1"]
    place = sky().sources.to_pandas().set_index("source_id")
    chosen = own_object[~truth().loc[own_object.index].is_duplicate].index[::25]
    expected = batch.select(np.flatnonzero(np.isin(batch.source_id, chosen)))
    epochs = pd.DataFrame(
        {
            "source_id": expected.source_id[expected.row],
            "time": expected.time,
            "mag": expected.mag,
            "mag_err": expected.mag_err,
            "band": expected.band,
            "flags": expected.flags,
        }
    )
    got = detections[detections.objID.isin(own_object[chosen])].copy()
    got["source_id"] = got.objID.map(pd.Series(chosen, own_object[chosen]))
    where = place.loc[got.source_id]
    got["time"] = to_barycentre(got.obsTime, where.ra, where.dec, "tai", "earth")
    got, epochs = (table.sort_values(["source_id", "time"]).reset_index(drop=True) for table in (got, epochs))
    assert len(epochs) > 2000 and got.source_id.equals(epochs.source_id)
    assert np.abs(got.time - epochs.time).max() * 86400 < 1e-3
    assert ((got.filterID + 2) == epochs.band).all()  # g_ps1 is the fourth of all bands
    measured = got.psfFlux > 0
    assert (got[~measured][["psfFlux", "psfFluxErr"]] == -999).all(axis=None) and 0.002 < (~measured).mean() < 0.025
    mag, error = jansky_to_ab(got.psfFlux[measured], got.psfFluxErr[measured])
    assert np.abs(mag - epochs.mag[measured]).max() < 1e-5
    assert np.abs(error / epochs.mag_err[measured] - 1).max() < 1e-5
    assert np.array_equal(rejected(got), epochs["flags"] != 0)
    assert 0.01 < rejected(got).mean() < 0.03


def test_all_kinds_of_quality_occur_and_good_rows_carry_harmless_bits(detections):
    bad = detections[rejected(detections)]
    for name, bits in REJECT.items():
        assert ((bad[name] & sum(bits)) != 0).any()
        assert (detections[~rejected(detections)][name] != 0).any()
    assert (bad.psfQfPerfect == 0.5).any() and (detections.psfQfPerfect <= 1).all()
    assert detections.detectID.is_unique
    key = detections[["objID", "obsTime"]]
    assert key.equals(key.sort_values(["objID", "obsTime"]).reset_index(drop=True))


def test_object_ids_order_the_sky_by_declination(objects):
    assert objects.index.is_unique and objects.index.is_monotonic_increasing
    assert (objects.index // 10**13 == np.floor((objects.decMean + 90) / 0.00833333)).all()
    assert (objects.zoneID == objects.index // 10**13).all()
    names = SkyCoord(objects.raMean, objects.decMean, unit="deg")
    ra = names.ra.to_string("hour", sep="", precision=3, pad=True)
    dec = names.dec.to_string("deg", sep="", precision=3, pad=True, alwayssign=True)
    assert (objects.objName == [f"PSO J{a}{d}" for a, d in zip(ra, dec, strict=True)]).all()


def test_means_are_those_of_the_good_detections(objects, detections):
    good = detections[~rejected(detections) & (detections.psfFlux > 0)].assign(
        mag=lambda table: jansky_to_ab(table.psfFlux, table.psfFluxErr)[0]
    )
    for code, band in enumerate("grizy", 1):
        of = good[good.filterID == code].groupby("objID").mag.agg(["mean", "count", "std", "min", "max"])
        got = objects.loc[of.index]
        assert np.allclose(got[f"{band}MeanPSFMag"], of["mean"], atol=1e-4)
        assert (got[f"{band}MeanPSFMagNpt"] == of["count"]).all()
        assert np.allclose(got[f"{band}MeanPSFMagMin"], of["min"], atol=1e-4)
        several = of["count"] > 1
        assert np.allclose(got[f"{band}MeanPSFMagErr"][several], (of["std"] / np.sqrt(of["count"]))[several], atol=1e-4)
        assert (objects.drop(of.index)[f"{band}MeanPSFMag"] == -999).all()
        number = detections[detections.filterID == code].groupby("objID").size()
        assert objects[f"n{band}"].equals(
            number.reindex(objects.index, fill_value=0).astype("int16").rename(f"n{band}")
        )
    assert (objects.nDetections == objects[[f"n{band}" for band in "grizy"]].sum(axis=1)).all()
    assert np.allclose(objects.epochMean, detections.groupby("objID").obsTime.mean())
    assert (objects.gMeanKronMag == -999).all() and (objects.raStack == -999).all()


def test_positions_scatter_by_a_tenth_of_an_arcsecond(own_object, objects):
    place = sky().sources.to_pandas().set_index("source_id").loc[own_object.index]
    _, distance, _ = at_ps1(place, objects)
    assert 0.05 < np.median(distance) < 0.15
    faint = truth().loc[own_object.index].mean_g_mag > 19
    assert np.median(distance[faint]) > 1.3 * np.median(distance[~faint])


def test_a_wrong_match_is_the_neighbours_object_and_no_own(objects, match):
    batch = sky().epochs["ps1"]
    number = pd.Series(batch.n_epoch, batch.source_id)
    wrong = truth()[truth().is_wrong_match_ps1 & truth().index.isin(number.index) & ~truth().is_duplicate]
    assert len(wrong) > 5
    place = sky().sources.to_pandas().set_index("source_id").loc[wrong.index]
    index, distance, _ = at_ps1(place, objects)
    assert np.abs(distance - wrong.neighbour_sep_arcsec).max() < 0.5
    assert (objects.nDetections.iloc[index].to_numpy() == number[wrong.index].to_numpy()).all()
    near = wrong.index[wrong.neighbour_sep_arcsec < 1.5]
    assert not match.index.isin(wrong.index.difference(near)).any()
    listed = match[match.index.isin(near)]
    assert len(listed) > 0 and (listed.number_of_mates == 1).all()  # the neighbour's own source is the mate
    assert (listed.angular_distance > 0.4).all() and set(listed.original_ext_source_id) <= set(objects.index[index])


def test_the_best_neighbour_is_the_stars_object_for_most(own_object, objects, match):
    own = own_object[own_object.index.isin(match.index)]
    assert 0.95 < len(own) / len(own_object) < 0.99
    assert match.original_ext_source_id.loc[own.index].equals(own.rename("original_ext_source_id"))
    place = sky().sources.to_pandas().set_index("source_id").loc[own.index]
    there = objects.loc[own]
    year = 2000 + (there.epochMean.to_numpy() - 51544.5) / 365.25 - 2016
    dec = place.dec + place.pmdec * year / 3.6e6
    ra = place.ra + place.pmra * year / 3.6e6 / np.cos(np.radians(place.dec))
    distance = SkyCoord(ra, dec, unit="deg").separation(SkyCoord(there.raMean, there.decMean, unit="deg", frame="icrs"))
    assert np.allclose(match.angular_distance.loc[own.index], distance.arcsec, atol=1e-4)
    assert (
        match.groupby("original_ext_source_id").size()
        == 1 + match.groupby("original_ext_source_id").number_of_mates.first()
    ).all()
    order = match.sort_values("original_ext_source_id").clean_panstarrs1_oid
    assert order.is_monotonic_increasing and order.max() == match.original_ext_source_id.nunique()


def test_both_entries_of_a_star_share_an_object(own_object, match):
    twins = truth()[truth().is_duplicate & truth().index.isin(own_object.index)]
    first = own_object.loc[twins.duplicate_of]
    assert len(twins) > 3 and (own_object.loc[twins.index].to_numpy() == first.to_numpy()).all()
    both = twins[twins.index.isin(match.index) & twins.duplicate_of.isin(match.index)]
    assert (match.number_of_mates.loc[both.index] == 1).all()


def test_resolved_neighbours_are_objects_with_few_detections(objects):
    batch = sky().epochs["ps1"]
    around = (
        truth()
        .loc[batch.source_id]
        .query(
            "neighbour_sep_arcsec >= 1.3 and not is_wrong_match_ps1 and not is_duplicate and neighbour_delta_g_mag < 1"
        )
    )
    around = around[pd.Series(batch.n_epoch, batch.source_id).loc[around.index] > 40]
    place = sky().sources.to_pandas().set_index("source_id").loc[around.index]
    _, _, there = at_ps1(place, objects)
    stars = SkyCoord(place.ra, place.dec, unit="deg")
    found = 0
    for star, separation in zip(stars, around.neighbour_sep_arcsec, strict=True):
        distance = star.separation(there).arcsec
        beside = objects[np.abs(distance - separation) < 0.6]
        found += len(beside) > 0 and beside.nDetections.min() < 25
    assert len(around) > 10 and found > 0.8 * len(around)


def test_detections_of_a_thousand_objects_are_asked_at_once(objects):
    ids = objects.index[:1000]
    with holdings().connect() as connection:
        rows = connection.execute(
            f"SELECT objID, obsTime FROM ps1_detection WHERE objID IN ({', '.join(map(str, ids))})"
        ).to_arrow_table()
    assert rows.num_rows == objects.nDetections.iloc[:1000].sum()
