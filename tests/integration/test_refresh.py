"""The main job on a folder: what it leaves in the lake, what it does the second time, and what new data cause."""

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lakehouse.delta.store import Lake
from lakehouse.models import model_dir, read_card, read_current
from tasks.learning.persistence import load
from tests.integration.conftest import (
    argelander,
    assert_same,
    contents,
    refresh,
    rewrite_epochs,
    rewrite_objects,
    sentence,
    write_folder,
)

pytestmark = pytest.mark.usefixtures("one_server")


def test_every_source_is_in_the_catalogue_with_its_scores(refreshed):
    _, lake, printed = refreshed
    rows = Lake(lake).read("out__catalogue")
    assert rows.num_rows == 150 and rows["class_pred"].null_count == 0
    proba = np.stack([rows[name].to_numpy() for name in rows.column_names if name.startswith("prob_")])
    np.testing.assert_allclose(proba.sum(axis=0), 1, atol=1e-5)
    assert pc.all(pc.less_equal(rows["teff_k_lo"], rows["teff_k"])).as_py()
    assert pc.all(pc.less_equal(rows["teff_k"], rows["teff_k_hi"])).as_py()
    assert "macro_f1" in printed and "report.html" in printed and "argelander query" in printed


def test_the_catalogue_says_how_sure_a_period_is(refreshed):
    _, lake, _ = refreshed
    names = ["source_id", "period_day", "period_error_day", "period_prob"]
    rows = Lake(lake).read("out__catalogue", columns=names)
    assert rows.equals(Lake(lake).read("feature_sample__source", columns=names))
    assert pc.all(pc.greater(rows["period_error_day"], 0)).as_py() and rows["period_prob"].null_count == 0


def test_no_catalogue_row_was_scored_by_a_model_that_saw_it(refreshed):
    _, lake, _ = refreshed
    rows = Lake(lake).read("score__value")
    for target, model_id in read_current(lake, "small").items():
        folder = model_dir(lake, "small", target, model_id)
        labels = pq.read_table(folder / "labels.parquet")
        fold = dict(zip(labels["source_id"].to_pylist(), labels["fold"].to_pylist(), strict=True))
        seen = {k: set(load(folder / f"fold-{k}").source_id.tolist()) for k in range(2)}
        mine = rows.filter(pc.equal(rows["target"], target))
        for source_id, is_training in zip(mine["source_id"].to_pylist(), mine["is_training"].to_pylist(), strict=True):
            scored_by = [fold[source_id]] if fold.get(source_id, -1) >= 0 else [0, 1]
            assert is_training == (fold.get(source_id, -1) >= 0)
            assert not any(source_id in seen[k] for k in scored_by)
            assert not is_training or source_id in seen[1 - scored_by[0]]


def test_labels_and_held_out_part_are_disjoint_from_training(refreshed):
    _, lake, _ = refreshed
    card = read_card(lake, "small", "class", read_current(lake, "small")["class"])
    assert card["n_labelled"] == 120 and card["n_test"] > 10
    metrics = Lake(lake).read("score_model__metric")
    test = metrics.filter(pc.equal(metrics["split"], "test"))
    recipes = set(test.filter(pc.equal(test["target"], "class"))["recipe"].to_pylist())
    assert {"majority", "colour_forest", "forest", "boosting", "folded"} <= recipes
    accuracy = test.filter(pc.and_(pc.equal(test["metric"], "accuracy"), test["is_chosen"])).to_pylist()[0]
    assert accuracy["lo"] <= accuracy["value"] <= accuracy["hi"] and accuracy["n"] == card["n_test"]


def test_a_release_holds_catalogue_report_dictionary_and_manifest(refreshed):
    from astropy.table import Table

    _, lake, _ = refreshed
    latest = lake / "release" / "latest"
    assert {p.name for p in latest.iterdir()} >= {"out__catalogue.parquet", "report.html", "manifest.json",
                                                  "data_dictionary.md"}  # fmt: skip
    table = Table.read(latest / "out__catalogue.parquet", format="parquet.votable")
    assert len(table) == 150 and table["teff_k"].unit == "K" and table["ra"].unit == "deg"
    assert "<svg" in (latest / "report.html").read_text()


def test_a_second_refresh_does_nothing_and_says_so(refreshed):
    folder, lake, _ = refreshed
    before = {name: Lake(lake).version(name) for name in Lake(lake).tables()}
    done = refresh(folder, lake)
    assert "no work was done again" in done.stdout
    before["run_refresh__stage"] += 1  # the run itself
    assert {name: Lake(lake).version(name) for name in Lake(lake).tables()} == before


