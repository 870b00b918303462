"""Gaia's bulk files: the curves of DataLink, each file fetched once and only as its checksum says."""

import gzip
from dataclasses import replace
from hashlib import md5

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.answers.raw import RawStore
from tasks.archives.errors import ArchiveError, Retryable
from tasks.archives.plain import Files
from tasks.archives.services import PROFILES
from tasks.replica.cdn import Bulk, bulk_files
from tasks.stages.acquire.exchange import Exchange
from tasks.surveys import bulk_gaia, gaia
from tasks.surveys.gaia import OTHER_FLAGS
from tasks.surveys.gaia_layouts import EPOCHS, read_cdn
from tasks.surveys.neighbours import gaia_neighbours
from tasks.surveys.survey import Curves
from tests.unit.archives.wire_server import Asked, Reply, wire_server
from tests.unit.surveys import gaia_products as made
from tests.unit.surveys.bulk_sky import RELEASE, BulkSky, same_curves, write_hats

OPTIONS = {**gaia.OPTIONS, "route": "bulk"}


def fetch(ask, sky: BulkSky, **options):
    return gaia.fetch(ask, sky.sources, sky.neighbours, {**OPTIONS, **options})


def without_other_flags(curves: Curves) -> Curves:
    return replace(curves, batch=replace(curves.batch, flags=curves.batch.flags & ~OTHER_FLAGS.bit))


def test_the_files_give_the_curves_of_datalink(bulk):
    """OTHER_FLAGS aside, which is information only: the raw layout, DataLink's too, has fewer of its bits."""
    got, raw = fetch(bulk.exchange, bulk), bulk.served(gaia, structure="RAW")
    same_curves(got.curves, raw.curves)
    wide = bulk.served(gaia)
    same_curves(without_other_flags(got.curves), without_other_flags(wide.curves))
    assert got.rejected.equals(wide.rejected) and "no_product" in got.rejected["check"].to_pylist()
    assert len(got.curves.batch) > 300 and len(np.unique(got.curves.batch.flags)) > 3


def test_neighbours_from_a_catalogue_are_those_of_the_archive(bulk, tmp_path):
    catalogue = bulk.table("gaia", "gaiadr3.gaia_source")
    for epoch in ({}, {"hats_coordinate_epoch": "J2016.0"}):
        uri = write_hats(tmp_path / f"gaia{len(epoch)}", catalogue, max_rows=50, properties=epoch)
        assert gaia_neighbours(bulk.exchange, bulk.sources, RELEASE, uri=uri).equals(bulk.neighbours)
    assert bulk.neighbours.num_rows > 20


@given(st.lists(st.integers(0, 12 * 2**59 - 1), unique=True, min_size=1, max_size=60), st.data())
def test_the_files_that_cover_some_sources(ids, data):
    files = bulk_files(np.sort(np.array(ids, np.int64)))
    body = "".join(f"{md5(file.name.encode()).hexdigest()}  {file.name}\n" for file in files).encode()
    listed = bulk_gaia.read_list(body, RELEASE.bulk.file)
    wanted = np.array(data.draw(st.lists(st.sampled_from(ids), unique=True, min_size=1)), np.int64)
    expected = {file.name for file in files if np.isin(file.source_id, wanted).any()}
    got = bulk_gaia.find_covering(listed, wanted)
    assert set(got["file"].to_pylist()) == expected
    assert got["md5"].to_pylist() == [md5(name.encode()).hexdigest() for name in got["file"].to_pylist()]


def test_a_list_with_other_files_and_spellings():
    sums = [md5(bytes([i])).hexdigest() for i in range(3)]
    names = ["EpochPhotometry_003112-005263.csv.gz", "EpochPhotometry_000000-003111.csv.gz"]
    body = f"{sums[0].upper()} *./{names[0]}\r\n{sums[1]}  {names[1]}\n{sums[2]}  _citation.txt\n".encode()
    assert bulk_gaia.read_list(body, RELEASE.bulk.file).to_pylist() == [
        {"file": names[1], "md5": sums[1], "first": 0, "last": 3111},
        {"file": names[0], "md5": sums[0], "first": 3112, "last": 5263},
    ]
    for nothing in (b"", b"busy, come back later\n", f"{sums[2]}  _citation.txt\n".encode()):
        with pytest.raises(Retryable, match="names none"):
            bulk_gaia.read_list(nothing, RELEASE.bulk.file)


