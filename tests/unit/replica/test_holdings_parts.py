"""What the holdings are made with: chance, places, clocks, statistics and records, against NumPy and astropy."""

import numpy as np
import pytest
from astropy.coordinates import BarycentricMeanEcliptic, SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.lightcurves import times
from tasks.replica.served import FOLDER, ServedColumn, read_columns
from tasks.replica.tables import chance, clock, positions
from tasks.replica.tables.records import Records, RecordsWriter
from tasks.replica.tables.statistics import summarise

PLACES = st.tuples(st.floats(0, 359.999), st.floats(-89.999, 89.999))


def test_chance_is_flat_and_has_no_memory():
    ids = np.arange(200_000)
    one, other = chance.uniform("a", 1, ids), chance.uniform("b", 1, ids)
    assert one.min() > 0 and one.max() < 1
    assert np.abs(np.histogram(one, 20, (0, 1))[0] / 10_000 - 1).max() < 0.05
    for pair in ((one, other), (one, chance.uniform("a", 2, ids)), (one[1:], one[:-1])):
        assert abs(np.corrcoef(*pair)[0, 1]) < 0.01
    drawn = chance.normal("a", 1, ids)
    assert abs(drawn.mean()) < 0.01 and abs(drawn.std() - 1) < 0.01


def test_chance_depends_on_each_key_alone():
    ids = np.array([5, -3, 2**62])
    assert np.array_equal(chance.bits("a", 1, ids)[1:], chance.bits("a", 1, ids[1:]))
    assert len(set(chance.bits("a", 1, ids[:, None], np.arange(50)).ravel().tolist())) == 150


@settings(max_examples=50, deadline=None)
@given(PLACES, st.floats(0.01, 20), st.floats(0, 6.28))
def test_an_offset_is_as_long_as_asked_and_points_where_asked(place, arcsec, angle):
    ra, dec = positions.offset(*(np.array([one]) for one in place), arcsec * np.sin(angle), arcsec * np.cos(angle))
    here, there = SkyCoord(*place, unit="deg"), SkyCoord(ra, dec, unit="deg")
    assert here.separation(there).arcsec == pytest.approx(arcsec, rel=1e-6)
    assert positions.separation(*place, ra, dec) == pytest.approx(arcsec, rel=1e-6)
    turn = here.position_angle(there).rad - angle
    assert abs(np.sin(turn)) < 1e-4 or abs(place[1]) > 89.9


def test_turned_coordinates_agree_with_astropy():
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0, 360, 500), np.degrees(np.arcsin(rng.uniform(-1, 1, 500)))
    sky = SkyCoord(ra, dec, unit="deg")
    pairs = (
        (positions.galactic(ra, dec), SkyCoord(sky.galactic.l, sky.galactic.b), 0.05),
        (positions.ecliptic(ra, dec), sky.transform_to(BarycentricMeanEcliptic()), 1.0),
    )
    for (lon, lat), theirs, arcsec in pairs:
        ours = SkyCoord(lon, lat, unit="deg")
        assert ours.separation(SkyCoord(theirs.spherical.lon, theirs.spherical.lat)).arcsec.max() < arcsec


@pytest.mark.parametrize(("scale", "origin", "there", "count"), [
    ("tai", "earth", clock.at_earth, clock.tai), ("utc", "earth", clock.at_earth, clock.utc),
    ("utc", "sun", clock.at_sun, clock.utc),
])  # fmt: skip
def test_clocks_are_the_inverse_of_the_projects_own(scale, origin, there, count):
    rng = np.random.default_rng(2)
    # Leap seconds of 2012, 2015 and 2017 among them.
    tcb = np.concatenate(
        [rng.uniform(55200, 60700, 500), *(day + rng.uniform(-2, 2, 50) for day in (56109, 57204, 57754))]
    )
    ra, dec = rng.uniform(0, 360, tcb.size), np.degrees(np.arcsin(rng.uniform(-1, 1, tcb.size)))
    archive = count(there(tcb, times.direction(ra, dec)))
    back = times.to_barycentre(archive, ra, dec, scale, origin)
    assert np.abs(back - tcb).max() * 86400 < 1e-4
    assert np.abs(archive - tcb).max() * 86400 > (60 if origin == "sun" else 400)  # they are not the same clock


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-1e3, 1e3) | st.just(np.nan)), max_size=40))
def test_statistics_are_those_of_numpy(rows):
    group = np.array([row[0] for row in rows], np.int64)
    value = np.array([row[1] for row in rows], np.float64)
    found = summarise(group, value, 7)
    for index in range(7):
        own = value[(group == index) & np.isfinite(value)]
        assert found.count[index] == own.size
        expected = (own.mean(), own.min(), np.median(own), own.max()) if own.size else (np.nan,) * 4
        got = [getattr(found, name)[index] for name in ("mean", "least", "median", "greatest")]
        assert np.allclose(got, expected, equal_nan=True, atol=1e-9)
        assert np.allclose(found.std[index], own.std(ddof=1) if own.size > 1 else np.nan, equal_nan=True, atol=1e-9)


def test_records_come_back_by_id(tmp_path):
    dtype = np.dtype([("time", "<f8"), ("mag", "<f4", 3)])
    rng = np.random.default_rng(3)
    ids, count = rng.permutation(100)[:60], rng.integers(1, 9, 60)
    rows = np.zeros(count.sum(), dtype)
    rows["time"] = np.arange(rows.size)
    owner = np.repeat(ids, count)
    with RecordsWriter(tmp_path, "some") as writer:
        for part in (slice(0, 20), slice(20, 20), slice(20, 60)):
            chosen = np.isin(owner, ids[part])
            writer.append(owner[chosen], rows[chosen])
    store = Records.open(tmp_path, "some", dtype)
    for asked in (rng.permutation(100), np.array([ids[3], ids[3], -7, 10**6]), np.array([], np.int64)):
        found, within, record = store.of(asked)
        wanted = np.unique(asked[np.isin(asked, ids)])
        expected = [np.flatnonzero(owner == one) for one in wanted]
        assert found.tolist() == [one for one, rows_of in zip(wanted, expected, strict=True) for _ in rows_of]
        assert within.tolist() == [k for rows_of in expected for k in range(rows_of.size)]
        assert record["time"].tolist() == [k for rows_of in expected for k in rows_of]


def test_records_of_nothing(tmp_path):
    with RecordsWriter(tmp_path, "none"):
        pass
    assert Records.open(tmp_path, "none", np.dtype("<f8")).of(np.array([1]))[0].size == 0


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.csv")), ids=lambda file: file.stem)
def test_lists_of_columns_are_whole(file):
    """Every file can be read, names each column once and says of each what it is."""
    read = read_columns(file.stem)
    assert len({column.name for column in read}) == len(read) == file.read_text().count("\n") - 1
    assert all(column.unit != "" and column.ucd != "" for column in read)


def test_a_column_of_another_type_is_refused():
    with pytest.raises(ValueError, match="datatype 'byte' is none of long, int"):
        ServedColumn("a", "byte")
