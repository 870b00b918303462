"""Light curves of a folder: what comes out is what went in, whatever the order, the form and the chunks."""

import numpy as np
import pyarrow as pa
import pytest

from schemas.mapping import load_spec
from tasks.folder.local import content_hash, read_epochs, read_objects
from tasks.lightcurves.batch import DTYPES, LightCurveBatch, concatenate


def read(path, ids=None, chunk_objects=3, **options):
    """(batch of everything, ids, reports, notes) of a folder."""
    spec = load_spec(path)
    ids = read_objects(path, spec).table["object_id"].to_pylist() if ids is None else ids
    reader = read_epochs(path, spec, ids, chunk_objects, **options)
    chunks = list(reader)
    batch = concatenate([chunk.batch for chunk in chunks])
    found = [object_id for chunk in chunks for object_id in chunk.object_ids]
    assert found == [ids[place] for place in batch.source_id]
    return batch, found, pa.concat_tables(chunk.rejected for chunk in chunks).to_pylist(), reader.notes


def same(a: LightCurveBatch, b: LightCurveBatch) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name), equal_nan=name != "band") for name in ("offsets", *DTYPES)
    )


def test_every_epoch_comes_back(folder, light_curves):
    columns = light_curves()
    batch, ids, rejected, notes = read(folder(columns))
    assert ids == ["star0", "star1", "star2", "star3"] and not rejected and not notes
    for k, object_id in enumerate(ids):
        rows = np.flatnonzero(columns["object_id"] == object_id)
        rows = rows[np.argsort(columns["mjd"][rows])]
        one = batch.select([k])
        np.testing.assert_array_equal(one.time, columns["mjd"][rows])
        np.testing.assert_array_equal(one.mag, columns["mag"][rows])
        np.testing.assert_array_equal(np.array(one.bands)[one.band], columns["band"][rows])


def test_order_of_the_rows_does_not_matter(folder, light_curves):
    columns = light_curves(n_epochs=40)
    columns["mjd"] = np.floor(columns["mjd"])  # equal times: only the values can decide
    first = read(folder(columns))[0]
    for seed in (1, 2):
        order = np.random.default_rng(seed).permutation(columns["mag"].size)
        assert same(first, read(folder({name: value[order] for name, value in columns.items()}))[0])


@pytest.mark.parametrize("chunk_objects", [1, 2, 4, 100])
def test_chunks_do_not_matter(folder, chunk_objects, monkeypatch, light_curves):
    monkeypatch.setattr("tasks.folder.epochs.ROWS_PER_BATCH", 7)
    path = folder(light_curves(n_objects=9))
    assert same(read(path, chunk_objects=9)[0], read(path, chunk_objects=chunk_objects)[0])


def test_only_the_wanted_objects_in_the_wanted_order(folder):
    batch, ids, rejected, _ = read(folder(), ids=["star3", "star1"], chunk_objects=1)
    assert ids == ["star3", "star1"] and batch.source_id.tolist() == [0, 1] and not rejected


def test_nested_form_reads_like_the_long_form(folder, light_curves):
    columns = light_curves()
    long, long_ids, _, _ = read(folder(columns))
    lists = [(name, "list") for name in columns if name != "object_id"]
    table = pa.table(columns).group_by("object_id").aggregate(lists)
    table = table.rename_columns({f"{name}_list": name for name, _ in lists})
    nested, ids, rejected, _ = read(folder(table))
    assert same(long, nested) and ids == long_ids and not rejected


@pytest.mark.parametrize("place", range(7))
def test_columns_that_differ_in_case_are_told_apart(folder, light_curves, place):
    columns = light_curves()
    names = [*columns, "MAG", "Mjd"]
    both = {**columns, "MAG": np.full(40, 20.5), "Mjd": np.zeros(40)}
    first = read(folder(columns))[0]
    assert same(first, read(folder({name: both[name] for name in names[place:] + names[:place]}))[0])


@pytest.mark.parametrize("name", ["MAG", "mag"])
def test_a_name_in_dataset_toml_is_taken_exactly(folder, light_curves, name):
    columns = {"MAG": np.full(40, 20.5), **light_curves()}
    batch, *_ = read(folder(columns, toml=f'[lightcurves]\nmag = "{name}"'))
    assert np.all(batch.mag == 20.5) == (name == "MAG")


