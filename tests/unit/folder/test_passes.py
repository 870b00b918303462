"""A file of epochs is opened in few passes, and what is left out of a pass changes nothing."""

from contextlib import closing

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.mapping import load_spec
from tasks.folder import inspection
from tasks.folder.figures import count_bands, count_sentinels, judge_bands
from tasks.folder.layout import layout
from tasks.folder.local import read_epochs
from tasks.folder.rows import connect_sorter, epoch_query
from tasks.folder.sentinels import find_sentinels
from tasks.folder.tally import make_tally
from tests.unit.folder.conftest import make_light_curves

CURVES = make_light_curves(n_objects=4, n_epochs=60)


class Counting:
    """A database that counts the statements which read the file."""

    def __init__(self, con):
        self.con, self.passes = con, 0

    def execute(self, query, values=()):
        self.passes += "read_parquet" in query
        return self.con.execute(query, values)

    def __getattr__(self, name):
        return getattr(self.con, name)


@pytest.mark.parametrize("as_text", [False, True])
def test_a_file_is_opened_in_four_passes(folder, monkeypatch, as_text):
    """What the rows hold, quantiles of times, sentinels; and whether text is numbers."""
    opened = []

    def connect(*args):
        opened.append(Counting(connect_sorter(*args)))
        return opened[-1]

    monkeypatch.setattr(inspection, "connect_sorter", connect)
    curves = {name: value.astype(str) for name, value in CURVES.items()} if as_text else CURVES
    path = folder(curves)
    read_epochs(path, load_spec(path), [], 1)
    assert [each.passes for each in opened] == [3 + as_text]


def make_spoiled_stars(seed):
    """Stars with magnitudes of all kinds; some ids are written in two ways, some magnitudes are instrumental."""
    rng = np.random.default_rng(seed)
    star = np.repeat(np.arange(12), rng.integers(1, 40, 12))
    middle = np.where(rng.random(12) < 0.2 * (seed % 2), -8.0, rng.uniform(12, 18, 12))[star]
    mag = np.round(rng.normal(middle, 0.3), 2)
    mag = np.where(rng.random(star.size) < 0.2, [29.999, 0.0, 30.0, -1.0][seed % 4], mag)
    ids = np.char.add(star.astype(str), np.where(rng.random(star.size) < 0.5, " ", ""))
    band = rng.choice(["g", "r", "r "], star.size)
    return {"object_id": ids, "band": band, "mjd": 58_000 + rng.random(star.size), "mag": mag.astype(np.float32)}


@pytest.mark.parametrize("seed", range(12))
def test_sentinels_of_suspects_are_those_of_all(folder, seed):
    path = folder(make_spoiled_stars(seed))
    spec, file = load_spec(path), path / "lightcurves.parquet"
    form = layout(file, spec)
    with closing(connect_sorter(str(path / "spill"), {})) as con:
        make_tally(con, file, form, spec)
        bands = judge_bands(con, file, form, spec, count_bands(con, file, form, spec))
        found = count_sentinels(con, file, form, spec, bands)
        query, values = epoch_query(file, form, [band.in_file for band in spec.bands])
        chosen = f"SELECT id, band, mag FROM ({query}) WHERE mag > list_extract(?, band + 1) AND mag < 40"
        every = (chosen, [*values, bands.mag_low.tolist()])
        assert found and found == find_sentinels(con, every, every)


def test_quantiles_of_a_part_are_near_those_of_all(folder, monkeypatch):
    monkeypatch.setattr("tasks.folder.figures.SAMPLE_ROWS", 2_000)
    curves = make_light_curves(n_objects=10, n_epochs=2_000)
    path = folder(curves)
    quantiles = read_epochs(path, load_spec(path), [], 1).contents.quantiles
    assert quantiles == pytest.approx(np.quantile(curves["mjd"], [0.01, 0.5, 0.99]), abs=30)  # of 500 days
    pq.write_table(pa.table(curves).take(np.arange(20_000)[::-1]), path / "lightcurves.parquet")
    assert read_epochs(path, load_spec(path), [], 1).contents.quantiles == quantiles
