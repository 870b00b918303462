"""Every query of PS1, ZTF and TIC: the replica's answer beside the same question asked in NumPy of its tables."""

import io

import numpy as np
import pyarrow as pa
import pytest
from astropy.coordinates import SkyCoord
from pyarrow.csv import write_csv

from tasks.archives.adql import render
from tasks.replica.adql import ROW, prepare, translate
from tasks.replica.holdings import Holdings, build
from tasks.replica.served import ServedColumn, ServedTable
from tasks.surveys import ps1, tic, ztf

N, SEED = 512, 3
TYPES = {"source_id": "long", "ra": "double", "dec": "double"}
ITEMS = ServedTable("tap_upload.items", "items", "", tuple(ServedColumn(*pair, "", "", "") for pair in TYPES.items()))


@pytest.fixture(scope="module")
def holdings(tmp_path_factory):
    return Holdings(build(tmp_path_factory.mktemp("holdings"), N, SEED))


def table(holdings, service, name):
    """A served table, whole, its columns in lower case."""
    relation = holdings.tables(service)[name].relation
    whole = holdings.connect().cursor().execute(f'SELECT * FROM "{relation}"').to_arrow_table()
    return whole.rename_columns([column.lower() for column in whole.column_names])


def answered(holdings, service, question, items):
    """The question as it is sent, answered as the replica answers it and read as the survey reads it."""
    cursor = holdings.connect().cursor()
    prepare(cursor)
    cursor.register("items", items.append_column(ROW, pa.array(np.arange(items.num_rows))))
    text = render(question.text, items, question.key, question.parameters)
    query = translate(text, {**holdings.tables(service), "tap_upload.items": ITEMS})
    body = io.BytesIO()
    write_csv(cursor.execute(query.sql).to_arrow_table(), body)
    return question.read(body.getvalue())


def pairs_within(items, objects, objid, ra, dec, radius_arcsec):
    """(source_id, objid) of all pairs within the radius, comparing each with each."""
    here, there = ([t[name].to_numpy()[:, None] for name in names] for t, names in
                   ((items, ("ra", "dec")), (objects, (ra, dec))))  # fmt: skip
    apart = SkyCoord(*here, unit="deg").separation(SkyCoord(*(column.T for column in there), unit="deg"))
    near = apart.arcsec <= radius_arcsec
    item, other = np.nonzero(near)
    ids = zip(items["source_id"].to_numpy()[item], objects[objid].to_numpy()[other], strict=True)
    return sorted((int(source), int(object)) for source, object in ids)


def around(objects, ra, dec):
    """Items up to 4 arcsec from every tenth object, and one where there is nothing."""
    rows = np.arange(0, objects.num_rows, 10)
    draw = np.random.default_rng(5)
    dec_deg = np.append(objects[dec].to_numpy()[rows] + draw.uniform(-4, 4, rows.size) / 3600, 89.9)
    ra_deg = np.append(objects[ra].to_numpy()[rows], 12.0) % 360
    return pa.table({"source_id": np.arange(dec_deg.size) + 10**17, "ra": ra_deg, "dec": dec_deg})


def test_ps1_objects_around_positions(holdings):
    objects = table(holdings, "ps1", "dbo.meanobjectview")
    items = around(objects, "ramean", "decmean")
    got = answered(holdings, "ps1", ps1.object_question(ps1.OPTIONS), items)
    several = objects.filter(pa.array(objects["ndetections"].to_numpy() > 1))
    expected = pairs_within(items, several, "objid", "ramean", "decmean", 3.0)
    assert len(expected) > 10 and several.num_rows < objects.num_rows
    assert sorted(zip(got["source_id"].to_pylist(), got["objid"].to_pylist(), strict=True)) == expected


def test_ps1_detections_by_object(holdings):
    whole = table(holdings, "ps1", "dbo.detection")
    asked = np.unique(whole["objid"].to_numpy())[::7]
    got = answered(holdings, "ps1", ps1.detection_question(), pa.table({"objid": np.append(asked, 1)}))
    expected = whole.filter(pa.array(np.isin(whole["objid"].to_numpy(), asked)))
    assert got.num_rows == expected.num_rows > 100
    mine, theirs = (t.sort_by("detectid") for t in (got, expected))
    for name in ps1.DETECTION:  # single precision comes in the digits that give it back
        np.testing.assert_array_equal(mine[name].cast(theirs[name].type).to_numpy(), theirs[name].to_numpy())


def test_ztf_objects_around_positions(holdings):
    objects = table(holdings, "irsa", "ztf_objects_dr24")
    items = around(objects, "ra", "dec")
    got = answered(holdings, "irsa", ztf.object_question(ztf.OPTIONS), items)
    expected = pairs_within(items, objects, "oid", "ra", "dec", 3.0)
    assert len(expected) > 50
    assert sorted(zip(got["source_id"].to_pylist(), got["oid"].to_pylist(), strict=True)) == expected
    filters = dict(zip(objects["oid"].to_pylist(), objects["filtercode"].to_pylist(), strict=True))
    assert got["filtercode"].to_pylist() == [filters[oid] for oid in got["oid"].to_pylist()]


@pytest.mark.parametrize("column", ["gaia", "id"])
def test_tic_entries_by_id(holdings, column):
    whole = table(holdings, "tic", "dbo.catalogrecord")
    known = [value for value in whole[column].to_pylist() if value is not None][::9]
    kind = tic.ENTRY[column]
    items = pa.table({column: pa.array(known, pa.string()).cast(kind)})
    got = answered(holdings, "tic", tic.tap_question(column), items)
    expected = whole.filter(pa.array(np.isin(whole[column].to_numpy(zero_copy_only=False).astype(str), known)))
    assert got.num_rows == expected.num_rows > 30
    order = [np.argsort(np.asarray(t["id"].to_pylist()).astype(int)) for t in (got, expected)]
    for name in ("ra", "teff", "e_rad", "mh", "lumclass", "disposition", "gaia"):
        mine, theirs = (
            t[name].take(pa.array(place)).to_pylist() for t, place in zip((got, expected), order, strict=True)
        )
        assert mine == [None if value is None or value != value else value for value in theirs], name
