"""Models of another dataset, or lake, score a sample of their own sky alone; otherwise one sentence says why not."""

from dataclasses import replace

import pyarrow.compute as pc
import pytest

from flows.presets import preset
from flows.scoring import say_other_ids, with_models
from flows.settings import Settings, override
from lakehouse.delta.store import Lake
from lakehouse.disk import read_json, write_json
from lakehouse.manifest import RunManifest
from lakehouse.models import MIGRATED, ModelPlace, model_dir, read_card, read_current, set_current, write_model
from lakehouse.run import Run
from schemas import BadInput
from schemas.inputs import ArchiveSource
from tasks.stages.acquire.stage import acquire_sources
from tasks.stages.clean.stage import clean_sources
from tasks.stages.featurize.stage import featurize_sources
from tasks.stages.publish.findings import gather_findings
from tasks.stages.score.folder import write_scores
from tasks.stages.score.refusals import refuse_unfit_models
from tasks.stages.score.stage import score_sources
from tasks.stages.sky import is_of_synthetic_sky
from tasks.stages.train.labels import TrainingPlan
from tasks.stages.train.stage import train_models
from tests.unit.stages.conftest import DATASET, N_STARS, SMALL, write_folder


def place_of(refreshed) -> ModelPlace:
    return ModelPlace(refreshed.run.lake, refreshed.run.dataset)


def with_sky(copied, sky: str | None) -> None:
    """Make the cards of the models say that they were trained on `sky`; nothing where it is None."""
    for target, model_id in read_current(copied.run.lake, "tiny").items():
        path = model_dir(copied.run.lake, "tiny", target, model_id) / "card.json"
        card = {name: value for name, value in read_json(path).items() if name != "sky"}
        write_json(path, card if sky is None else card | {"sky": sky})


@pytest.fixture(scope="module")
def unlabelled(refreshed, tmp_path_factory, scheduler):
    """Run on a lake of its own of the same stars under another name, without labels, and its settings."""
    place = tmp_path_factory.mktemp("unlabelled")
    toml = DATASET.replace('"tiny"', '"mine"').replace('[label]\ncolumn = "label"\n', "")
    settings = override(preset("folder", write_folder(place / "data", toml)), SMALL)
    settings = settings.model_copy(update={"models": f"{refreshed.run.lake}/tiny"})
    run = Run("r9", str(Lake(place / "lake", create=True).path), settings.dataset, scheduler, 25)
    acquire_sources(run, settings.source, None)
    clean_sources(run, settings.cut_config)
    featurize_sources(run, settings.feature_config)
    return run, settings


def test_a_place_is_a_dataset_of_this_lake_or_of_another():
    assert ModelPlace.parse(None, "lake", "ids") == ModelPlace("lake", "ids")
    assert ModelPlace.parse("rrlyrae", "lake", "ids") == ModelPlace("lake", "rrlyrae")
    assert ModelPlace.parse("/a/b c/demo/", "lake", "ids") == ModelPlace("/a/b c", "demo")


def test_stars_without_labels_get_the_scores_that_the_models_gave_the_same_stars(refreshed, unlabelled):
    run, settings = unlabelled
    place = ModelPlace.parse(settings.models, run.lake, run.dataset)
    assert score_sources(run, place).done == N_STARS
    rows = Lake(run.lake).read("out__catalogue").sort_by("object_id")
    theirs = refreshed.lake.read("out__catalogue").sort_by("object_id")
    seen = theirs["is_training"]  # scored by one model there; here the ids are others, so all models score it
    for name in ("period_day", "n_epoch"):
        assert rows[name].to_pylist() == theirs[name].to_pylist()
    mine, other = (table.filter(pc.invert(seen))["prob_near"].to_pylist() for table in (rows, theirs))
    assert mine == other and rows["model_id"].to_pylist() == theirs["model_id"].to_pylist()
    told = gather_findings(run, Lake(run.lake), rows, RunManifest.start(Lake(run.lake), {}), place)
    assert told.held_out is not None and told.metrics.num_rows > 0 and [m["target"] for m in told.models] == ["class"]


def test_cuts_and_features_are_those_that_the_models_were_trained_by(copied):
    lake = copied.lake
    trained = override(copied.settings, ("features.min_epoch=7", "cuts.outlier_sigma=5"))
    manifest = RunManifest.start(lake, trained.model_dump(mode="json"), run_id="r1")
    manifest.finish(lake)
    settings = copied.settings.model_copy(update={"models": "tiny", "dataset": "mine"})
    found = with_models(settings, lake)
    assert found.features.min_epoch == 7 and found.cuts.outlier_sigma == 5 and found.dataset == "mine"
    assert with_models(copied.settings, lake) is copied.settings


