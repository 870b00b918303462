"""Each reason why a folder cannot be scored with the models of a dataset is one sentence that says what to do."""

import pyarrow as pa
import pytest

from lakehouse.bands import Bands
from schemas import BadInput
from tasks.features.colours import COLOURS
from tasks.stages.inputs import complete_config
from tasks.stages.score.refusals import refuse_changed, refuse_no_models, refuse_strange_bands
from tests.unit.stages.conftest import replace_rows


def set_definitions(refreshed, change):
    """Changes the definitions that the stored features say they were made with."""
    rows = refreshed.lake.read("feature_sample__source")
    texts = pa.array([change(text) for text in rows["definitions"].to_pylist()], pa.string())
    place = rows.column_names.index("definitions")
    replace_rows(refreshed.lake, "feature_sample__source", rows.set_column(place, "definitions", texts))


def config_of(refreshed):
    return complete_config(refreshed.settings.feature_config, refreshed.lake, "tiny")


def test_without_models_the_command_that_trains_is_named(refreshed):
    refuse_no_models(refreshed.run, {"class": "m1"})
    with pytest.raises(BadInput, match=r"has no model of tiny: train one with `argelander refresh`"):
        refuse_no_models(refreshed.run, {})


def test_a_folder_may_have_fewer_bands_than_the_dataset_but_no_other(refreshed):
    observed = Bands(("g", "r"), ("one", "two"))
    refuse_strange_bands("tiny", ["r"], observed)
    with pytest.raises(BadInput, match="The folder has the band z, but the models of tiny read g, r: name the bands"):
        refuse_strange_bands("tiny", ["g", "z"], observed)


def test_features_of_the_same_definitions_are_scored(copied):
    refuse_changed(copied.lake, "tiny", config_of(copied))
    set_definitions(copied, lambda text: COLOURS)  # mean photometry has no families that could change
    refuse_changed(copied.lake, "tiny", config_of(copied))


def test_a_family_with_another_version_is_named(copied):
    family = copied.lake.read("feature_sample__source")["definitions"][0].as_py().split()[0].split(":")[0]
    set_definitions(copied, lambda text: " ".join([f"{family}:older", *text.split()[1:]]))
    with pytest.raises(
        BadInput, match=rf"definition of features has changed .*{family}.*run `argelander refresh` first"
    ):
        refuse_changed(copied.lake, "tiny", config_of(copied))
