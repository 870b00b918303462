"""Samples from files of source ids: any format of tables, no float, and what cannot be used is said."""

import gzip
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import MaskedColumn, Table

from schemas import BadInput
from tasks.surveys.chain import SAME_STAR_MAG
from tasks.surveys.id_files import read_ids
from tasks.surveys.id_lists import IdFile, counterparts, describe_absence
from tasks.surveys.sample import GaiaTable, sample_chunks
from tests.unit.surveys.gaia_sky import RELEASE, GaiaSky, gaia_sky

BIG = 2**62 + 1  # odd, so that a float64 cannot hold it
IDS = [BIG + 2, 17, BIG, BIG + 2, BIG + 4, 17, 17]


def write(path: Path, ids, column: str = "source_id") -> Path:
    """A file of ids in the format of its ending, another column before them."""
    words = [f"star {k}" for k in range(len(ids))]
    name = path.name.lower()
    if name.endswith(".parquet"):
        pq.write_table(pa.table({"name": words, column: ids}), path)
    elif ".csv" in name:
        text = "".join(f"{word},{value}\n" for word, value in zip(words, ids, strict=True)).encode()
        text = f"name,{column}\n".encode() + text
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    else:
        table = Table({"name": words, column: ids})
        table.write(path, format={"fits": "fits", "ecsv": "ascii.ecsv"}.get(name.rpartition(".")[2], "votable"))
    return path


@pytest.fixture(scope="module")
def sky() -> GaiaSky:
    return gaia_sky(200, seed=5)


@pytest.mark.parametrize("name", ["a.parquet", "a.CSV", "a.csv.gz", "a.fits", "a.vot", "a.xml", "a.ecsv"])
@pytest.mark.parametrize("column", ["source_id", "SOURCE_ID", "dr2_source_id"])
def test_formats(tmp_path, name, column):
    found = read_ids(write(tmp_path / name, IDS, column))
    assert found.ids.tolist() == [17, BIG, BIG + 2, BIG + 4]
    assert found.repeated.tolist() == [17, BIG + 2]
    assert (found.column, found.n_row) == (column.lower(), 7)


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.fits", "a.vot"])
def test_ids_as_text_are_as_good(tmp_path, name):
    found = read_ids(write(tmp_path / name, [f" {value}" if "csv" in name else str(value) for value in IDS]))
    assert found.ids.tolist() == [17, BIG, BIG + 2, BIG + 4]


def test_rows_without_an_id_are_counted(tmp_path):
    pq.write_table(pa.table({"source_id": pa.array([BIG, None, 3])}), tmp_path / "a.parquet")
    write(tmp_path / "a.csv", [BIG, "", 3])
    write(tmp_path / "b.csv", [BIG, "None", 3])
    masked = Table({"source_id": MaskedColumn([BIG, 7, 3], mask=[False, True, False])})
    masked.write(tmp_path / "a.vot", format="votable")
    masked.write(tmp_path / "b.parquet")  # with a column source_id.mask
    for name in ("a.parquet", "a.csv", "b.csv", "a.vot", "b.parquet"):
        found = read_ids(tmp_path / name)
        assert found.ids.tolist() == [3, BIG] and found.n_row == 3, name


@pytest.mark.parametrize("name", ["a.parquet", "a.fits", "a.vot"])
def test_a_float_column_is_refused(tmp_path, name):
    path = write(tmp_path / name, np.array(IDS, float))
    with pytest.raises(
        BadInput, match=r"'source_id' is double, but a source_id has up to 19 digits and a float keeps 15"
    ):
        read_ids(path)


@pytest.mark.parametrize("value", ["4.611686018427388e18", "17.0", "Gaia DR3 17", str(2**63)])
def test_text_that_is_no_whole_number_is_refused(tmp_path, value):
    with pytest.raises(BadInput, match=r"a.csv: column 'source_id' holds something that is no source_id"):
        read_ids(write(tmp_path / "a.csv", [17, value]))


def test_refusals(tmp_path):
    with pytest.raises(BadInput, match="There is no file of source ids at"):
        read_ids(tmp_path / "none.csv")
    shutil.copy(write(tmp_path / "a.csv", IDS), tmp_path / "a.ids")
    with pytest.raises(BadInput, match=r"in no format that is known by its ending: there are .parquet, .pq, "):
        read_ids(tmp_path / "a.ids")
    for ending, format_ in {"parquet": "Parquet", "fits": "FITS", "vot": "VOTable"}.items():
        shutil.copy(tmp_path / "a.csv", tmp_path / f"b.{ending}")
        with pytest.raises(BadInput, match=rf"b.{ending} cannot be read as {format_} \("):
            read_ids(tmp_path / f"b.{ending}")
    with pytest.raises(BadInput, match="has neither column source_id nor dr3_source_id nor dr2_source_id; it has name"):
        read_ids(write(tmp_path / "c.csv", IDS, "id"))
    with pytest.raises(BadInput, match="2 values of 'source_id' are not above 0, the first is -999"):
        read_ids(write(tmp_path / "d.csv", [5, -999, 0]))
    with pytest.raises(BadInput, match="'source_id' holds no id in 2 rows"):
        read_ids(write(tmp_path / "e.csv", ["", ""]))
    with pytest.raises(BadInput, match="'source_id' is bool"):
        read_ids(write(tmp_path / "f.parquet", [True, False]))


