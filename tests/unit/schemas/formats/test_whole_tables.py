"""Tables that astropy reads whole, and arrays of numpy in Arrow: masks, units, times, lists."""

import warnings

import numpy as np
import pyarrow as pa
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time

from schemas.formats import FORMATS
from schemas.formats.files import find_only_table, find_table, list_files, name_tables, stem_of
from schemas.formats.numpy_columns import to_arrow

READ = {each.name: each.read for each in FORMATS}


def rows(name, path):
    """Columns of a file as lists."""
    with READ[name](path) as reader:
        return reader.read_all().to_pydict()


MASKED = {"VOTable": ("a.vot", "votable"), "ECSV": ("a.ecsv", "ascii.ecsv"), "IPAC table": ("a.tbl", "ascii.ipac")}


@pytest.mark.parametrize("name", MASKED)
def test_what_is_masked_is_null(tmp_path, name):
    file, form = MASKED[name]
    hidden = [False, True, False]
    columns = {"mag": [15.5, 0.0, 16.5], "fid": [1, 2, 3], "band": ["g", "r", "i"]}
    table = Table({key: MaskedColumn(values, mask=hidden) for key, values in columns.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table.write(tmp_path / file, format=form)
    found = rows(name, tmp_path / file)
    assert found == {key: [values[0], None, values[2]] for key, values in columns.items()}


def test_a_votable_is_read_by_the_names_of_its_fields(tmp_path):
    fields = '<FIELD ID="col1" name="mag" datatype="double"/><FIELD ID="col2" name="sourceid" datatype="long"/>'
    cells = "<TR><TD>15.5</TD><TD>4295806720123456789</TD></TR>"
    (tmp_path / "a.xml").write_text(
        '<?xml version="1.0"?><VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>'
        f"{fields}<DATA><TABLEDATA>{cells}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    )
    assert rows("VOTable", tmp_path / "a.xml") == {"mag": [15.5], "sourceid": [4295806720123456789]}


def test_times_and_quantities_of_ecsv_are_their_values(tmp_path):
    table = QTable({
        "time": Time([58000.5, 58001.5], format="mjd"), "flux": [1.5, 2.5] * units.Jy,
        "at": SkyCoord([1, 2], [3, 4], unit="deg"), "mag": [15.0, 16.0],
    })  # fmt: skip
    table.write(tmp_path / "a.ecsv")
    assert rows("ECSV", tmp_path / "a.ecsv") == {
        "time": [58000.5, 58001.5], "flux": [1.5, 2.5], "mag": [15.0, 16.0],
    }  # fmt: skip


@pytest.mark.parametrize("values, expected", [
    (np.array([1.5, 2.5], ">f4"), [1.5, 2.5]),
    (np.array([[1, 2], [3, 4]], ">i2"), [[1, 2], [3, 4]]),
    (np.array([b"g ", b""]), ["g", None]),
    (np.array(["a", " b"]), ["a", "b"]),
    (np.array([True, False]), [True, False]),
    (np.array(["a", b"b ", None], object), ["a", "b", None]),
    (np.empty((0, 3)), []),
    (np.zeros((2, 2, 2)), None),
    (np.zeros(2, complex), None),
])  # fmt: skip
def test_arrays_of_numpy(values, expected):
    found = to_arrow(values)
    assert (None if found is None else found.to_pylist()) == expected


def test_masks_of_arrays():
    assert to_arrow(np.arange(3), np.array([False, True, False])).to_pylist() == [0, None, 2]
    assert to_arrow(np.array(["a", "b"]), np.array([True, False])).to_pylist() == [None, "b"]
    mask = np.array([[True, False], [False, False]])
    assert to_arrow(np.arange(4.0).reshape(2, 2), mask).to_pylist() == [[None, 1.0], [2.0, 3.0]]


@pytest.mark.parametrize("form", ["file", "stream"])
def test_both_forms_of_arrow(tmp_path, form):
    table = pa.table({"mag": [15.5, 16.5]})
    opened = pa.ipc.new_file if form == "file" else pa.ipc.new_stream
    with opened(str(tmp_path / "a.arrow"), table.schema) as writer:
        writer.write_table(table)
    assert rows("Feather", tmp_path / "a.arrow") == {"mag": [15.5, 16.5]}


@pytest.mark.parametrize("name, stem", [
    ("a.csv", "a"), ("a.CSV.GZ", "a"), ("a.b.fits", "a.b"), ("README.md", "README.md"), (".csv", ""),
    ("V1 Lyr", "V1 Lyr"),
])  # fmt: skip
def test_the_stem_of_a_name(name, stem):
    assert stem_of(name) == stem


def touch(folder, *names):
    """Files with these names."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


@pytest.mark.parametrize("files, found", [
    (["objects.csv", "lightcurves.fits"], {"objects": "objects.csv", "lightcurves": "lightcurves.fits"}),
    (["objects.parquet", "objects.csv", "lightcurves.csv"],
     {"objects": "objects.parquet", "lightcurves": "lightcurves.csv"}),
    (["lightcurves/a.csv", "lightcurves/b.csv"], {"objects": "lightcurves", "lightcurves": "lightcurves"}),
    (["lightcurves.parquet/part.0.parquet", "objects.vot"],
     {"objects": "objects.vot", "lightcurves": "lightcurves.parquet"}),
    (["stars.csv", "README.md"], {"objects": "stars.csv", "lightcurves": "stars.csv"}),
    (["a.csv", "b.csv"], {"objects": ".", "lightcurves": "."}),
    (["objects.csv"], {"objects": "objects.csv"}),
    (["README.md"], {}),
])  # fmt: skip
def test_tables_are_found_by_their_names(tmp_path, files, found):
    touch(tmp_path, *files)
    assert name_tables(tmp_path, None, None, has_curves=True) == found


def test_a_table_of_mean_photometry_is_the_objects(tmp_path):
    touch(tmp_path, "stars.csv")
    assert name_tables(tmp_path, None, None, has_curves=False) == {"objects": "stars.csv"}
    assert find_only_table(tmp_path) == "stars.csv" and find_table(tmp_path, "objects") is None


def test_files_of_metadata_are_no_parts(tmp_path):
    touch(tmp_path, "t/_metadata.parquet", "t/.hidden.parquet", "t/b/Npix=1.parquet", "t/a/Npix=0.parquet", "t/README")
    assert [path.relative_to(tmp_path).as_posix() for path in list_files(tmp_path / "t")] == [
        "t/a/Npix=0.parquet", "t/b/Npix=1.parquet",
    ]  # fmt: skip
