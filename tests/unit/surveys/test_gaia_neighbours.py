"""Which other Gaia sources lie near those of a field, held against NumPy."""

import numpy as np
import pyarrow as pa
import pytest

from schemas import BadInput
from tasks.lightcurves.times import direction
from tasks.surveys.neighbours import gaia_neighbours
from tasks.surveys.survey import GAIA_NEIGHBOURS
from tests.unit.surveys.gaia_sky import RELEASE, GaiaSky, gaia_sky


@pytest.fixture(scope="module")
def crowd() -> GaiaSky:
    """60 sources of which each has company within a few arcsec; one place is the pole, one RA 0."""
    sky = gaia_sky(180, seed=6)
    g = sky.tables["g"].copy()
    rng = np.random.default_rng(7)
    dec0 = np.repeat(np.append(rng.uniform(-60, 60, 59), 89.9999), 3)
    ra0 = np.repeat(np.append(0.0, rng.uniform(0, 360, 59)), 3)
    offset, angle = rng.uniform(0, 6, 180) / 3600, rng.uniform(0, 2 * np.pi, 180)
    g["dec"] = np.clip(dec0 + offset * np.sin(angle), -90, 90)
    g["ra"] = (ra0 + offset * np.cos(angle) / np.cos(np.radians(dec0))) % 360
    return GaiaSky({**sky.tables, "g": g})


def test_neighbours_are_those_of_numpy(crowd):
    g = crowd.tables["g"].sort_values("source_id").reset_index(drop=True)
    chosen = g.source_id[::2].to_numpy()
    unit = direction(g.ra.to_numpy(), g.dec.to_numpy())
    for radius in (8.0, 5.0):
        found = gaia_neighbours(crowd.ask, pa.table({"source_id": chosen}), RELEASE, radius)
        assert found.schema == GAIA_NEIGHBOURS
        chord = np.linalg.norm(unit[:, None] - unit[None], axis=-1)
        near = (chord <= 2 * np.sin(np.radians(radius / 3600) / 2)) & ~np.eye(len(g), dtype=bool)
        left, right = np.nonzero(near & np.isin(g.source_id, chosen)[:, None])
        assert found["source_id"].to_pylist() == g.source_id[left].tolist()
        assert found["neighbour_source_id"].to_pylist() == g.source_id[right].tolist()
        np.testing.assert_array_equal(found["ra"].to_numpy(), g.ra[right])
        assert len(left) > 20


def test_one_request_per_thousand_and_none_for_nothing(crowd):
    crowd.asked.clear()
    many = pa.table({"source_id": np.union1d(crowd.tables["g"].source_id, np.arange(1, 1500))})
    gaia_neighbours(crowd.ask, many, RELEASE)
    assert [items.num_rows for _, items in crowd.asked] == [1000, many.num_rows - 1000]
    assert all("upload" not in question.text.lower() for question, _ in crowd.asked)
    crowd.asked.clear()
    assert gaia_neighbours(crowd.ask, many.slice(0, 0), RELEASE).num_rows == 0 and not crowd.asked


@pytest.mark.parametrize("radius", [0.0, 61.0, float("nan")])
def test_a_radius_that_is_no_neighbourhood(crowd, radius):
    with pytest.raises(BadInput, match="within 0 to 60 arcsec, not"):
        gaia_neighbours(crowd.ask, pa.table({"source_id": [1]}), RELEASE, radius)
