"""Rows of catalogues by position and by id: all of them, out of no more files than must be, within limits."""

import asyncio
import shutil
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from lakehouse.answers.ledger import ledger_rows
from lakehouse.answers.raw import RawStore
from schemas import BadInput
from tasks.archives import hats
from tasks.archives.errors import ArchiveError, BadQuestion, Refused
from tasks.archives.hats import Hats
from tasks.archives.services import PROFILES
from tasks.crossmatch.catalogue import Catalogue, open_catalogue
from tasks.crossmatch.neighbours import neighbours
from tasks.stages.acquire.exchange import Exchange
from tasks.surveys import bulk
from tests.unit.crossmatch.hats_by_hand import write_hats
from tests.unit.surveys.bulk_sky import read_alone

FAR = pa.table({"source_id": [1], "ra": [100.0], "dec": [-20.0]})
COLUMNS = {"objid": pa.int64(), "mag": pa.float64()}


def sky(n, seed=1, spread_deg=0.02):
    """Positions in clumps at the poles, at right ascension 0, and elsewhere."""
    draw = np.random.default_rng(seed)
    where = np.array([(0.0, 89.99), (180.0, -89.99), (0.0, 0.0), (45.0, 41.81), (210.0, 30.0)])
    ra, dec = (where[draw.integers(0, len(where), n)] + draw.normal(0, spread_deg, (n, 2))).T
    return pa.table({"ra": ra % 360, "dec": np.clip(dec, -90, 90)})


@pytest.fixture(scope="module")
def catalogue():
    draw = np.random.default_rng(7)
    return sky(3000).append_column("objID", pa.array(np.arange(3000) + 10**15)).append_column(
        "MAG", pa.array(draw.uniform(10, 20, 3000).astype(np.float32)))  # fmt: skip


@pytest.fixture(scope="module")
def places():
    return sky(400, seed=2).append_column("source_id", pa.array(np.arange(400) * 3))


def pairs(table, one, other):
    return sorted(zip(table[one].to_pylist(), table[other].to_pylist(), strict=True))


def near(uri, places, radius, columns=COLUMNS, ask=read_alone):
    return bulk.rows_near(ask, bulk.FileTable(uri, "r1", columns), places, radius)


def of_ids(uri, key, items, columns=COLUMNS, ask=read_alone):
    return bulk.rows_of_ids(ask, bulk.FileTable(uri, "r1", columns), key, items)


@pytest.fixture
def exchange(tmp_path):
    """Makes exchanges that know catalogues alone, with one store and one folder of gates."""

    def make(lake="lake", **changes):
        limits = replace(PROFILES["fast"]["hats"], backoff_s=(0.001, 0.002), **changes)
        clients, store = {"hats": Hats("hats", "", limits)}, RawStore(tmp_path / lake)
        return Exchange(store, clients, {"hats": limits}, tmp_path / "gates", "sky", "run1")

    return make


