"""Whose label is learnt where two archives give one: that of the origin named first; the lake keeps both."""

import numpy as np
import pyarrow as pa

from flows.presets import preset
from flows.settings import override
from lakehouse.delta.store import Lake
from schemas import TABLES
from tasks.learning.targets import Classification, Regression
from tasks.stages.train.labels import take_first_labels

SPEC = TABLES["label_sample__parameter"]
GIVEN = {(1, "gaia_dr3"): 6000.0, (1, "tic"): 6100.0, (2, "gaia_dr3"): 5000.0, (3, "tic"): 4000.0, (3, "other"): 4100.0}


def held(folder) -> pa.Table:
    """Temperatures as the lake gives them back."""
    rows = [{"dataset": "d", "tile": 0, "source_id": source, "origin": origin, "quantity": "teff_k", "value": value,
             "is_photometric": True, "is_reference": False} for (source, origin), value in GIVEN.items()]  # fmt: skip
    lake = Lake(folder, create=True)
    lake.overwrite("r1", SPEC, pa.Table.from_pylist(rows, schema=SPEC.arrow()), {"dataset": "d"}, stage="acquire")
    return lake.read(SPEC, where={"dataset": "d"})


def learnt(rows: pa.Table, *settings: str) -> dict[int, float]:
    source_id, y = take_first_labels(
        rows,
        Regression.of("teff_k"),
        override(preset("demo"), settings).training.label_origins,
    )
    assert (np.diff(source_id) > 0).all()
    return dict(zip(source_id.tolist(), y.tolist(), strict=True))


def test_a_label_that_cannot_be_learnt_gives_way_to_that_of_the_next_origin(tmp_path):
    rows = held(tmp_path / "lake").to_pylist()
    gone = [{**row, "value": float("nan") if row["origin"] == "tic" else row["value"]} for row in rows]
    assert learnt(pa.Table.from_pylist(gone, schema=SPEC.arrow())) == {1: 6000.0, 2: 5000.0, 3: 4100.0}


def test_a_class_is_in_the_column_of_its_own_name():
    rows = pa.table({"source_id": [2, 1, 3], "origin": ["a", "a", "a"], "shape": ["round", "flat", None]})
    source_id, y = take_first_labels(rows, Classification("shape"), ("a",))
    assert source_id.tolist() == [1, 2] and y.tolist() == ["flat", "round"]


def test_the_order_of_origins_decides_what_is_learnt_and_the_lake_keeps_all(tmp_path):
    rows = held(tmp_path / "lake")
    assert learnt(rows) == {1: 6100.0, 2: 5000.0, 3: 4000.0}  # the TIC comes first unless a setting says otherwise
    assert learnt(rows, "training.label_origins=[gaia_dr3, tic]") == {1: 6000.0, 2: 5000.0, 3: 4000.0}
    assert learnt(rows, "training.label_origins=[other]")[3] == 4100.0  # an origin that is not named comes last
    after = Lake(tmp_path / "lake").read(SPEC, where={"dataset": "d"})
    assert {(row["source_id"], row["origin"]): row["value"] for row in after.to_pylist()} == GIVEN
