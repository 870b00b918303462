"""Small folders of light curves, made on the spot."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

Writer = Callable[..., Path]


def make_light_curves(n_objects: int = 4, n_epochs: int = 10, seed: int = 1) -> dict[str, Any]:
    """Columns of a good file: every object in g and r in turn, MJD from 58000 on, rows in random order."""
    rng = np.random.default_rng(seed)
    n = n_objects * n_epochs
    order = rng.permutation(n)
    columns = {
        "object_id": np.repeat([f"star{k}" for k in range(n_objects)], n_epochs),
        "band": np.tile(["g", "r"], n)[:n],
        "mjd": 58000 + rng.random(n) * 500,
        "mag": (15 + rng.random(n)).astype(np.float32),
        "mag_err": np.full(n, 0.01, np.float32),
    }
    return {name: value[order] for name, value in columns.items()}


@pytest.fixture
def light_curves() -> Callable[..., dict[str, Any]]:
    """`light_curves(n_objects, n_epochs, seed)`: see `make_light_curves`."""
    return make_light_curves


@pytest.fixture
def folder(tmp_path: Path) -> Writer:
    """Writes a folder: `folder(lightcurves, objects, toml)`; what is left out gets a good default, None no file."""

    def write(lightcurves: Any = "default", objects: Any = "default", toml: str | None = None) -> Path:
        epochs = make_light_curves() if isinstance(lightcurves, str) else lightcurves
        if isinstance(objects, str):
            objects = {"object_id": sorted(set(np.asarray(epochs["object_id"]).tolist()))}
        for name, table in {"lightcurves": epochs, "objects": objects}.items():
            if table is not None:
                pq.write_table(pa.table(table), tmp_path / f"{name}.parquet")
        if toml is not None:
            (tmp_path / "dataset.toml").write_text(toml)
        return tmp_path

    return write


@pytest.fixture(scope="session")
def archive() -> Callable[[str], Path]:
    """Path of a real data set, or a skip that says where it was looked for."""

    def find(name: str) -> Path:
        root = Path(os.environ.get("ARGELANDER_DATA") or Path(__file__).parents[4] / "shared" / "data")
        if not (root / name).is_dir():
            pytest.skip(f"no data set {name} in {root}: set ARGELANDER_DATA to the folder that holds it")
        return root / name

    return find
