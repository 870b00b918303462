"""Numbers that stand for none are set aside and counted, and no light curve of a real star loses an epoch to that."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.mapping import load_spec
from tasks.folder.local import read_epochs, read_objects
from tasks.folder.sentinels import NINES, find_sentinels, is_no_error, is_no_time
from tests.unit.folder.conftest import make_light_curves

ANY = "SELECT * FROM given"


def find(*stars):
    """The sentinels among magnitudes of stars, each an array."""
    lengths = [len(star) for star in stars]
    rows = {"id": np.repeat(np.arange(len(stars)).astype(str), lengths), "band": np.zeros(sum(lengths), np.int16)}
    with duckdb.connect() as con:
        con.register("given", pa.table({**rows, "mag": np.concatenate(stars).astype(np.float32)}))
        return find_sentinels(con, (ANY, []), (ANY, []))


def vary(seed=0, n=60, mag=15.0, amplitude=0.8, places=3):
    """A pulsating star."""
    rng = np.random.default_rng(seed)
    return np.round(mag + amplitude * np.sin(rng.uniform(0, 6.3, n)) + rng.normal(0, 0.02, n), places)


def spoil(star, value, every):
    return np.where(np.arange(star.size) % every == 0, value, star)


@pytest.mark.parametrize("value", [29.999, 30.0, 20.5, 0.0, -1.0])
@pytest.mark.parametrize("every", [2.5, 6, 30])
def test_one_value_far_from_all_others_is_a_sentinel(value, every):
    stars = [spoil(vary(k, mag=13 + k), value, every) for k in range(4)]
    assert find(*stars) == {np.float32(value): sum(int((star == value).sum()) for star in stars)}


def test_two_stars_are_enough_where_no_star_can_be_that_bright():
    assert find(spoil(vary(0), 29.999, 10)) == {np.float32(29.999): 6}
    assert find(spoil(vary(0), 20.5, 10), spoil(vary(1), 20.5, 10)) == {}


def test_a_star_that_was_never_measured_counts_with_the_others():
    assert find(*(spoil(vary(k), 29.999, 6) for k in range(3)), np.full(10, 29.999)) == {np.float32(29.999): 40}
    assert find(vary(0), np.full(40, 6.0), np.full(40, 29.0)) == {}  # constant stars are no reason


@settings(deadline=None, max_examples=60)
@given(
    st.floats(8, 18), st.floats(0.05, 4), st.floats(0, 1), st.sampled_from([1, 2, 3, 6]), st.booleans(),
    st.integers(1, 6), st.integers(0, 10**6),
)  # fmt: skip
def test_saturated_and_clipped_stars_lose_nothing(mag, amplitude, level, places, is_bright, n_star, seed):
    """Every epoch beyond a limit inside the star's range holds the limit: at most half of a period and more."""
    limit = round(mag + amplitude * (2 * level - 1), places)
    clip = np.maximum if is_bright else np.minimum
    stars = [clip(vary(seed + k, 80, mag, amplitude, places), limit) for k in range(n_star)]
    assert find(*stars) == {}


@settings(deadline=None, max_examples=40)
@given(st.floats(1, 8), st.floats(0.03, 0.3), st.sampled_from([1, 2, 3]), st.integers(1, 8), st.integers(0, 10**6))
def test_deep_eclipses_outbursts_and_lone_outliers_stay(depth, width, places, n_star, seed):
    rng = np.random.default_rng(seed)
    stars = []
    for _ in range(n_star):
        in_eclipse = rng.random(100) < width
        mag = rng.uniform(9, 16) + rng.choice([-1, 1]) * rng.uniform(0.8, 1) * depth * in_eclipse
        stars.append(np.round(mag + rng.normal(0, 0.03, 100), places))
        stars[-1][rng.integers(100)] = round(rng.uniform(2, 24), places)
    assert find(*stars) == {}


def test_limits_of_a_faint_survey_near_its_stars_stay():
    """Stars at 19.5 to 20.4 mag and a limit of 20.5: nothing tells it from a measurement."""
    assert find(*(spoil(vary(k, mag=19.8, amplitude=0.4), 20.5, 6) for k in range(5))) == {}


def test_the_order_of_rows_does_not_matter():
    stars = [spoil(vary(k), 29.999, 6) for k in range(3)]
    assert find(*stars) == find(*(star[::-1] for star in stars[::-1]))


@pytest.mark.parametrize("value", [9.0, 9.99, 9.999, 99.0, 99.99, 99.999, 999.0, 9999.0])
def test_errors_of_nines_are_none(value):
    assert is_no_error(np.array([value, 0.999, 0.05, 9.5, 90.0], np.float32)).tolist() == [True, *[False] * 4]
    assert value in NINES


@pytest.mark.parametrize("value", [0.0, -1.0, -9.0, -99.0, -99.99, -999.0, 99999.0])
def test_times_that_are_words_are_none_where_they_are_far(value):
    times = np.array([value, 58_000.0, 40_000.0, -98.0, np.nan])
    assert is_no_time(times, 57_000.0, 59_000.0, 1.0).tolist() == [True, *[False] * 4]
    near = np.array([value, 1.0])
    assert not is_no_time(near, min(value, 0) - 1, max(value, 1), 1.0).any()
    assert is_no_time(times * 86_400, 57_000.0 * 86_400, 59_000.0 * 86_400, 1 / 86_400)[0] == (value == 0)


CURVES = make_light_curves(n_objects=4, n_epochs=60)


def read(path):
    """Epochs, checks with their columns, and notes of a folder."""
    spec = load_spec(path)
    reader = read_epochs(path, spec, read_objects(path, spec).table["object_id"].to_pylist(), 2)
    chunks = list(reader)
    failed = [(row["column"], row["check"], row["value"]) for chunk in chunks for row in chunk.rejected.to_pylist()]
    return sum(chunk.batch.time.size for chunk in chunks), failed, reader.notes


@pytest.mark.parametrize(("column", "value", "text"), [
    ("mag", 29.999, "29.999"), ("mag", 0.0, "0"), ("mjd", 0.0, "0"), ("mjd", -99.0, "-99"), ("mag_err", 99.0, "99"),
    ("mag_err", 9.999, "9.999"),
])  # fmt: skip
def test_rows_that_hold_one_are_set_aside_and_counted(folder, column, value, text):
    spoiled = spoil(CURVES[column], value, 6).astype(CURVES[column].dtype)
    n_epochs, failed, notes = read(folder({**CURVES, column: spoiled}))
    assert n_epochs == 200 and failed == [(column, "sentinel", text)] * 40
    assert [text in note and "40 rows" in note for note in notes] == [True] * (column == "mag")


def test_magnitudes_that_stand_for_none_can_be_declared(folder):
    spoiled = {**CURVES, "mag": spoil(CURVES["mag"], 15.123, 30).astype(np.float32)}
    assert read(folder(spoiled))[:2] == (240, [])
    n_epochs, failed, _ = read(folder(spoiled, toml="[lightcurves]\nsentinels = [15.123, 29.999]"))
    assert n_epochs == 232 and failed == [("mag", "sentinel", "15.123")] * 8
    spoiled["mag"] = spoil(CURVES["mag"], 29.999, 6).astype(np.float32)
    assert read(folder(spoiled, toml="[lightcurves]\nsentinels = []"))[:2] == (240, [])
