import pytest

from lakehouse.models import current, has_model, model_dir, read_card, set_current, write_model
from schemas import BadInput


def test_a_model_is_written_whole_with_its_card(lake):
    with write_model(lake.path, "demo", "class", "m1", {"recipe": "forest"}) as folder:
        (folder / "weights.bin").write_bytes(b"abc")
        assert not has_model(lake.path, "demo", "class", "m1")
    assert (model_dir(lake.path, "demo", "class", "m1") / "weights.bin").read_bytes() == b"abc"
    assert read_card(lake.path, "demo", "class", "m1") == {
        "dataset": "demo", "target": "class", "model_id": "m1", "recipe": "forest",
    }  # fmt: skip


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


def test_the_current_model_of_each_target(lake):
    assert current(lake.path, "demo") == {}
    for target, model in (("class", "m1"), ("teff_k", "m2"), ("class", "m3")):
        with write_model(lake.path, "demo", target, model, {}):
            pass
        set_current(lake.path, "demo", target, model)
    assert current(lake.path, "demo") == {"class": "m3", "teff_k": "m2"}
    assert current(lake.path, "other") == {}


def test_what_is_not_there_cannot_be_current(lake):
    with pytest.raises(BadInput, match="has no model m9 of class for demo"):
        set_current(lake.path, "demo", "class", "m9")
    with pytest.raises(BadInput, match="cannot name a model"):
        model_dir(lake.path, "demo", "../x", "m1")
