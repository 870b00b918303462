"""Crossmatch with catalogues on disk: HATS written by LSDB and by hand, plain Parquet; against the whole in memory."""

import shutil
import threading
import time
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from schemas import BadInput
from tasks.crossmatch import pieces
from tasks.crossmatch.catalogue import WHOLE_SKY, RowEpochs, open_catalogue
from tasks.crossmatch.cells import reach_of
from tasks.crossmatch.cover import cover
from tasks.crossmatch.ids import rows_by_id
from tasks.crossmatch.neighbours import neighbours
from tasks.crossmatch.partitions import crossmatch
from tasks.crossmatch.propagate import propagate
from tests.unit.crossmatch.hats_by_hand import write_hats

LAW = settings(max_examples=40, deadline=None)
POLES_AND_SEAMS = [
    (0.0, 90.0),
    (45.0, -90.0),
    (0.0, 0.0),
    (45.0, 41.8103),
    (90.0, 41.8103),
    (315.0, 0.0),
    (200.0, 30.0),
]


def scattered(draw, n, spread_deg=0.05):
    """Positions in clumps where partitions of HATS meet: poles, right ascension 0, corners of the twelve faces."""
    ra, dec = np.radians(np.array(POLES_AND_SEAMS)[draw.integers(0, len(POLES_AND_SEAMS), n)]).T
    centre = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)
    near = centre + draw.normal(0, np.radians(spread_deg), (n, 3))
    near /= np.linalg.norm(near, axis=-1, keepdims=True)
    return np.degrees(np.arctan2(near[:, 1], near[:, 0])) % 360, np.degrees(np.arcsin(np.clip(near[:, 2], -1, 1)))


def objects(draw, n, spread_deg=0.05):
    ra, dec = scattered(draw, n, spread_deg)
    return pa.table({"objID": np.arange(n) + 7_000_000, "ra": ra, "dec": dec, "mag": draw.uniform(14, 21, n)})


def joined(tables):
    """All candidates, by source and rank."""
    return pa.concat_tables(list(tables)).sort_by([("row", "ascending"), ("rank", "ascending")])


def assert_as_in_memory(tables, sources, catalogue, radius):
    """Rows, ids, separations, ranks and numbers of candidates are those of the match of the two whole tables."""
    truth = neighbours(
        *(sources[name].to_numpy() for name in ("ra", "dec")),
        *(catalogue[name].to_numpy() for name in ("ra", "dec")),
        radius,
    )
    tables = list(tables)
    seen = np.concatenate([np.unique(table["row"].to_numpy()) for table in tables]) if tables else np.empty(0, int)
    assert np.unique(seen).size == seen.size, "the candidates of a source are spread over several tables"
    assert seen.size == np.unique(truth.i).size
    if seen.size:
        found = joined(tables)
        np.testing.assert_array_equal(found["row"].to_numpy(), truth.i)
        np.testing.assert_array_equal(found["objID"].to_numpy(), catalogue["objID"].to_numpy()[truth.j])
        np.testing.assert_array_equal(found["sep_arcsec"].to_numpy(), truth.sep_arcsec)
        np.testing.assert_array_equal(found["rank"].to_numpy(), truth.rank())
        np.testing.assert_array_equal(found["n_candidates"].to_numpy(), truth.n_candidates())
    return truth


@pytest.fixture(scope="module")
def draw():
    return np.random.default_rng(12)


@pytest.fixture(scope="module")
def catalogue(draw):
    return objects(draw, 4000)


@pytest.fixture(scope="module")
def sources(draw):
    ra, dec = scattered(draw, 1500)
    return pa.table({"ra": ra, "dec": dec})


def test_a_catalogue_that_lsdb_wrote(tmp_path, catalogue, sources):
    lsdb = pytest.importorskip("lsdb")
    theirs = lsdb.from_dataframe(
        catalogue.to_pandas(), ra_column="ra", dec_column="dec", partition_rows=1000, margin_threshold=None
    )
    theirs.write_catalog(tmp_path / "theirs", progress_bar=False)
    opened = open_catalogue(str(tmp_path / "theirs"))
    assert len(opened.paths) > 10 and np.unique(opened.stop - opened.start).size > 1
    truth = assert_as_in_memory(crossmatch(sources, opened, 30.0, ["objID"]), sources, catalogue, 30.0)
    assert truth.i.size > 500


