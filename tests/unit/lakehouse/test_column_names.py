"""Names of bands and classes as columns: distinct over the lake in more than case, and never renamed again."""

from itertools import permutations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.column_names import BAND, CLASS, NAME, choose_column_names, name_rows, read_column_names
from schemas import TABLES

BANDS, LABELS = TABLES["core_dataset__band"], TABLES["label_sample__class"]


def store(lake, dataset, kind, names, endings=None):
    """Chooses the columns of the names as acquire does, and writes what it would; returns them."""
    chosen = choose_column_names(lake, dataset, kind, names, endings or {})
    if kind == BAND:
        rows = [{"dataset": dataset, "band": k, "name": chosen[name], "survey": "", "system": "AB"}
                for k, name in enumerate(names)]  # fmt: skip
        lake.overwrite("r", BANDS, pa.Table.from_pylist(rows, BANDS.arrow()), {"dataset": dataset})
    else:
        rows = [{"dataset": dataset, "tile": 0, "source_id": k, "origin": "o", "class": name, "is_photometric": False}
                for k, name in enumerate(names)]  # fmt: skip
        lake.overwrite("r", LABELS, pa.Table.from_pylist(rows, LABELS.arrow()), {"dataset": dataset})
    lake.overwrite("r", NAME, name_rows(dataset, {kind: chosen}), {"dataset": dataset})
    return chosen


def test_names_without_twins_stay(lake):
    assert store(lake, "a", BAND, ["g", "r"]) == {"g": "g", "r": "r"}
    assert store(lake, "b", BAND, ["r", "g"]) == {"r": "r", "g": "g"}
    assert lake.count(NAME) == 0


@pytest.mark.parametrize("kind", [BAND, CLASS])
def test_the_later_of_twins_gets_an_ending_and_keeps_it(lake, kind):
    assert store(lake, "a", kind, ["g"]) == {"g": "g"}
    assert store(lake, "b", kind, ["G", "r"], {"G": "gaia"}) == {"G": "G_gaia", "r": "r"}
    assert read_column_names(lake, "b", kind) == {"G": "G_gaia"} and read_column_names(lake, "a", kind) == {}
    for _ in range(2):
        assert store(lake, "a", kind, ["g"]) == {"g": "g"}
        assert store(lake, "b", kind, ["G", "r"], {"G": "gaia"}) == {"G": "G_gaia", "r": "r"}
    assert store(lake, "c", kind, ["G"], {"G": "gaia"}) == {"G": "G_gaia"}  # the same band, the same columns
    assert store(lake, "a", kind, ["G", "g"]) == {"G": "G_a", "g": "g"}  # what was there keeps its columns


def test_twins_of_one_dataset(lake):
    assert store(lake, "my-stars", BAND, ["G", "g", "g_my_stars"]) == {
        "G": "G", "g": "g_my_stars_2", "g_my_stars": "g_my_stars",
    }  # fmt: skip
    assert store(lake, "x", CLASS, ["RR", "Rr", "rr"]) == {"RR": "RR", "Rr": "Rr_x", "rr": "rr_x_2"}


def test_pairs_of_bands_are_never_written_alike(lake):
    """Colours are named after two bands: a with B_c, and a_b with c."""
    names = ["a", "a_b", "B_c", "c"]
    for _ in range(2):
        chosen = store(lake, "x", BAND, names)
        assert chosen == {"a": "a", "a_b": "a_b", "B_c": "B_c", "c": "c_x"}
    pairs = ["_".join(pair).casefold() for pair in permutations(chosen.values(), 2)]
    assert len(set(pairs)) == len(pairs)
    assert store(lake, "y", BAND, names[:2]) == {"a": "a", "a_b": "a_b"}
    assert store(lake, "z", CLASS, names) == {name: name for name in names}


def test_bands_are_no_classes(lake):
    store(lake, "a", BAND, ["g"])
    assert store(lake, "b", CLASS, ["G"]) == {"G": "G"}


@settings(max_examples=8, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["g", "G", "gg", "Gg", "g_a", "G_a", "g_b", "r"]), unique=True, min_size=1),
                min_size=1, max_size=4))  # fmt: skip
def test_columns_differ_in_more_than_case_and_last(datasets):
    from tempfile import TemporaryDirectory

    from lakehouse.delta.store import Lake

    with TemporaryDirectory() as folder:
        lake = Lake(folder, create=True)
        names = {f"{'ab'[k % 2]}{k}": own for k, own in enumerate(datasets)}
        chosen = {dataset: store(lake, dataset, BAND, own) for dataset, own in names.items()}
        columns = {column for own in chosen.values() for column in own.values()}
        assert len({column.casefold() for column in columns}) == len(columns)
        assert all(len(set(own.values())) == len(own) for own in chosen.values())
        assert all(store(lake, dataset, BAND, own) == chosen[dataset] for dataset, own in names.items())
