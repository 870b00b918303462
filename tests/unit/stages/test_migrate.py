"""Labels, folds, models and scores follow the ids, once, and again where something was taken away."""

import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.delta.store import Lake
from lakehouse.models import LABELS, fold_dir, model_dir, read_card, read_current, set_current, write_model
from lakehouse.run import Run
from schemas import TABLES, BadInput
from schemas.inputs import ArchiveSource
from tasks.learning.data import Examples
from tasks.learning.ensemble import ensemble_predict
from tasks.learning.fit import fit
from tasks.learning.persistence import load, save
from tasks.learning.recipes import recipes_for
from tasks.learning.targets import Regression
from tasks.stages.followed import carry_labels
from tasks.stages.migrate import stage as migrate
from tasks.stages.migrate.models import follow_training
from tasks.surveys.successors import SUCCESSORS

NOW = datetime(2026, 12, 2, tzinfo=UTC)
MODEL = "class-0123"
# 1 is kept, 2 renamed, 3 split into 31 and 30, 5 merged into 40 (which is star 4), 6 lost; 7 was not in the sample.
LINKS = [
    (1, 1, "kept", True), (2, 20, "renamed", True), (3, 31, "split", True), (3, 30, "split", False),
    (4, 40, "merged", True), (5, 40, "merged", False), (6, None, "lost", False),
]  # fmt: skip
OLD, NEW = [1, 2, 3, 4, 5, 6], [1, 20, 30, 31, 40, 90]
FOLDS = [0, 1, 2, -1, 1, 0]
(RECIPE,) = recipes_for(["median"], [Regression.of("teff_k")])


def successors():
    rows = [dict(zip(("earlier_id", "source_id", "outcome", "is_carried"), link, strict=True)) for link in LINKS]
    return pa.Table.from_pylist([dict.fromkeys(SUCCESSORS.names) | row for row in rows], SUCCESSORS)


def put(lake, table, dataset, *rows, stage="acquire"):
    spec = TABLES[table]
    places = ({"dataset": dataset, "tile": row["source_id"] % 2, **row} for row in rows)
    filled = [dict.fromkeys(spec.arrow().names) | row for row in places]
    lake.overwrite("r0", spec, pa.Table.from_pylist(filled, spec.arrow()), {"dataset": dataset}, stage=stage)


def class_rows(origin, **classes):
    return [{"source_id": int(key[1:]), "origin": origin, "class": name, "is_photometric": True}
            for key, name in classes.items()]  # fmt: skip


def score_rows(ids, model, value):
    return [{"source_id": i, "target": "class", "name": "RRab", "value": value, "model_id": model, "run_id": "r0",
             "scored_at": NOW, "feature_hash": i, "is_training": False} for i in ids]  # fmt: skip


@pytest.fixture
def lake(tmp_path, monkeypatch):
    """A lake with both datasets, and an archive that says LINKS."""
    place = Lake(tmp_path / "lake", create=True)
    for dataset, ids in (("old", OLD), ("new", NEW)):
        put(place, "core_sample__source", dataset,
            *({"source_id": i, "object_id": str(i), "n_epoch": 5, "content_hash": 0} for i in ids))  # fmt: skip
    old = [
        *class_rows("dr3", _1="RRab", _2="RRc", _3="RRab", _5="RRc", _6="RRab"),
        *class_rows("tic", _1="old", _2="old"),
    ]
    put(place, "label_sample__class", "old", *old)
    put(place, "label_sample__class", "new", *class_rows("dr4", _1="RRc"), *class_rows("tic", _1="new"))
    put(place, "label_sample__fold", "old", {"source_id": 2, "fold": 7})
    put(place, "score__value", "old", *score_rows(OLD, MODEL, 0.5), *score_rows([1], "gone-1", 0.1))
    put(place, "score__value", "new", *score_rows(NEW, "class-new", 0.9))
    row = {"object_id": "", "n_epoch": 5, "is_training": False, "model_id": MODEL, "feature_hash": 0, "run_id": "r0"}
    put(place, "out__catalogue", "old", *(row | {"source_id": i, "scored_at": NOW} for i in OLD))
    labels = pa.table({"source_id": OLD, "fold": pa.array(FOLDS, pa.int8())})
    with write_model(place.path, "old", "class", MODEL, {"run_id": "r0", "n_folds": 3}) as draft:
        for fold in range(3):
            seen = [i for i, own in zip(OLD, FOLDS, strict=True) if own not in (fold, -1)]
            save(fit(RECIPE, Examples(seen, np.empty((len(seen), 0)), ()), np.arange(len(seen))), fold_dir(draft, fold))
        pq.write_table(labels.replace_schema_metadata({"about": "kept"}), draft / LABELS)
    set_current(place.path, "old", "class", MODEL)
    monkeypatch.setattr(migrate, "find_successors", lambda *_: successors())
    monkeypatch.setattr(migrate, "write_ledger", lambda *_: None)
    return place


def move(lake, run_id="r1"):
    return migrate.migrate_sources(Run(run_id, str(lake.path), "new", ""), None, "old", None)


def classes(lake):
    rows = lake.read("label_sample__class", where={"dataset": "new"}).to_pylist()
    return {(row["source_id"], row["origin"]): row["class"] for row in rows}


CARRIED = {(1, "dr4"): "RRc", (1, "tic"): "new", (1, "dr3"): "RRab", (20, "dr3"): "RRc", (20, "tic"): "old",
           (31, "dr3"): "RRab"}  # fmt: skip


