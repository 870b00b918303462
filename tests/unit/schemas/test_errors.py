"""The one error that a user reads, and the hint at its end."""

import pickle
from contextlib import nullcontext

import pytest

from schemas.errors import BadInput, Problems, nearest, settled_by


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("teff_kk", " Did you mean 'teff_k'?"),
        ("TEFF_K", " Did you mean 'teff_k'?"),
        ("mass", ""),
        ("", ""),
    ],
)
def test_the_nearest_name_is_suggested_where_one_is_near(name, hint):
    assert nearest(name, ("teff_k", "radius_rsun")) == hint


def test_the_name_is_written_as_it_is_there():
    assert nearest("objectid", ["ObjectID", "ra"]) == " Did you mean 'ObjectID'?"
    assert nearest("anything", []) == ""


def test_the_closest_of_several_wins():
    assert nearest("mag_g", ["mag_r", "mag_gg", "magnitude"]) == " Did you mean 'mag_gg'?"


def test_bad_input_comes_back_from_a_worker():
    error = pickle.loads(pickle.dumps(BadInput("One.", "label.column")))
    assert (str(error), error.key) == ("One.", "label.column")


def test_bad_input_is_a_value_error():
    """So that pydantic reports it as the reason why a setting is refused."""
    with pytest.raises(ValueError, match="Two ids"):
        raise BadInput("Two ids are equal.")


def test_what_is_wrong_is_gathered_once_and_other_errors_are_not_held_back():
    problems = Problems()
    for sentence, key in (("One.", "label.column"), ("Two.", ""), ("One.", "label.column")):
        with problems.collect():
            raise BadInput(sentence, key)
    assert problems == ["One.", "Two."] and problems.keys == {"label.column"}
    others = Problems()
    with pytest.raises(BadInput, match="One"):
        problems.raise_each(others.collect)
    with pytest.raises(BadInput, match="One"):
        problems.raise_each(nullcontext)
    Problems().raise_each(nullcontext)
    assert others == problems
    with pytest.raises(KeyError), problems.collect():
        raise KeyError("x")


def test_what_settles_a_problem_is_known_from_where_it_arose():
    problems = Problems()
    with problems.collect(), settled_by("objects.file"):
        raise BadInput("There is no file.")
    assert problems == ["There is no file."] and problems.keys == {"objects.file"}
    with pytest.raises(KeyError), settled_by("objects.file"):
        raise KeyError("x")
