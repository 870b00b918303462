"""The table of objects: positions, labels, parameters, mean photometry; and how little scoring needs of it."""

import pyarrow as pa
import pytest

from schemas import BadInput
from schemas.mapping import load_spec
from tasks.folder.local import read_objects

TOML = """
[label]
column = "type"
origin = "vsx"
rename = { "RR Lyr" = "RRL" }
[[parameters]]
quantity = "teff_k"
column = "teff"
err = "teff_err"
origin = "apogee"
[[references]]
quantity = "period_day"
column = "period"
is_photometric = true
"""
COLUMNS = {
    "object_id": [1, 2, 3, 4],
    "ra": [10.0, 400.0, None, 0.0],
    "dec": [-5.0, 0.0, None, None],
    "type": ["RR Lyr", "CEP ", "", None],
    "teff": [6000.0, -9999.0, None, 7000.0],
    "teff_err": [100.0, 100.0, None, -1.0],
    "period": [0.5, 3.0, float("nan"), 0.0],
}
PHOTOMETRY = """
kind = "photometry"
[[bands]]
name = "G"
mag = "mag_G"
mag_err = "err_G"
[[bands]]
name = "J"
mag = "mag_J"
"""


def objects_of(path, **options):
    return read_objects(path, load_spec(path), **options)


@pytest.fixture
def labelled(folder):
    return folder(objects=COLUMNS, toml=TOML)


def test_positions(labelled):
    objects = objects_of(labelled)
    assert objects.table.to_pydict() == {
        "object_id": ["1", "2", "3", "4"],
        "ra": [10, None, None, None],
        "dec": [-5, None, None, None],
    }
    bad = [r for r in objects.rejected.to_pylist() if r["column"] == "ra dec"]
    assert [(r["object_id"], r["check"], r["value"]) for r in bad] == [("2", "range", "400 0"), ("4", "range", "0 nan")]


def test_right_ascensions_are_cyclic(folder):
    ra = [-180.0, -0.25, -1e-17, 0.0, 359.5, 360.0, -181.0, 360.5]
    path = folder(objects={"object_id": [f"star{k}" for k in range(8)], "ra": ra, "dec": [10.0] * 8})
    objects = objects_of(path)
    assert objects.table["ra"].to_pylist() == [180, 359.75, 0, 0, 359.5, 0, None, None]
    assert [r["value"] for r in objects.rejected.to_pylist()] == ["-181 10", "360.5 10"]


def test_positions_that_are_no_numbers_are_left_out_unless_declared(folder):
    objects = {"object_id": ["star0", "star1"], "ra": ["12:30:45.1", "01:02:03"], "dec": ["-10:20:30", "+1:2:3"]}
    for toml in ("", '[objects]\nid = "object_id"', '[objects]\nra = ""\ndec = ""'):
        assert objects_of(folder(objects=objects, toml=toml)).table["ra"].null_count == 2
    with pytest.raises(BadInput, match="column 'ra' is string, but it must be a number"):
        objects_of(folder(objects=objects, toml='[objects]\nra = "ra"\ndec = "dec"'))


def test_a_band_of_mean_photometry_without_errors_quotes_none(folder):
    table = {"object_id": ["a", "b"], "mag_G": [15.0, 16.0], "err_G": [None, float("nan")], "mag_J": [14.0, 15.0]}
    objects = objects_of(folder(None, table, PHOTOMETRY))
    assert objects.photometry["band"].to_pylist() == ["G", "G", "J", "J"] and not objects.rejected.num_rows
    assert objects.photometry["mag_err"].null_count == 4


def test_instrumental_mean_magnitudes(folder):
    table = {"object_id": ["a", "b"], "mag_G": [-12.5, -11.0], "err_G": [0.1, 0.1], "mag_J": [14.0, -999.0]}
    objects = objects_of(folder(None, table, PHOTOMETRY))
    assert objects.photometry["mag"].to_pylist() == [-12.5, -11, 14]
    calibrated = PHOTOMETRY.replace('mag = "mag_G"', 'mag = "mag_G"\nsystem = "AB"')
    assert {r["check"] for r in objects_of(folder(None, table, calibrated)).rejected.to_pylist()} == {
        "range", "no_photometry"
    }  # fmt: skip


def test_classes(labelled):
    assert objects_of(labelled).class_labels.to_pydict() == {
        "object_id": ["1", "2"],
        "origin": ["vsx", "vsx"],
        "class": ["RRL", "CEP"],
    }


def test_classes_may_be_numbers(folder):
    objects = {"object_id": ["a", "b"], "label": [3.0, float("nan")]}
    assert objects_of(folder(objects=objects)).class_labels["class"].to_pylist() == ["3"]


