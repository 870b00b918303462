import json
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.models import (
    has_model,
    model_dir,
    read_card,
    read_current,
    record_models,
    retire,
    set_current,
    write_model,
)
from schemas import BadInput


def test_a_model_is_written_whole_with_its_card(lake):
    with write_model(lake.path, "demo", "class", "m1", {"recipe": "forest"}) as folder:
        (folder / "weights.bin").write_bytes(b"abc")
        assert not has_model(lake.path, "demo", "class", "m1")
    assert (model_dir(lake.path, "demo", "class", "m1") / "weights.bin").read_bytes() == b"abc"
    card = read_card(lake.path, "demo", "class", "m1")
    age = datetime.now(UTC) - datetime.fromisoformat(card.pop("trained_at"))
    assert card == {"dataset": "demo", "target": "class", "model_id": "m1", "recipe": "forest"}
    assert timedelta(0) <= age < timedelta(minutes=1)


def test_a_failure_leaves_no_model(lake):
    with pytest.raises(RuntimeError), write_model(lake.path, "demo", "class", "m1", {}):
        raise RuntimeError
    assert not has_model(lake.path, "demo", "class", "m1")
    assert list((lake.path / "models" / "demo" / "class").iterdir()) == []


def test_writing_again_replaces_the_model(lake):
    for content in (b"old", b"new"):
        with write_model(lake.path, "demo", "class", "m1", {}) as folder:
            (folder / content.decode()).write_bytes(content)
    names = sorted(path.name for path in model_dir(lake.path, "demo", "class", "m1").iterdir())
    assert names == ["card.json", "new"]


def test_cards_become_rows_once(lake):
    assert record_models(lake, "r1", "demo") is None and not lake.exists("score_model__card")
    recipe = {"name": "forest", "model": "forest"}
    card = {"run_id": "r1", "fingerprint": "f", "recipe": recipe, "classes": ["CEP", "RRab"], "features": ["amplitude"],
            "n_labelled": 40, "n_test": 8}  # fmt: skip
    for dataset, model in (("demo", "m1"), ("demo", "m2"), ("other", "m1")):
        with write_model(lake.path, dataset, "class", model, card):
            pass
    set_current(lake.path, "demo", "class", "m1")
    assert record_models(lake, "r1", "demo").rows == 2
    assert record_models(lake, "r2", "demo") is None
    set_current(lake.path, "demo", "class", "m2")
    record_models(lake, "r3", "demo")
    rows = lake.read("score_model__card").to_pylist()
    assert [(row["model_id"], row["is_current"]) for row in rows] == [("m1", False), ("m2", True)]
    assert rows[0]["model"] == "forest" and rows[0]["classes"] == ["CEP", "RRab"] and rows[0]["n_test"] == 8
    assert json.loads(rows[0]["card"]) == read_card(lake.path, "demo", "class", "m1")
    assert datetime.now(UTC) - rows[0]["trained_at"] < timedelta(minutes=1)


def test_what_an_older_card_does_not_say_is_null(lake):
    card = {"run_id": "r1", "fingerprint": "f", "trained_at": None, "recipe": {"name": "a", "model": "b"}}
    with write_model(lake.path, "demo", "class", "m1", card):
        pass
    record_models(lake, "r1", "demo")
    (row,) = lake.read("score_model__card").to_pylist()
    assert row["trained_at"] is None and row["n_test"] is None and row["features"] == []


def test_the_current_model_of_each_target(lake):
    assert read_current(lake.path, "demo") == {}
    for target, model in (("class", "m1"), ("teff_k", "m2"), ("class", "m3")):
        with write_model(lake.path, "demo", target, model, {}):
            pass
        set_current(lake.path, "demo", target, model)
    assert read_current(lake.path, "demo") == {"class": "m3", "teff_k": "m2"}
    assert read_current(lake.path, "other") == {}


def test_what_is_not_there_cannot_be_current(lake):
    with pytest.raises(BadInput, match="has no model m9 of class for demo"):
        set_current(lake.path, "demo", "class", "m9")
    with pytest.raises(BadInput, match="cannot name a model"):
        model_dir(lake.path, "demo", "../x", "m1")


def test_a_target_that_is_retired_scores_no_more_and_its_model_stays(lake):
    for target in ("class", "teff_k"):
        with write_model(lake.path, "demo", target, "m1", {}):
            pass
        set_current(lake.path, "demo", target, "m1")
    retire(lake.path, "demo", {"class", "feh_dex"})
    assert read_current(lake.path, "demo") == {"class": "m1"} and has_model(lake.path, "demo", "teff_k", "m1")
    file = lake.path / "models" / "demo" / "current.json"
    before = file.stat().st_ino
    retire(lake.path, "demo", {"class"})
    assert file.stat().st_ino == before  # not written again where nothing changes


@pytest.mark.parametrize("name", ["../m", "a/b", "", "m 1", "ü"])
def test_a_name_that_would_leave_the_folder_is_no_model(lake, name):
    with pytest.raises(BadInput, match="cannot name a model"):
        model_dir(lake.path, "demo", "class", name)
    with pytest.raises(BadInput, match="cannot name a model"):
        model_dir(lake.path, name, "class", "m1")