@pytest.mark.parametrize("suffix", [".parquet", "/", ".snappy.parquet"])
@pytest.mark.parametrize("has_list", [True, False])
def test_hats_with_its_freedoms(tmp_path, catalogue, sources, suffix, has_list):
    uri = write_hats(tmp_path / "by_hand", catalogue, suffix=suffix, has_list=has_list)
    assert_as_in_memory(crossmatch(sources, open_catalogue(uri), 30.0, ["objID"]), sources, catalogue, 30.0)


def test_hats_from_a_server(tmp_path, catalogue, sources):
    """Public HATS catalogues are served over HTTP, where folders cannot be listed."""
    pytest.importorskip("aiohttp")
    write_hats(tmp_path / "public" / "by_hand", catalogue)
    (tmp_path / "public" / "collection.properties").write_text("hats_primary_table_url=by_hand")
    served = [Mount("/", StaticFiles(directory=tmp_path))]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=served), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        opened = open_catalogue(f"http://127.0.0.1:{port}/public")
        few = sources.slice(0, 100)
        assert_as_in_memory(crossmatch(few, opened, 30.0, ["objID"]), few, catalogue, 30.0)
        with pytest.raises(BadInput, match="say which columns"):
            open_catalogue(f"http://127.0.0.1:{port}/nowhere")
    finally:
        server.should_exit = True
        thread.join()


@LAW
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 60),
    st.integers(1, 120),
    st.floats(-1, 4.5),
    st.integers(1, 50),
    st.booleans(),
)
def test_partitions_change_nothing(seed, n_source, n_object, log_radius, max_rows, is_shuffled):
    """Whatever the radius beside the size of partitions, and the order of rows: as if all were in memory."""
    draw, radius = np.random.default_rng(seed), 10.0**log_radius
    catalogue = objects(draw, n_object, spread_deg=radius / 3600)
    ra, dec = scattered(draw, n_source, spread_deg=radius / 3600)
    sources = pa.table({"ra": ra, "dec": dec})
    uri = f"memory://law/{seed}"
    write_hats(uri, catalogue, max_rows, highest=12, row_group=7, shuffle=draw if is_shuffled else None)
    try:
        assert_as_in_memory(crossmatch(sources, open_catalogue(uri), radius, ["objID"]), sources, catalogue, radius)
    finally:
        fsspec.filesystem("memory").rm("/law", recursive=True)


@pytest.mark.parametrize("piece", [2**20, 90, 10])
def test_plain_parquet_in_pieces(tmp_path, monkeypatch, catalogue, sources, piece):
    monkeypatch.setattr(pieces, "PIECE", piece)
    for k in range(3):
        pq.write_table(
            catalogue.slice(k * 1400, 1400), tmp_path / f"part{k}.parquet", row_group_size=[64, 2000, 100][k]
        )
    (tmp_path / "notes.txt").write_text("not a table")
    opened = open_catalogue(str(tmp_path), "ra", "dec")
    assert (opened.start, opened.stop) == (0, WHOLE_SKY)
    assert_as_in_memory(crossmatch(sources, opened, 30.0, ["objID"]), sources, catalogue, 30.0)
    read = [len(table) for table in pieces.read_pieces(opened, 0, ["ra", "dec"], lambda _: True)]
    assert sum(read) == 4000 and max(read) <= piece
    one = open_catalogue(str(tmp_path / "part1.parquet"), "ra", "dec")
    assert_as_in_memory(crossmatch(sources, one, 30.0, ["objID"]), sources, catalogue.slice(1400, 1400), 30.0)


def test_wide_columns_make_short_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 8000)
    wide = pa.table({"ra": np.linspace(0, 1, 500), "dec": np.zeros(500), "curve": [list(range(100))] * 500})
    pq.write_table(wide, tmp_path / "wide.parquet", use_dictionary=False)
    opened = open_catalogue(str(tmp_path), "ra", "dec")
    sizes = [[len(t) for t in pieces.read_pieces(opened, 0, names, lambda _: True)] for names in (["ra"], ["curve"])]
    assert sizes[0] == [500] and sum(sizes[1]) == 500 and max(sizes[1]) < 20


