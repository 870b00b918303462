"""The bulk paths bring into the lake what the services bring, for the same sky in files of the archives' layouts.

Bit for bit: the sky's Gaia transits have those bits of other_flags alone that the files' raw layout can tell, and its
light curves of ZTF have no epoch that the quarantine would name, which has an exposure id there from the service alone.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lakehouse.delta.store import Lake
from schemas.inputs import Sample
from tasks.replica.holdings import Holdings, build
from tasks.stages.acquire import surveys as from_surveys
from tasks.surveys import SURVEYS
from tests.integration.acquisition import SEED, N, acquire_into, clear_log, log, source_of, tables
from tests.unit.crossmatch.hats_by_hand import write_hats
from tests.unit.surveys.bulk_sky import table_of, ztf_curves

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("calm")]
SERVICES = {"gaia_tap", "gaia_cdn", "truth"}  # of the replica; all else comes from files


@pytest.fixture(scope="module")
def sky(tmp_path_factory) -> Holdings:
    return Holdings(build(tmp_path_factory.mktemp("holdings"), N, SEED))


def catalogues(folder: Path, sky: Holdings, form: str) -> dict[str, dict[str, str]]:
    """The sky's catalogues, by survey and option."""

    def write(name: str, table: pa.Table, ra: str = "ra", dec: str = "dec") -> str:
        if form == "hats":
            return write_hats(folder / name, table, max_rows=60, ra=ra, dec=dec)
        (folder / name).mkdir(parents=True)
        for k in range(2):
            pq.write_table(table.slice(k * 500, [500, None][k]), folder / name / f"{k}.parquet", row_group_size=64)
        return str(folder / name)

    return {
        "gaia": {"hats_source": write("gaia_source", table_of(sky, "gaia", "gaiadr3.gaia_source"))},
        "ps1": {
            "hats_objects": write("otmo", table_of(sky, "ps1", "dbo.meanobjectview"), "raMean", "decMean"),
            "hats_detections": write("detection", table_of(sky, "ps1", "dbo.detection")),
        },
        "ztf": {
            "hats_objects": write("dr24/objects", table_of(sky, "irsa", "ztf_objects_dr24")).replace(
                "dr24", "{release}"
            ),
            "hats_curves": write("lc", ztf_curves(sky), "objra", "objdec"),
        },
        "tic": {"hats": write("tic", table_of(sky, "tic", "dbo.catalogrecord"))},
    }


def options_of(own: dict[str, dict[str, str]]) -> dict[str, dict]:
    return {name: {**survey.options, **own.get(name, {})} for name, survey in SURVEYS.items()}


def differing(one: dict[str, pa.Table], other: dict[str, pa.Table]) -> dict[str, set[str]]:
    """The columns in which tables of the same rows are not the same, bit for bit."""
    assert {name: t.num_rows for name, t in one.items()} == {name: t.num_rows for name, t in other.items()}
    found = {
        name: {column for column in table.column_names
               if not same(*(part[column].combine_chunks() for part in (table, other[name])))}
        for name, table in one.items()
    }  # fmt: skip
    return {name: columns for name, columns in found.items() if columns}


def same(one: pa.Array, other: pa.Array) -> bool:
    """Equal values, lengths and nulls; NaN is NaN."""
    if pa.types.is_list(one.type) or pa.types.is_large_list(one.type):
        return one.value_lengths().equals(other.value_lengths()) and same(one.flatten(), other.flatten())
    if pa.types.is_floating(one.type) and one.is_valid().equals(other.is_valid()):
        return np.array_equal(*(part.to_numpy(zero_copy_only=False) for part in (one, other)), equal_nan=True)
    return one.equals(other)


def test_a_difference_is_seen(acquired):
    curves = acquired.tables["raw_sample__epoch"]
    times = curves["time"].combine_chunks()
    later = type(times).from_arrays(times.offsets, pa.array(np.nextafter(times.flatten().to_numpy(), np.inf)))
    changed = curves.set_column(curves.column_names.index("time"), "time", later)
    assert differing(acquired.tables, {**acquired.tables, "raw_sample__epoch": changed}) == {
        "raw_sample__epoch": {"time"}
    }


@pytest.mark.parametrize("form", ["hats", "parquet"])
def test_the_lake_is_the_same_by_the_bulk_paths(replica, acquired, sky, tmp_path, form):
    bulk = source_of(replica, bulk=True, options=options_of(catalogues(tmp_path / "files", sky, form)))
    acquire_into(tmp_path / "lake", bulk)
    assert {entry["service"] for entry in log(replica)} == SERVICES
    got = tables(tmp_path / "lake")
    assert differing(acquired.tables, got) == {}
    assert set(got["raw_sample__epoch"]["survey"].to_pylist()) == {"gaia", "ps1", "ztf"}

    ledger = Lake(tmp_path / "lake").read("raw_archive__request")
    reads = ledger.filter(pc.equal(ledger["service"], "hats"))
    assert set(reads["release"].to_pylist()) == {"gaia_dr3", "dr2", "dr24", "8.2"}
    assert set(reads["status"].to_pylist()) == {"done"} and min(reads["seconds"].to_pylist()) > 0
    assert {text.partition("\n")[0].replace("dr24", "{release}") for text in reads["text"].to_pylist()} == {
        uri for own in bulk.options.values() for name, uri in own.items() if name.startswith("hats")
    }

    # Offline, and without the files, the answers are enough.
    shutil.rmtree(tmp_path / "files")
    shutil.copytree(tmp_path / "lake" / "raw", tmp_path / "again" / "raw")
    clear_log(replica)
    acquire_into(tmp_path / "again", source_of(None, offline=True, bulk=True, options=bulk.options))
    assert differing(got, tables(tmp_path / "again")) == {} and log(replica) == []


def test_beyond_so_many_sources_the_notes_name_the_bulk_paths(replica, tmp_path, monkeypatch):
    few = Sample(random_index=(0, 99_999))
    monkeypatch.setattr(from_surveys, "BULK_FROM", 20)
    (note,) = acquire_into(tmp_path / "lake", source_of(replica, sample=few), limit=21).notes
    assert note.startswith("21 sources were asked of the services of gaia, ps1, ztf, tic: ")
    assert acquire_into(tmp_path / "less", source_of(replica, sample=few), limit=20).notes == ()
