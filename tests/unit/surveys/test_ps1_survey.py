"""PS1: bit masks, magnitudes and times of detections, and whose object is asked for."""

import numpy as np
import pyarrow as pa
import pytest
from astropy.coordinates import SkyCoord
from astropy.time import TimeDelta
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.lightcurves import flags
from tasks.lightcurves.cuts import apply_cuts
from tasks.surveys import ps1
from tasks.surveys.cuts import CutConfig
from tasks.surveys.survey import MATCHES
from tests.unit.surveys.survey_answers import SECOND, Asked, as_csv, at_geocentre, by_objid, neighbours, sources

# Becker et al. 2025, A&A 694, A183, appendix A, once more by hand.
REJECTED_BITS = {
    "infoflag": {8, 16, 32, 128, 256, 1024, 2048, 4096, 8192, 32768, 65536, 131072, 262144, 4194304, 268435456,
                 536870912, 1073741824, 2147483648},
    "infoflag2": {8, 16, 32, 64, 4096, 8192, 16384, 4194304},
    "infoflag3": {8192, 16384},
}  # fmt: skip
FLAG = {"infoflag": ps1.INFO_FLAGS[0].bit, "infoflag2": ps1.INFO_FLAGS[1].bit, "infoflag3": ps1.INFO_FLAGS[2].bit}
LIMITS = settings(max_examples=200, deadline=None)
WORD = st.integers(0, 2**32 - 1)


def detection(**values):
    """A good detection, but for `values`."""
    good = {"objid": 10, "detectid": 1, "obstime": 56_000.0, "filterid": 1, "psfflux": 1e-3, "psffluxerr": 1e-5,
            "psfqfperfect": 0.99, "infoflag": 0, "infoflag2": 0, "infoflag3": 0}  # fmt: skip
    return {**good, **values}


def table(*rows):
    return pa.Table.from_pylist(list(rows), schema=pa.schema(list(ps1.DETECTION.items())))


def bits(**values):
    return int(ps1.quality(table(detection(**values)))[0])


@pytest.mark.parametrize("column", list(REJECTED_BITS))
def test_each_single_bit_is_rejected_exactly_where_becker_rejects_it(column):
    for power in range(32):
        expected = FLAG[column] if 2**power in REJECTED_BITS[column] else 0
        assert bits(**{column: 2**power}) == expected, f"bit {2**power}"


@LIMITS
@given(WORD, WORD, WORD)
def test_any_combination_of_bits_is_rejected_where_one_of_its_bits_is(info, info2, info3):
    given_flags = {"infoflag": info, "infoflag2": info2, "infoflag3": info3}
    expected = 0
    for column, value in given_flags.items():
        if any(value & bit for bit in REJECTED_BITS[column]):
            expected |= FLAG[column]
    assert bits(**given_flags) == expected


@pytest.mark.parametrize(
    ("quality", "is_kept"), [(0.95, True), (0.9, False), (0.1, False), (-999, False), (None, False)]
)
def test_the_psf_must_be_covered_by_more_than_nine_tenths(quality, is_kept):
    assert bits(psfqfperfect=quality) == (0 if is_kept else ps1.PSF_QUALITY.bit)


@pytest.mark.parametrize("missing", [None, -999])
def test_flags_that_are_missing_are_unknown_not_good(missing):
    assert bits(infoflag2=missing) == flags.UNKNOWN


