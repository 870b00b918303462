"""Column lists in files: every row is whole, every type is one of Arrow's, and the package brings the files along."""

import tomllib
from pathlib import Path

import pyarrow as pa
import pytest

from tasks.surveys import columns, tic
from tasks.surveys.data_files import read_rows, read_types
from tasks.surveys.gaia_releases import RELEASES

ROOT = Path(__file__).parents[3]
FILES = sorted(path.name for path in (ROOT / "tasks" / "surveys").glob("*.csv"))
DRAFT = "gaia_dr4_draft.csv"  # columns of several tables


@pytest.mark.parametrize("name", FILES)
def test_rows_are_whole_and_names_are_unique(name):
    rows = read_rows(name)
    assert rows and all(all(row.values()) for row in rows)
    names = {(row["table"], row["column"]) if name == DRAFT else row["name"] for row in rows}
    assert len(names) == len(rows)
    assert name == DRAFT or len(read_types(name)) == len(rows)


def test_the_package_brings_the_files_along():
    packed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["tasks"]
    assert FILES and {"surveys/*.csv", "surveys/*.toml"} <= set(packed)


@pytest.mark.parametrize("release", RELEASES.values(), ids=lambda release: release.name)
def test_every_alias_is_a_table_of_the_release(release):
    assert {alias for alias, _ in release.asked_columns.values()} <= set(release.tables)
    assert {alias for alias, _, _ in columns.JOINED_COLUMNS.values()} <= set(release.tables)


def test_ids_are_64_bits_and_those_of_gaia_are_texts_at_mast():
    types = columns.list_columns(RELEASES["dr4"])
    assert {types[f"{name}_source_id"] for name in ("dr3", "dr2")} | {types["source_id"], types["ps1_objid"]} == {
        pa.int64()
    }
    assert tic.ENTRY["id"] == pa.int64() and tic.ENTRY["gaia"] == pa.string()
    assert set(tic.VIZIER) == set(tic.ENTRY) and len(set(tic.VIZIER.values())) == len(tic.ENTRY)
