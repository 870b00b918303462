"""The same two tables in every format."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

N_STAR, N_EPOCH = 4, 9


def make_epochs() -> dict[str, Any]:
    """Columns of a table of epochs, sorted by star and time, with every second error missing in the second star."""
    rng = np.random.default_rng(7)
    n = N_STAR * N_EPOCH
    return {
        "object_id": np.repeat([f"00{k}" for k in range(N_STAR)], N_EPOCH),
        "band": np.tile(["g", "r"], n)[:n],
        "mjd": np.round(58000 + np.sort(rng.random(n)) * 500, 6),
        "mag": np.round(15 + rng.random(n), 4),
        "mag_err": np.round(0.01 + rng.random(n) / 100, 4),
    }


def make_objects() -> dict[str, Any]:
    """Columns of a table of objects."""
    return {
        "object_id": np.array([f"00{k}" for k in range(N_STAR)]),
        "ra": np.arange(N_STAR) * 20.5,
        "dec": np.arange(N_STAR) - 2.25,
        "label": np.array(["RRab", "EW", "RRab", "EW"]),
    }


def write_table(path: Path, columns: dict[str, Any]) -> None:
    """The columns in the format that the ending of `path` says, as other people's tools write it."""
    name = path.name
    if name.endswith((".csv", ".csv.gz", ".tsv")):
        with pa.output_stream(str(path), compression="detect") as stream:
            options = pacsv.WriteOptions(delimiter="\t" if ".tsv" in name else ",", quoting_style="none")
            pacsv.write_csv(pa.table(columns), stream, options)
    elif name.endswith(".parquet"):
        pq.write_table(pa.table(columns), path)
    elif name.endswith(".feather"):
        feather.write_feather(pa.table(columns), path)
    else:
        form = {"fits": "fits", "gz": "fits", "vot": "votable", "ecsv": "ascii.ecsv", "tbl": "ascii.ipac",
                "txt": "ascii.commented_header"}[name.rpartition(".")[2]]  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Table(columns).write(path, format=form)


@pytest.fixture
def write() -> Callable[..., None]:
    """`write(path, columns)`: see `write_table`."""
    return write_table
