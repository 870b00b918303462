"""Gaia's bulk files: ranges that cover the sky, contents equal to the holdings, checksums that hold."""

import csv
import gzip
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tasks.replica import cdn, layouts
from tests.unit.replica.served_sky import Server, serving

FOLDER = f"/cdn/{cdn.KEY}"


@pytest.fixture(scope="module")
def server():
    with serving(cdn) as server:
        yield server


@pytest.fixture(scope="module")
def sums(server: Server) -> dict[str, str]:
    """MD5 by file name, as _MD5SUM.txt says."""
    text = requests.get(f"{server.url}{FOLDER}_MD5SUM.txt", timeout=60).text
    return {name: digest for digest, name in (line.split() for line in text.splitlines())}


def get(server: Server, name: str) -> bytes:
    answer = requests.get(f"{server.url}{FOLDER}{name}", timeout=60)
    assert answer.status_code == 200
    return answer.content


def bounds(name: str) -> tuple[int, int]:
    return tuple(map(int, re.fullmatch(r"EpochPhotometry_(\d{6})-(\d{6})\.csv\.gz", name).groups()))  # type: ignore


@given(st.lists(st.integers(0, 12 * 2**59 - 1), unique=True, max_size=60))
def test_ranges_cover_the_sky_and_hold_every_source_once(ids):
    source_id = np.sort(np.array(ids, np.int64))
    files = cdn.bulk_files(source_id)
    ranges = [bounds(file.name) for file in files]
    assert ranges[0][0] == 0 and ranges[-1][1] == cdn.PIXELS - 1
    assert all(after[0] == before[1] + 1 for before, after in pairwise(ranges))
    assert np.concatenate([file.source_id for file in files]).tolist() == source_id.tolist()
    for (first, last), file in zip(ranges, files, strict=True):
        assert ((file.source_id // 2**43 >= first) & (file.source_id // 2**43 <= last)).all()


def test_checksums_hold(server, sums):
    assert len(sums) >= cdn.LEAST_FILES
    for name, digest in sums.items():
        assert hashlib.md5(get(server, name)).hexdigest() == digest


def test_files_hold_the_epochs_of_their_sources(server, sums):
    seen = []
    for name in sums:
        first, last = bounds(name)
        lines = gzip.decompress(get(server, name)).decode().splitlines()
        assert lines[0] == "# %ECSV 1.0"
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
        ids = np.array([row["source_id"] for row in rows], np.int64)
        assert ((ids >> 43 >= first) & (ids >> 43 <= last)).all()
        seen += ids.tolist()
        held = server.holdings.epoch_photometry(ids)
        if rows:
            assert list(rows[0]) == [column.name for column in layouts.RAW.columns]
            assert [int(row["n_transits"]) for row in rows] == np.diff(
                layouts.starts(held["source_id"].to_numpy())
            ).tolist()
        for column in ("transit_id", "g_transit_time", "bp_flux", "rp_mag"):
            values = [np.nan if value is None else value for row in rows for value in json.loads(row[column])]
            np.testing.assert_array_equal(values, held[column].to_numpy())
        flags = [value for row in rows for value in json.loads(row["variability_flag_bp_reject"])]
        assert flags == [str(value) for value in held["variability_flag_bp_reject"].to_pylist()]
    relation = server.holdings.tables("gaia")["gaiadr3.gaia_source"].relation
    with server.holdings.connect() as connection:
        query = f"SELECT source_id FROM {relation} WHERE has_epoch_photometry"
        every = connection.execute(query).fetchnumpy()["source_id"].astype(np.int64)
    assert sorted(seen) == server.holdings.epoch_photometry(every)["source_id"].unique().to_pylist()


def test_the_storage_lists_the_files(server, sums):
    answer = requests.get(f"{server.url}/cdn/", params={"prefix": cdn.KEY, "delimiter": "/"}, timeout=60)
    space = {"s3": "http://s3.amazonaws.com/doc/2006-03-01/"}
    entries = ET.fromstring(answer.content).findall("s3:Contents", space)
    told = {entry.findtext("s3:Key", "", space): entry for entry in entries}
    assert set(told) == {cdn.KEY + name for name in sums}
    for name, digest in sums.items():
        assert told[cdn.KEY + name].findtext("s3:ETag", "", space) == f'"{digest}"'
        assert int(told[cdn.KEY + name].findtext("s3:Size", "", space)) == len(get(server, name))
    other = requests.get(f"{server.url}/cdn/", params={"prefix": "Gaia/gdr2/"}, timeout=60)
    assert ET.fromstring(other.content).findall("s3:Contents", space) == []


def test_the_directory_answers_nothing_and_other_names_are_not_found(server):
    assert get(server, "") == b""
    missing = requests.get(f"{server.url}{FOLDER}EpochPhotometry_000000-000001.csv.gz", timeout=60)
    assert missing.status_code == 404
