"""The dictionary is the generated one, and the page that says how to add a feature is right."""

import re
import sys
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tasks.features import FEATURES, FeatureConfig, compute_features, order_features
from tasks.lightcurves import LightCurveBatch
from tasks.reporting.feature_dictionary import dictionary
from tests.laws import test_feature_laws as laws

DOCS = Path(__file__).parents[3] / "docs"


def test_the_dictionary_in_docs_is_the_generated_one():
    assert (DOCS / "feature_dictionary.md").read_text() == dictionary(), "run make docs"


def test_every_family_names_its_source():
    assert all(feature.source.endswith(".") for feature in order_features())


def test_every_family_is_in_the_page():
    page = (DOCS / "features.md").read_text()
    assert {name for name in FEATURES if f"| {name} | `tasks/features/{name}.py` |" not in page} == set()


@pytest.fixture
def brightest(monkeypatch):
    """The example of the page, as a module, in the registry."""
    page = (DOCS / "features.md").read_text().split("## Adding a feature")[1]
    module = types.ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", module)
    exec(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], module.__dict__)
    monkeypatch.setitem(FEATURES, "brightest", module.BRIGHTEST)
    return "brightest"


def test_the_example_of_the_page_works(brightest):
    batch = LightCurveBatch.from_epochs(
        [1, 1, 1, 2], [0, 1, 2, 0], [15, 14, 16, 13], None, [0, 0, 1, 1], None, ("g", "r")
    )
    table = compute_features(batch, FeatureConfig())
    assert table["brightest_mag_g"].to_pylist() == [14, None]
    assert table["brightest_mag_r"].to_pylist() == [16, 13]
    assert "brightest_mag_{band}" in dictionary()


def test_the_laws_pick_it_up(brightest):
    """Each law is a function of a registered name, and the example keeps them all."""
    own = [law for name, law in vars(laws).items() if name.startswith("test_")]
    assert len(own) >= 8
    for law in own:
        law(brightest)


def test_a_law_refuses_what_breaks_it(brightest, monkeypatch):
    first = FEATURES[brightest]
    wrong = replace(first, compute=lambda c, e: {
        name: value + np.arange(len(value))[:, None] for name, value in first.compute(c, e).items()})  # fmt: skip
    monkeypatch.setitem(FEATURES, brightest, wrong)
    with pytest.raises(AssertionError):
        laws.test_batch_equals_one_by_one(brightest)
