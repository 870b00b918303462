"""The folds that a folder was published with."""

import pytest

from schemas import BadInput
from schemas.mapping import load_spec
from tasks.folder.local import read_objects

TOML = '[objects]\nfold = "cv"'


def objects(cv):
    return {"object_id": [f"star{k}" for k in range(len(cv))], "cv": cv}


def test_an_object_without_a_fold_has_no_row(folder):
    path = folder(objects=objects([0.0, 4.0, None, 4.0]), toml=TOML)
    spec = load_spec(path)
    assert read_objects(path, spec).folds.to_pydict() == {"object_id": ["star0", "star1", "star3"], "fold": [0, 4, 4]}
    assert read_objects(path, spec, need_labels=False).folds.num_rows == 0
    assert "fold" not in load_spec(folder(objects=objects([1.0]), toml="")).model_dump()["objects"]


@pytest.mark.parametrize(("cv", "sentence"), [
    ([0.5, 1.0, 2.0], r"objects\.parquet: 1 of 3 folds are no whole numbers: name another column as objects\.fold\."),
    ([1.0, 1.0, None], "the column objects.fold has 1 folds, but 2 to 100 can be trained"),
    ([float(k) for k in range(101)], "has 101 folds"),
])  # fmt: skip
def test_what_cannot_be_folds_is_one_sentence(folder, cv, sentence):
    path = folder(objects=objects(cv), toml=TOML)
    with pytest.raises(BadInput, match=sentence):
        read_objects(path, load_spec(path))
