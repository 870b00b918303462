"""A family of features is one file and its name in the registry: computed, stored, explained, and learnt."""

from dataclasses import dataclass

import numpy as np
import pytest
from distributed import LocalCluster

from flows.presets import preset
from flows.settings import override
from lakehouse.delta.store import Lake
from lakehouse.models import read_card, read_current
from lakehouse.run import Run
from tasks.features import FEATURES, feature_columns
from tasks.reporting.feature_dictionary import dictionary
from tests.contracts.costs import cost, lines_with, stated_cost
from tests.contracts.examples import swing
from tests.unit.stages.conftest import N_STARS, SMALL, refresh, write_folder

OWN = ("swing_mag_g", "swing_mag_r")


@dataclass
class Refreshed:
    """A lake and the run that refreshed it."""

    lake: Lake
    run: Run


@pytest.fixture(scope="module")
def added():
    """The new line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FEATURES, swing.SWING.name, swing.SWING)
        yield swing.SWING


@pytest.fixture(scope="module")
def refreshed(added, tmp_path_factory) -> Refreshed:
    """A lake of a small folder, refreshed with the family in the registry; workers are threads here."""
    place = tmp_path_factory.mktemp("swing")
    settings = override(preset("folder", write_folder(place / "data")), SMALL)
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as cluster:
        lake = Lake(place / "lake", create=True)
        run = Run("r1", str(lake.path), settings.dataset, cluster.scheduler_address, 100)
        refresh(run, settings)
    return Refreshed(lake, run)


def test_it_is_declared_for_every_band_and_explained(added):
    columns = {column.name: column for column in feature_columns(("g", "r"))}
    assert set(OWN) <= columns.keys() and columns["swing_mag_g"].unit == "mag"
    text = dictionary().split("## swing")[1]
    assert "How far each band swings" in text and "| `swing_mag_{band}` | mag |" in text


def test_the_featurize_stage_stores_it(refreshed):
    features = refreshed.lake.read("feature_sample__source")
    assert features.num_rows == N_STARS
    for name in OWN:
        values = features[name].to_numpy()
        assert np.isfinite(values).all() and (values > 0.1).all() and (values < 1).all()


def test_a_forest_learns_from_it(refreshed):
    models = read_current(refreshed.run.lake, refreshed.run.dataset)
    card = read_card(refreshed.run.lake, refreshed.run.dataset, "class", models["class"])
    assert card["recipe"]["model"] == "forest" and set(OWN) <= set(card["features"])


def test_before_the_line_nothing_knows_it():
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(FEATURES, swing.SWING.name, raising=False)
        assert not set(OWN) & {column.name for column in feature_columns(("g", "r"))}
        assert "swing_mag" not in dictionary()


def test_it_costs_what_contributing_says():
    """A family of the package takes a line of the registry and a row of the docs."""
    n_line = lines_with("tasks/features/__init__.py", '"reddening"') + lines_with("docs/features.md", "reddening.py")
    assert stated_cost("family of features") == cost(n_line, swing.__file__)
