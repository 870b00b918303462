"""Every declared table agrees with itself: Arrow, pandera, VOTable, dictionary and lock."""

import dataclasses
import re
from pathlib import Path

import astropy.units as u
import pandas as pd
import pandera.errors
import pyarrow as pa
import pytest
from astropy.io.votable.ucd import parse_ucd

from schemas import TABLES, Column
from schemas.dictionary import dictionary
from schemas.lock import find_changed, read_lock

ROOT = Path(__file__).parents[3]
every_table = pytest.mark.parametrize("spec", TABLES.values(), ids=TABLES)


@every_table
def test_names_say_how_far_the_rows_have_come(spec):
    assert re.fullmatch(r"(raw|core|assn|feature|label|score|run|out)_?[a-z0-9]*__[a-z]+", spec.name)


@every_table
def test_units_and_ucds_are_standard(spec):
    for column in spec.columns:
        assert column.doc.endswith("."), column.name
        if column.unit:
            u.Unit(column.unit, format="vounit")
        if column.ucd:
            parse_ucd(column.ucd, check_controlled_vocabulary=True, has_colon=False)


@every_table
def test_key_and_partition_are_columns(spec):
    assert set(spec.key) | set(spec.partition) <= set(spec.columns_by_name)


@every_table
def test_arrow_and_pandera_agree(spec):
    scalars = [c.name for c in spec.columns if not (c.is_list or c.is_family)]
    frame = spec.empty().select(scalars).to_pandas(types_mapper=pd.ArrowDtype)
    checked = spec.pandera().validate(frame, lazy=True)
    assert list(checked.columns) == scalars


def test_pandera_reports_every_bad_row_at_once():
    spec = TABLES["core_sample__source"]
    rows = spec.empty().to_pylist() + [
        {
            "dataset": "d",
            "tile": 1,
            "source_id": i,
            "object_id": str(i),
            "ra": ra,
            "dec": 0.0,
            "n_epoch": n,
            "content_hash": 0,
        }
        for i, ra, n in ((2**62 + 1, None, 1), (5, 400.0, 1), (5, 1.0, 1), (6, 1.0, -1))
    ]
    frame = pa.Table.from_pylist(rows, schema=spec.arrow()).to_pandas(types_mapper=pd.ArrowDtype)
    with pytest.raises(pandera.errors.SchemaErrors) as caught:
        spec.pandera().validate(frame, lazy=True)
    assert set(caught.value.failure_cases["index"]) == {1, 2, 3}


def test_votable_carries_units_and_the_longest_text():
    spec = TABLES["core_sample__source"]
    rows = [
        {
            "dataset": "d",
            "tile": 1,
            "source_id": i,
            "object_id": name,
            "ra": None,
            "dec": 1.5,
            "n_epoch": 3,
            "content_hash": 7,
        }
        for i, name in enumerate(("a", "OGLE δ", "b"))
    ]
    table = spec.votable(pa.Table.from_pylist(rows, schema=spec.arrow())).get_first_table()
    fields = {field.name: field for field in table.fields}
    assert str(fields["ra"].unit) == "deg" and fields["ra"].ucd == "pos.eq.ra;meta.main"
    assert fields["source_id"].datatype == "long" and fields["object_id"].arraysize == "6*"
    assert len(table.array) == 0


def test_the_lock_holds():
    assert find_changed(TABLES.values(), read_lock()) == []


def test_a_changed_unit_without_a_new_version_is_refused():
    spec = TABLES["core_sample__source"]
    columns = tuple(dataclasses.replace(c, unit="rad") if c.name == "ra" else c for c in spec.columns)
    complaint = find_changed([dataclasses.replace(spec, columns=columns)], read_lock())
    assert complaint == ["core_sample__source version 1 changed its shape: raise its version."]
    assert "not in the lock" in find_changed([dataclasses.replace(spec, columns=columns, version=99)], read_lock())[0]


def test_the_dictionary_in_docs_is_the_generated_one():
    assert (ROOT / "docs" / "tables.md").read_text() == dictionary(TABLES.values()), "run make docs"


def test_binding_replaces_families_and_refuses_strays():
    spec = TABLES["out__catalogue"]
    bound = spec.bind([Column("prob_RR Lyr", pa.float32(), "x.")])
    assert "prob_RR Lyr" in bound.arrow().names and not bound.families
    narrow = dataclasses.replace(spec, columns=tuple(c for c in spec.columns if not c.name.startswith("{")))
    with pytest.raises(ValueError, match="fits none of its families"):
        narrow.bind([Column("sneaky", pa.float32(), "x.")])
