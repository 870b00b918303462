"""What holds of every registered model, whichever it is; a new model is in these laws by its one line."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tasks.learning.data import Examples
from tasks.learning.fit import fit
from tasks.learning.models import MODELS, spec_of
from tasks.learning.persistence import load, model_id, read_card, save
from tasks.learning.recipe import Recipe
from tasks.learning.spec import Curves, Folded, NoConfig
from tasks.learning.targets import KINDS, Classification, Joint
from tests.laws.learning_cases import CASES, EXAMPLES, OFFER, OTHERS, TARGETS, trained

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.model}-{case.target}")
every_model = pytest.mark.parametrize("name", MODELS)
ORDER = np.random.default_rng(3).permutation(len(EXAMPLES))
CLOSE = {"rtol": 1e-6, "atol": 1e-6}  # sums of float32 in batches of other shapes


def without_features(examples: Examples) -> Examples:
    """The same objects with every feature missing."""
    return replace(examples, features=np.full(examples.features.shape, np.nan))


def is_random(case) -> bool:
    """True where the seed may matter: a model with nothing to be set draws nothing."""
    return not isinstance(case.recipe.config, NoConfig)


def shared_random_state() -> bytes:
    """State of the random numbers that the whole process shares."""
    return np.random.get_state()[1].tobytes()  # noqa: NPY002


@every_case
def test_raw_predictions_are_finite_and_what_the_target_expects(case):
    model = trained(case)
    raw = model.predict(OTHERS)
    assert raw.shape == (len(OTHERS), model.target.width) and raw.dtype == np.float64 and np.isfinite(raw).all()
    if isinstance(model.target, Classification):
        assert (raw >= 0).all() and np.allclose(raw.sum(1), 1)
        assert model.target.classes == tuple(sorted(set(case.labels.tolist())))
    else:
        learned = model.target.to_learned(case.labels)
        assert (raw[:, 1] > 0).all()
        assert ((raw[:, 0] >= learned.min()) & (raw[:, 0] <= learned.max())).all()


@every_case
def test_a_model_depends_on_the_set_of_objects_and_not_on_their_order(case):
    again = fit(case.recipe, EXAMPLES.select(ORDER), case.labels[ORDER])
    assert model_id(again) == model_id(trained(case))


@every_case
def test_a_prediction_depends_on_the_object_alone(case):
    whole = trained(case).predict(OTHERS)
    order = np.random.default_rng(4).permutation(len(OTHERS))
    np.testing.assert_allclose(trained(case).predict(OTHERS.select(order)), whole[order], **CLOSE)
    shortest = int(np.argmin(OTHERS.batch.n_epoch))  # alone it has no padding, beside the longest it has most
    np.testing.assert_allclose(trained(case).predict(OTHERS.select([shortest]))[0], whole[shortest], **CLOSE)


@every_case
def test_no_object_has_no_prediction(case):
    model = trained(case)
    assert model.predict(OTHERS.select([])).shape == (0, model.target.width)


@every_case
def test_a_stored_model_predicts_the_same_bits(case, tmp_path):
    model = trained(case)
    identity = save(model, tmp_path, {"lock": "abc"})
    again = load(tmp_path)
    assert model_id(again) == identity == read_card(tmp_path)["model_id"] == model_id(model)
    assert (again.recipe, again.target, again.note) == (model.recipe, model.target, model.note)
    assert np.array_equal(again.source_id, np.sort(EXAMPLES.source_id))
    assert np.array_equal(again.predict(OTHERS), model.predict(OTHERS))
    json.dumps([body.settings() for body in again.bodies], allow_nan=False)


@every_case
def test_names_of_classes_and_earlier_random_numbers_do_not_matter(case):
    labels = case.labels if case.labels.dtype.kind == "f" else np.char.add("x_", case.labels)  # the same order
    before = shared_random_state()
    again = fit(case.recipe, EXAMPLES, labels)
    assert shared_random_state() == before  # numbers that others draw go on undisturbed
    for body, own in zip(again.bodies, trained(case).bodies, strict=True):
        assert all(np.array_equal(value, own.arrays()[name], equal_nan=True) for name, value in body.arrays().items())


@every_case
def test_weights_have_no_unit(case):
    weight = np.random.default_rng(6).integers(1, 4, len(EXAMPLES)).astype(float)
    once, twice = (fit(case.recipe, EXAMPLES, case.labels, scale * weight) for scale in (1.0, 2.0))
    assert np.array_equal(once.predict(OTHERS), twice.predict(OTHERS))
    turned = fit(case.recipe, EXAMPLES.select(ORDER), case.labels[ORDER], weight[ORDER])
    assert model_id(turned) == model_id(once)  # each object keeps its own


@every_case
def test_seeds_are_averaged_and_matter_where_something_is_drawn(case):
    recipe = replace(case.recipe, seeds=(0, 1))
    both = fit(recipe, EXAMPLES, case.labels)
    first, second = (body.predict(OTHERS) for body in both.bodies)
    assert np.array_equal(first, trained(case).predict(OTHERS))
    assert np.array_equal(both.predict(OTHERS), (first + second) / 2)
    assert np.array_equal(first, second) != is_random(case)


@every_case
def test_a_model_that_declares_no_curves_is_trained_and_scores_without_them(case):
    bare = replace(EXAMPLES, batch=None)
    if case.recipe.spec.reads_curves:
        with pytest.raises(ValueError, match="without light curves"):
            fit(case.recipe, bare, case.labels)
        with pytest.raises(ValueError, match="without light curves"):
            trained(case).predict(replace(OTHERS, batch=None))
    else:
        assert model_id(fit(case.recipe, bare, case.labels)) == model_id(trained(case))
        assert np.array_equal(trained(case).predict(replace(OTHERS, batch=None)), trained(case).predict(OTHERS))


@every_case
def test_a_model_reads_the_columns_that_its_spec_declares_and_no_others(case):
    columns = case.recipe.spec.columns(OFFER)
    raw = trained(case).predict(OTHERS)
    read = np.isin(OTHERS.feature_names, columns)
    hidden = replace(OTHERS, features=np.where(read, OTHERS.features, np.nan))
    assert np.array_equal(trained(case).predict(hidden), raw)
    assert np.array_equal(trained(case).predict(without_features(OTHERS)), raw) != bool(columns)
    assert model_id(fit(case.recipe, replace(EXAMPLES, features=np.where(read, EXAMPLES.features, np.nan)),
                        case.labels)) == model_id(trained(case))  # fmt: skip


@every_case
def test_what_cannot_be_learned_from_is_refused(case):
    for labels in (case.labels[:-1], case.labels[:0]):
        with pytest.raises(ValueError, match=f"recipe {case.model}: {labels.size} labels for 48 examples"):
            fit(case.recipe, EXAMPLES, labels)
    with pytest.raises(ValueError, match=r"recipe .*: 0 labels for 0 examples"):
        fit(case.recipe, EXAMPLES.select([]), case.labels[:0])
    if case.recipe.columns:
        with pytest.raises(ValueError, match="columns the model was trained on are absent"):
            fit(case.recipe, replace(EXAMPLES, features=np.empty((48, 0)), feature_names=()), case.labels)
    if case.recipe.columns and not case.recipe.spec.reads_curves:
        with pytest.raises(ValueError, match="at least one feature column"):
            fit(replace(case.recipe, columns=()), replace(EXAMPLES, features=np.empty((48, 0)), feature_names=()),
                case.labels)  # fmt: skip


@every_model
def test_a_target_of_another_kind_is_refused(name):
    spec = spec_of(name)
    several = Joint(tuple(target for target, _ in TARGETS[:2]))
    refused = [target for target in (*(target for target, _ in TARGETS), several) if not spec.can_learn(target)]
    assert refused or set(spec.kinds) == set(KINDS.values())
    for target in refused:
        with pytest.raises(ValueError, match=rf"a {name} learns a .*, not "):
            Recipe("r", (target,), name, spec.config())


@every_model
def test_a_spec_is_consistent_with_its_needs(name):
    spec = spec_of(name)
    assert spec.reads_curves == any(isinstance(need, Curves | Folded) for need in spec.needs)
    declared = {column.name: column for need in spec.needs for column in getattr(need, "declared", ())}
    offer = replace(OFFER, columns=OFFER.columns | declared)  # a relation of physics reads columns of its own
    assert spec.lacks(offer) == "" and set(spec.columns(offer)) <= set(offer.columns)
    empty = replace(OFFER, columns={}, has_curves=False, has_time=False)
    assert bool(spec.lacks(empty)) == bool(spec.needs)
    assert spec.cost >= 0 and isinstance(spec.simplicity, int) and spec.config() == spec.config()


@every_model
def test_the_columns_of_a_spec_are_in_the_order_of_the_offer(name):
    spec, turned = spec_of(name), replace(OFFER, columns=dict(reversed(OFFER.columns.items())))
    assert spec.columns(turned) == spec.columns(OFFER)[::-1]