def test_a_sample_by_ids(sky, tmp_path):
    own = np.sort(sky.tables["g"].source_id)[::3]
    path = write(tmp_path / "mine.csv", [*own.tolist(), own[0], 12345])
    sky.asked.clear()
    found = list(sample_chunks(sky.ask, [IdFile(str(path))], RELEASE, size=30))
    np.testing.assert_array_equal(np.concatenate([field.sources["source_id"].to_numpy() for field in found]), own)
    assert len(sky.asked) == 1
    report = pa.concat_tables([field.rejected for field in found]).to_pylist()
    assert {(row["object_id"], row["table"], row["check"]) for row in report if row["check"] != "range"} == {
        (str(own[0]), "mine.csv", "duplicate"), ("12345", "mine.csv", "unknown_id"),
    }  # fmt: skip


def test_many_ids_go_a_thousand_at_a_time(monkeypatch, sky, tmp_path):
    """The sample is asked in fixed pieces, so that memory is bounded by a piece and not by the file."""
    own = np.sort(sky.tables["g"].source_id)
    many = np.union1d(own, np.arange(1, 2400))
    monkeypatch.setattr("tasks.surveys.id_lists.REQUESTS_PER_PIECE", 2)
    sky.asked.clear()
    found = list(sample_chunks(sky.ask, [IdFile(str(write(tmp_path / "mine.parquet", many)))], RELEASE, size=1000))
    np.testing.assert_array_equal(found[0].sources["source_id"].to_numpy(), own)
    assert [items.num_rows for _, items in sky.asked] == [1000, 1000, many.size - 2000]
    unknown = [row["object_id"] for row in found[0].rejected.to_pylist() if row["check"] == "unknown_id"]
    assert sorted(map(int, unknown)) == np.setdiff1d(many, own).tolist()


def test_dr2_ids_go_through_the_neighbourhood(sky, tmp_path):
    dr = sky.tables["dr"]
    same = dr[dr.magnitude_difference.abs() <= SAME_STAR_MAG].sort_values("angular_distance")
    expected = np.unique(same.groupby("dr2_source_id").dr3_source_id.first())
    every = np.unique(dr.dr2_source_id)
    path = write(tmp_path / "dr2.fits", [*every.tolist(), 99], "dr2_source_id")
    found = list(sample_chunks(sky.ask, [IdFile(str(path))], RELEASE))
    np.testing.assert_array_equal(found[0].sources["source_id"].to_numpy(), expected)
    lost = {row["object_id"] for row in found[0].rejected.to_pylist() if row["check"] == "no_counterpart"}
    assert lost == {str(value) for value in np.setdiff1d(every, same.dr2_source_id)} | {"99"} and len(lost) > 10


def test_the_counterpart_is_the_nearest_with_the_same_magnitude():
    rows = {
        "dr2_source_id": [5, 5, 5, 6, 6, 7, 8], "source_id": [51, 52, 53, 61, 62, 53, 81],
        "angular_distance": [300.0, 20.0, 4.0, 90.0, 10.0, 1.0, 0.5],
        "magnitude_difference": [0.0, -0.4, 2.0, 0.1, None, 0.2, -0.6],
    }  # fmt: skip
    for order in ([0, 1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1, 0]):
        answer = pa.table({name: [values[k] for k in order] for name, values in rows.items()})
        found, lost = counterparts(lambda question, items, answer=answer: answer, np.array([5, 6, 7, 8, 9]), RELEASE)
        assert (found.tolist(), lost.tolist()) == ([52, 53, 61], [8, 9])


def test_ids_that_gaia_does_not_know_leave_a_report_and_no_source(sky, tmp_path):
    found = list(sample_chunks(sky.ask, [IdFile(str(write(tmp_path / "a.csv", [4, 5])))], RELEASE))
    assert [field.sources.num_rows for field in found] == [0]
    assert found[0].rejected["check"].to_pylist() == ["unknown_id"] * 2
    lost = list(sample_chunks(sky.ask, [IdFile(str(write(tmp_path / "b.csv", [4, 5], "dr2_source_id")))], RELEASE))
    assert lost[0].rejected["check"].to_pylist() == ["no_counterpart"] * 2


def test_a_union_with_a_table(sky, tmp_path):
    own = np.sort(sky.tables["g"].source_id)[:20]
    lyrae = sky.tables["rr"].source_id
    selections = [IdFile(str(write(tmp_path / "a.csv", own))), GaiaTable("vari_rrlyrae")]
    found = np.concatenate(
        [f.sources["source_id"].to_numpy() for f in sample_chunks(sky.ask, selections, RELEASE, size=7)]
    )
    np.testing.assert_array_equal(found, np.union1d(own, lyrae))


def test_equal_files_are_equal_selections(tmp_path):
    first, second = write(tmp_path / "a.csv", IDS), write(tmp_path / "b.parquet", sorted(set(IDS)))
    other = write(tmp_path / "c.csv", IDS[:2])
    assert IdFile(str(first)) == IdFile(str(second)) != IdFile(str(other))
    assert repr(IdFile(str(first))) == repr(IdFile(str(second))) != repr(IdFile(str(other)))
    assert hash(IdFile(str(first))) == hash(IdFile(str(second)))
    assert pd.Series([IdFile(str(first))]).map(str).str.contains("content=").all()


def test_a_sample_of_unknown_ids_has_its_sentence(tmp_path):
    path = write(tmp_path / "stars.csv", [17, 18])
    table = GaiaTable("vari_rrlyrae", 12)
    assert describe_absence((IdFile(str(path)),), RELEASE) == (
        "None of the 2 ids of stars.csv is in Gaia DR3; ids of DR2 go into dr2_source_id."
    )
    earlier = IdFile(str(write(tmp_path / "old.csv", [17], "dr2_source_id")))
    assert describe_absence((earlier,), RELEASE) == "None of the 1 ids of old.csv has a counterpart in Gaia DR3."
    assert describe_absence((IdFile(str(path)), table), RELEASE) == describe_absence((table,), RELEASE) == ""
