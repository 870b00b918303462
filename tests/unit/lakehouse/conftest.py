"""Small real tables, and a way to run a line of Python in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lakehouse.delta.store import Lake
from schemas import TABLES

ROOT = Path(__file__).parents[3]


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake", create=True)


@pytest.fixture
def sources():
    """Rows of core_sample__source; the tile is the remainder of the id by 4."""

    def build(ids, dataset="demo", content=0):
        ids = np.asarray(ids, np.int64)
        n = len(ids)
        return pa.table(
            {
                "dataset": pa.array([dataset] * n, pa.string()),
                "tile": pa.array(ids % 4, pa.int32()),
                "source_id": ids,
                "object_id": pa.array([f"o{i}" for i in ids], pa.string()),
                "ra": np.full(n, 10.0),
                "dec": np.full(n, -5.0),
                "n_epoch": np.full(n, 3, np.int32),
                "content_hash": np.full(n, content, np.int64),
            }
        )

    return build


@pytest.fixture
def epochs():
    """Rows of raw_sample__epoch with `length` epochs each."""

    def build(ids, dataset="demo", survey="gaia", length=5, seed=1):
        ids = np.asarray(ids, np.int64)
        n = len(ids)
        rng = np.random.default_rng(seed)
        ragged = {
            "time": (rng.uniform(57000, 59000, n * length), pa.float64()),
            "mag": (rng.normal(15, 1, n * length), pa.float32()),
            "mag_err": (np.full(n * length, 0.01), pa.float32()),
            "band": (np.zeros(n * length, np.int8), pa.int8()),
            "flags": (np.zeros(n * length, np.int32), pa.int32()),
        }
        offsets = pa.array(np.arange(n + 1) * length, pa.int32())
        scalars = {
            "dataset": pa.array([dataset] * n, pa.string()),
            "tile": pa.array(ids % 4, pa.int32()),
            "source_id": ids,
            "survey": pa.array([survey] * n, pa.string()),
            "objid": ids,
            "content_hash": np.zeros(n, np.int64),
        }
        lists = {k: pa.ListArray.from_arrays(offsets, pa.array(v).cast(t)) for k, (v, t) in ragged.items()}
        return pa.table(scalars | lists)

    return build


@pytest.fixture
def features():
    """A bound feature table: spec and rows with the given float32 columns."""

    def build(ids, columns, dataset="demo"):
        spec = TABLES["feature_sample__source"]
        spec = spec.bind([spec.families[0].rename(name) for name in columns])
        ids = np.asarray(ids, np.int64)
        n = len(ids)
        rows = {
            "dataset": pa.array([dataset] * n, pa.string()),
            "tile": pa.array(ids % 4, pa.int32()),
            "source_id": ids,
            "input_hash": np.zeros(n, np.int64),
        }
        return spec, pa.table(rows | {name: np.full(n, 0.5, np.float32) for name in columns})

    return build


@pytest.fixture
def python():
    """Runs a program in its own process and returns it; `wait=False` leaves it running."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(program, *arguments, wait=True):
        command = [sys.executable, "-c", program, *map(str, arguments)]
        if not wait:
            return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    return run
