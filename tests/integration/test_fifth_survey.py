"""A survey is one file and one registration line: this one is registered by the test, and everything else follows."""

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from flows.presets import preset
from flows.settings import override
from lakehouse.delta.store import Lake
from lakehouse.run import Run
from tasks.replica.serve import running
from tasks.stages.clean.stage import clean_sources
from tasks.stages.fanout import cluster
from tasks.stages.featurize.stage import featurize_sources
from tasks.surveys import SURVEYS
from tests.integration import mean_survey
from tests.integration.acquisition import SEED, N, acquire_into, source_of

pytestmark = pytest.mark.slow
DOCS = Path(__file__).parents[2] / "docs" / "add_a_survey.md"


def test_a_registered_survey_is_acquired_with_the_others(tmp_path, monkeypatch):
    monkeypatch.setitem(SURVEYS, "mean", mean_survey.SURVEY)
    with running(N, SEED, tmp_path / "replica") as base:
        acquire_into(tmp_path / "lake", source_of(base, surveys=("gaia", "mean")))
    lake = Lake(tmp_path / "lake")
    assert lake.read("core_dataset__band")["name"].to_pylist() == ["G", "BP", "RP", "G_mean"]
    epochs = lake.read("raw_sample__epoch")
    mine = epochs.filter(pc.equal(epochs["survey"], "mean")).sort_by("source_id")
    gaia = lake.read("core_gaia__source").sort_by("source_id")
    assert mine["source_id"].equals(gaia["source_id"])
    np.testing.assert_allclose(pc.list_flatten(mine["mag"]).to_numpy(), gaia["phot_g_mean_mag"].to_numpy(), rtol=1e-6)
    assert set(pc.list_flatten(mine["band"]).to_pylist()) == {3}


def test_cuts_and_features_see_its_band(tmp_path, monkeypatch):
    monkeypatch.setitem(SURVEYS, "mean", mean_survey.SURVEY)
    settings = override(preset("demo"), ("features.period.f_max=2",))
    with running(N, SEED, tmp_path / "replica") as base:
        acquire_into(tmp_path / "lake", source_of(base, surveys=("gaia", "mean")), limit=60)
    lake = Lake(tmp_path / "lake")
    with cluster(1) as scheduler:
        run = Run("r2", str(lake.path), "sky", scheduler, 100)
        clean_sources(run, settings.cut_config)
        featurize_sources(run, settings.feature_config)
    epochs, features = lake.read("core_sample__epoch"), lake.read("feature_sample__source")
    assert features.num_rows == lake.count("core_gaia__source") == 60
    mine = epochs.filter(pc.equal(epochs["survey"], "mean"))
    assert set(pc.list_flatten(mine["band"]).to_pylist()) == {3} and len(mine) == 60
    assert features["n_epoch_G_mean"].to_pylist() == [1] * 60
    gaia = lake.read("core_gaia__source").sort_by("source_id")["phot_g_mean_mag"]
    mean = features.sort_by("source_id")["mean_mag_G_mean"]
    np.testing.assert_allclose(mean.to_numpy(), gaia.to_numpy(), rtol=1e-5)


def test_the_docs_show_this_survey():
    text = DOCS.read_text().split("<!-- fifth -->")[1].split("<!-- end fifth -->")[0]
    assert (
        text.strip().removeprefix("```python\n").removesuffix("\n```") == Path(mean_survey.__file__).read_text().strip()
    )
