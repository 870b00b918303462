import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from lakehouse.releases.latest import point_latest, renew_latest
from lakehouse.releases.release import write_release
from schemas import TABLES, BadInput

SOURCE = TABLES["core_sample__source"]


@pytest.fixture
def catalogue(sources):
    rows = sources([2**62 + 1, 2**62 + 3])
    return rows.set_column(rows.schema.get_field_index("ra"), "ra", pa.array([None, 12.5], pa.float64()))


@pytest.mark.filterwarnings("ignore:No table..len")
def test_astropy_reads_units_and_meanings(tmp_path, catalogue):
    folder = write_release(tmp_path / "r1", {"catalogue": (SOURCE, catalogue)}, {"run_id": "r1"})
    table = Table.read(folder / "catalogue.parquet", format="parquet.votable")
    assert table["ra"].unit == "deg" and table["ra"].meta["ucd"] == "pos.eq.ra;meta.main"
    assert table["ra"].description.startswith("Right ascension")
    assert list(table["source_id"]) == [2**62 + 1, 2**62 + 3] and table["source_id"].dtype == np.int64
    assert list(table["object_id"]) == catalogue["object_id"].to_pylist()
    assert np.ma.is_masked(table["ra"][0]) or np.isnan(table["ra"][0])
    assert table["ra"][1] == 12.5


def test_plain_parquet_readers_find_units_too(tmp_path, catalogue):
    folder = write_release(tmp_path / "r1", {"catalogue": (SOURCE, catalogue)}, {})
    table = pq.read_table(folder / "catalogue.parquet")
    assert table.num_rows == 2 and table["ra"].to_pylist() == [None, 12.5]
    assert table.schema.field("dec").metadata[b"unit"] == b"deg"
    assert table.schema.metadata[b"IVOA.VOTable-Parquet.version"] == b"1.0"


def test_families_have_units_as_well(tmp_path):
    spec = TABLES["out__catalogue"]
    quantity = next(column for column in spec.families if column.name == "{quantity}")
    probability = next(column for column in spec.families if column.name.startswith("prob_"))
    spec = spec.bind([probability.rename("prob_δ Sct"), quantity.rename("teff_k", "Effective temperature.")])
    folder = write_release(tmp_path / "r1", {"catalogue": (spec, spec.empty())}, {})
    header = pq.read_schema(folder / "catalogue.parquet").metadata[b"IVOA.VOTable-Parquet.content"].decode()
    assert "Effective temperature." in header
    names = Table.read(folder / "catalogue.parquet", format="parquet.votable").colnames
    assert "prob_δ Sct" in names and sum(name.startswith("prob_") for name in names) == 1


def test_the_folder_holds_dictionary_manifest_and_extras(tmp_path, catalogue):
    (tmp_path / "report.html").write_text("<html>")
    extras = {"report.html": tmp_path / "report.html", "notes/readme.txt": "hello", "raw.bin": b"\x00"}
    folder = write_release(tmp_path / "release" / "r1", {"catalogue": (SOURCE, catalogue)}, {"run_id": "r1"}, extras)
    assert json.loads((folder / "manifest.json").read_text()) == {"run_id": "r1"}
    assert "| `ra` | double | deg |" in (folder / "data_dictionary.md").read_text()
    assert (folder / "notes" / "readme.txt").read_text() == "hello"
    assert (folder / "report.html").read_text() == "<html>" and (folder / "raw.bin").read_bytes() == b"\x00"


def test_latest_points_at_the_newest(tmp_path, catalogue):
    for name in ("r1", "r2", "r2"):
        write_release(tmp_path / name, {"catalogue": (SOURCE, catalogue)}, {"run_id": name})
    assert os.readlink(tmp_path / "latest") == "r2"
    assert json.loads((tmp_path / "latest" / "manifest.json").read_text())["run_id"] == "r2"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "r1", "r2"]


@pytest.mark.slow
def test_a_full_disk_leaves_the_old_release(tmp_path, catalogue, python):
    write_release(tmp_path / "r1", {"catalogue": (SOURCE, catalogue)}, {})
    limited = python(
        """
import resource, sys
from pathlib import Path
from lakehouse.releases.release import write_release
from schemas import TABLES, BadInput
spec = TABLES["core_sample__source"]
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
for folder in ("r1", "r2"):
    try:
        write_release(Path(sys.argv[1]) / folder, {"catalogue": (spec, spec.empty())}, {})
    except BadInput as error:
        print(error)
""",
        tmp_path,
    )
    assert limited.stdout.count("The disk is full or a file is larger than allowed: release r") == 2, limited.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "r1"]
    assert pq.read_table(tmp_path / "latest" / "catalogue.parquet").num_rows == 2


def test_rows_that_do_not_fit_the_spec_make_no_release(tmp_path, catalogue):
    with pytest.raises(ValueError, match="no column 'colour'"):
        write_release(tmp_path / "r1", {"c": (SOURCE, catalogue.append_column("colour", pa.array([1, 2])))}, {})
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BadInput, match="n_epoch: cannot be read as int32"):
        wide = catalogue.set_column(6, "n_epoch", pa.array([2**40, 1]))
        write_release(tmp_path / "r1", {"c": (SOURCE, wide)}, {})


def test_latest_points_at_the_newest_and_at_nothing_half_made(tmp_path):
    for name in ("r1", "r2", "r1"):
        (tmp_path / name).mkdir(exist_ok=True)
        point_latest(tmp_path / name)
        assert (tmp_path / "latest").resolve() == tmp_path / name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "r1", "r2"]


def test_latest_comes_back_to_a_release_of_its_own_dataset_alone(tmp_path, catalogue):
    names = [f"{dataset}-20261130T07000{n}Z-00ff" for n, dataset in enumerate(("a", "a", "b"))]
    for name in names:
        write_release(tmp_path / name, {"catalogue": (SOURCE, catalogue)}, {"run_id": name})
    renew_latest(tmp_path / names[0], "a")
    assert os.readlink(tmp_path / "latest") == names[2]
    point_latest(tmp_path / names[1])
    renew_latest(tmp_path / names[0], "a")
    assert os.readlink(tmp_path / "latest") == names[0]
    (tmp_path / "latest").unlink()
    renew_latest(tmp_path / names[2], "b")
    assert os.readlink(tmp_path / "latest") == names[2]