def test_lists_of_columns_that_differ_in_case_are_told_apart(folder):
    table = {"MAG": [[9.0], [9.0]], "object_id": ["a", "b"], "time": [[1.0, 2.0], [1.0, 2.0]],
             "mag": [[15.0, 15.0], [15.0]]}  # fmt: skip
    batch, ids, rejected, _ = read(folder(table))
    assert ids == ["a"] and batch.mag.tolist() == [15.0, 15.0]
    assert [r["value"] for r in rejected if r["check"] == "length"] == ["2 1"]


def test_lists_of_unequal_length_are_reported(folder):
    table = {"object_id": ["a", "b"], "time": [[1.0, 2.0], [1.0, 2.0]], "mag": [[15.0, 15.0], [15.0]]}
    batch, ids, rejected, _ = read(folder(table))
    assert ids == ["a"] and batch.n_epoch.tolist() == [2]
    reports = [(r["object_id"], r["check"], r["value"]) for r in rejected]
    assert reports == [("b", "length", "2 1"), ("b", "no_epochs", "0")]


def test_long_integer_ids_stay_exact(folder, light_curves):
    columns = light_curves(n_objects=2)
    long = {"star0": 2**60 + 1, "star1": 2**60 + 2}  # equal as float64
    columns["object_id"] = np.array([long[name] for name in columns["object_id"]])
    batch, ids, _, _ = read(folder(columns))
    assert ids == [str(2**60 + 1), str(2**60 + 2)] and batch.n_epoch.tolist() == [10, 10]


def test_unsigned_ids_beyond_int64(folder, light_curves):
    columns = light_curves(n_objects=1)
    columns["object_id"] = np.full(10, 2**64 - 1, np.uint64)
    assert read(folder(columns, {"object_id": columns["object_id"][:1]}))[1] == [str(2**64 - 1)]


def test_numbers_and_text_are_the_same_id(folder, light_curves):
    columns = light_curves(n_objects=1) | {"object_id": np.full(10, 7)}
    assert read(folder(columns, {"object_id": ["7"]}))[0].n_epoch.tolist() == [10]


def test_without_errors_there_are_none(folder, light_curves):
    columns = light_curves()
    del columns["mag_err"]
    path = folder(columns)
    batch, _, rejected, _ = read(path)
    assert np.isnan(batch.mag_err).all() and batch.time.size == 40 and not rejected
    assert not load_spec(path).has_errors


def test_errors_can_be_declared_away(folder):
    path = folder(toml='[lightcurves]\nmag_err = ""')
    assert np.isnan(read(path)[0].mag_err).all() and not load_spec(path).has_errors


def test_one_epoch_is_fine(folder):
    batch, _, rejected, _ = read(folder({"object_id": ["a"], "time": [1.5], "mag": [15.0]}))
    assert batch.n_epoch.tolist() == [1] and not rejected and batch.bands == ("single",)


def test_flags_say_bad_whatever_their_bits(folder):
    columns = {"object_id": ["a"] * 4, "time": [1.0, 2, 3, 4], "mag": [15.0] * 4, "flags": [0, 32768, None, 2**40]}
    assert read(folder(columns))[0].flags.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("unit, zero, value, mjd", [
    ("d", "jd", 2458000.5, 58000.0),
    ("d", "hjd-2450000", 8000.5, 58000.0),
    ("d", "bjd-2455197.5", 2803.0, 58000.0),
    ("s", "mjd", 58000 * 86400.0, 58000.0),
    ("s", "jd-2440587.5", 1504569600.0, 58001.0),  # Unix time of 2017-09-05T00:00
    ("h", "mjd", 58000 * 24.0, 58000.0),
    ("d", "arbitrary", 290.3, 290.3),
])  # fmt: skip
def test_times_become_days(folder, unit, zero, value, mjd):
    path = folder({"object_id": ["a"], "t": [value], "mag": [15.0]}, toml=f'time_unit = "{unit}"\ntime_zero = "{zero}"')
    np.testing.assert_allclose(read(path)[0].time, [mjd], rtol=0, atol=1e-8)


def test_julian_dates_among_mjd(folder):
    columns = {"object_id": ["a"] * 3, "mjd": [58003.0, 2458001.5, 58002.0], "mag": [15.0, 16.0, 17.0]}
    batch, _, rejected, notes = read(folder(columns, toml="mixed_jd = true"))
    assert batch.time.tolist() == [58001.0, 58002.0, 58003.0] and batch.mag.tolist() == [16, 17, 15] and not rejected
    assert "look like JD" in notes[0]
    batch, _, rejected, notes = read(folder(columns, toml=""))
    assert batch.n_epoch.tolist() == [2] and rejected[0]["check"] == "range" and "mixed_jd" in notes[0]


