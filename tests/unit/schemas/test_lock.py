"""The lock of released tables, and the dictionary that is made of the declarations."""

import json
from dataclasses import replace
from itertools import pairwise

import pyarrow as pa
import pytest

from schemas import TABLES, Column, TableSpec, lock
from schemas.dictionary import dictionary, section

MASS = Column("mass", pa.float64(), "Mass of it.", "solMass", "phys.mass", nullable=True, range=(0.5, None))
SPEC = TableSpec(
    "core_toy__row", 1, "A toy.", (Column("dataset", pa.string(), "Name."), MASS), ("dataset",), ("dataset",)
)


def held(spec):
    """A lock that holds this table alone."""
    return {f"{spec.name}@{spec.version}": lock.shape(spec)}


def altered(**changed):
    """The toy with its second column changed."""
    return replace(SPEC, columns=(SPEC.columns[0], replace(SPEC.columns[1], **changed)))


@pytest.mark.parametrize("changed", [
    {"name": "weight"}, {"type": pa.float32()}, {"unit": "kg"}, {"nullable": False},
])  # fmt: skip
def test_names_types_units_and_nulls_need_a_new_version(changed):
    assert lock.find_changed([altered(**changed)], held(SPEC)) == [
        "core_toy__row version 1 changed its shape: raise its version."
    ]


@pytest.mark.parametrize("changed", [
    {"doc": "Another word."}, {"ucd": "phys.mass;stat.mean"}, {"range": (0, 1)}, {"derived_from": ("a.b",)},
])  # fmt: skip
def test_words_ranges_and_sources_do_not(changed):
    assert lock.find_changed([altered(**changed)], held(SPEC)) == []


@pytest.mark.parametrize("changed", [{"key": ("dataset", "mass")}, {"partition": ()}])
def test_key_and_partition_need_a_new_version(changed):
    assert lock.find_changed([replace(SPEC, **changed)], held(SPEC)) != []


def test_a_lock_survives_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "LOCK", tmp_path / "lock.json")
    assert lock.read_lock() == {}
    lock.main()
    assert lock.find_changed(TABLES.values(), lock.read_lock()) == []
    first = (tmp_path / "lock.json").read_text()
    lock.main()
    assert (tmp_path / "lock.json").read_text() == first


def test_a_released_version_is_never_rewritten(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "LOCK", tmp_path / "lock.json")
    lock.main()
    before = (tmp_path / "lock.json").read_text()
    name, spec = next(iter(TABLES.items()))
    monkeypatch.setitem(TABLES, name, replace(spec, columns=spec.columns[:-1]))
    with pytest.raises(SystemExit, match="changed its shape: raise its version"):
        lock.main()
    assert (tmp_path / "lock.json").read_text() == before
    monkeypatch.setitem(TABLES, name, replace(spec, columns=spec.columns[:-1], version=spec.version + 90))
    lock.main()
    both = json.loads((tmp_path / "lock.json").read_text())
    assert {f"{name}@{spec.version}", f"{name}@{spec.version + 90}"} <= set(both)


def test_the_dictionary_has_a_section_for_each_table_and_a_row_for_each_column():
    text = dictionary(TABLES.values())
    for spec in TABLES.values():
        part = text.split(f"\n## {spec.name}\n")[1].split("\n## ")[0]
        assert spec.doc in part and f"Version {spec.version};" in part
        assert [line.split("`")[1] for line in part.splitlines() if line.startswith("| `")] == list(
            spec.columns_by_name
        )


@pytest.mark.parametrize("limits, text", [
    (None, "|  |"), ((0, None), "| 0 ..  |"), ((None, 5), "|  .. 5 |"), ((1e-4, 1e6), "| 0.0001 .. 1e+06 |"),
])  # fmt: skip
def test_ranges_are_written_with_their_ends(limits, text):
    row = section(altered(range=limits)).splitlines()[-1]
    assert text in row and row.startswith("| `mass` | double | solMass | phys.mass | yes |")


@pytest.mark.parametrize("name", sorted({key.partition("@")[0] for key in lock.read_lock() if not key.endswith("@1")}))
def test_a_column_that_came_with_a_version_may_be_null(name):
    """Lakes of older programs have rows without it."""
    versions = [lock.read_lock().get(f"{name}@{number}") for number in range(1, TABLES[name].version + 1)]
    for old, new in pairwise(versions):
        added = {column: kind for column, kind in new["columns"].items() if old and column not in old["columns"]}
        assert not [column for column, (_, _, null) in added.items() if null == "not null"], name
