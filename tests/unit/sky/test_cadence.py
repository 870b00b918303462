"""When each survey looks: spans, groups, pairs, seasons and clouds of one block of stars."""

import numpy as np
import pytest

from tasks.sky import cadence
from tasks.sky.constants import BANDS, SURVEYS
from tasks.sky.streams import BLOCK

SEED = 21


@pytest.fixture(scope="module")
def place():
    rng = np.random.default_rng(1)
    return rng.uniform(0, 360, BLOCK), np.degrees(np.arcsin(rng.uniform(-1, 1, BLOCK)))


@pytest.fixture(scope="module")
def gaia(place):
    return cadence.gaia(SEED, 0, *place)


@pytest.fixture(scope="module")
def ps1(place):
    return cadence.ps1(SEED, 0, *place)


@pytest.fixture(scope="module")
def ztf(place):
    return cadence.ztf(SEED, 0, *place)


@pytest.mark.parametrize("survey", ["gaia", "ps1", "ztf"])
def test_visits_come_sorted_by_object_and_time(request, survey):
    row, time, *_ = request.getfixturevalue(survey)
    assert (np.diff(row) >= 0).all()
    assert (np.diff(time)[np.diff(row) == 0] > 0).all()


@pytest.mark.parametrize("survey", ["ps1", "ztf"])
def test_only_bands_of_the_survey_are_used(request, survey):
    _, _, band = request.getfixturevalue(survey)
    assert {BANDS[code] for code in np.unique(band)} == set(SURVEYS[survey])


@pytest.mark.parametrize("survey", ["ps1", "ztf"])
def test_the_south_is_not_seen_from_the_ground(request, place, survey):
    row, *_ = request.getfixturevalue(survey)
    dec = place[1]
    assert dec[row].min() > cadence.SOUTHERN_LIMIT_DEG
    seen = np.isin(np.arange(BLOCK), row)
    assert seen[dec > cadence.SOUTHERN_LIMIT_DEG].mean() > 0.98


@pytest.mark.parametrize("survey", ["gaia", "ps1", "ztf"])
def test_a_cadence_is_a_function_of_seed_and_block(place, survey):
    look = getattr(cadence, survey)
    first, again = look(SEED, 3, *place), look(SEED, 3, *place)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[1][:50], look(SEED, 4, *place)[1][:50])
    assert not np.array_equal(first[1][:50], look(SEED + 1, 3, *place)[1][:50])


def test_gaia_sees_every_star_over_the_whole_of_its_span(gaia):
    row, time = gaia
    assert np.unique(row).size == BLOCK
    assert time.min() > cadence.GAIA_START and time.max() < cadence.GAIA_END
    assert np.median([np.ptp(time[row == star]) for star in range(100)]) > 800


def test_gaia_follows_with_the_other_field_after_the_published_delays(gaia):
    row, time = gaia
    gap = np.diff(time)[np.diff(row) == 0] * 1440
    short = gap[gap < 600]
    near = np.abs(short[:, None] - [106.5, 253.5]) < 0.01
    assert near.any(axis=1).mean() > 0.99 and near.mean(axis=0).min() > 0.3  # and both delays occur


def test_gaia_looks_longest_near_ecliptic_latitudes_of_45_degrees():
    """A star at the caustic gets more transits than one on the ecliptic: 45 and 0 degrees from the pole's circle."""
    count = {}
    for name, dec in (("ecliptic", 0.0), ("caustic", 45.0)):
        row, _ = cadence.gaia(SEED, 0, np.zeros(BLOCK), np.full(BLOCK, dec))
        count[name] = row.size / BLOCK
    assert count["caustic"] > 1.4 * count["ecliptic"]


def test_ps1_looks_in_pairs_of_half_an_hour(ps1):
    row, time, band = ps1
    same = (np.diff(row) == 0) & (np.diff(band) == 0)
    gap = np.diff(time)[same] * 1440
    pairs = gap[gap < 60]
    assert np.median(pairs) == pytest.approx(25, abs=1)
    assert np.mean((pairs > 19.9) & (pairs < 30.1)) > 0.95  # else two pairs of one season meet by chance
    assert pairs.size > 0.4 * gap.size


def test_ps1_has_a_dozen_epochs_a_band(ps1):
    row, _, band = ps1
    for code in range(3, 8):
        assert np.median(np.bincount(row[band == code])) == pytest.approx(11.5, abs=2)


def test_ps1_observes_red_bands_away_from_opposition(place, ps1):
    """g near opposition, within 25 days; z and y two to three months later, as in Chambers et al. 2016."""
    row, time, band = ps1
    after = (time - cadence.opposition(place[0], 55000.0)[row] + 180) % cadence.YEAR_DAY - 180
    assert np.abs(after[band == 3]).max() < 27
    assert after[band == 6].min() > 48 and after[band == 7].max() < 102


def test_the_sun_is_opposite_at_opposition():
    ra = np.array([0.0, 90.0, 180.0, 270.0])
    day = cadence.opposition(ra, 55260.0)
    assert (day > 55260.0).all() and (day <= 55260.0 + cadence.YEAR_DAY).all()
    sun_ra = ((day - cadence.EQUINOX_MJD) / cadence.YEAR_DAY * 360) % 360  # a mean Sun
    assert np.allclose((sun_ra - ra) % 360, 180)


def test_ztf_looks_at_night_and_never_twice_in_a_band_a_night(ztf):
    row, time, band = ztf
    fraction = time % 1
    assert fraction.min() > cadence.ZTF_MIDNIGHT - 0.13 and fraction.max() < cadence.ZTF_MIDNIGHT + 0.21
    night = np.floor(time).astype(np.int64)
    assert np.unique(np.stack([row, night, band]), axis=1).shape[1] == row.size


def test_ztf_changes_the_order_of_its_bands_from_night_to_night(ztf):
    row, time, band = ztf
    same_night = (np.diff(row) == 0) & (np.diff(time) < 0.5)
    g_first = (band[:-1] == 8) & (band[1:] == 9) & same_night
    r_first = (band[:-1] == 9) & (band[1:] == 8) & same_night
    assert 0.4 < g_first.sum() / (g_first | r_first).sum() < 0.6


def test_ztf_observes_northern_stars_for_more_of_the_year():
    count = {}
    for dec in (-20.0, 70.0):
        _, time, _ = cadence.ztf(SEED, 0, np.full(BLOCK, 40.0), np.full(BLOCK, dec))
        count[dec] = np.unique(np.floor(time % cadence.YEAR_DAY)).size
    assert count[70.0] > 1.2 * count[-20.0]


def test_no_star_is_seen_in_a_night_of_clouds(ztf):
    _, time, _ = ztf
    clouded = cadence.find_cloudy_nights(SEED)
    night = np.floor(time).astype(np.int64) - int(cadence.ZTF_START)
    inside = (night >= 0) & (night < clouded.size)
    assert not clouded[night[inside]].any()
    assert 0.15 < clouded.mean() < 0.45


def test_maintenance_comes_every_summer():
    clouded = cadence.find_cloudy_nights(SEED)
    day = (np.arange(clouded.size) + cadence.ZTF_START - cadence.EQUINOX_MJD) % cadence.YEAR_DAY
    assert clouded[(day > 105.5) & (day < 118.5)].all()
    assert not clouded[(day > 120) & (day < 300)].all()