def test_a_column_of_nulls_labels_nothing(folder):
    nothing = pa.nulls(2)
    objects = objects_of(
        folder(
            objects={
                "object_id": ["a", "b"],
                "type": nothing,
                "teff": nothing,
                "teff_err": nothing,
                "period": [float("inf"), None],
            },
            toml=TOML,
        )
    )
    assert objects.class_labels.num_rows == objects.parameter_labels.num_rows == 0
    assert [r["value"] for r in objects.rejected.to_pylist()] == ["inf"]


def test_parameters_and_references(labelled):
    objects = objects_of(labelled)
    rows = objects.parameter_labels.to_pylist()
    names = ("object_id", "origin", "quantity", "value", "err", "is_photometric")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("1", "apogee", "teff_k", 6000.0, 100.0, False),
        ("1", "objects", "period_day", 0.5, None, True),
        ("2", "objects", "period_day", 3.0, None, True),
    ]
    bad = [r for r in objects.rejected.to_pylist() if r["column"] != "ra dec"]
    assert [(r["object_id"], r["column"], r["check"], r["value"]) for r in bad] == [
        ("2", "teff", "range", "-9999"),
        ("4", "teff_err", "positive", "-1"),
        ("4", "period", "range", "0"),
    ]


def test_without_labels_nothing_but_id_and_position_is_needed(folder):
    with_position = {name: COLUMNS[name] for name in ("object_id", "ra", "dec")}
    toml = TOML + '[objects]\nra = "ra"\ndec = "dec"\n'
    full = objects_of(folder(objects=COLUMNS, toml=toml), need_labels=False)
    bare = objects_of(folder(objects=with_position, toml=toml), need_labels=False)
    assert full.table.equals(bare.table) and full.rejected.equals(bare.rejected)
    assert full.class_labels.num_rows == full.parameter_labels.num_rows == 0
    least = objects_of(folder(objects={"object_id": COLUMNS["object_id"]}, toml=toml), need_labels=False)
    assert least.table["object_id"].to_pylist() == ["1", "2", "3", "4"] and least.table["ra"].null_count == 4
    assert "no position" in least.notes[0]


def test_a_position_that_is_declared_must_be_there_to_train(folder):
    path = folder(objects={"object_id": ["star0"]}, toml='[objects]\nra = "ra"\ndec = "dec"\n')
    with pytest.raises(BadInput, match=r"no column 'ra' \(objects.ra\)"):
        objects_of(path)


def test_labels_that_are_text_are_no_quantities(folder):
    path = folder(objects={**COLUMNS, "teff": ["hot", "cool", "?", ""]}, toml=TOML)
    with pytest.raises(BadInput, match="column 'teff' is string, but it must be a number"):
        objects_of(path)


def test_mean_photometry(folder):
    table = {
        "object_id": ["a", "b", "c", "d"],
        "mag_G": [15.0, -999.0, 16.0, None],
        "err_G": [0.02, 0.02, None, None],
        "mag_J": [14.0, None, 13.0, None],
    }
    objects = objects_of(folder(None, table, PHOTOMETRY))
    assert objects.photometry.to_pylist() == [
        {"object_id": "a", "band": "G", "mag": 15.0, "mag_err": pytest.approx(0.02)},
        {"object_id": "a", "band": "J", "mag": 14.0, "mag_err": None},
        {"object_id": "c", "band": "J", "mag": 13.0, "mag_err": None},
    ]
    assert [(r["object_id"], r["column"], r["check"], r["value"]) for r in objects.rejected.to_pylist()] == [
        ("b", "mag_G", "range", "-999"),
        ("c", "err_G", "finite", "nan"),
        ("b", "bands", "no_photometry", "0"),
        ("d", "bands", "no_photometry", "0"),
    ]
    assert objects.photometry.schema.field("mag").type == pa.float32() and not objects.notes


def test_an_empty_band_of_photometry_is_mentioned(folder):
    table = {"object_id": ["a"], "mag_G": [15.0], "err_G": [0.1], "mag_J": pa.nulls(1, pa.float64())}
    assert "Band J" in objects_of(folder(None, table, PHOTOMETRY)).notes[0]


def test_no_photometry_at_all_stops(folder):
    table = {"object_id": ["a"], "mag_G": [99.0], "err_G": [0.1], "mag_J": [-999.0]}
    with pytest.raises(BadInput, match="none of 1 objects has a usable magnitude"):
        objects_of(folder(None, table, PHOTOMETRY))
