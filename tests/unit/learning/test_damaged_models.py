"""Models within models come back from disk bit for bit, and what is damaged or lacking in a file is refused at once."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tasks.learning.fit import fit
from tasks.learning.models.mixture import MixtureConfig
from tasks.learning.models.pair import PairConfig
from tasks.learning.persistence import ARRAYS, CARD, SEEN, load, model_id, save
from tasks.learning.recipe import Recipe, recipe_from_json
from tasks.learning.targets import CLASS
from tasks.learning.trees import build
from tests.laws.learning_cases import CASES, EXAMPLES, OTHERS, Case, trained

FOREST = trained(Case("forest", "class")).bodies[0]
COLUMNS = EXAMPLES.feature_names


def one_case_of_each_model():
    return list({case.model: case for case in CASES}.values())


def mean_of_pairs() -> Recipe:
    """A mean of pairs over trees of classes with twelve forests in two seeds, and of pairs over boosted trees."""
    of_trees = PairConfig("hierarchical_forest", (("trees", 2),))
    members = (
        Recipe("down", (CLASS,), "pair", of_trees, COLUMNS, seeds=(0, 5)),
        Recipe("boosted", (CLASS,), "pair", PairConfig("boosting", (("rounds", 2), ("rate", 0.5))), COLUMNS),
        Recipe("bare", (CLASS,), "boosting", PairConfig("boosting", (("rounds", 2),)).of_base, COLUMNS[:2]),
    )
    return Recipe("mean", (CLASS,), "mixture", MixtureConfig()).join(members)


def test_a_model_within_a_model_within_a_mean_predicts_the_same_bits(tmp_path):
    many = np.char.add("class_", (np.arange(48) % 12).astype(str))
    model = fit(mean_of_pairs(), EXAMPLES, many)
    identity = save(model, tmp_path)
    again = load(tmp_path)
    assert (again.recipe, model_id(again)) == (model.recipe, identity) and len(again.bodies) == 4
    for one, other in zip(model.bodies, again.bodies, strict=True):
        assert one.settings() == other.settings() and type(one) is type(other)
        assert np.array_equal(one.predict(OTHERS), other.predict(OTHERS))
    assert np.array_equal(again.predict(OTHERS), model.predict(OTHERS))
    assert not np.array_equal(*(body.predict(OTHERS) for body in again.bodies[:2]))  # each seed has its own arrays


def test_settings_within_settings_come_back_with_their_types():
    own = recipe_from_json(json.loads(json.dumps(mean_of_pairs().to_json())))
    assert own == mean_of_pairs()
    options = dict(own.members[1].config.options)
    assert [type(options[name]) for name in ("rounds", "rate")] == [int, float]
    assert own.members[1].config.of_base.rate == 0.5


@pytest.mark.parametrize("case", one_case_of_each_model(), ids=lambda case: case.model)
def test_a_file_that_lacks_an_array_is_refused_whichever_it_is(case, tmp_path):
    save(trained(case), tmp_path)
    good = load_file(tmp_path / ARRAYS)
    named = sorted(good)
    for name in {named[0], named[len(named) // 2], named[-1], SEEN}:
        save_file({key: value for key, value in good.items() if key != name}, tmp_path / ARRAYS)
        with pytest.raises(ValueError, match=r"lacks|not those of its network|takes none but"):
            load(tmp_path)


def test_without_the_objects_that_trained_it_a_model_is_not_used(tmp_path):
    """Read as if it had seen none, it would score its own training objects."""
    save(trained(Case("majority", "class")), tmp_path)
    save_file({"0/answer": np.ones(3)}, tmp_path / ARRAYS)
    with pytest.raises(ValueError, match=r"lacks 'seen\.source_id'; the files are damaged"):
        load(tmp_path)


@pytest.mark.parametrize("key", ["recipe", "target", "settings", "note"])
def test_a_card_that_lacks_a_part_is_refused(key, tmp_path):
    save(trained(Case("forest", "class")), tmp_path)
    card = json.loads((tmp_path / CARD).read_text())
    del card[key]
    (tmp_path / CARD).write_text(json.dumps(card))
    with pytest.raises(ValueError, match=f"lacks '{key}'; the files are damaged"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["left_child", "threshold", "values", "offsets", "depth"])
def test_arrays_of_other_lengths_are_refused_before_a_tree_is_built(name):
    arrays = FOREST.arrays()
    for wrong in (arrays[name][:-1], np.concatenate([arrays[name], arrays[name][-1:]]), arrays[name][:0]):
        with pytest.raises(ValueError, match="not of the same nodes and trees; the file is damaged"):
            build(None, FOREST.settings(), {**arrays, name: wrong})


def test_offsets_that_do_not_rise_from_zero_to_the_last_node_are_refused():
    arrays, offsets = FOREST.arrays(), FOREST.offsets
    for wrong in (offsets + 1, offsets - 1, offsets[::-1], np.sort(np.append(offsets[:-2], offsets[-1:].repeat(2)))):
        with pytest.raises(ValueError, match="the file is damaged"):
            build(None, FOREST.settings(), {**arrays, "offsets": np.ascontiguousarray(wrong)})


@pytest.mark.parametrize(("name", "value"), [
    ("left_child", -2), ("left_child", -(2**31)), ("right_child", -1), ("left_child", 0), ("feature", -1),
    ("feature", len(FOREST.columns)),
])  # fmt: skip
def test_a_number_that_compiled_trees_would_follow_astray_is_refused(name, value):
    arrays = FOREST.arrays()
    bad = arrays[name].copy()
    bad[0] = value  # the root of the first tree
    with pytest.raises(ValueError, match=r"1 of \d+ nodes point outside their tree"):
        build(None, FOREST.settings(), {**arrays, name: bad})


def test_leaves_end_at_minus_one_alone():
    arrays = FOREST.arrays()
    leaf = arrays["left_child"] < 0
    with pytest.raises(ValueError, match=rf"{leaf.sum()} of {leaf.size} nodes point outside"):
        build(None, FOREST.settings(), {**arrays, "left_child": np.where(leaf, -2, arrays["left_child"])})
    assert np.array_equal(build(None, FOREST.settings(), arrays).predict(OTHERS), FOREST.predict(OTHERS))
