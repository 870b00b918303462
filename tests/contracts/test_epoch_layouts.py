"""Gaia's epoch photometry of a whole small sky, in every layout that the replica serves, is read as the same."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tasks.replica import cdn, layouts
from tasks.replica.holdings import Holdings, build
from tasks.replica.product_files import product_files, zip_files
from tasks.surveys.gaia import OTHER_FLAGS, REJECTED_BY_PHOTOMETRY, REJECTED_BY_VARIABILITY, light_curves
from tasks.surveys.gaia_layouts import read_cdn, read_datalink
from tasks.surveys.gaia_releases import RELEASES

N, SEED = 200, 3
KEY = [("source_id", "ascending"), ("transit_id", "ascending"), ("band", "ascending")]
# Bits of the long layout (recorded product of DR2): SM and AF1-AF9 rejected, BP rejected, RP rejected.
REJECTED = {0: 2**10 - 1, 1: 2**10, 2: 2**11}


@pytest.fixture(scope="module")
def holdings(tmp_path_factory):
    return Holdings(build(tmp_path_factory.mktemp("holdings"), N, SEED))


@pytest.fixture(scope="module")
def transits(holdings):
    """All transits as they are held."""
    with holdings.connect() as connection:
        ids = connection.execute("SELECT source_id FROM gaia_source").fetchnumpy()["source_id"]
    return holdings.epoch_photometry(ids.astype(np.int64))


def wide(holdings, transits):
    return read_datalink(by_source(layouts.wide(transits), layouts.WIDE))


def long(holdings, transits):
    return read_datalink(by_source(layouts.long(transits), layouts.LONG))


def raw(holdings, transits):
    rows = layouts.raw(transits)
    return read_datalink(
        zip_files(product_files(rows, layouts.RAW, np.array([0, len(rows)]), ["EPOCH_PHOTOMETRY_RAW"], "csv"))
    )


def files(holdings, transits):
    bulk = cdn.Bulk(holdings)
    return pa.concat_tables([read_cdn(bulk.path(name).read_bytes()) for name in bulk.files])


def by_source(rows, layout):
    """The zip of DataLink with a file for each source."""
    first = layouts.starts(rows["source_id"].to_numpy())
    names = [f"EPOCH_PHOTOMETRY-Gaia DR3 {id}" for id in rows["source_id"].to_numpy()[first[:-1]]]
    return zip_files(product_files(rows, layout, first, names, "csv"))


@pytest.fixture(scope="module")
def expected(holdings, transits):
    return wide(holdings, transits).sort_by(KEY)


@pytest.mark.parametrize("layout", [long, raw, files])
def test_every_layout_gives_the_same_epochs_and_curves(holdings, transits, expected, layout):
    epochs = layout(holdings, transits).sort_by(KEY)
    assert epochs.num_rows == expected.num_rows > 10_000
    for name in expected.column_names:
        assert epochs[name].combine_chunks().equals(expected[name].combine_chunks()), name
    mine, theirs = (light_curves(table, RELEASES["dr3"]).batch for table in (epochs, expected))
    for name in ("source_id", "offsets", "time", "mag", "mag_err", "band", "flags"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name), name)


def test_the_flags_are_those_of_the_transits(transits, expected):
    """Every kind of flag occurs, and the bits say what the two columns beside them say."""
    assert expected.num_rows == sum(
        len(transits) - transits[f"{one}_flux"].null_count for one in ("g_transit", "bp", "rp")
    )
    flags = light_curves(expected, RELEASES["dr3"]).batch.flags
    assert all(
        (flags & bit).any() for bit in (REJECTED_BY_PHOTOMETRY.bit, REJECTED_BY_VARIABILITY.bit, OTHER_FLAGS.bit)
    )
    for code, all_lost in REJECTED.items():
        of_band = expected.filter(pc.equal(expected["band"], code))
        bits, rejected = (of_band[name].to_numpy() for name in ("other_flags", "rejected_by_photometry"))
        assert rejected.any() and (bits[rejected] == all_lost).all()
        single = bits[~rejected]
        assert set(single) <= ({0, *(1 << np.arange(10))} if code == 0 else {0})
        assert code or 0.03 < (single != 0).mean() < 0.07
