"""The featurize stage: features of light curves and inputs, and anew only what changed."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.stages.featurize.stage import featurize_sources
from tests.unit.stages.conftest import N_STARS, replace_rows


def test_features_are_made_of_the_inputs_of_the_folder(refreshed):
    features = refreshed.lake.read("feature_sample__source").sort_by("source_id")
    inputs = refreshed.lake.read("core_sample__input").sort_by("source_id")
    expected = inputs["parallax"].to_numpy() / inputs["parallax_error"].to_numpy()
    np.testing.assert_allclose(features["parallax_over_error"].to_numpy(), expected, rtol=1e-6)
    assert features["ruwe"].null_count == N_STARS  # which the folder does not give


def test_what_is_up_to_date_is_not_computed_again(copied):
    done = featurize_sources(copied.run, copied.settings.feature_config)
    assert (done.done, done.total, done.tables) == (0, N_STARS, ())


def test_another_parallax_makes_the_features_of_that_star_alone_anew(copied):
    inputs = copied.lake.read("core_sample__input").sort_by("source_id")
    parallax = inputs["parallax"].to_pylist()
    changed = inputs.set_column(inputs.column_names.index("parallax"), "parallax", pa.array([50.0, *parallax[1:]]))
    replace_rows(copied.lake, "core_sample__input", changed)
    assert featurize_sources(copied.run, copied.settings.feature_config).done == 1
    features = copied.lake.read("feature_sample__source").sort_by("source_id")
    assert abs(features["parallax_over_error"][0].as_py() - 500) < 0.01 and features.num_rows == N_STARS


def test_nulls_are_counted_with_their_reasons(refreshed):
    nulls = refreshed.lake.read("feature_sample__null")
    ruwe = nulls.filter(pc.equal(nulls["column"], "ruwe"))
    assert sum(ruwe["n"].to_pylist()) == N_STARS == ruwe["n_total"][0].as_py()
    assert "parallax_over_error" not in nulls["column"].to_pylist()
