"""What FITS tables hold beside plain numbers: nulls, vectors, lists, scaled numbers, bytes, and words in headers."""

import gzip

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits

from schemas import BadInput
from schemas.formats import fits as format_fits
from schemas.formats.fits import SLICE_ROWS, read

N = 5


def write(path, *columns, primary=None, header=None):
    """A file with one table of these columns (name, format, array, options)."""
    made = [fits.Column(name, form, array=array, **options) for name, form, array, options in columns]
    table = fits.BinTableHDU.from_columns(made)
    table.header.update(header or {})
    first = fits.PrimaryHDU()
    first.header.update(primary or {})
    fits.HDUList([first, table]).writeto(path, overwrite=True)
    return path


def rows(path):
    """Columns of the file as lists."""
    with read(path) as reader:
        return reader.read_all().to_pydict()


def test_a_null_of_whole_numbers_is_null(tmp_path):
    path = write(tmp_path / "a.fits", ("fid", "J", np.array([1, -99, 2, -99, 1]), {"null": -99}))
    assert rows(path) == {"fid": [1, None, 2, None, 1]}


def test_numbers_keep_their_bits_and_their_types(tmp_path):
    double, single = np.random.default_rng(1).random((2, N))
    long = np.array([2**62 + k for k in range(N)])
    path = write(tmp_path / "a.fits", ("d", "D", double, {}), ("e", "E", single, {}), ("k", "K", long, {}))
    with read(path) as reader:
        table = reader.read_all()
    assert table.schema.types == [pa.float64(), pa.float32(), pa.int64()]
    assert table["d"].to_pylist() == double.tolist() and table["k"].to_pylist() == long.tolist()
    assert table["e"].to_numpy().tolist() == single.astype(np.float32).tolist()


def test_unsigned_numbers_are_scaled_back(tmp_path):
    values = np.array([0, 1, 2**31, 2**32 - 1, 7], np.uint32)
    path = write(tmp_path / "a.fits", ("u", "J", values, {"bzero": 2**31}))
    assert [int(value) for value in rows(path)["u"]] == values.tolist()


def test_text_loses_its_padding_and_is_null_where_it_is_empty(tmp_path):
    path = write(tmp_path / "a.fits", ("band", "4A", np.array(["g", "r  ", "", "zg", "i"]), {}))
    assert rows(path) == {"band": ["g", "r", None, "zg", "i"]}


def test_truth_values_are_truth_values(tmp_path):
    path = write(tmp_path / "a.fits", ("ok", "L", np.array([True, False, True, True, False]), {}))
    assert rows(path) == {"ok": [True, False, True, True, False]}


def test_a_vector_in_each_row_is_a_list(tmp_path):
    vectors = np.arange(N * 3.0).reshape(N, 3)
    assert rows(write(tmp_path / "a.fits", ("mag", "3D", vectors, {}))) == {"mag": vectors.tolist()}


def test_lists_of_different_lengths_are_lists(tmp_path):
    lists = np.array([np.arange(k + 1.0) for k in range(N)], dtype=object)
    assert rows(write(tmp_path / "a.fits", ("mag", "PD()", lists, {}))) == {"mag": [each.tolist() for each in lists]}


def test_what_no_column_can_be_is_left_out(tmp_path):
    path = write(tmp_path / "a.fits", ("z", "M", np.ones(N) * 1j, {}), ("mag", "D", np.ones(N), {}))
    assert rows(path) == {"mag": [1.0] * N}


@pytest.mark.parametrize("where", ["primary", "header"])
def test_the_star_is_named_in_a_header(tmp_path, where):
    named = {where: {"OBJECT": "TIC 1234 ", "RA_OBJ": 20.5, "DEC_OBJ": -3.25, "TELESCOP": "TESS"}}
    path = write(tmp_path / "a.fits", ("TIME", "D", np.arange(2.0), {}), **named)
    assert rows(path) == {
        "TIME": [0.0, 1.0], "OBJECT": ["TIC 1234"] * 2, "RA_OBJ": [20.5] * 2, "DEC_OBJ": [-3.25] * 2,
    }  # fmt: skip


def test_a_column_comes_before_the_word_of_a_header(tmp_path):
    path = write(tmp_path / "a.fits", ("OBJECT", "3A", np.array(["a", "b"]), {}), primary={"OBJECT": "field 7"})
    assert rows(path) == {"OBJECT": ["a", "b"]}


def test_the_first_table_is_read_and_images_are_not(tmp_path):
    parts = [fits.PrimaryHDU(), fits.ImageHDU(np.ones((2, 2)))]
    parts += [fits.BinTableHDU.from_columns([fits.Column(n, "D", array=np.ones(1))]) for n in ("first", "second")]
    fits.HDUList(parts).writeto(tmp_path / "a.fits")
    assert rows(tmp_path / "a.fits") == {"first": [1.0]}


def test_a_file_without_a_table_is_refused(tmp_path):
    fits.PrimaryHDU(np.ones((2, 2))).writeto(tmp_path / "a.fits")
    with pytest.raises(BadInput, match="holds no table, but 1 other parts"):
        read(tmp_path / "a.fits")


def test_a_table_of_ascii_is_a_table(tmp_path):
    column = fits.Column("mag", "F8.3", array=np.array([15.125, 16.25]), ascii=True)
    fits.HDUList([fits.PrimaryHDU(), fits.TableHDU.from_columns([column])]).writeto(tmp_path / "a.fits")
    assert rows(tmp_path / "a.fits") == {"mag": [15.125, 16.25]}


def test_a_table_without_rows_has_its_columns(tmp_path):
    path = write(tmp_path / "a.fits", ("mag", "D", np.empty(0), {}), ("band", "2A", np.empty(0, "U2"), {}))
    assert rows(path) == {"mag": [], "band": []}


def test_slices_join_without_a_seam(tmp_path, monkeypatch):
    monkeypatch.setattr(format_fits, "SLICE_ROWS", 2)
    values = np.arange(5.0)
    path = write(tmp_path / "a.fits", ("mag", "D", values, {}))
    with read(path) as reader:
        batches = list(reader)
    assert [batch.num_rows for batch in batches] == [2, 2, 1] and SLICE_ROWS > 2
    assert pa.Table.from_batches(batches)["mag"].to_pylist() == values.tolist()


def test_a_compressed_file_gives_the_same(tmp_path):
    plain = write(tmp_path / "a.fits", ("mag", "D", np.arange(3.0), {}))
    (tmp_path / "b.fits.gz").write_bytes(gzip.compress(plain.read_bytes()))
    assert rows(tmp_path / "b.fits.gz") == rows(plain)
