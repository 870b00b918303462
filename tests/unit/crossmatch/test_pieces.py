"""Reading by pieces: which row groups are read, and that pieces together are the table."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.crossmatch import pieces
from tasks.crossmatch.catalogue import HealpixColumn, open_catalogue
from tasks.crossmatch.cells import ORDER
from tasks.crossmatch.neighbours import cells_of
from tasks.crossmatch.pieces import may_hold_cells, may_hold_ids, read_pieces


@pytest.fixture
def opened(tmp_path):
    """1,000 rows in row groups of 100, by declination, with a column of long texts."""
    dec = np.linspace(-50, 50, 1000)
    table = pa.table({"id": np.arange(1000), "ra": np.full(1000, 10.0), "dec": dec, "text": ["x" * 90] * 1000})
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=100)
    return open_catalogue(str(tmp_path / "rows.parquet"), "ra", "dec")


def everything(bounds):
    return True


@pytest.mark.parametrize(("rows", "n_piece"), [(2**20, 1), (250, 5), (100, 10), (30, 40)])
def test_pieces_together_are_the_table(opened, monkeypatch, rows, n_piece):
    """Small row groups are read together, large ones in parts."""
    monkeypatch.setattr(pieces, "PIECE", rows)
    found = list(read_pieces(opened, 0, ["id"], everything))
    assert len(found) == n_piece and max(map(len, found)) <= rows
    np.testing.assert_array_equal(pa.concat_tables(found)["id"], np.arange(1000))


def test_wide_columns_make_shorter_pieces(opened, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 2000)
    narrow, wide = (list(read_pieces(opened, 0, columns, everything)) for columns in (["id"], ["id", "text", "dec"]))
    assert len(wide) > len(narrow) and sum(map(len, wide)) == 1000


def test_only_row_groups_that_may_hold_an_id_are_read(opened):
    found = pa.concat_tables(list(read_pieces(opened, 0, ["id"], may_hold_ids("id", np.array([150, 199, 950])))))
    assert found["id"].to_pylist() == [*range(100, 200), *range(900, 1000)]
    assert list(read_pieces(opened, 0, ["id"], may_hold_ids("id", np.array([-5, 2000])))) == []
    assert sum(map(len, read_pieces(opened, 0, ["id"], may_hold_ids("nobody", np.array([1]))))) == 1000


def test_bounds_of_ids_are_inclusive():
    may_hold = may_hold_ids("id", np.array([10, 20]))
    held = [may_hold(lambda name, span=span: span) for span in ((0, 9), (0, 10), (11, 19), (20, 30), (21, 30), None)]
    assert held == [False, True, False, True, False, True]


def test_without_cells_row_groups_go_by_declination(opened):
    may_hold = may_hold_cells(opened, np.empty(0, np.int64), 5, (-1.0, 1.0))
    found = pa.concat_tables(list(read_pieces(opened, 0, ["dec"], may_hold)))
    assert len(found) == 200 and found["dec"].to_numpy().min() < -1 < 1 < found["dec"].to_numpy().max()


def test_with_cells_row_groups_go_by_them(tmp_path):
    """Cells of order 20 in the file, sought ones of order 12."""
    ra, dec = np.linspace(0, 300, 500), np.linspace(-80, 80, 500)
    cell = np.sort(cells_of(ra, dec))
    table = pa.table({"ra": ra, "dec": dec, "cell": cell >> 2 * (ORDER - 20)})
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=50)
    opened = open_catalogue(str(tmp_path), "ra", "dec")
    opened = replace(opened, healpix=HealpixColumn("cell", 20))
    sought = np.unique(cell[[120, 333]] >> 2 * (ORDER - 12))
    found = pa.concat_tables(list(read_pieces(opened, 0, ["cell"], may_hold_cells(opened, sought, 12, (89, 90)))))
    held = found["cell"].to_numpy()
    assert len(found) == 100 and np.isin(cell[[120, 333]] >> 2 * (ORDER - 20), held).all()
