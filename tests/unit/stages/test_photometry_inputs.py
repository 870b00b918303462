"""Mean photometry with a parallax, on published folds: its features, its models and its scores."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.presets import preset
from flows.settings import override
from lakehouse.delta.store import Lake
from lakehouse.models import read_card, read_current
from lakehouse.run import Run
from schemas import BadInput
from tasks.stages.publish.held_out import read_held_out
from tasks.stages.score.folder import write_scores
from tests.unit.stages.conftest import Refreshed, refresh

TOML = """
name = "means"
kind = "photometry"
[objects]
fold = "cv"
[[parameters]]
quantity = "radius_rsun"
column = "radius"
[inputs]
parallax = "plx"
parallax_error = "e_plx"
[[bands]]
name = "G"
mag = "g"
[[bands]]
name = "BP"
mag = "bp"
[[bands]]
name = "RP"
mag = "rp"
"""
SETTINGS = ("training.recipes=[median, stefan_boltzmann]", "training.min_labels=20",
            "training.quantities=[radius_rsun]")  # fmt: skip
N = 90


def write_folder(folder, toml=TOML):
    """Stars as hot as the Sun, whose radii follow from their distances and magnitudes."""
    rng = np.random.default_rng(3)
    plx, absolute = rng.uniform(2, 10, N), rng.uniform(1, 6, N)
    g = absolute - 5 * np.log10(plx) + 10
    columns = {
        "object_id": [f"star{k}" for k in range(N)], "cv": np.where(np.arange(N) < 80, np.arange(N) % 4, np.nan),
        "radius": 10 ** (-0.2 * (absolute - 4.64)), "plx": plx, "e_plx": np.full(N, 0.1),
        "g": g, "bp": g + 0.33, "rp": g - 0.5,
    }  # fmt: skip
    folder.mkdir(parents=True)
    pq.write_table(pa.table(columns), folder / "objects.parquet")
    (folder / "dataset.toml").write_text(toml)
    return folder


@pytest.fixture(scope="module")
def means(tmp_path_factory, scheduler):
    place = tmp_path_factory.mktemp("means")
    settings = override(preset("folder", write_folder(place / "data")), SETTINGS)
    run = Run("r1", str(Lake(place / "lake", create=True).path), settings.dataset, scheduler, 50)
    return Refreshed(run, place / "data", settings, refresh(run, settings))


@pytest.fixture(scope="module")
def card(means):
    (current,) = read_current(means.run.lake, "means").items()
    return {**read_card(means.run.lake, "means", *current), "model_id": current[1]}


def test_there_are_luminosities_in_the_lake_and_nothing_is_done_twice(means):
    features = means.lake.read("feature_sample__source")
    roots = features["luminosity_root_G"].to_numpy()
    assert np.isfinite(roots).all() and features["ebv"].null_count == N
    again = refresh(means.run, means.settings)
    assert not again["featurize"].is_new and not again["train"].is_new


def test_its_models_are_trained_on_the_published_folds(means, card):
    assert card["n_folds"] == 4 and card["n_test"] == 10
    assert card["note"] == "On the 4 published folds; 10 held out."
    (shown,) = read_held_out(means.run, {"radius_rsun": card})
    assert shown.y.size == 10


def test_the_law_of_stefan_and_boltzmann_gives_the_radii(card):
    assert card["recipe"]["name"] == "stefan_boltzmann"


def test_a_folder_is_scored_with_its_parallax_and_refused_without(means, tmp_path):
    source = preset("folder", means.folder).source
    out = tmp_path / "scores.parquet"
    write_scores(means.run, source, means.settings.cut_config, means.settings.feature_config, out)
    found, truth = (
        pq.read_table(path, columns=[name])[name].to_numpy()
        for path, name in ((out, "radius_rsun"), (means.folder / "objects.parquet", "radius"))
    )
    assert np.median(np.abs(found / truth - 1)) < 0.01
    bare = write_folder(tmp_path / "bare", TOML.replace('parallax_error = "e_plx"\n', ""))
    with pytest.raises(BadInput, match=r"\(radius_rsun\) read parallax_error, which the folder does not give: name"):
        write_scores(means.run, preset("folder", bare).source, means.settings.cut_config,
                     means.settings.feature_config, tmp_path / "none.parquet")  # fmt: skip