def test_phases_are_kept_and_repeats_left_out(folder):
    columns = {"object_id": ["a"] * 3, "phase": [0.1, 0.9, 1.1], "mag": [15.0, 15, 15]}
    assert read(folder(columns))[0].time.tolist() == [0.1, 0.9, 1.1]
    batch, _, rejected, notes = read(folder(columns, toml="phase_end = 1.0"))
    assert batch.time.tolist() == [0.1, 0.9] and not rejected and "1 rows" in notes[0]


def test_awkward_names_of_columns_and_folders(folder, tmp_path, light_curves):
    columns = light_curves()
    columns = {'id "x"; DROP': columns["object_id"], "t.t": columns["mjd"], "mag'": columns["mag"]}
    toml = """
        time_zero = "mjd"
        [objects]
        id = "object.id"
        [lightcurves]
        id = 'id "x"; DROP'
        time = "t.t"
        mag = "mag'"
    """
    path = folder(columns, {"object.id": ["star0", "star1", "star2", "star3"]}, toml)
    odd = path.rename(tmp_path.with_name("a[1]*'?"))
    assert read(odd)[0].n_epoch.tolist() == [10] * 4


def test_small_memory_gives_the_same(folder, tmp_path, light_curves):
    path = folder(light_curves(n_objects=50, n_epochs=2000))
    assert same(read(path)[0], read(path, memory_limit="24MiB", threads=1, scratch=tmp_path)[0])
    assert not list(tmp_path.glob("argelander-*"))


def test_hash_ignores_the_order_of_rows_and_bands(light_curves):
    columns = light_curves(n_objects=3)
    object_id = np.unique(columns["object_id"], return_inverse=True)[1]
    band = (columns["band"] == "r").astype(np.int8)
    args = columns["mjd"], columns["mag"], columns["mag_err"]
    ids = ["a", "b", "longer"]
    first = content_hash(LightCurveBatch.from_epochs(object_id, *args, band, None, ("g", "r")), ids)
    order = np.random.default_rng(3).permutation(band.size)
    shuffled = [value[order] for value in (object_id, *args, 1 - band)]
    again = LightCurveBatch.from_epochs(*shuffled, None, ("r", "g"))
    np.testing.assert_array_equal(first, content_hash(again, ids))
    assert first.dtype == np.int64 and len(set(first.tolist())) == 3
    np.testing.assert_array_equal(first[1:], content_hash(again.select(slice(1, 3)), ids[1:]))


@pytest.mark.parametrize("name", list(DTYPES))
def test_hash_changes_with_any_value_of_its_object_alone(name):
    batch = one_batch()
    values = getattr(batch, name).copy()
    values[3] = np.nextafter(values[3], 99) if values.dtype.kind == "f" else 1 - values[3]
    changed = LightCurveBatch(**{**vars(batch), name: values})
    ids = ["a", "b"]
    assert (content_hash(batch, ids) != content_hash(changed, ids)).tolist() == [True, False]


def test_hash_sees_repeated_added_and_swapped_epochs():
    batch, ids = one_batch(), ["a", "b"]
    before = content_hash(batch, ids)
    fewer = batch.keep(np.arange(batch.time.size) != 0)
    assert (content_hash(fewer, ids) != before).tolist() == [True, False]
    twice = LightCurveBatch.from_epochs([0, 0, 1, 1], [1, 1, 2, 2], [5, 5, 6, 6], None, [0, 0, 0, 0], None, "g")
    hashes = content_hash(twice, ["same", "same"])
    assert hashes[0] != hashes[1]  # a pair of equal epochs does not cancel
    mag = batch.mag.copy()
    mag[[0, 1]] = mag[[1, 0]]  # the same magnitudes at each other's times
    assert content_hash(LightCurveBatch(**{**vars(batch), "mag": mag}), ids)[0] != before[0]
    assert (content_hash(batch, ["b", "a"]) != before).all()


def test_hash_of_objects_without_epochs_and_of_none():
    empty = one_batch().keep(np.zeros(20, bool))
    assert len(set(content_hash(empty, ["a", "b"]).tolist())) == 2
    assert content_hash(empty.select([]), []).shape == (0,)
    with pytest.raises(ValueError, match="1 ids for 2 objects"):
        content_hash(empty, ["a"])


def one_batch() -> LightCurveBatch:
    """Two objects of ten epochs in two bands."""
    rng = np.random.default_rng(5)
    return LightCurveBatch.from_epochs(
        np.repeat([0, 1], 10), rng.random(20), rng.random(20), rng.random(20), rng.integers(0, 2, 20), None, ("g", "r")
    )
