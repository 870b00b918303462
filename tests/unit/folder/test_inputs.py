"""Values of catalogues that a folder declares: by their names here, in our units, impossible ones set aside."""

import numpy as np
import pytest

from schemas import TABLES, BadInput
from schemas.mapping import load_spec
from tasks.features import INPUTS
from tasks.folder.local import read_objects

COLUMNS = {
    "object_id": ["a", "b", "c", "d"],
    "plx": [1.5, None, -0.25, float("inf")],
    "e_plx": [0.1, 0.1, -1.0, 0.2],
    "red": [0.3, 0.0, None, -9.99],
}
TOML = """
[inputs]
parallax = "plx"
parallax_error = "e_plx"
ebv = "red"
"""


def test_they_are_read_by_object_and_impossible_ones_are_reported(folder):
    path = folder(objects=COLUMNS, toml=TOML)
    for need_labels in (True, False):
        objects = read_objects(path, load_spec(path), need_labels)
        assert objects.inputs.column_names == ["object_id", "parallax", "parallax_error", "ebv"]
        assert objects.inputs["parallax"].to_pylist() == [
            1.5,
            None,
            -0.25,
            None,
        ]  # a negative parallax is a measurement
        np.testing.assert_allclose(objects.inputs["parallax_error"].to_numpy()[:2], 0.1, rtol=1e-6)
        assert objects.inputs["parallax_error"].to_pylist()[2] is None
        reports = [(r["object_id"], r["column"], r["check"], r["value"]) for r in objects.rejected.to_pylist()]
        assert reports == [("d", "plx", "range", "inf"), ("c", "e_plx", "range", "-1"), ("d", "red", "range", "-9.99")]


def test_a_folder_may_declare_whatever_features_take():
    assert set(INPUTS) <= TABLES["core_sample__input"].columns_by_name.keys()


def test_without_inputs_nothing_is_read_and_the_dump_is_what_it_was(folder):
    path = folder(objects=COLUMNS, toml="")
    spec = load_spec(path)
    assert read_objects(path, spec).inputs.column_names == ["object_id"]
    assert "inputs" not in spec.model_dump()


@pytest.mark.parametrize(("toml", "sentence"), [
    ('[inputs]\nparalax = "plx"', r"inputs: there is no input 'paralax'.*Did you mean 'parallax'"),
    ('[inputs]\nparallax = "plax"', r"no column 'plax' \(inputs.parallax\).*Did you mean 'plx'"),
    ('[inputs]\nparallax = "object_id"', r"column 'object_id' is string, but it must be a number"),
])  # fmt: skip
def test_what_cannot_be_meant_is_one_sentence(folder, toml, sentence):
    path = folder(objects=COLUMNS, toml=toml)
    with pytest.raises(BadInput, match=sentence):
        read_objects(path, load_spec(path))


def test_mean_photometry_takes_them_and_a_vetted_period_too(folder):
    toml = 'kind = "photometry"\n[inputs]\nparallax = "plx"\nperiod_day = "red"\n[[bands]]\nname = "G"\nmag = "mag"'
    path = folder(objects={**COLUMNS, "mag": [15.0] * 4}, toml=toml)
    found = read_objects(path, load_spec(path))
    assert found.inputs["period_day"].to_pylist() == [0.3, None, None, None]  # a period is not 0
    assert found.inputs["parallax"].to_pylist()[0] == 1.5
