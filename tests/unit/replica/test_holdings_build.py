"""Holdings are made once, the same every time, whole or not at all, and read without a way to anything else."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from tasks.replica.holdings import HOLDINGS_VERSION, Holdings, build
from tests.unit.replica.held_sky import N, holdings, query
from tests.unit.replica.served_sky import SEED as SMALL_SEED
from tests.unit.replica.served_sky import N as SMALL_N
from tests.unit.replica.served_sky import small_sky

SERVICES = ("gaia", "ps1", "tic", "irsa", "vizier")


def contents(path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(path.iterdir()) if file.is_file()}


def test_the_same_sky_is_held_the_same_and_made_once(tmp_path):
    one, other = build(tmp_path, SMALL_N, SMALL_SEED), small_sky().path
    assert contents(one).keys() == contents(other).keys()
    for name in contents(one):
        if name.endswith(".parquet"):
            assert pq.read_table(one / name).equals(pq.read_table(other / name)), name
        else:
            assert (one / name).read_bytes() == (other / name).read_bytes(), name
    before = {file.name: file.stat().st_mtime_ns for file in one.iterdir()}
    assert build(tmp_path, SMALL_N, SMALL_SEED) == one
    assert {file.name: file.stat().st_mtime_ns for file in one.iterdir()} == before


def test_an_object_is_held_the_same_whatever_the_size_of_the_sky(tmp_path):
    small, large = Holdings(build(tmp_path, 150, SMALL_SEED)), small_sky()
    for service in SERVICES:
        for table in small.tables(service).values():
            ranks = {"random_index", "clean_panstarrs1_oid"} & {column.name for column in table.columns}
            kept = f"* EXCLUDE ({', '.join(ranks)})" if ranks else "*"
            with small.connect() as connection:
                few = connection.execute(f"SELECT {kept} FROM {table.relation}").to_arrow_table()
            with large.connect() as connection:
                connection.register("few", few)
                more = connection.execute(f"SELECT count(*) FROM {table.relation}").fetchone()[0]
                lost = connection.execute(f"SELECT * FROM few EXCEPT SELECT {kept} FROM {table.relation}").fetchall()
            assert not lost and few.num_rows <= more, table.name
    ids = small.epoch_photometry(sky_ids(small))["source_id"].to_numpy()
    assert ids.size > 2000 and small.epoch_photometry(ids).equals(large.epoch_photometry(ids))
    with small.connect() as connection:
        oids = connection.execute("SELECT oid FROM irsa_ztf_objects").fetchnumpy()["oid"]
    assert oids.size > 100 and small.ztf_epochs(oids).equals(large.ztf_epochs(oids))
    assert small.truth(ids).equals(large.truth(ids)) and small.truth(ids).num_rows > 140


def sky_ids(held: Holdings) -> np.ndarray:
    with held.connect() as connection:
        return connection.execute("SELECT source_id FROM gaia_source").fetchnumpy()["source_id"]


def test_builders_at_the_same_time_clear_away_what_a_killed_one_left_and_make_it_once(tmp_path):
    name = f"sky-120-3-v{HOLDINGS_VERSION}"
    (tmp_path / f".{name}.dead").mkdir()
    (tmp_path / f".{name}.dead" / "gaia_source.unsorted").write_text("half")
    (tmp_path / name).mkdir()
    (tmp_path / name / "gaia_source.parquet").write_text("half")
    with pytest.raises(ValueError, match="no complete sky"):
        Holdings(tmp_path / name)
    with ThreadPoolExecutor(4) as threads:
        paths = set(threads.map(lambda _: build(tmp_path, 120, 3), range(4)))
    assert len(paths) == 1 and Holdings(paths.pop()).n == 120
    assert [one.name for one in tmp_path.iterdir() if one.is_dir()] == [name]


def test_a_builder_that_is_killed_leaves_nothing_that_is_taken_for_whole(tmp_path):
    """Killed inside the sorting, when every row is written already."""
    code = (
        "import os, sys; from tasks.replica.tables import making; from tasks.replica import holdings\n"
        "making._sort = lambda folder: os.kill(os.getpid(), 9)\n"
        f"holdings.build({str(tmp_path)!r}, 120, 3)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=os.getcwd(), check=False, timeout=60)
    assert done.returncode == -9 and any(one.name.startswith(".sky") for one in tmp_path.iterdir())
    assert Holdings(build(tmp_path, 120, 3)).seed == 3
    assert not any(one.is_dir() and one.name.startswith(".") for one in tmp_path.iterdir())


def test_a_sky_of_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="sky of 0 objects"):
        build(tmp_path, 0, 1)
    with pytest.raises(ValueError, match="seed"):
        build(tmp_path, 5, -1)
    assert not any(one.is_dir() for one in tmp_path.iterdir())


def test_a_sky_of_one_star_is_held_all_the_same(tmp_path):
    """Most tables have no row: it is too far south for the surveys on the ground."""
    held = Holdings(build(tmp_path, 1, 1))
    with held.connect() as connection:
        for service in SERVICES:
            for table in held.tables(service).values():
                assert connection.execute(f"SELECT * FROM {table.relation}").to_arrow_table().schema == table.schema


@pytest.mark.parametrize("service", SERVICES)
def test_views_have_the_columns_that_are_promised(service):
    with holdings().connect() as connection:
        for name, table in holdings().tables(service).items():
            assert name == table.name.lower().strip('"')
            cursor = connection.cursor()
            rows = cursor.execute(f"SELECT * FROM {table.relation} LIMIT 5").to_arrow_table()
            assert rows.schema == table.schema
            assert len({column.name.lower() for column in table.columns}) == len(table.columns)
            assert all(column.doc for column in table.columns)


def test_there_is_no_other_service():
    with pytest.raises(KeyError):
        holdings().tables("simbad")


def test_a_connection_reads_its_own_files_and_nothing_else(tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with holdings().connect() as connection:
        for sql in (
            f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/new.db'",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(sql)
        connection.execute("CREATE TEMP TABLE mine AS SELECT 1 AS a")  # uploads need these
        assert connection.execute("SELECT count(*) FROM mine, gaia_source").fetchone()[0] > N


def test_requests_may_come_from_many_threads():
    with holdings().connect() as connection, ThreadPoolExecutor(8) as threads:
        counts = threads.map(
            lambda k: (
                connection.cursor().execute(f"SELECT count(*) FROM gaia_source WHERE random_index < {k}").fetchone()[0]
            ),
            range(100),
        )
        assert list(counts) == list(range(100))


def test_sorted_files_are_sorted_and_cut_in_groups_that_prune():
    path = holdings().path
    detections = pq.ParquetFile(path / "ps1_detection.parquet")
    assert detections.metadata.row_group(0).num_rows <= 20_480
    for file, key in (
        ("gaia_source", "source_id"),
        ("ztf_objects", "oid"),
        ("truth", "source_id"),
        ("ps1_detection", "objID"),
    ):
        values = pq.read_table(path / f"{file}.parquet", columns=[key])[key].to_numpy()
        assert (np.diff(values) >= 0).all()
    assert not list(path.glob("*.unsorted")) and not (path / "sorting").exists()


def test_a_tenth_is_asked_by_random_index():
    n = len(query("SELECT source_id FROM gaia_source"))
    assert len(query(f"SELECT source_id FROM gaia_source WHERE random_index < {n // 10}")) == n // 10
