"""Settings of a training: defaults that hold, limits in one sentence, nothing unknown."""

from dataclasses import fields

import pytest
from pydantic import TypeAdapter, ValidationError

from tasks.learning.recipes import STANDARD
from tasks.learning.training_config import TrainingConfig
from tasks.surveys import list_label_origins

SETTINGS = TypeAdapter(TrainingConfig)


def test_defaults_are_within_their_own_limits_and_survive_json():
    config = TrainingConfig()
    assert SETTINGS.validate_python({}) == config
    assert SETTINGS.validate_json(SETTINGS.dump_json(config)) == config
    assert config.recipes == STANDARD and config.label_origins == list_label_origins() and config.options == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_folds", 1), ("n_folds", 21), ("test_fraction", 0.0), ("test_fraction", 0.6), ("min_labels", 9),
        ("interval_level", 0.1), ("interval_level", 0.999), ("when", "always"), ("recipes", ["forrest"]),
        ("options", {"forrest": {}}), ("options", {"forest": {"trees": 0}}), ("options", {"forest": {"tree": 9}}),
        ("folds", 5),
    ],
)  # fmt: skip
def test_what_is_outside_the_limits_is_refused(field, value):
    with pytest.raises(ValidationError) as caught:
        SETTINGS.validate_python({field: value})
    assert [error["loc"][0] for error in caught.value.errors()] == [field]


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ({"recipes": ["forrest"]}, "Did you mean 'forest'?"),
        ({"options": {"lsmt": {}}}, "Did you mean 'lstm'?"),
        ({"options": {"forest": {"min_leafs": 2}}}, "Did you mean 'min_leaf'?"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest(values, hint):
    with pytest.raises(ValidationError) as caught:
        SETTINGS.validate_python(values)
    assert hint in str(caught.value)


def test_options_are_kept_as_given():
    config = SETTINGS.validate_python({"options": {"forest": {"trees": 12}}, "recipes": ["forest", "majority"]})
    assert config.options == {"forest": {"trees": 12}} and config.recipes == ("forest", "majority")
    with pytest.raises(AttributeError):
        config.n_folds = 3


def test_every_setting_has_a_description():
    shown = SETTINGS.json_schema()["properties"]
    assert set(shown) == {field.name for field in fields(TrainingConfig)}
    assert all(each["description"].endswith((".", ")")) for each in shown.values())
