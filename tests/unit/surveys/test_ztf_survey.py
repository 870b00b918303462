"""ZTF: objects of one star, flags and heliocentric times, and a recorded light curve."""

import numpy as np
import pyarrow as pa
import pytest
from astropy.coordinates import SkyCoord
from astropy.io.votable import parse_single_table
from astropy.time import TimeDelta
from hypothesis import given
from hypothesis import strategies as st

from schemas import TABLES
from tasks.archives.csv import read_csv
from tasks.lightcurves import flags
from tasks.surveys import ztf
from tasks.surveys.survey import MATCHES
from tests.real_data import recorded
from tests.unit.surveys.survey_answers import (
    SECOND,
    Asked,
    as_csv,
    at_geocentre,
    by_objid,
    light_travel,
    neighbours,
    sources,
)  # fmt: skip

STAR = {"source_id": 1, "ra": 298.0, "dec": 29.87}


def entry(oid, arcsec=0.0, **values):
    """A row about an object `arcsec` north of STAR."""
    row = {"source_id": 1, "oid": oid, "ra": 298.0, "dec": 29.87 + arcsec / 3600, "filtercode": "zg", "field": 686,
           "ccdid": 3, "qid": 4, "nobs": 100, "ngoodobs": 90}  # fmt: skip
    return {**row, **values}


def epoch(oid, **values):
    return {"oid": oid, "expid": 5, "hjd": 2458205.0, "mag": 17.5, "magerr": 0.03, "catflags": 0, "filtercode": "zg",
            **values}  # fmt: skip


def fetch(objects, epochs, rows=(STAR,), around=(), **options):
    asked = Asked({("irsa_tap", "source_id"): lambda items: as_csv(objects, list(ztf.OBJECT)),
                   ("irsa_lightcurves", "oid"): lambda items: as_csv(epochs, list(ztf.EPOCH))})  # fmt: skip
    return asked, ztf.fetch(asked, sources(*rows), neighbours(*around), {**ztf.OPTIONS, **options})


