"""What Prefect's API takes for a deployment, and shows in its form, before any run exists."""

import pytest
import yaml
from prefect.utilities.schema_tools import validate
from prefect.utilities.schema_tools.validation import ValidationError

from flows.bench import ROOT
from flows.presets import PRESETS, preset
from flows.refresh import refresh

SCHEMA = refresh.parameters.model_dump()
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
REFRESHES = [each for each in DEPLOYMENTS if each["entrypoint"].endswith(":refresh")]


@pytest.mark.parametrize("deployment", REFRESHES, ids=lambda each: each["name"])
def test_what_is_deployed_is_accepted_and_becomes_whole_settings(deployment):
    validate(deployment["parameters"], SCHEMA, raise_on_error=True, preprocess=False)
    given = refresh.validate_parameters(deployment["parameters"])
    assert given["settings"] == preset(deployment["parameters"]["settings"]["preset"])


@pytest.mark.parametrize(
    "settings",
    [
        {"preset": "demo", "limit": 7, "features": {"period": {"f_max": 5.0}}},
        {"preset": "eros_br", "data": "/data/eros_br"},
        preset("demo").model_dump(mode="json"),
        {"preset": "rrlyrae", "source": {"endpoint": "live", "ask_again": ["30d"]}},
    ],
    ids=["what differs", "a folder", "whole", "of the source"],
)
def test_the_form_accepts(settings):
    assert validate({"settings": settings}, SCHEMA, raise_on_error=False, preprocess=False) == []


def test_what_differs_in_the_source_leaves_the_rest_of_it_to_the_preset():
    source = {"endpoint": "live", "ask_again": ["30d"], "options": {"gaia": {"release": "dr4"}}}
    given = refresh.validate_parameters({"settings": {"preset": "rrlyrae", "source": source}})["settings"]
    whole = preset("rrlyrae").source
    assert given.source.sample == whole.sample and given.source.surveys == whole.surveys
    assert given.source.endpoint == "live" and given.source.ask_again == ("30d",)
    assert given.source.options["gaia"] == whole.options["gaia"] | {"release": "dr4"}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"preset": "demmo"},
        {"preset": "demo", "limit": 0},
        {"preset": "demo", "features": {"period": {"f_max": -1}}},
        {"preset": "demo", "feature": {}},
        {"preset": "demo", "training": {"n_folds": 1}},
    ],
    ids=["nothing", "no such preset", "a limit", "below a limit", "a misspelt node", "too few folds"],
)
def test_the_form_refuses(settings):
    with pytest.raises(ValidationError):
        validate({"settings": settings}, SCHEMA, raise_on_error=True, preprocess=False)


def test_the_form_has_presets_as_a_choice_and_words_for_every_field():
    settings = SCHEMA["definitions"]["Settings"]
    assert settings["properties"]["preset"]["enum"] == list(PRESETS) and settings["required"] == ["preset"]
    assert all(SCHEMA["properties"][name]["description"] for name in ("lake", "release"))