def test_only_partitions_within_reach_are_read(tmp_path, catalogue, sources):
    """Partitions that the sample does not touch may as well not exist; one that it touches may not be missing."""
    uri = write_hats(tmp_path / "by_hand", catalogue)
    few = sources.filter(pa.array(sources["dec"].to_numpy() > 80))
    before = [table.to_pydict() for table in crossmatch(few, open_catalogue(uri), 30.0, ["objID"])]
    opened = open_catalogue(uri)
    north = opened.start < WHOLE_SKY // 3
    assert 0 < north.sum() < north.size
    for path in np.array(opened.paths)[~north]:
        Path(path).unlink()
    assert [table.to_pydict() for table in crossmatch(few, open_catalogue(uri), 30.0, ["objID"])] == before
    with pytest.raises(FileNotFoundError):
        list(crossmatch(sources, open_catalogue(uri), 30.0))


@pytest.mark.parametrize("is_indexed", [True, False])
def test_row_groups_out_of_reach_are_not_read(tmp_path, is_indexed):
    """Their bytes are ruined: by cells where the catalogue has a column of them, else by declination."""
    n = 8000
    dec = np.linspace(-1, 1, n)
    table = pa.table({"objID": np.arange(n), "ra": np.full(n, 90.5), "dec": dec})
    uri = write_hats(tmp_path / "by_hand", table, max_rows=n, highest=0, row_group=500)
    if not is_indexed:
        said = Path(uri, "hats.properties")
        said.write_text("\n".join(line for line in said.read_text().splitlines() if "healpix" not in line))
    opened = open_catalogue(uri)
    (path,) = opened.paths
    metadata = pq.ParquetFile(path).metadata
    sources = pa.table({"ra": [90.5], "dec": [0.5]})
    with open(path, "r+b") as file:
        for group in range(metadata.num_row_groups):
            for leaf in range(3):
                column = metadata.row_group(group).column(leaf)
                span = metadata.row_group(group).column(2).statistics
                if not span.min - 0.2 < 0.5 < span.max + 0.2:
                    file.seek(column.data_page_offset)
                    file.write(b"\xff" * 64)
    (found,) = crossmatch(sources, opened, 2.0, ["objID"])
    assert np.abs(dec[found["objID"].to_numpy()] - 0.5).max() < 2 / 3600
    with pytest.raises(OSError):
        pq.read_table(path)


def test_a_disc_inside_a_partition_touches_no_other():
    edges = np.concatenate([np.arange(0, 24) * 4**28, 24 * 4**28 + np.arange(0, 97) * 4**27])  # two orders
    start, stop, everyone = edges[:-1], edges[1:], np.arange(120)
    centre = start + (stop - start) // 4 * 3  # where the four cells of the next order meet
    position, partition = cover(centre, start, stop, reach_of(np.radians(1.0)))
    np.testing.assert_array_equal(position, everyone)
    np.testing.assert_array_equal(partition, everyone)
    position, partition = cover(centre, start, stop, reach_of(np.radians(8.0)))  # all around the smaller ones
    assert np.unique(position).size == 120 and 24 + 96 * 6 < position.size < 24 + 96 * 9
    assert np.all(np.diff(position * 120 + partition) > 0)


def test_missing_positions_match_nothing(tmp_path):
    table = pa.table(
        {
            "objID": [1, 2, 3, 4, 5],
            "ra": pa.array([10.0, -999.0, None, np.nan, 10.0]),
            "dec": pa.array([0.0, -999.0, None, 0.0, -999.0]),
        }
    )
    pq.write_table(table, tmp_path / "part.parquet")
    opened = open_catalogue(str(tmp_path), "ra", "dec")
    found = joined(crossmatch(pa.table({"ra": [10.0, 81.0], "dec": [0.0, -89.0]}), opened, 5000.0, ["objID"]))
    assert found["objID"].to_pylist() == [1]