@pytest.mark.slow
def test_new_unlabelled_objects_alone_are_worked_on(refreshed, tmp_path):
    folder, lake = _copy(refreshed, tmp_path)
    old = Lake(lake).read("out__catalogue")
    more = write_folder(tmp_path / "more", 170)
    rewrite_objects(more, lambda t: t.slice(150).set_column(3, "label", pa.nulls(20, pa.string())).drop_columns("teff"))
    news = pq.read_table(more / "objects.parquet")
    rewrite_objects(folder, lambda t: pa.concat_tables([t, news], promote_options="permissive"))
    extra = pq.read_table(more / "lightcurves.parquet")
    extra = extra.filter(pc.is_in(extra["object_id"], value_set=news["object_id"].combine_chunks()))
    rewrite_epochs(folder, lambda t: pa.concat_tables([t, extra], promote_options="permissive"))
    done = refresh(folder, lake)
    rows = {line.split()[0]: line.split()[1:3] for line in done.stdout.splitlines() if line.startswith(
        (" acquire", " clean", " featurize", " train", " score"))}  # fmt: skip
    assert rows["clean"] == rows["featurize"] == rows["score"] == ["20", "170"]
    assert rows["train"][0] == "0" and "stale" not in done.stdout
    new = Lake(lake).read("out__catalogue")
    assert new.num_rows == 170
    kept = new.filter(pc.is_in(new["source_id"], value_set=old["source_id"].combine_chunks()))
    assert kept.equals(old.select(kept.column_names))


@pytest.mark.slow
def test_new_labels_make_the_models_stale(refreshed, tmp_path):
    folder, lake = _copy(refreshed, tmp_path)
    rewrite_objects(folder, lambda t: t.set_column(3, "label", pc.fill_null(t["label"], "ECL")))
    kept = refresh(folder, lake, "training.when=missing").stdout
    assert "stale (+30 labels" in kept and "kept" in kept
    done = refresh(folder, lake).stdout
    assert "stale (+30 labels" in done and "trained again" in done
    scored = next(line.split() for line in done.splitlines() if line.startswith(" score"))
    assert scored[1:3] == ["150", "150"]


@pytest.mark.slow
def test_going_back_to_old_settings_gives_the_old_rows(refreshed, tmp_path):
    folder, lake = _copy(refreshed, tmp_path)
    before = contents(lake)
    refresh(folder, lake, "cuts.outlier_sigma=3")
    changed = contents(lake)
    assert changed["core_cut__ledger"].num_rows > before["core_cut__ledger"].num_rows
    refresh(folder, lake)
    after = contents(lake)
    for name in ("core_sample__epoch", "core_cut__ledger", "feature_sample__source", "out__catalogue"):
        assert_same({name: before[name]}, {name: after[name]})


@pytest.mark.slow
def test_score_needs_nothing_but_the_id(refreshed, tmp_path):
    folder, lake, _ = refreshed
    argelander("score", "--preset", "folder", "--data", folder, "--lake", lake, "--out", tmp_path / "all.parquet")
    bare = tmp_path / "bare"
    shutil.copytree(folder, bare)
    rewrite_objects(bare, lambda t: t.select(["object_id"]))
    argelander("score", "--preset", "folder", "--data", bare, "--lake", lake, "--out", tmp_path / "bare.parquet")
    one, other = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("all", "bare"))
    assert one.equals(other) and one.num_rows == 150
    assert {"object_id", "class_pred", "prob_RRab", "teff_k", "teff_k_lo", "teff_k_hi"} <= set(one.column_names)
    catalogue = Lake(lake).read("out__catalogue")
    place = pc.index_in(catalogue["object_id"], value_set=one["object_id"].combine_chunks())
    for name in ("prob_RRab", "period_day", "period_error_day", "period_prob"):
        np.testing.assert_allclose(one[name].take(place).to_numpy(), catalogue[name].to_numpy(), rtol=1e-6, atol=1e-6)
        assert one.schema.field(name).metadata[b"description"]


def test_a_bad_query_and_an_unknown_table(refreshed):
    _, lake, _ = refreshed
    said = sentence(argelander("query", "SELECT nonsense FROM out__catalogue", "--lake", lake, check=False))
    assert "nonsense" in said
    assert "out__catalogue" in sentence(argelander("query", "SELECT * FROM out_catalogue", "--lake", lake, check=False))
    assert "no lake" in sentence(argelander("query", "SELECT 1", "--lake", lake / "x", check=False))


def _copy(refreshed, tmp_path):
    folder, lake, _ = refreshed
    shutil.copytree(folder, tmp_path / "data")
    shutil.copytree(lake, tmp_path / "lake", symlinks=True)
    return tmp_path / "data", tmp_path / "lake"