def test_models_of_another_data_release_do_not_know_every_star_that_trained_them(capsys, tmp_path):
    before = preset("rrlyrae")
    after = override(before, ("source.options.gaia.release=dr4", "models=rrlyrae"))
    with write_model(tmp_path, "followed", "class", "class-1+2", {MIGRATED: {}}):
        pass
    set_current(tmp_path, "followed", "class", "class-1+2")
    for dataset in ("followed", "rrlyrae_dr4"):
        say_other_ids(ModelPlace(str(tmp_path), dataset), before, after)
    say_other_ids(ModelPlace(str(tmp_path), "rrlyrae"), before, override(before, ("dataset=mine",)))
    assert capsys.readouterr().err == ""
    say_other_ids(ModelPlace(str(tmp_path), "rrlyrae"), before, after)
    assert "by ids of dr3: scores of stars whose id is another one in dr4 are not out" in capsys.readouterr().err


def test_without_such_models_one_sentence_says_which_there_are(copied):
    RunManifest.start(copied.lake, copied.settings.model_dump(mode="json"), run_id="r1")
    with pytest.raises(BadInput, match=r"no models of 'nobody'; it was refreshed for tiny"):
        with_models(copied.settings.model_copy(update={"models": "nobody"}), copied.lake)
    with pytest.raises(BadInput, match="no lake"):
        with_models(copied.settings.model_copy(update={"models": "/nowhere/at/all/tiny"}), copied.lake)


def test_a_model_of_a_synthetic_sky_scores_synthetic_stars_alone(copied, tmp_path):
    place, features = place_of(copied), copied.settings.feature_config
    source = copied.settings.source
    simulated = source.model_copy(update={"spec": source.spec.model_copy(update={"is_synthetic": True})})
    refuse_unfit_models(place, source, features)
    with_sky(copied, "synthetic")
    refuse_unfit_models(place, simulated, features)
    with pytest.raises(BadInput, match="The models of tiny were trained on a synthetic sky and score synthetic stars"):
        refuse_unfit_models(place, source, features)
    with pytest.raises(BadInput, match="synthetic sky"):
        write_scores(copied.run, source, copied.settings.cut_config, features, tmp_path / "scores.parquet")
    counts = write_scores(copied.run, simulated, copied.settings.cut_config, features, tmp_path / "scores.parquet")
    assert counts == (N_STARS, 0)


def test_the_card_says_which_sky_and_where_an_old_one_does_not_its_run_does(copied):
    lake = copied.run.lake
    target, model_id = next(iter(read_current(lake, "tiny").items()))
    card = read_card(lake, "tiny", target, model_id)
    assert card["sky"] == "observed" and not is_of_synthetic_sky(lake, card)
    assert is_of_synthetic_sky(lake, card | {"sky": "synthetic"})
    with_sky(copied, None)
    old = read_card(lake, "tiny", target, model_id)
    assert not is_of_synthetic_sky(lake, old)  # no manifest of its run
    RunManifest.start(copied.lake, copied.settings.model_dump(mode="json"), run_id=old["run_id"])
    assert not is_of_synthetic_sky(lake, old)
    RunManifest.start(copied.lake, preset("demo").model_dump(mode="json"), run_id=old["run_id"])
    assert is_of_synthetic_sky(lake, old)


def test_observed_stars_do_not_keep_the_models_of_a_synthetic_sky(copied):
    with_sky(copied, "synthetic")
    plan = TrainingPlan(copied.settings.training, copied.settings.seed, has_time=True, is_synthetic=False)
    kept = train_models(copied.run, replace(plan, is_synthetic=True))
    assert kept.done == 0
    done = train_models(copied.run, plan)
    assert done.done == 1 and "or of a synthetic sky" in done.notes[0]
    card = read_card(copied.run.lake, "tiny", *next(iter(read_current(copied.run.lake, "tiny").items())))
    assert card["sky"] == "observed" and train_models(copied.run, plan).done == 0


def test_archives_that_lack_a_band_of_the_models_are_refused(refreshed):
    with pytest.raises(BadInput, match=r"has the band BP, but the models of tiny read g, r"):
        refuse_unfit_models(place_of(refreshed), ArchiveSource(surveys=("gaia",)), refreshed.settings.feature_config)


def test_a_live_archive_is_observed_and_a_replica_is_not():
    assert ArchiveSource().is_synthetic and not ArchiveSource(endpoint="live").is_synthetic
    assert isinstance(preset("demo"), Settings) and preset("demo").source.is_synthetic
