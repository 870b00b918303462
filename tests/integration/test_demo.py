"""The demo preset through the command line, as `make refresh` runs it, on fewer stars."""

import json
import shutil

import numpy as np
import pyarrow.compute as pc
import pytest

from lakehouse.delta.store import Lake
from tests.integration.conftest import argelander, sentence

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_server")]
SETTINGS = (
    "source.replica.n_objects=400",
    "training.recipes=[majority, median, colour_forest, forest]",
    *(f"training.options.{name}.trees=60" for name in ("forest", "colour_forest")),
)
SMALL_SKY = [word for setting in SETTINGS for word in ("--set", setting)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    lake = tmp_path_factory.mktemp("demo") / "lake"
    done = argelander("refresh", "demo", "--lake", lake, "--release", lake / "release", *SMALL_SKY)
    return lake, done.stdout


def test_the_catalogue_is_far_better_than_chance_against_the_truth(demo):
    lake, printed = demo
    assert "on truth" in printed
    metrics = Lake(lake).read("score_model__metric")
    value = {(r["target"], r["metric"]): r["value"] for r in metrics.to_pylist()
             if r["split"] == "truth" and r["class"] == "all"}  # fmt: skip
    assert value["class", "accuracy"] > 0.7
    assert value["teff_k", "r2"] > 0.5 and value["radius_rsun", "r2"] > 0
    assert 0.4 < value["teff_k", "coverage"] < 0.9


def test_periods_are_those_of_the_sky(demo):
    lake, _ = demo
    both = Lake(lake).read("out__catalogue").join(Lake(lake).read("label_truth__source"), "source_id",
                                                   right_suffix="_true", join_type="inner")  # fmt: skip
    pulsators = both.filter(pc.field("class").isin(["RRab", "RRc", "CEP", "DSCT_SXPHE"]))
    ratio = pulsators["period_day"].to_numpy() / pulsators["period_day_true"].to_numpy()
    assert np.mean(np.abs(ratio - 1) < 0.01) > 0.8


def test_training_does_not_need_the_truth(demo, tmp_path):
    """The same lake without its truth table trains the same models."""
    lake, _ = demo
    twin = tmp_path / "lake"
    shutil.copytree(lake, twin, symlinks=True)
    shutil.rmtree(twin / "tables" / "label_truth__source")
    shutil.rmtree(twin / "models")
    argelander("refresh", "demo", "--lake", twin, "--release", twin / "release", *SMALL_SKY)
    one, other = (json.loads((place / "models" / "demo" / "current.json").read_text()) for place in (lake, twin))
    assert one == other
    a, b = (Lake(place).read("out__catalogue", columns=["source_id", "class_pred", "teff_k"]) for place in (lake, twin))
    assert a.equals(b)


def test_wrong_matches_are_few_and_flagged_and_only_where_the_sky_is_ambiguous(demo, capsys):
    from benchmarks.matches import main

    lake, _ = demo
    for survey, recovery in main(str(lake), n=400, seed=1).items():
        assert np.isin(recovery.wrong, recovery.flagged).all(), survey
        assert np.isin(recovery.own, recovery.matched).mean() > 0.98, survey
        assert recovery.wrong.size <= 0.02 * recovery.matched.size, survey
        assert np.isin(recovery.wrong, recovery.crowded).all(), survey
        # Of the matches of 3,000 stars 1.6 to 1.9 % have a flag, nearly all of them where the sky is crowded.
        assert recovery.flagged_share < 0.05, survey
        assert np.setdiff1d(recovery.flagged, recovery.crowded).size <= 0.01 * recovery.matched.size, survey
    assert capsys.readouterr().out.count("\n") == 4


def test_a_list_of_ids_is_scored_by_the_models_of_another_lake_of_the_same_sky(demo, tmp_path):
    lake, _ = demo
    theirs = Lake(lake).read("out__catalogue").sort_by("source_id").slice(0, 9)
    ids = tmp_path / "stars.csv"
    ids.write_text("\n".join(["source_id", *map(str, theirs["source_id"].to_pylist()), "4295806720"]))
    words = ("refresh", "ids", "--data", ids, "--lake", tmp_path / "lake", "--release", tmp_path / "release",
             "--models", f"{lake}/demo", "--set", "source.replica.n_objects=400")  # fmt: skip
    done = argelander(*words)
    assert "Stars:   9 of 10; 1 unknown to the archive" in done.stdout and "train" not in done.stdout
    mine = Lake(tmp_path / "lake").read("out__catalogue").sort_by("source_id")
    for name in ("source_id", "period_day", "class_pred", "teff_k", "is_training", "model_id"):
        assert mine[name].to_pylist() == theirs[name].to_pylist(), name
    report = (tmp_path / "release" / "latest" / "report.html").read_text()
    assert "A synthetic sky: these stars are simulated" in report
    assert "trained on a synthetic sky and score synthetic stars alone" in sentence(
        argelander(*words, "--live", check=False)
    )


def test_a_list_of_ids_that_the_archive_does_not_know_has_its_sentence(tmp_path):
    (tmp_path / "stars.csv").write_text("source_id\n17\n18\n")
    done = argelander("refresh", "ids", "--data", tmp_path / "stars.csv", "--lake", tmp_path / "lake", "--set",
                      "source.replica.n_objects=100", check=False)  # fmt: skip
    assert sentence(done) == "Error: None of the 2 ids of stars.csv is in Gaia DR3; ids of DR2 go into dr2_source_id."
    assert "acquire: None of the 2 ids" in argelander("runs", "--lake", tmp_path / "lake").stdout