@given(st.lists(st.one_of(st.none(), st.just(-999), st.integers(0, 65535)), min_size=1, max_size=20))
def test_bits_of_catflags(values):
    got = ztf.quality(pa.chunked_array([pa.array(values, pa.int64())]))
    for value, found in zip(values, got.tolist(), strict=True):
        if value is None or value < 0:
            assert found == flags.UNKNOWN
            continue
        unusable = bool(value // 32768 % 2)
        assert bool(found & flags.BAD_QUALITY) == unusable
        assert bool(found & ztf.CATFLAGS.bit) == (value > 0)
        assert not found & ~(flags.BAD_QUALITY | ztf.CATFLAGS.bit)


def test_each_single_bit_of_catflags():
    got = ztf.quality(pa.chunked_array([pa.array([2**power for power in range(16)], pa.int64())]))
    assert got.tolist() == [ztf.CATFLAGS.bit] * 15 + [ztf.CATFLAGS.bit | flags.BAD_QUALITY]


def test_all_objects_of_a_star_are_fetched_and_kept_apart():
    objects = [entry(100), entry(101, 0.2, filtercode="zr"), entry(102, -0.2, field=687), entry(200, 2.5)]
    epochs = [epoch(100), epoch(101, filtercode="zr"), epoch(102, mag=17.6), epoch(102, expid=6, hjd=2458206.0)]
    asked, got = fetch(objects, epochs)
    assert sorted(asked.items("irsa_lightcurves", "oid")) == [100, 101, 102]
    assert {key[1]: row["rank"] for key, row in by_objid(got.matches).items()} == {100: 1, 101: 1, 102: 1, 200: 2}
    assert {(row["n_candidates"], row["is_ambiguous"]) for row in got.matches.to_pylist()} == {(1, False)}
    batch = got.curves.batch
    assert batch.source_id.tolist() == [1, 1, 1] and got.curves.objid.tolist() == [100, 101, 102]
    assert batch.n_epoch.tolist() == [1, 1, 2] and batch.band.tolist() == [0, 1, 0, 0]
    assert batch.bands == ("g_ztf", "r_ztf", "i_ztf")


def test_field_and_quadrant_of_each_object_of_a_star_are_kept():
    objects = [entry(102, -0.2, field=687, qid=1), entry(100), entry(100), entry(200, 2.5)]
    _, got = fetch(objects, [epoch(100)])
    held = got.tables["core_ztf__object"]
    same = {"source_id": 1, "filtercode": "zg", "ccdid": 3, "nobs": 100, "ngoodobs": 90}
    assert held.to_pylist() == [
        {**same, "oid": 100, "field": 686, "qid": 4},
        {**same, "oid": 102, "field": 687, "qid": 1},
    ]
    assert list(held.schema) == list(TABLES["core_ztf__object"].arrow())[2:]


def test_a_sample_without_objects_has_an_empty_table_of_them():
    _, got = fetch([], [])
    assert got.tables["core_ztf__object"].num_rows == 0


def test_objects_of_the_reference_image_alone_are_matched_but_not_asked_for():
    asked, got = fetch([entry(100), entry(101, nobs=0), entry(102, nobs=None)], [epoch(100), epoch(102)])
    assert sorted(asked.items("irsa_lightcurves", "oid")) == [100, 102]
    assert got.matches.num_rows == 3


def test_two_stars_within_the_radius_are_ambiguous():
    _, got = fetch([entry(100, 0.1), entry(200, -1.2)], [epoch(100)])
    assert [row["rank"] for row in got.matches.to_pylist()] == [1, 2]
    assert all(row["n_candidates"] == 2 and row["is_ambiguous"] for row in got.matches.to_pylist())


def test_an_object_on_a_neighbour_is_ambiguous():
    around = {"source_id": 1, "neighbour_source_id": 9, "ra": 298.0, "dec": 29.87 + 1.3 / 3600}
    _, got = fetch([entry(100, 1.3)], [epoch(100)], around=[around])
    assert got.matches.to_pylist()[0]["n_mates"] == 1 and got.matches.to_pylist()[0]["is_ambiguous"]


def test_a_neighbour_that_has_moved_onto_the_object_by_2020_is_a_mate():
    moving = {"source_id": 1, "neighbour_source_id": 9, "ra": 298.0, "dec": 29.87 + 4.5 / 3600, "pmra": 0.0}
    for pmdec, mates in ((-1000.0, 1), (1000.0, 0), (None, 0)):
        _, got = fetch([entry(100)], [epoch(100)], around=[{**moving, "pmdec": pmdec}])
        assert got.matches["n_mates"].to_pylist() == [mates]


def test_positions_are_those_of_the_middle_of_the_survey_and_the_release_is_asked():
    moving = {**STAR, "pmra": 1000.0, "pmdec": -500.0}
    asked, _ = fetch([], [], rows=[moving], release="dr23")
    question, items = asked.log[0]
    assert question.parameters["catalogue"] == "ztf_objects_dr23" and question.release == "dr23"
    assert items["dec"][0].as_py() == pytest.approx(29.87 - 0.5 * 4.5 / 3600, abs=1e-8)
    east = (items["ra"][0].as_py() - 298.0) * 3600 * np.cos(np.radians(29.87))
    assert east == pytest.approx(4.5, abs=1e-3)


def test_epochs_without_time_or_with_an_unknown_filter_are_reported_by_source():
    epochs = [epoch(100), epoch(100, expid=6, hjd=None), epoch(100, expid=7, filtercode="zz"), epoch(100, expid=8,
              filtercode=None)]  # fmt: skip
    _, got = fetch([entry(100)], epochs)
    assert got.curves.batch.time.size == 1
    found = {(row["object_id"], row["key"], row["column"], row["value"]) for row in got.rejected.to_pylist()}
    assert found == {
        ("1", "100 6", "hjd", None),
        ("1", "100 7", "filtercode", "zz"),
        ("1", "100 8", "filtercode", None),
    }


def test_a_missing_magnitude_is_no_number():
    _, got = fetch([entry(100)], [epoch(100, mag=-999), epoch(100, expid=6, hjd=2458206.0, magerr=None)])
    np.testing.assert_array_equal(np.isnan(got.curves.batch.mag), [True, False])
    np.testing.assert_array_equal(np.isnan(got.curves.batch.mag_err), [False, True])


def test_heliocentric_times_become_barycentric_as_astropy_computes_them():
    utc = 58_200.0 + 171.7 * np.arange(12)
    hjd = utc + light_travel(utc, 298.0, 29.87, "heliocentric") + 2_400_000.5
    _, got = fetch([entry(100)], [epoch(100, expid=i, hjd=repr(float(t))) for i, t in enumerate(hjd)])
    time = at_geocentre(utc, "utc")
    travel = time.light_travel_time(SkyCoord(298.0, 29.87, unit="deg"), "barycentric")
    expected = (time.tdb + TimeDelta(travel)).tcb.mjd
    np.testing.assert_allclose(got.curves.batch.time, expected, rtol=0, atol=2e-3 * SECOND)


def test_the_columns_of_a_recorded_light_curve_mean_what_is_taken_for_granted():
    given = parse_single_table(recorded("ivoa_TimeSeriesZTF.xml"))
    whole = given.to_table()
    lines = [{name: row[name].item() if name != "filtercode" else str(row[name]) for name in ztf.EPOCH}
             for row in whole]  # fmt: skip
    table = read_csv(as_csv(lines), ztf.EPOCH, "the recorded answer")
    epochs, report = ztf.tidy(table, MATCHES.empty_table())
    assert report.num_rows == 0 and len(np.unique(epochs.objid)) > 1
    # hjd - mjd is the light travel time to the Sun, both in UTC: "computed from mjd and the mean ra and dec".
    first = epochs.objid == epochs.objid[0]
    mjd = np.asarray(whole["mjd"])[first]
    where = [float(np.mean(whole[name][first])) for name in ("ra", "dec")]
    np.testing.assert_allclose(epochs.time[first] - mjd, light_travel(mjd, *where, "heliocentric"), rtol=0,
                               atol=0.03 * SECOND)  # fmt: skip
    np.testing.assert_array_equal(epochs.band, [ztf.FILTERS.index(code) for code in whole["filtercode"]])
    np.testing.assert_allclose(epochs.mag, np.asarray(whole["mag"], float), rtol=1e-6)
    units = {field.name: str(field.unit) for field in given.fields}
    assert (units["hjd"], units["mag"], units["magerr"]) == ("d", "mag", "mag")
