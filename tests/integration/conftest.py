"""A small folder of light curves made from the embedded sky, and the command line run on it as a user would."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from flows.environment import DEFAULTS

# Small forests, a small network, a coarse period search: what is tested is the machinery, not the science.
SMALL = (*(f"training.options.{name}.trees=20" for name in ("forest", "balanced_forest", "colour_forest")),
         "training.options.boosting.rounds=5", "training.n_folds=2",
         "training.options.folded.max_passes=2", "training.options.folded.channels=[4]",
         "features.period.f_max=5", "compute.n_workers=2", "compute.chunk_objects=40",
         "training.min_labels=20")  # fmt: skip
FOREST_ONLY = "training.recipes=[majority, median, colour_forest, forest, balanced_forest]"
DATASET = """
name = "small"
time_zero = "mjd"
[objects]
ra = "ra"
dec = "dec"
[label]
column = "label"
[[parameters]]
quantity = "teff_k"
column = "teff"
[[references]]
quantity = "period_day"
column = "period"
[lightcurves]
time = "mjd"
mag_err = "mag_err"
band = "band"
[[bands]]
name = "G"
[[bands]]
name = "BP"
[[bands]]
name = "RP"
"""


def argelander(*arguments: object, check: bool = True, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "flows.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), **options)
    if check and done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-5000:]}")
    return done


def environment() -> dict[str, str]:
    """The user's environment, wide enough a terminal that tables are not folded."""
    return {**os.environ, "COLUMNS": "200", "OMP_NUM_THREADS": "1"}


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """What the command said was wrong; fails unless it is one line and nothing but that."""
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error:")]
    assert len(errors) == 1, done.stderr
    return errors[0]


def kill_all(process: subprocess.Popen) -> None:
    """SIGKILL to a run and everything it started."""
    for member in [*psutil.Process(process.pid).children(recursive=True), process]:
        with suppress(ProcessLookupError):
            os.kill(member.pid, signal.SIGKILL)
    process.wait()


def refresh(folder: Path, lake: Path, *more: str, check: bool = True, preset: str = "folder", **options: object):
    """`argelander refresh` of a folder with the small settings."""
    settings = [word for setting in (*SMALL, *more) for word in ("--set", setting)]
    return argelander("refresh", preset, "--data", folder, "--lake", lake, "--release", lake / "release", *settings,
                      check=check, **options)  # fmt: skip


def write_folder(folder: Path, n: int, seed: int = 5) -> Path:
    """A folder of `n` stars of four classes in Gaia's bands, with a Teff for most of them."""
    from tasks.sky import generate

    sky = generate(1024, seed)
    truth = sky.truth.filter(pc.is_in(sky.truth["class"], value_set=pa.array(["RRab", "ECL", "MIRA_SR", "CEP"])))
    truth = truth.sort_by("source_id").slice(0, n)
    ids = truth["source_id"].to_numpy()
    gaia = sky.epochs["gaia"]
    gaia = gaia.select(np.isin(gaia.source_id, ids))
    places = sky.sources.filter(pc.is_in(sky.sources["source_id"], value_set=pa.array(ids))).sort_by("source_id")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset.toml").write_text(DATASET)
    objects = pa.table({
        "object_id": pc.cast(truth["source_id"], pa.string()), "ra": places["ra"], "dec": places["dec"],
        "label": truth["class"], "teff": truth["teff_k"], "period": truth["period_day"],
        "distance": truth["distance_pc"], "split": pa.array(["train"] * len(truth)),
    })  # fmt: skip
    pq.write_table(objects, folder / "objects.parquet")
    names = np.array(gaia.bands)
    epochs = pa.table({
        "object_id": gaia.source_id[gaia.row].astype(str), "band": names[gaia.band], "mjd": gaia.time,
        "mag": gaia.mag, "mag_err": gaia.mag_err,
    })  # fmt: skip
    pq.write_table(epochs, folder / "lightcurves.parquet")
    return folder


def rewrite_objects(folder: Path, change) -> None:
    """Replace objects.parquet by `change` of itself."""
    pq.write_table(change(pq.read_table(folder / "objects.parquet")), folder / "objects.parquet")


def rewrite_epochs(folder: Path, change) -> None:
    """Replace lightcurves.parquet by `change` of itself."""
    pq.write_table(change(pq.read_table(folder / "lightcurves.parquet")), folder / "lightcurves.parquet")