@pytest.mark.parametrize("form", ["hats", "parquet"])
def test_rows_near_are_all_pairs_however_they_are_asked(tmp_path, catalogue, places, exchange, form):
    uri = str(tmp_path / "cat")
    if form == "hats":
        write_hats(uri, catalogue, max_rows=60)
    else:
        uri += ".parquet"
        pq.write_table(catalogue.rename_columns(["RA", "Dec", "objID", "MAG"]), uri, row_group_size=100)
    truth = neighbours(*(t[name].to_numpy() for t in (places, catalogue) for name in ("ra", "dec")), 20.0)
    expected = sorted(zip(places["source_id"].to_numpy()[truth.i].tolist(),
                          catalogue["objID"].to_numpy()[truth.j].tolist(), strict=True))  # fmt: skip
    assert len(expected) > 300
    for number, chunk in enumerate((7, 150, 400)):
        with exchange(f"lake{number}", chunk=chunk) as ask:
            got = near(uri, places, 20.0, ask=ask)
            assert ask.counts()["hats"]["requests"] == -(-places.num_rows // chunk)
        assert got.column_names == ["source_id", *COLUMNS] and got["mag"].type == pa.float64()
        assert pairs(got, "source_id", "objid") == expected
        assert got["source_id"].to_pylist() == sorted(got["source_id"].to_pylist())


@pytest.mark.parametrize("form", ["hats", "parquet"])
def test_rows_of_ids_come_once_however_often_they_are_wanted(tmp_path, catalogue, exchange, form):
    """An object of two sources is wanted from two places, which may lie in two partitions, the object in a third."""
    twice = pa.concat_tables([catalogue, catalogue])  # as detections, several to an object
    uri = write_hats(tmp_path / "cat", twice, max_rows=20, highest=13)
    if form == "parquet":
        uri = str(tmp_path / "one.parquet")
        pq.write_table(twice, uri, row_group_size=300)
    draw = np.random.default_rng(3)
    wanted = catalogue.take(draw.integers(0, 3000, 500))
    north = draw.uniform(-30, 30, 500) / 3600
    items = pa.table({"objid": wanted["objID"], "ra": wanted["ra"], "dec": np.clip(wanted["dec"] + north, -90, 90)})
    with exchange(chunk=40) as ask:
        got = of_ids(uri, "objid", pa.concat_tables([items, items.set_column(2, "dec", wanted["dec"])]), ask=ask)
    ids = np.unique(wanted["objID"].to_numpy())
    np.testing.assert_array_equal(got["objid"].to_numpy(), np.repeat(ids, 2))
    unknown = pa.table({"objid": [5], "ra": [0.0], "dec": [0.0]})
    assert of_ids(uri, "objid", unknown).num_rows == 0 == near(uri, FAR, 1.0).num_rows


def test_a_request_is_about_a_patch_of_the_sky(tmp_path, exchange, monkeypatch):
    """Ids say nothing of where they are: in their order every request would read every partition."""
    read, draw = [], np.random.default_rng(5)
    items = pa.table({"objid": draw.permutation(3000), "ra": draw.uniform(200, 220, 3000),
                      "dec": draw.uniform(25, 40, 3000)})  # fmt: skip
    uri = write_hats(tmp_path / "cat", items.append_column("mag", items["dec"]), max_rows=60)
    monkeypatch.setattr(Catalogue, "files", lambda self, n, files=Catalogue.files: read.append(n) or files(self, n))
    with exchange(chunk=300) as ask:
        got = of_ids(uri, "objid", items, ask=ask)
        assert ask.counts()["hats"]["requests"] == 10
    assert got["objid"].to_pylist() == list(range(3000))
    n_part = len(open_catalogue(uri).paths)
    assert n_part > 60 and len(read) < 2 * n_part, f"{len(read)} reads of {n_part} partitions"


def test_row_groups_far_from_the_rows_are_not_read(tmp_path):
    """Those beyond declination 30.5 are damaged in the file; that they cannot be read is seen when all are wanted."""
    draw = np.random.default_rng(5)
    whole = pa.table({"ra": draw.uniform(205, 215, 2000), "dec": draw.uniform(25, 35, 2000),
                      "objid": draw.permutation(2000), "mag": np.zeros(2000)})  # fmt: skip
    uri = write_hats(tmp_path / "cat", whole, max_rows=10**6, highest=0, row_group=40)
    (path,) = Path(uri).rglob("Npix=*.parquet")  # one file, so that only its row groups can be left out
    body, file = bytearray(path.read_bytes()), pq.ParquetFile(path)
    dec = file.schema_arrow.names.index("dec")
    far = [g for g in map(file.metadata.row_group, range(file.num_row_groups)) if g.column(dec).statistics.min > 30.5]
    assert 10 < len(far) < file.num_row_groups - 10
    for column in (group.column(i) for group in far for i in range(group.num_columns)):
        start = column.dictionary_page_offset or column.data_page_offset
        body[start : start + column.total_compressed_size] = bytes(column.total_compressed_size)
    path.write_bytes(body)
    south = whole.filter(pc.less(whole["dec"], 29.0))
    assert of_ids(uri, "objid", south).num_rows == len(south) > 500
    assert near(uri, south.append_column("source_id", south["objid"]), 1.0).num_rows == len(south)
    with pytest.raises(BadQuestion, match=r"could not be read \(OSError"):
        of_ids(uri, "objid", whole)


def test_nothing_known_is_null(tmp_path):
    table = pa.table({"ra": [1.0, 1.0, 1.0], "dec": [2.0, 2.0, 2.0], "Teff": [np.nan, None, 6000.0],
                      "disposition": pa.array(["", None, "SPLIT"]).dictionary_encode(),
                      "duplicate_id": [np.nan, 7.0, None]})  # fmt: skip
    uri = write_hats(tmp_path / "cat", table)
    kinds = {"teff": pa.float64(), "disposition": pa.string(), "duplicate_id": pa.int64()}
    got = near(uri, pa.table({"source_id": [4], "ra": [1.0], "dec": [2.0]}), 1.0, kinds)
    rows = {(row["source_id"], row["teff"], row["disposition"], row["duplicate_id"]) for row in got.to_pylist()}
    assert rows == {(4, None, None, None), (4, None, None, 7), (4, 6000.0, "SPLIT", None)}


def test_what_is_no_such_catalogue_is_refused(tmp_path, catalogue, places):
    uri = write_hats(tmp_path / "cat", catalogue)
    with pytest.raises(BadQuestion, match="lacks 2 of 3 columns, first 'Teff'; it has ra, dec, objID, MAG"):
        near(uri, places, 1.0, {"mag": pa.float64(), "Teff": pa.float64(), "rad": pa.float64()})
    with pytest.raises(BadInput, match="has other values in 'MAG' than int64"):
        near(uri, places, 30.0, {"mag": pa.int64()})
    items = pa.table({"mag": [5], "ra": [0.0], "dec": [0.0]})
    with pytest.raises(BadQuestion, match="holds the ids in 'MAG' as float, which has not digits enough"):
        of_ids(uri, "mag", items, {"mag": pa.int64()})
    with pytest.raises(BadQuestion, match="there is no such file or folder"):
        near(str(tmp_path / "nowhere"), places, 1.0)
    pq.write_table(catalogue.drop_columns(["ra"]), tmp_path / "no.parquet")
    with pytest.raises(BadQuestion, match="has no column 'ra'; it has MAG, dec, objID"):
        near(str(tmp_path / "no.parquet"), places, 1.0)
    with pytest.raises(BadQuestion, match=r"read from files, http\(s\):// and s3://, not from ftp://"):
        near("ftp://host/cat", places, 1.0)


def test_a_bucket_without_its_package_says_what_to_install(places, monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(BadQuestion, match=r"s3://bucket/otmo cannot be read without another package \(.*s3fs.*pip"):
        near("s3://bucket/otmo", places, 1.0)


def test_a_catalogue_that_lacks_a_file_is_named_at_once_and_the_run_goes_on_from_there(
    tmp_path, catalogue, places, exchange
):
    uri = write_hats(tmp_path / "cat", catalogue, max_rows=60)
    for path in list(Path(uri).rglob("Npix=*.parquet"))[1::2]:
        path.unlink()
    with exchange(chunk=20, parallel=1) as ask:
        with pytest.raises(BadQuestion, match=r"could not be read \(FileNotFoundError: .*Npix=.*; nothing is lost"):
            near(uri, places, 20.0, ask=ask)
        (failed,) = [record for record in ask.records_since(0.0) if record.state == "failed"]
        assert len(failed.attempts) == 1
    write_hats(tmp_path / "cat", catalogue, max_rows=60)
    with exchange(chunk=20) as ask:
        assert near(uri, places, 20.0, ask=ask).num_rows > 300


def test_the_ledger_tells_of_every_read_and_nothing_is_read_twice(tmp_path, catalogue, places, exchange):
    uri = write_hats(tmp_path / "cat", catalogue, max_rows=60)
    with exchange(chunk=100) as ask:
        got = near(uri, places, 20.0, ask=ask)
        rows = ledger_rows(ask.records_since(0.0)).to_pylist()
    assert len(rows) == 4 and {row["service"] for row in rows} == {"hats"}
    assert {row["text"] for row in rows} == {f"{uri}\ncolumns=objid,mag\nposition=ra,dec\nradius_arcsec=20.0"}
    assert sum(row["n_row"] for row in rows) == got.num_rows and sum(row["n_item"] for row in rows) == 400
    told = {"release": "r1", "status": "done", "n_attempt": 1, "run_id": "run1"}
    assert all(told.items() <= row.items() and row["seconds"] > 0 and row["n_byte"] > 0 for row in rows)
    assert len({row["content_hash"] for row in rows}) == len({row["request_hash"] for row in rows}) == 4
    shutil.rmtree(uri)
    with exchange() as ask:
        assert near(uri, places, 20.0, ask=ask).equals(got)


def test_programs_keep_one_limit_together(tmp_path, catalogue, places, exchange, monkeypatch):
    uri = write_hats(tmp_path / "cat", catalogue, max_rows=60)
    at_work, most, lock = [0], [0], threading.Lock()

    def slow_rows(*arguments, rows=hats._rows):
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        time.sleep(0.02)
        try:
            return rows(*arguments)
        finally:
            with lock:
                at_work[0] -= 1

    monkeypatch.setattr(hats, "_rows", slow_rows)
    limits = {"chunk": 40, "parallel": 2}
    with exchange("one", **limits) as one, exchange("other", **limits) as other, ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda ask: near(uri, places, 20.0, ask=ask), (one, other))
    assert first.equals(second) and most == [2]


@contextmanager
def faulty_server(folder, n_fault, hang_s=0.0, status=503):
    """Serves a folder; the first `n_fault` requests for a partition wait, and are answered with another status."""
    files, faults, lock = StaticFiles(directory=folder), [n_fault], threading.Lock()

    async def app(scope, receive, send):
        with lock:
            is_fault = faults[0] > 0 and "Npix" in scope["path"]
            faults[0] -= is_fault
        if is_fault:
            await asyncio.sleep(hang_s)
        await (PlainTextResponse("no", status) if is_fault else files)(scope, receive, send)

    server = uvicorn.Server(uvicorn.Config(Starlette(routes=[Mount("/", app)]), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join()


def test_a_server_that_recovers_is_asked_again_and_one_that_does_not_is_left(tmp_path, catalogue, places, exchange):
    pytest.importorskip("aiohttp")
    uri = write_hats(tmp_path / "cat", catalogue, max_rows=1000)
    few = places.slice(0, 60)
    expected = pairs(near(uri, few, 20.0), "source_id", "objid")
    with faulty_server(tmp_path, n_fault=2) as base, exchange() as ask:
        assert pairs(near(f"{base}/cat", few, 20.0, ask=ask), "source_id", "objid") == expected
        (row,) = ledger_rows(ask.records_since(0.0)).to_pylist()
        assert row["n_attempt"] > 1 and "could not be read (FileNotFoundError" in row["last_error"]
    said = r"hats failed 5 times to answer a request .*could not be read \(FileNotFoundError: .*run the same command"
    with (
        faulty_server(tmp_path, 10**6) as base,
        exchange(halve_after=9) as ask,
        pytest.raises(ArchiveError, match=said),
    ):
        near(f"{base}/cat", few, 20.0, ask=ask)


@pytest.mark.parametrize(
    ("status", "kind", "n_attempt"), [(403, Refused, 1), (404, BadQuestion, 1), (429, ArchiveError, 5)]
)
def test_only_what_may_pass_is_asked_again(tmp_path, catalogue, places, exchange, status, kind, n_attempt):
    pytest.importorskip("aiohttp")
    write_hats(tmp_path / "cat", catalogue, max_rows=10**6, highest=0)
    with faulty_server(tmp_path, n_fault=10**6, status=status) as base, exchange(halve_after=9) as ask:
        with pytest.raises(kind, match="could not be read"):
            near(f"{base}/cat", places, 20.0, ask=ask)
        (record,) = ask.records_since(0.0)
    assert len(record.attempts) == n_attempt and record.state == "failed"


def test_a_server_that_hangs_is_left_after_the_timeout(tmp_path, catalogue, places, exchange):
    pytest.importorskip("aiohttp")
    uri = write_hats(tmp_path / "cat", catalogue, max_rows=10**6, highest=0)
    few = places.slice(0, 20)
    expected = pairs(near(uri, few, 20.0), "source_id", "objid")
    began = time.monotonic()
    with faulty_server(tmp_path, n_fault=2, hang_s=30.0) as base, exchange(timeout_s=0.5) as ask:
        assert pairs(near(f"{base}/cat", few, 20.0, ask=ask), "source_id", "objid") == expected
        (row,) = ledger_rows(ask.records_since(0.0)).to_pylist()
    assert row["n_attempt"] == 2 and time.monotonic() - began < 15, row["last_error"]