def test_sources_move_to_the_epoch_of_the_catalogue(tmp_path, draw, catalogue):
    """A catalogue of J2000 positions of fast stars: all found once they are moved, hardly any before."""
    n = len(catalogue)
    motion = {name: draw.choice([-1, 1], n) * draw.uniform(200, 9000, n) for name in ("pmra", "pmdec")}
    sources = pa.table({"ra": catalogue["ra"], "dec": catalogue["dec"], **motion, "ref_epoch": np.full(n, 2016.0)})
    ra, dec = propagate(sources["ra"], sources["dec"], *motion.values(), None, 2016.0, 2000.0)
    table = pa.table({"objID": catalogue["objID"], "ra": ra, "dec": dec})
    uri = write_hats(tmp_path / "by_hand", table, properties={"hats_coordinate_epoch": "J2000"})
    found = joined(crossmatch(sources, open_catalogue(uri), 0.1, ["objID"]))
    nearest = found.filter(pa.array(found["rank"].to_numpy() == 1))
    np.testing.assert_array_equal(nearest["row"], np.arange(n))
    np.testing.assert_array_equal(nearest["objID"], catalogue["objID"])
    assert nearest["sep_arcsec"].to_numpy().max() < 1e-9
    unmoved = list(crossmatch(sources.drop_columns(["pmra", "pmdec"]), open_catalogue(uri), 0.1, ["objID"]))
    assert sum(map(len, unmoved)) < 10
    assert open_catalogue(uri, epoch=2012.5).epoch == 2012.5
    with pytest.raises(BadInput, match="give the sources a ref_epoch"):
        list(crossmatch(sources.drop_columns(["ref_epoch"]), open_catalogue(uri), 0.1))


def test_rows_with_epochs_of_their_own(tmp_path, draw, catalogue):
    """Each object stands where its star was at its own epoch; the margin reaches partitions that stars crossed."""
    n = len(catalogue)
    motion = {name: draw.choice([-1, 1], n) * draw.uniform(0, 9000, n) for name in ("pmra", "pmdec")}
    sources = pa.table({"ra": catalogue["ra"], "dec": catalogue["dec"], **motion, "ref_epoch": np.full(n, 2016.0)})
    year = draw.uniform(2009.5, 2015.5, n)
    ra, dec = propagate(sources["ra"], sources["dec"], *motion.values(), None, 2016.0, year)
    mjd = 51_544.5 + 365.25 * (year - 2000)
    table = pa.table({"objID": catalogue["objID"], "ra": ra, "dec": dec, "epochMean": mjd})
    uri = write_hats(tmp_path / "by_hand", table, max_rows=40, highest=11)
    opened = open_catalogue(uri)
    found = joined(crossmatch(sources, opened, 0.05, ["objID"], RowEpochs("epochMean", 2012.5, 3.0)))
    right = catalogue["objID"].to_numpy()[found["row"]] == found["objID"].to_numpy()
    assert right.sum() == n and found["sep_arcsec"].to_numpy()[right].max() < 1e-6
    at_the_middle = sum(map(len, crossmatch(sources, open_catalogue(uri, epoch=2012.5), 0.05, ["objID"])))
    assert at_the_middle < 0.05 * n
    with pytest.raises(BadInput, match=r"a 'epochMean' up to \d\.\d\d years from 2012\.5"):
        list(crossmatch(sources, opened, 0.05, ["objID"], RowEpochs("epochMean", 2012.5, 1.0)))
    with pytest.raises(BadInput, match="give the sources a ref_epoch"):
        unknown = sources.drop_columns(["ref_epoch"])
        list(crossmatch(unknown, opened, 0.05, ["objID"], RowEpochs("epochMean", 2012.5, 3.0)))


def test_nested_columns_and_projection(tmp_path):
    curve = pa.array([{"hmjd": [1.0, 2.0], "mag": [15.0, 15.1]}] * 50)
    table = pa.table({"objID": np.arange(50), "ra": np.linspace(0, 1, 50), "dec": np.zeros(50), "lightcurve": curve})
    opened = open_catalogue(write_hats(tmp_path / "by_hand", table))
    (found,) = crossmatch(pa.table({"ra": [0.0], "dec": [0.0]}), opened, 1.0, ["lightcurve.mag", "ra"])
    assert found.column_names == ["row", "lightcurve", "ra", "sep_arcsec", "rank", "n_candidates"]
    assert found["lightcurve"].to_pylist() == [{"mag": [15.0, 15.1]}]