RUN_COLUMNS = {"run_id", "scored_at"}
OF_RUNS = {"run_refresh__stage", "score_model__card"}  # say when and by which run: two runs never have the same


def contents(lake: Path) -> dict[str, pa.Table]:
    """Every table of a lake that tells of stars, sorted by its key, without run ids and times."""
    from lakehouse.delta.store import Lake
    from schemas import TABLES

    place = Lake(lake)
    return {name: place.read(name).drop_columns([c for c in RUN_COLUMNS if c in TABLES[name].columns_by_name])
            for name in place.tables() if name not in OF_RUNS}  # fmt: skip


def assert_same(one: dict[str, pa.Table], other: dict[str, pa.Table]) -> None:
    """Equal tables, rows and values; scores within 1e-6."""
    assert one.keys() == other.keys()
    for name, table in one.items():
        twin = other[name]
        assert table.num_rows == twin.num_rows, name
        assert set(table.column_names) == set(twin.column_names), name
        for column in table.column_names:
            a, b = table[column].combine_chunks(), twin[column].combine_chunks()
            if pa.types.is_floating(a.type):
                np.testing.assert_allclose(a.to_numpy(zero_copy_only=False), b.to_numpy(zero_copy_only=False),
                                           rtol=1e-6, atol=1e-6, err_msg=f"{name}.{column}")  # fmt: skip
            elif pa.types.is_list(a.type):
                assert a.value_lengths().equals(b.value_lengths()), f"{name}.{column}"
                np.testing.assert_array_equal(a.flatten().to_numpy(), b.flatten().to_numpy(), f"{name}.{column}")
            else:
                assert a.equals(b), f"{name}.{column}"


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[str]:
    """The address of a Prefect server of the tests' own, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    home = {"PREFECT_HOME": str(tmp_path_factory.mktemp("prefect"))}
    process = subprocess.Popen(command, env=environment() | DEFAULTS | home, stdout=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}/api"
        deadline = time.monotonic() + 120
        while not _is_up(address):
            assert process.poll() is None and time.monotonic() < deadline, "the Prefect server did not start"
            time.sleep(0.2)
        yield address
    finally:
        kill_all(process)


def _is_up(address: str) -> bool:
    with suppress(URLError, ConnectionError, TimeoutError), urlopen(f"{address}/health", timeout=2) as answer:
        return answer.status == 200
    return False


@pytest.fixture(scope="module")
def one_server(server) -> Iterator[None]:
    """Runs of this module share a server: each would otherwise start its own, as a user's first run does."""
    os.environ["PREFECT_API_URL"] = server
    yield
    del os.environ["PREFECT_API_URL"]


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory) -> tuple[Path, Path, str]:
    """A folder of 150 stars, a lake refreshed from it, and what the command printed."""
    place = tmp_path_factory.mktemp("refreshed")
    folder = write_folder(place / "data", 150)
    # The last 30 stars are unlabelled, as most of the sky is.
    rewrite_objects(folder, lambda t: t.set_column(3, "label", pa.array([*t["label"].to_pylist()[:120], *[None] * 30])))
    done = refresh(folder, place / "lake")
    return folder, place / "lake", done.stdout


@pytest.fixture(scope="session")
def acquired(replica, tmp_path_factory):
    """An acquisition from that replica without any fault: its lake, and what it asked."""
    from tests.integration.acquisition import acquire_into, asked, clear_log, set_faults, source_of, tables, understood
    from tests.integration.faulty import WAYS, Undisturbed

    place = tmp_path_factory.mktemp("acquired")
    set_faults(replica)
    clear_log(replica)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARGELANDER_LIMITS", str(place / "limits"))
        acquire_into(place / "lake", source_of(replica))
    assert set(asked(replica)) == {*WAYS} and set(understood(replica).values()) == {1}
    return Undisturbed(place / "lake", tables(place / "lake"), asked(replica), understood(replica))


@pytest.fixture
def calm(replica, acquired, tmp_path, monkeypatch):
    """The replica without faults, with its own limits and an empty log; and gates of the test's own."""
    from tests.integration.acquisition import clear_log, limits_of, set_faults, set_limits

    monkeypatch.setenv("ARGELANDER_LIMITS", str(tmp_path / "limits"))
    limits = limits_of(replica)
    set_faults(replica)
    clear_log(replica)
    yield
    set_limits(replica, **limits)
