"""Trees of classes, and the forests that go down one."""

import numpy as np
import pytest

from schemas import BadInput
from tasks.learning.fit import fit
from tasks.learning.recipes import recipes_for
from tasks.learning.targets import CLASS
from tasks.learning.taxonomy import DEFAULT, branchings, check_taxonomy
from tests.unit.learning.synthetic_stars import recipe, stars

DEEP = (("x", ("y", "c")), ("y", ("a", "b")), ("empty", ("z",)))


@pytest.mark.parametrize(("classes", "places"), [
    ("abcd", [[[0, 1, 2], [3]], [[0, 1], [2]], [[0], [1]]]),
    ("abd", [[[0, 1], [2]], [[0], [1]]]),  # x has one way to go and is no place
    ("ab", [[[0], [1]]]),
    ("de", [[[0], [1]]]),
    ("a", []),
    ("ay", [[[1], [0]]]),  # a class called as a branch is one of its ways
    ("acy", [[[2, 0], [1]], [[2], [0]]]),
])  # fmt: skip
def test_classes_part_where_the_tree_says(classes, places):
    assert branchings(DEEP, classes) == places


def test_without_a_tree_all_classes_part_at_once():
    assert branchings((), "abc") == [[[0], [1], [2]]]


def test_the_usual_tree_is_a_tree_and_knows_the_classes_of_the_embedded_sky():
    from tasks.sky.classes import CLASSES

    assert check_taxonomy(DEFAULT) == DEFAULT
    below = {member for _, members in DEFAULT for member in members}
    assert set(CLASSES) - below == {"CONST"}


@pytest.mark.parametrize(("wrong", "sentence"), [
    ((("x", ("a",)), ("y", ("a",))), "'a' stands twice"),
    ((("x", ("a",)), ("x", ("b",))), "'x' stands twice"),
    ((("x", ("y",)), ("y", ("x",))), "the branch 'x' hangs from itself"),
    ((("x", ("x",)),), "the branch 'x' hangs from itself"),
])  # fmt: skip
def test_what_is_no_tree_is_refused(wrong, sentence):
    with pytest.raises(BadInput, match=f"Recipe hierarchical_forest: .*taxonomy.*{sentence}"):
        recipes_for(("hierarchical_forest",), (CLASS,), {"hierarchical_forest": {"taxonomy": wrong}})


def test_probabilities_are_products_down_the_tree():
    examples, classes, _ = stars(200)
    tree = (("varies", ("saw", "sine")),)
    model = fit(recipe("hierarchical_forest", trees=20, taxonomy=tree), examples, classes)
    body = model.bodies[0]
    assert model.target.classes == ("noise", "saw", "sine") and body.places == [[[1, 2], [0]], [[1], [2]]]
    first, second = (forest.predict(examples) for forest in body.forests)
    proba = body.predict(examples)
    assert np.allclose(proba, np.stack([first[:, 1], first[:, 0] * second[:, 0], first[:, 0] * second[:, 1]], axis=1))
    assert (np.array(model.target.classes)[proba.argmax(1)] == classes).mean() > 0.95
    assert len(body.forests[1].columns) == 3 and np.allclose(proba.sum(1), 1)


def test_a_place_learns_from_the_objects_behind_it_alone():
    examples, classes, _ = stars(200)
    made = recipe("hierarchical_forest", trees=8, taxonomy=(("varies", ("saw", "sine")),))
    shuffled = classes.copy()
    varies = classes != "noise"
    shuffled[~varies] = "noise"
    weight = np.where(varies, 1.0, 3.0)
    there, again = (fit(made, examples, shuffled, w).bodies[0].forests for w in (None, weight))
    assert np.array_equal(there[1].predict(examples), again[1].predict(examples))
    assert not np.array_equal(there[0].predict(examples), again[0].predict(examples))
