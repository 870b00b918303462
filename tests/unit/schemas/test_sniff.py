"""What the names of columns say of a folder: which column is which, the time scale, and the bands."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas import BadInput
from schemas.dataset_nodes import Identifier
from schemas.errors import Problems
from schemas.recognition import BAND, DEC, FLAGS, ID, LABEL, MAG, MAG_ERR, RA
from schemas.sniff import MAX_BANDS, MAX_LIKELY_BANDS, _identifiers, sniff

IDENTIFIER = Identifier.__metadata__[0].metadata[0].pattern


def write(folder, lightcurves=None, objects=None):
    """A folder with these tables; a column of each is enough to be one."""
    for name, table in {"lightcurves": lightcurves, "objects": objects or {"object_id": ["a"]}}.items():
        if table is not None:
            pq.write_table(pa.table(table), folder / f"{name}.parquet")
    return folder


def refused(folder, declared=None):
    """The sentence with which a folder is refused."""
    with pytest.raises(BadInput) as caught:
        sniff(folder, declared or {})
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("change", [str, str.upper, str.title])
@pytest.mark.parametrize(
    "key, name",
    [(key, name) for key, names in {"id": ID, "mag": MAG, "mag_err": MAG_ERR, "band": BAND, "flags": FLAGS}.items()
     for name in names],
)  # fmt: skip
def test_columns_of_light_curves_are_known_by_their_names(tmp_path, key, name, change):
    needed = {"id": "star", "time": "mjd", "mag": "mag"}
    columns = {**{word: [1.0] for which, word in needed.items() if which != key}, change(name): ["1"]}
    found = sniff(write(tmp_path, columns), {"lightcurves": {"id": "star"} if key != "id" else {}})["lightcurves"]
    assert found[key] == change(name)


@pytest.mark.parametrize("name, zero, unit", [
    ("mjd", "mjd", "d"), ("HJD", "hjd", "d"), ("bjd_minus_2457000", "bjd-2457000", "d"), ("time", "arbitrary", "d"),
    ("time_hours", "arbitrary", "h"),
])  # fmt: skip
def test_the_name_of_the_time_says_its_zero_point_and_unit(tmp_path, name, zero, unit):
    tree = sniff(write(tmp_path, {"id": ["a"], name: [1.0], "mag": [1.0]}), {})
    said = (tree["lightcurves"]["time"], tree["kind"], tree["time_zero"], tree.get("time_unit", "d"))
    assert said == (name, "time", zero, unit)
    own = sniff(tmp_path, {"time_zero": "jd-2450000", "time_unit": "s"})
    assert (own["time_zero"], own["time_unit"]) == ("jd-2450000", "s")


def test_a_column_called_phase_makes_a_dataset_of_phases(tmp_path):
    folder = write(tmp_path, {"id": ["a"], "Phase": [0.1], "mag": [1.0]})
    tree = sniff(folder, {})
    assert tree["kind"] == "phase" and "time_zero" not in tree
    assert sniff(folder, {"kind": "time"})["time_zero"] == "arbitrary"


def test_time_comes_before_phase_where_both_are_there(tmp_path):
    tree = sniff(write(tmp_path, {"id": ["a"], "phase": [0.1], "hjd": [1.0], "mag": [1.0]}), {})
    assert (tree["kind"], tree["lightcurves"]["time"]) == ("time", "hjd")


@pytest.mark.parametrize("ra", RA)
@pytest.mark.parametrize("dec", DEC)
def test_a_position_needs_both_coordinates(tmp_path, ra, dec):
    curves = {"id": ["a"], "mjd": [1.0], "mag": [1.0]}
    both = sniff(write(tmp_path, curves, {"id": ["a"], ra: [1.0], dec: [2.0]}), {})["objects"]
    assert (both["ra"], both["dec"]) == (ra, dec)
    alone = sniff(write(tmp_path, curves, {"id": ["a"], ra: [1.0]}), {})["objects"]
    assert set(alone) == {"id"}


@pytest.mark.parametrize("name", LABEL)
def test_classes_are_found_unless_a_label_is_declared(tmp_path, name):
    folder = write(tmp_path, {"id": ["a"], "mjd": [1.0], "mag": [1.0]}, {"id": ["a"], name: ["RR"], "sort": ["x"]})
    assert sniff(folder, {})["label"] == {"column": name}
    assert sniff(folder, {"label": {"column": "sort"}})["label"] == {"column": "sort"}


def test_what_is_declared_stays_as_it_is(tmp_path):
    folder = write(tmp_path, {"id": ["a"], "mjd": [1.0], "t0": [1.0], "mag": [1.0], "peak": [1.0]})
    declared = {"name": "mine", "lightcurves": {"time": "t0", "mag": "peak"}, "time_zero": "jd"}
    tree = sniff(folder, declared)
    assert (tree["name"], tree["time_zero"]) == ("mine", "jd")
    assert tree["lightcurves"] == {"id": "id", "time": "t0", "mag": "peak"}


@pytest.mark.parametrize("name, expected", [("my stars (2)", "my_stars_2_"), ("_x", "x"), ("...", "folder")])
def test_the_folder_names_the_dataset(tmp_path, name, expected):
    folder = tmp_path / name if name != "..." else tmp_path / "---"
    folder.mkdir()
    assert sniff(write(folder, {"id": ["a"], "mjd": [1.0], "mag": [1.0]}), {})["name"] == expected


def test_mean_photometry_needs_no_light_curves(tmp_path):
    tree = sniff(write(tmp_path), {"kind": "photometry", "bands": [{"name": "G", "mag": "g"}]})
    assert "lightcurves" not in tree and tree["objects"] == {"id": "object_id"}


def test_without_light_curves_the_sentence_says_what_to_do(tmp_path):
    sentence = refused(write(tmp_path))
    assert "no lightcurves.parquet" in sentence and 'kind = "photometry"' in sentence


@pytest.mark.parametrize("missing, columns", [("time", {"mag": [1.0]}), ("mag", {"mjd": [1.0]})])
def test_without_a_time_or_a_magnitude_the_columns_are_named(tmp_path, missing, columns):
    sentence = refused(write(tmp_path, {"id": ["a"], "flux": [1.0], **columns}))
    assert f"looks like the {missing}" in sentence and "flux" in sentence and f"lightcurves.{missing}" in sentence


@pytest.mark.parametrize("file", ["../objects.parquet", "a/b.parquet", 3])
def test_files_lie_in_the_folder_itself(tmp_path, file):
    assert "objects.file must name a file in the folder itself" in refused(tmp_path, {"objects": {"file": file}})


def test_a_key_that_is_no_table_is_left_to_the_declaration(tmp_path):
    tree = sniff(write(tmp_path, {"id": ["a"], "mjd": [1.0], "mag": [1.0]}), {"kind": "time"})
    assert tree["kind"] == "time" and tree["objects"]["id"] == "object_id"


BANDS = {
    "text": pa.array(["r", "g", "r", None]),
    "numbers": pa.array([2, 1, 2, None]),
    "dictionary": pa.array(["r", "g", "r", None]).dictionary_encode(),
    "lists": pa.array([["r", "g"], ["r"], [], None]),
    "large lists": pa.array([["r", "g"], ["r"], [], None], pa.large_list(pa.string())),
}


@pytest.mark.parametrize("form", BANDS)
def test_bands_are_the_values_of_the_column_sorted(tmp_path, form):
    folder = write(tmp_path, {"id": list("abcd"), "mjd": [1.0] * 4, "mag": [1.0] * 4, "band": BANDS[form]})
    expected = [("band_1", "1"), ("band_2", "2")] if form == "numbers" else [("g", "g"), ("r", "r")]
    assert [(band["name"], band["value"]) for band in sniff(folder, {})["bands"]] == expected


def test_without_a_column_of_bands_there_is_one(tmp_path):
    folder = write(tmp_path, {"id": ["a"], "mjd": [1.0], "mag": [1.0]})
    assert sniff(folder, {})["bands"] == [{"name": "single"}]


@pytest.mark.parametrize("values", [["ba", "bb"], [1, 2], [1.0, None], [2.0, 1.0], [["x"], ["y"]]])
def test_a_column_that_may_say_the_band_is_asked_about(tmp_path, values):
    columns = {"id": ["a", "a"], "mjd": [[1.0], [1.0]], "mag": [[1.0], [1.0]], "cam": pa.array(values)}
    folder = write(tmp_path, columns)
    n_value = len({str(value) for value in values if value is not None})
    if n_value < 2:
        assert sniff(folder, {})["bands"] == [{"name": "single"}]
        return
    sentence = refused(folder)
    assert "'cam'" in sentence and 'band = "cam"' in sentence and 'band = ""' in sentence
    assert sniff(folder, {"lightcurves": {"band": ""}})["bands"] == [{"name": "single"}]
    assert len(sniff(folder, {"lightcurves": {"band": "cam"}})["bands"]) == 2
    assert sniff(folder, {"bands": [{"name": "V"}]})["bands"] == [{"name": "V"}]


def test_what_cannot_be_bands_is_not_asked_about(tmp_path):
    n = MAX_LIKELY_BANDS + 1
    columns = {
        "id": ["a"] * n, "mjd": np.arange(n) * 1.0, "mag": np.ones(n), "one": ["x"] * n,
        "many": [str(k) for k in range(n)], "airmass": np.arange(n) % 2 + 0.5, "type": ["a", "b", "c"] * (n // 3),
        "is_good": np.arange(n) % 2 == 0, "night": np.arange(n),
    }  # fmt: skip
    assert sniff(write(tmp_path, columns), {})["bands"] == [{"name": "single"}]
    columns["night"] = np.arange(n) % MAX_LIKELY_BANDS
    assert "'night': 0, 1, 10, 11, 12 and 15 more" in refused(write(tmp_path, columns))


def test_both_files_have_the_id_that_they_share(tmp_path):
    objects = {"object_id": [1], "name": ["a"], "star": ["b"]}
    tree = sniff(write(tmp_path, {"name": ["a"], "mjd": [1.0], "mag": [1.0]}, objects), {})
    assert (tree["objects"]["id"], tree["lightcurves"]["id"]) == ("name", "name")
    tree = sniff(write(tmp_path, {"oid": ["a"], "mjd": [1.0], "mag": [1.0]}, objects), {})
    assert (tree["objects"]["id"], tree["lightcurves"]["id"]) == ("object_id", "oid")


def test_the_exact_name_comes_first_and_twins_without_it_are_asked_about(tmp_path):
    columns = {"id": ["a"], "mjd": [1.0], "MAG": [2.0], "mag": [1.0]}
    assert sniff(write(tmp_path, columns), {})["lightcurves"]["mag"] == "mag"
    columns["Mag"] = columns.pop("mag")
    sentence = refused(write(tmp_path, columns))
    assert sentence.startswith("lightcurves.mag may be any of 'MAG', 'Mag'") and "dataset.toml" in sentence
    assert sniff(tmp_path, {"lightcurves": {"mag": "MAG"}})["lightcurves"]["mag"] == "MAG"


@pytest.mark.parametrize(
    "node, columns", [("objects", {"ZTFID": ["a"]}), ("lightcurves", {"mjd": [1.0], "mag": [1.0]})]
)
def test_an_id_that_no_name_shows_is_asked_for(tmp_path, node, columns):
    good = {"lightcurves": {"id": ["a"], "mjd": [1.0], "mag": [1.0]}, "objects": {"id": ["a"]}}
    folder = write(tmp_path, **(good | {node: columns}))
    sentence = refused(folder)
    assert f"no column looks like the id (it has {', '.join(columns)})" in sentence and f"{node}.id" in sentence
    assert sniff(folder, {node: {"id": next(iter(columns))}})[node]["id"] == next(iter(columns))


def test_files_that_are_not_there_are_told_once_each(tmp_path):
    problems = Problems()
    tree = sniff(tmp_path, {}, problems.collect)
    assert len(problems) == 2 and problems.keys == {"objects.file", "lightcurves.file"}
    assert tree["bands"] == [{"name": "single"}] and "lightcurves" not in tree


def test_all_that_is_wrong_can_be_told_at_once(tmp_path):
    objects = {"id": ["a"], "Label": ["x"], "LABEL": ["y"]}
    folder, problems = write(tmp_path, {"id": ["a"], "Mag": [1.0], "MAG": [1.0]}, objects), Problems()
    tree = sniff(folder, {}, problems.collect)
    assert [sentence.split()[0] for sentence in problems] == ["label.column", f"{folder}/lightcurves.parquet:",
                                                              "lightcurves.mag"]  # fmt: skip
    assert tree["lightcurves"] == {"id": "id"} and tree["bands"] == [{"name": "single"}]


def test_a_column_of_bands_that_is_not_there_is_refused(tmp_path):
    folder = write(tmp_path, {"id": ["a"], "mjd": [1.0], "mag": [1.0]})
    sentence = refused(folder, {"lightcurves": {"band": "filtre"}})
    assert "no column 'filtre'" in sentence and "mjd" in sentence


def test_a_column_with_too_many_values_is_no_band(tmp_path):
    n = MAX_BANDS + 1
    columns = {"id": ["a"] * n, "mjd": np.arange(n) * 1.0, "mag": np.ones(n), "band": [str(i) for i in range(n)]}
    assert f"more than {MAX_BANDS} values" in refused(write(tmp_path, columns))
    fewer = {name: values[:-1] for name, values in columns.items()}
    assert len(sniff(write(tmp_path, fewer), {})["bands"]) == MAX_BANDS


def test_a_column_of_bands_without_any_is_refused(tmp_path):
    columns = {"id": ["a"], "mjd": [1.0], "mag": [1.0], "band": pa.array([None], pa.string())}
    assert "names no band in any row" in refused(write(tmp_path, columns))


@settings(max_examples=60, deadline=None)
@example(["0", "1", "6", ":", "00", "000", ""])
@given(st.lists(st.text("01 -_aµ:", max_size=3), max_size=12, unique=True))
def test_names_of_bands_are_identifiers_and_all_different(values):
    names = _identifiers(values)
    assert len(set(names)) == len(values) and all(re.match(IDENTIFIER, name) for name in names)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.from_regex(IDENTIFIER, fullmatch=True), max_size=9, unique=True))
def test_names_that_are_identifiers_already_stay(values):
    kept = [value for value in values if "__" not in value and not value.endswith("_")]
    assert _identifiers(kept) == kept


@pytest.mark.parametrize("is_nested", [False, True])
@pytest.mark.parametrize("varies", [False, True])
def test_a_column_that_says_something_of_a_star_is_no_band(tmp_path, varies, is_nested):
    field = [["a", "a"], ["b", "b" if not varies else "a"]]
    columns = {"id": ["1", "2"], "mjd": [[1.0, 2.0]] * 2, "mag": [[15.0, 16.0]] * 2, "field": field}
    if not is_nested:
        columns = {name: np.ravel(np.repeat(value, 2) if name == "id" else value) for name, value in columns.items()}
    elif not varies:
        columns["field"] = ["a", "b"]
    folder = write(tmp_path, columns, {"id": ["1", "2"]})
    if varies:
        assert "'field': a, b" in refused(folder)
    else:
        assert sniff(folder, {})["bands"] == [{"name": "single"}]