def test_nothing_to_match(tmp_path, catalogue):
    opened = open_catalogue(write_hats(tmp_path / "by_hand", catalogue))
    assert list(crossmatch(pa.table({"ra": [], "dec": []}), opened, 1.0)) == []
    assert list(crossmatch(pa.table({"ra": [123.0], "dec": [45.0]}), opened, 1.0)) == []


def test_refusals(tmp_path, catalogue):
    uri = write_hats(tmp_path / "by_hand", catalogue)
    one = pa.table({"ra": [1.0], "dec": [2.0]})
    with pytest.raises(BadInput, match=r"has no column 'objid'; it has .*objID"):
        list(crossmatch(one, open_catalogue(uri), 1.0, ["objid"]))
    with pytest.raises(BadInput, match="1 of 1 positions are not on the sphere"):
        list(crossmatch(pa.table({"ra": [np.nan], "dec": [2.0]}), open_catalogue(uri), 1.0))
    with pytest.raises(BadInput, match="say which columns hold"):
        open_catalogue(str(tmp_path))
    with pytest.raises(BadInput, match="no such file or folder"):
        open_catalogue(str(tmp_path / "nowhere"), "ra", "dec")
    with pytest.raises(BadInput, match="has no column 'RAJ2000'"):
        open_catalogue(str(tmp_path / "by_hand" / "dataset"), "RAJ2000", "dec")
    with pytest.raises(BadInput, match="type 'margin'"):
        open_catalogue(write_hats(tmp_path / "margin", catalogue, properties={"dataproduct_type": "margin"}))
    with pytest.raises(BadInput, match="frame 'galactic'"):
        open_catalogue(write_hats(tmp_path / "galactic", catalogue, properties={"hats_frame": "galactic"}))
    Path(tmp_path, "by_hand", "partition_info.csv").write_text("Norder,Npix\n0,4\n1,17\n")
    with pytest.raises(BadInput, match="partitions overlap"):
        open_catalogue(uri)


# -- rows by their ids -------------------------------------------------------------------------------------------------


def test_rows_by_id_are_all_their_rows(tmp_path, catalogue, draw):
    twice = pa.concat_tables([catalogue, catalogue])  # detections: several rows an object
    opened = open_catalogue(write_hats(tmp_path / "by_hand", twice, max_rows=500))
    chosen = draw.choice(len(catalogue), 60, replace=False)
    ids = catalogue["objID"].to_numpy()[chosen]
    found = pa.concat_tables(list(rows_by_id(opened, "objID", [*ids, 5, 6], ["mag"])))
    assert found.column_names == ["objID", "mag"]
    np.testing.assert_array_equal(np.sort(found["objID"]), np.sort(np.repeat(ids, 2)))
    near = tuple(catalogue[name].to_numpy()[chosen] for name in ("ra", "dec"))
    again = pa.concat_tables(list(rows_by_id(opened, "objID", ids, ["mag"], near)))
    assert again.equals(found)
    shutil.rmtree(tmp_path / "by_hand" / "dataset" / "Norder=0", ignore_errors=True)
    assert list(rows_by_id(opened, "objID", ids[:0], near=(near[0][:0], near[1][:0]))) == []


def test_ids_that_are_text(tmp_path, catalogue):
    text = catalogue.append_column("ID", catalogue["objID"].cast(pa.string()))
    pq.write_table(text, tmp_path / "tic.parquet", row_group_size=100)
    opened = open_catalogue(str(tmp_path), "ra", "dec")
    found = pa.concat_tables(list(rows_by_id(opened, "ID", ["7000003", "7003999", "nobody"])))
    assert sorted(found["objID"].to_pylist()) == [7_000_003, 7_003_999] and "mag" in found.column_names
    with pytest.raises(BadInput, match="'ID' is of type string, the ids are of type int64"):
        list(rows_by_id(opened, "ID", [7_000_003]))