@LIMITS
@given(
    st.lists(
        st.tuples(
            st.sampled_from([-999.0, -1e-4, 0.0, 1e-5, 3e-5, 1e-3, None]),
            st.sampled_from([-999.0, 0.0, 2e-5, 2e-4, None]),
            st.sampled_from([-999.0, 0.5, 0.9, 0.91, 1.0]),
            st.sampled_from([0, 1, 8, 64, 2**31]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_flags_and_default_cuts_keep_what_becker_keeps(rows):
    """Every epoch in its own band and time, so that no other cut acts."""

    def becker(flux, error, quality, info):
        measured = flux is not None and error is not None and flux > 0 and error > 0 and flux > error
        return measured and quality > 0.9 and not any(info & bit for bit in REJECTED_BITS["infoflag"])

    names = ("psfflux", "psffluxerr", "psfqfperfect", "infoflag")
    detections = table(*(detection(obstime=56_000.0 + i, **dict(zip(names, row, strict=True)))
                         for i, row in enumerate(rows)))  # fmt: skip
    epochs, report = ps1.tidy(detections, MATCHES.empty_table())
    assert report.num_rows == 0 and epochs.time.size == len(rows)
    batch = ps1_batch(epochs)
    kept, _, _ = apply_cuts(batch, CutConfig(has_error=True))
    expected = [56_000.0 + i for i, row in enumerate(rows) if becker(*row)]
    assert kept.time.tolist() == expected


def ps1_batch(epochs):
    from tasks.lightcurves.batch import LightCurveBatch

    return LightCurveBatch.from_epochs(epochs.objid, epochs.time, epochs.mag, epochs.mag_err, epochs.band, epochs.flags,
                                       ps1.BAND_NAMES)  # fmt: skip


def test_magnitudes_are_ab_of_fluxes_in_jansky():
    epochs, _ = ps1.tidy(table(detection(psfflux=3631e-8, psffluxerr=3631e-10), detection(psfflux=-999)),
                         MATCHES.empty_table())  # fmt: skip
    np.testing.assert_allclose(epochs.mag, [20.0, np.nan])
    np.testing.assert_allclose(epochs.mag_err, [0.010857362, np.nan])


def test_detections_without_time_or_with_an_unknown_filter_are_reported_by_source():
    matches = pa.Table.from_pylist([{"source_id": 7, "objid": 10, "rank": 1}], schema=MATCHES)
    rows = table(detection(), detection(detectid=2, obstime=-999.0), detection(detectid=3, filterid=0),
                 detection(detectid=4, filterid=6), detection(detectid=5, obstime=None, filterid=0))  # fmt: skip
    epochs, report = ps1.tidy(rows, matches)
    assert epochs.time.tolist() == [56_000.0] and epochs.band.tolist() == [0]
    assert {row["object_id"] for row in report.to_pylist()} == {"7"}
    found = {(row["key"], row["column"], row["check"], row["value"]) for row in report.to_pylist()}
    assert found == {("10 2", "obstime", "finite", "-999"), ("10 5", "obstime", "finite", None),
                     ("10 3", "filterid", "unknown_band", "0"), ("10 4", "filterid", "unknown_band", "6")}  # fmt: skip


MOVING = {"source_id": 1, "ra": 200.0, "dec": 10.0, "pmra": -400.0, "pmdec": 300.0, "parallax": 20.0}
YEARS = 2012.3 - 2016.0
AT_2012 = (200.0 - 0.4 * YEARS / 3600 / np.cos(np.radians(10.0)), 10.0 + 0.3 * YEARS / 3600)


def fetch(asked, rows, around=(), **options):
    return ps1.fetch(asked, sources(*rows), neighbours(*around), {**ps1.OPTIONS, **options})


def answers(objects, detections):
    return Asked({("mast_ps1", "source_id"): lambda items: as_csv(objects, list(ps1.OBJECT)),
                  ("mast_ps1", "objid"): lambda items: as_csv(detections, list(ps1.DETECTION))})  # fmt: skip


def test_a_link_of_gaia_is_asked_for_by_id_and_by_nothing_else():
    asked = answers([], [detection(filterid=5), detection(detectid=2, obstime=55_900.0)])
    linked = {"source_id": 1, "ra": 30.0, "dec": 5.0, "ps1_objid": 10, "ps1_sep_arcsec": 0.2, "ps1_n_neighbour": 1,
              "ps1_n_mate": 0}  # fmt: skip
    got = fetch(asked, [linked])
    assert [question.key for question, _ in asked.log] == ["objid"]
    row = by_objid(got.matches)[1, 10]
    assert (row["survey"], row["rank"], row["method"]) == ("ps1", 1, "gaia_best_neighbour")
    assert (row["sep_arcsec"], row["is_ambiguous"]) == (0.2, False)
    assert got.curves.batch.bands == ("g_ps1", "r_ps1", "i_ps1", "z_ps1", "y_ps1")
    assert got.curves.batch.source_id.tolist() == [1] and got.curves.objid.tolist() == [10]
    assert got.curves.batch.band.tolist() == [0, 4]


def test_sources_without_a_near_link_are_searched_at_their_position_in_2012():
    near = {"source_id": 1, "objid": 10, "ramean": AT_2012[0], "decmean": AT_2012[1], "ndetections": 12}
    lost = {"source_id": 1, "objid": 12, "ramean": -999, "decmean": -999, "ndetections": 2}
    asked = answers([near, lost], [detection()])
    far = {"source_id": 2, "ra": 201.0, "dec": 10.0, "ps1_objid": 11, "ps1_sep_arcsec": 1.2}
    got = fetch(asked, [MOVING, far])
    (_, items), _ = asked.log
    assert items["source_id"].to_pylist() == [1, 2] and items.column_names == ["source_id", "ra", "dec"]
    where = SkyCoord(items["ra"][0].as_py(), items["dec"][0].as_py(), unit="deg")
    assert where.separation(SkyCoord(*AT_2012, unit="deg")).arcsec < 1e-3
    row = by_objid(got.matches)[1, 10]
    assert (row["method"], row["rank"]) == ("position", 1) and row["sep_arcsec"] < 1e-3
    assert asked.items("mast_ps1", "objid") == [10]
    assert got.rejected.to_pylist()[0]["key"] == "1 12"


def test_the_south_is_not_asked_about():
    asked = answers([], [])
    got = fetch(asked, [{"source_id": 1, "ra": 30.0, "dec": -45.0}])
    assert asked.log == [] and got.curves is None and got.matches.num_rows == 0


def test_an_object_of_two_sources_is_asked_for_once_and_given_to_both_as_ambiguous():
    shared = {"ps1_objid": 10, "ps1_sep_arcsec": 0.1, "ps1_n_neighbour": 1, "ps1_n_mate": 0}
    rows = [{"source_id": i, "ra": 30.0, "dec": 5.0, **shared} for i in (1, 2)]
    asked = answers([], [detection()])
    got = fetch(asked, rows)
    assert asked.items("mast_ps1", "objid") == [10]
    assert got.curves.batch.source_id.tolist() == [1, 2] and got.curves.objid.tolist() == [10, 10]
    assert got.matches["is_ambiguous"].to_pylist() == [True, True]


def test_a_neighbour_where_the_linked_object_may_be_makes_it_ambiguous():
    linked = {"source_id": 1, "ra": 30.0, "dec": 5.0, "ps1_objid": 10, "ps1_sep_arcsec": 0.8, "ps1_n_mate": 0}
    around = {"source_id": 1, "neighbour_source_id": 99, "ra": 30.0, "dec": 5.0 + 0.8 / 3600}
    got = fetch(answers([], [detection()]), [linked], [around])
    assert by_objid(got.matches)[1, 10]["n_mates"] == 1 and by_objid(got.matches)[1, 10]["is_ambiguous"]


def test_times_become_barycentric_as_astropy_computes_them():
    tai = 55_000.0 + 123.4 * np.arange(12)
    asked = answers([], [detection(detectid=i, obstime=t) for i, t in enumerate(tai)])
    linked = {"source_id": 1, "ra": 123.0, "dec": 33.0, "ps1_objid": 10, "ps1_sep_arcsec": 0.1}
    got = fetch(asked, [linked])
    time = at_geocentre(tai, "tai")
    travel = time.light_travel_time(SkyCoord(123.0, 33.0, unit="deg"), "barycentric")
    expected = (time.tdb + TimeDelta(travel)).tcb.mjd
    np.testing.assert_allclose(got.curves.batch.time, expected, rtol=0, atol=1e-3 * SECOND)


def test_a_source_that_matches_nothing_has_no_curve():
    got = fetch(answers([], []), [MOVING])
    assert got.curves is None and got.matches.num_rows == 0 and got.rejected.num_rows == 0
