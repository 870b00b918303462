"""The network on real two-band light curves of variable stars (EROS-1), a few passes over a part of them."""

import os
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tasks.learning.data import Examples
from tasks.learning.fit import fit
from tasks.learning.splits import split
from tasks.learning.targets import CLASS
from tasks.lightcurves import LightCurveBatch
from tests.unit.learning.synthetic_stars import recipe

ROOT = Path(os.environ.get("ARGELANDER_DATA", Path(__file__).parents[3] / ".." / "shared" / "data"))
FOLDER = ROOT / "eros_br"


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the eros_br light curves are not here; set ARGELANDER_DATA")
def test_the_network_beats_the_majority_on_real_stars():
    objects = pq.read_table(FOLDER / "objects.parquet", columns=["object_id", "label"])
    curves = pq.read_table(FOLDER / "lightcurves.parquet")
    row = pc.index_in(curves["object_id"].cast("large_string"), value_set=objects["object_id"].combine_chunks())
    band = pc.equal(curves["band"].cast("string"), "R")
    time, mag, mag_err = (curves[name].to_numpy() for name in ("time_days", "mag", "mag_err"))
    batch = LightCurveBatch.from_epochs(row.to_numpy(), time, mag, mag_err, band.cast("int8").to_numpy(), None,
                                        ("B", "R"))  # fmt: skip
    y = np.array(objects["label"].to_pylist())
    examples = Examples(batch.source_id, np.empty((len(batch), 0)), (), batch)
    parts = split(CLASS, y, batch.source_id, 5, 0.2, 0)
    some, scored = np.flatnonzero(parts.fold > 0), np.flatnonzero(parts.fold == 0)
    small = recipe("lstm", hidden=16, max_passes=4, max_per_band=24, lr=1e-2, central_lr=1e-2)
    model = fit(small, examples.select(some), y[some])
    proba = model.predict(examples.select(scored))
    found = np.array(model.target.classes)[proba.argmax(1)]
    recall = [(found[y[scored] == name] == name).mean() for name in model.target.classes]
    assert np.mean(recall) > 0.6  # the majority class alone gives 0.25