def test_a_long_file_is_read_in_blocks_as_in_one(monkeypatch):
    rows = made.transits(60, 12, seed=3)
    file = made.cdn_file(rows)
    whole = read_cdn(file)
    monkeypatch.setattr("tasks.surveys.gaia_layouts.BLOCK", len(gzip.decompress(file)) // 7)
    order = [(name, "ascending") for name in ("source_id", "transit_id", "band")]
    assert read_cdn(file).sort_by(order).equals(whole.sort_by(order))
    assert whole.num_rows > 1000 and not read_cdn(file).equals(whole)  # blocks one below the other, bands in each


def test_a_file_without_a_source():
    head = b"".join(gzip.decompress(made.cdn_file(made.transits(1, 1))).splitlines(keepends=True)[:-1])
    for body in (head, head.rstrip(b"\n")):
        assert read_cdn(gzip.compress(body)).equals(EPOCHS.empty_table())
        with pytest.raises(Retryable, match="cannot be unpacked"):
            read_cdn(gzip.compress(body)[:-6])


class Cdn:
    """The sky's bulk files on a server that damages the first `bad` answers about the largest of them."""

    def __init__(self, sky: BulkSky, bad: int) -> None:
        files = Bulk(sky.holdings)
        self.files = {name: files.path(name).read_bytes() for name in files.files}
        self.largest, self.bad = max(self.files, key=lambda name: len(self.files[name])), bad
        self.damaged = bytearray(self.files[self.largest])
        self.damaged[9] ^= 1  # in gzip's header, the name of the operating system: it unpacks all the same

    def __call__(self, asked: Asked) -> Reply:
        name = asked.path.lstrip("/")
        if name == RELEASE.bulk.list:
            lines = (f"{md5(body).hexdigest()}  {name}\n" for name, body in self.files.items())
            return Reply(body="".join(lines).encode())
        if name == self.largest and self.bad:
            self.bad -= 1
            return Reply(body=bytes(self.damaged))
        return Reply(body=self.files[name])


@pytest.fixture
def exchange_of(tmp_path):
    limits = replace(PROFILES["fast"]["gaia_cdn"], backoff_s=(0.001, 0.002))

    def make(url: str, **more) -> Exchange:
        clients = {} if more.get("offline") else {"gaia_cdn": Files("gaia_cdn", url, limits)}
        return Exchange(RawStore(tmp_path / "lake"), clients, {"gaia_cdn": limits}, tmp_path / "gates", "sky", "r1",
                        **more)  # fmt: skip

    return make


def stored(exchange: Exchange, cdn: Cdn) -> tuple[int, bool]:
    """How many answers are in the store, and whether the damaged file is among them."""
    blobs = [path.name.split(".")[0] for path in (exchange.raw.folder / "blobs").rglob("*.zst")]
    answers = [exchange.raw.answer(name) for name in blobs]
    return len(answers), bytes(cdn.damaged) in answers


def test_a_file_with_another_checksum_is_fetched_again_and_never_stored(bulk, exchange_of):
    cdn = Cdn(bulk, bad=2)
    with wire_server() as server:
        server.answer = cdn
        with exchange_of(server.url) as ask:
            got = fetch(ask, bulk)
            names = [asked.path.lstrip("/") for asked in server.asked]
            wanted = bulk.sources.filter(bulk.sources["has_epoch_photometry"])["source_id"].to_numpy()
            files = [file.name for file in Bulk(bulk.holdings).files.values() if np.isin(file.source_id, wanted).any()]
            assert sorted(names) == sorted([RELEASE.bulk.list, *files, cdn.largest, cdn.largest])
            assert stored(ask, cdn) == (len(files) + 1, False)
            fetch(ask, bulk)
        assert len(server.asked) == len(names)  # nothing twice
        with exchange_of("http://127.0.0.1:9", offline=True) as ask:
            same_curves(fetch(ask, bulk).curves, got.curves)
    same_curves(got.curves, bulk.served(gaia, structure="RAW").curves)


def test_a_file_that_never_has_its_checksum_ends_the_run_which_resumes(bulk, exchange_of):
    cdn = Cdn(bulk, bad=10**6)
    with wire_server() as server:
        server.answer = cdn
        with exchange_of(server.url) as ask, pytest.raises(ArchiveError, match=f"{cdn.largest} with checksum"):
            fetch(ask, bulk)
        n_stored, has_damaged = stored(ask, cdn)
        assert not has_damaged and n_stored >= 1
        cdn.bad = 0
        before = len(server.asked)
        with exchange_of(server.url) as ask:
            again = fetch(ask, bulk)
            assert stored(ask, cdn) == (len(server.asked) - before + n_stored, False)
    assert pc.all(pc.is_in(pa.array(again.curves.batch.source_id), bulk.sources["source_id"].combine_chunks())).as_py()
    same_curves(again.curves, fetch(bulk.exchange, bulk).curves)
