"""A tiny lake that can be trained on: sources with a few features and labels, without light curves."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lakehouse.delta.store import Lake
from schemas import TABLES, TableSpec
from tasks.features import feature_columns

DATASET, BANDS = "tiny", ("G", "BP")
SHAPES = np.array(["CEP", "ECL", "RRab"])
READ = ("mean_mag_G", "mean_mag_BP", "colour_mag_G_BP")


def rows(spec: TableSpec, ids: np.ndarray, **values: Any) -> pa.Table:
    """Rows of the dataset, all columns null, zero or empty but those given."""
    columns = {}
    for field in spec.arrow():
        given = {"dataset": [DATASET] * len(ids), "source_id": ids, **values}.get(field.name)
        if given is None:
            empty = "" if pa.types.is_string(field.type) else 0
            given = [None if field.nullable else empty] * len(ids)
        columns[field.name] = pa.array(given, from_pandas=True).cast(field.type)
    return pa.table(columns, schema=spec.arrow())


def write_labelled_lake(path: Path, n: int = 120, seed: int = 0) -> Lake:
    """`n` sources whose colour tells their class and their Teff, which two of three have a label of each."""
    rng, ids = np.random.default_rng(seed), np.arange(1, n + 1) * 10
    lake = Lake(path, create=True)
    shape = rng.integers(0, 3, n)
    colour = shape + rng.normal(0, 0.15, n)
    features = TABLES["feature_sample__source"].bind(
        [column for column in feature_columns(BANDS) if column.name in READ]
    )
    g = rng.normal(15, 1, n)
    found = {"mean_mag_G": g, "mean_mag_BP": g - colour, "colour_mag_G_BP": colour}
    lake.append("r", features, rows(features, ids, input_hash=rng.integers(0, 2**62, n), **found))
    sample = TABLES["core_sample__source"]
    names, ra = [f"star-{i}" for i in ids], np.linspace(0, 300, n)
    lake.append("r", sample, rows(sample, ids, object_id=names, ra=ra, dec=np.zeros(n)))
    bands = TABLES["core_dataset__band"]
    band = {"band": [0, 1], "name": list(BANDS), "survey": ["gaia"] * 2, "system": ["Vega"] * 2,
            "wavelength_nm": [622.0, 511.0]}  # fmt: skip
    lake.append("r", bands, rows(bands, np.zeros(2, np.int64), **band))
    write_labels(lake, ids[np.arange(n) % 3 != 0], shape[np.arange(n) % 3 != 0])
    warm = np.arange(n) % 3 != 1
    parameter = TABLES["label_sample__parameter"]
    teff = {
        "quantity": ["teff_k"] * warm.sum(),
        "value": 7000 - 1000 * colour[warm],
        "origin": ["objects"] * warm.sum(),
    }
    lake.append("r", parameter, rows(parameter, ids[warm], is_reference=[False] * warm.sum(), **teff))
    return lake


def write_labels(lake: Lake, ids: np.ndarray, shape: np.ndarray) -> None:
    """Class labels, in place of all before."""
    spec = TABLES["label_sample__class"]
    table = rows(spec, ids, **{"class": SHAPES[shape], "origin": ["objects"] * ids.size})
    lake.overwrite("r", spec, table, {"dataset": DATASET}, stage="acquire")