def test_everything_follows_once(lake):
    done = move(lake)
    assert done.counts == {"kept": 1, "renamed": 1, "split": 1, "merged": 2, "lost": 1} and done.done == 5
    assert "split 1 (into 2)" in done.notes[0] and done.notes[1].startswith("1 of 6 sources of new")
    assert classes(lake) == CARRIED
    fold = lake.read("label_sample__fold", where={"dataset": "new"}).to_pylist()
    assert [(row["source_id"], row["tile"], row["fold"]) for row in fold] == [(20, 0, 7)]
    scores = lake.read("score__value", where={"dataset": "new"}).to_pylist()
    assert {(s["source_id"], s["tile"]) for s in scores if s["model_id"] == MODEL} == {
        (1, 1),
        (20, 0),
        (31, 1),
        (40, 0),
    }
    assert {s["source_id"] for s in scores if s["model_id"] == "class-new"} == set(NEW)
    versions = {name: lake.version(name) for name in lake.tables()}
    again = move(lake, "r2")
    assert not again.is_new and again.tables == (None,) and again.counts == done.counts
    assert versions == {name: lake.version(name) for name in lake.tables()}


def test_a_star_that_trained_stays_out_of_fold(lake):
    move(lake)
    (model_id,) = read_current(lake.path, "new").values()
    card = read_card(lake.path, "new", "class", model_id)
    assert model_id.startswith(f"{MODEL}+") and card["model_id"] == model_id and card["dataset"] == "new"
    assert card["migrated"] == {"dataset": "old", "model_id": MODEL, "n_before": 6, "n_followed": 5, "n_two_folds": 0}
    folder = model_dir(lake.path, "new", "class", model_id)
    labels = pq.read_table(folder / LABELS)
    # Both pieces of 3 keep its fold; 40 is the held-out 4 and 5, which trained: it trained.
    assert dict(zip(*(labels[name].to_pylist() for name in ("source_id", "fold")), strict=True)) == {
        1: 0, 20: 1, 30: 2, 31: 2, 40: 1}  # fmt: skip
    assert labels.schema.metadata == {b"about": b"kept"}
    models = [load(fold_dir(folder, fold)) for fold in range(3)]
    assert [model.source_id.tolist() for model in models] == [[20, 30, 31, 40], [1, 30, 31], [1, 20, 40]]
    stars = Examples(NEW, np.empty((6, 0)), ())  # 90 has the number of nobody; each other is predicted by its own model
    assert np.isfinite(ensemble_predict(models, stars, [0, 1, 2, 2, 1, -1], models[0].target)).all()
    assert json.loads((folder / "card.json").read_text())["run_id"] == "r0"


def test_of_two_folds_the_followed_one_counts():
    labels = pa.table({"source_id": [4, 5], "fold": pa.array([0, 1], pa.int8())})
    moved, about = follow_training(labels, successors())
    assert moved.to_pylist() == [{"source_id": 40, "fold": 0}] and about["n_two_folds"] == 1
    assert follow_training(labels.slice(0, 0), successors())[0].num_rows == 0


def test_a_model_of_its_own_goes_on_scoring(lake):
    with write_model(lake.path, "new", "class", "class-new", {"run_id": "r0"}):
        pass
    set_current(lake.path, "new", "class", "class-new")
    assert "lies beside class-new" in move(lake).notes[-1]
    assert read_current(lake.path, "new") == {"class": "class-new"}


def test_an_acquisition_has_the_labels_follow_again(lake):
    move(lake)
    put(lake, "label_sample__class", "new", *class_rows("dr4", _20="RRab"))
    assert len(carry_labels(Run("r3", str(lake.path), "new", ""), lake)) == 1
    assert classes(lake) == {(20, "dr4"): "RRab", **{key: "RRab" for key in ((1, "dr3"), (31, "dr3"))},
                             (20, "dr3"): "RRc", (1, "tic"): "old", (20, "tic"): "old"}  # fmt: skip
    assert carry_labels(Run("r4", str(lake.path), "new", ""), lake) == ()
    assert carry_labels(Run("r4", str(lake.path), "old", ""), lake) == ()  # nothing ever followed into it


@pytest.mark.parametrize("part", ["carry_labels", "carry_scores", "carry_models"])
def test_a_killed_one_is_completed(lake, monkeypatch, part):
    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(migrate, part, die)
        move(lake)
    assert move(lake, "r2").is_new and not move(lake, "r3").is_new
    assert classes(lake) == CARRIED and len(read_current(lake.path, "new")) == 1


def test_a_changed_mapping_takes_its_rows_along(lake, monkeypatch):
    move(lake)
    rows = [row | ({"source_id": 90} if row["earlier_id"] == 2 else {}) for row in successors().to_pylist()]
    monkeypatch.setattr(migrate, "find_successors", lambda *_: pa.Table.from_pylist(rows, SUCCESSORS))
    move(lake, "r2")
    assert {key[0] for key in classes(lake)} == {1, 31, 90}
    scores = lake.read("score__value", where={"dataset": "new", "model_id": MODEL})
    assert scores["source_id"].to_pylist() == [1, 31, 40, 90]
    (model_id,) = read_current(lake.path, "new").values()
    labels = pq.read_table(model_dir(lake.path, "new", "class", model_id) / LABELS)
    assert np.isin(90, labels["source_id"]) and not np.isin(20, labels["source_id"])


def test_sources_of_a_folder_cannot_be_followed(tmp_path):
    from schemas.dataset import DatasetSpec
    from schemas.inputs import FolderSource

    folder = FolderSource.model_construct(kind="folder", folder=tmp_path, spec=DatasetSpec.model_construct())
    place = Lake(tmp_path / "lake", create=True)
    with pytest.raises(BadInput, match="old was made of a folder"):
        migrate.find_successors(Run("r", str(place.path), "new", ""), place, ArchiveSource(), "old", folder)
