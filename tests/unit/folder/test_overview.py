"""A first look at a folder: all that is wrong at once, counts, and one light curve."""

import numpy as np
import pytest

from schemas.errors import BadInput, Problems
from schemas.mapping import load_spec
from tasks.folder.local import read_epochs, read_objects
from tasks.folder.overview import look_over


def look(path):
    """The overview of a folder, and what is wrong with it."""
    problems = Problems()
    spec = load_spec(path, guard=problems.collect)
    return look_over(path, spec, problems), problems


def test_counts_of_a_good_folder(folder, light_curves):
    objects = {"object_id": ["star3", "star1", "star0", "star2", "star9"], "label": ["b", "a", "b", "b", None]}
    overview, problems = look(folder(light_curves(), objects))
    assert not problems and overview.n_object == 5
    assert overview.n_class == {"b": 3, "a": 1} and overview.n_epoch == {"g": 20, "r": 20}
    assert list(overview.n_class) == ["b", "a"] and overview.notes == () and overview.refused == {}


def test_the_light_curve_with_the_most_epochs_is_shown(folder, light_curves):
    columns = light_curves()
    keep = np.flatnonzero((columns["object_id"] == "star2") | (np.arange(40) % 2 == 0))
    columns = {name: values[keep] for name, values in columns.items()}
    overview, _ = look(folder(columns))
    of_star = columns["object_id"] == "star2"
    assert overview.example_id == "star2" and len(overview.example) == 1
    np.testing.assert_array_equal(overview.example.time, np.sort(columns["mjd"][of_star]))


def test_everything_that_is_wrong_is_told_at_once(folder, light_curves):
    columns = light_curves() | {"mag": np.full(40, 5000.0), "mag_err": np.zeros(40)}
    columns["mjd"] = columns["mjd"] + 2_400_000.5
    objects = {"object_id": ["other0", "other1"], "ra": ["1:2", "3:4"], "dec": [1.0, 2.0]}
    path = folder(columns, objects, '[label]\ncolumn = "typ"')
    _, problems = look(path)
    told = "\n".join(problems)
    for words in ("no column 'typ'", "look like fluxes", "no value of column 'mag_err'", "but its median",
                  "none of its 4 objects"):  # fmt: skip
        assert words in told, words
    with pytest.raises(BadInput) as first:
        spec = load_spec(path)
        read_objects(path, spec)
        read_epochs(path, spec, ["other0"], 1)
    assert str(first.value) in problems and len(problems) == len(set(problems)) >= 5


def test_columns_of_wrong_types_are_all_named(folder, light_curves):
    columns = light_curves() | {"mag": np.array(["faint"] * 40), "mjd": np.array(["today"] * 40)}
    _, problems = look(folder(columns, {"object_id": [0.5], "ra": ["x"], "dec": ["y"]}))
    for name in ("mjd", "mag", "object_id"):
        assert sum(f"column {name!r} is" in sentence for sentence in problems) == 1


def test_mean_photometry_is_counted_by_band(folder):
    objects = {"object_id": ["a", "b"], "G": [15.0, 16.0], "BP": [15.5, np.nan], "feh": [-1.0, -2.0]}
    toml = ('kind = "photometry"\n[[parameters]]\nquantity = "feh_dex"\ncolumn = "feh"\n[[bands]]\nname = "G"\n'
            'mag = "G"\n[[bands]]\nname = "BP"\nmag = "BP"')  # fmt: skip
    overview, problems = look(folder(None, objects, toml))
    assert not problems and overview.n_epoch == {"G": 2, "BP": 1} and overview.example is None
