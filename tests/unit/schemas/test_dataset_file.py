"""A mapping written out reads as itself, and says of every entry what it means."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.dataset import DatasetSpec
from schemas.dataset_file import write_toml
from schemas.dataset_nodes import Band, LightCurveColumns, ObjectColumns
from schemas.mapping import load_preset, load_spec, parse_spec, preset_names

ODD = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


def spec(**keys):
    """A dataset in one band."""
    return DatasetSpec.model_validate({"name": "toy", "bands": [{"name": "g"}], **keys})


@pytest.mark.parametrize("name", preset_names())
def test_presets_read_as_themselves(name):
    assert parse_spec(write_toml(load_preset(name)), "x") == load_preset(name)


@settings(max_examples=60, deadline=None)
@given(
    ODD, ODD, st.dictionaries(ODD, ODD, max_size=3), st.none() | st.floats(1e-3, 1e6), st.none() | ODD, st.booleans(),
)  # fmt: skip
def test_whatever_columns_are_called(column, doc, rename, wavelength, err, is_photometric):
    given = spec(
        doc=doc,
        label={"column": column, "rename": rename},
        objects={"id": column},
        lightcurves={"time": column, "mag_err": err, "band": column},
        bands=[{"name": "g", "value": column, "wavelength_nm": wavelength}, {"name": "G", "value": "\x7f\\"}],
        parameters=[{"quantity": "spin_deg", "column": column, "unit": "deg", "is_log": is_photometric, "err": err}],
        inputs={"parallax": column, "ebv": doc},
    )
    assert parse_spec(write_toml(given), "x") == given


@pytest.mark.parametrize("keys", [
    {}, {"label": None}, {"kind": "phase", "phase_end": 1.0}, {"time_zero": "hjd-2450000", "time_unit": "s"},
    {"time_zero": "mjd", "mixed_jd": True}, {"kind": "photometry", "bands": [{"name": "g", "mag": "gmag"}]},
])  # fmt: skip
def test_every_kind_of_dataset(keys):
    assert parse_spec(write_toml(spec(**keys)), "x") == spec(**keys)


def test_what_is_not_there_is_said_so_and_never_completed(folder, light_curves):
    columns = light_curves() | {"flags": [1] * 40}
    objects = {"object_id": ["star0"], "ra": [1.0], "dec": [2.0], "class": ["x"]}
    path = folder(columns, objects)
    nothing = DatasetSpec(
        name="toy",
        lightcurves=LightCurveColumns(time="mjd"),
        objects=ObjectColumns(),
        bands=(Band(name="g"),),
    )
    (path / "dataset.toml").write_text(write_toml(nothing))
    assert load_spec(path) == nothing


def test_entries_have_comments_and_those_without_a_value_are_comments():
    lines = write_toml(spec(kind="phase")).splitlines()
    assert all("  # " in line for line in lines if "=" in line)
    assert any(line.startswith("# phase_end = ") for line in lines) and "[label]" in "".join(lines)
    assert "wavelength_nm" not in tomllib.loads("\n".join(lines))["bands"][0]


def test_what_is_not_settled_is_left_out():
    text = write_toml(spec(), {"lightcurves.band", "lightcurves.time", "label.column"})
    tree = tomllib.loads(text)
    assert {"band", "time"}.isdisjoint(tree["lightcurves"]) and "mag" in tree["lightcurves"]
    assert "bands" not in tree and tree["label"] == {} and '# band = ""' in text
