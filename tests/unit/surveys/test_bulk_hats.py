"""PS1, ZTF and TIC from HATS catalogues: the same results as from the services, for the same holdings."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas import BadInput
from tasks.archives.errors import BadQuestion
from tasks.crossmatch.propagate import propagate
from tasks.surveys import bulk_ps1, gaia, ps1, tic, ztf
from tasks.surveys.objects import positions_at
from tasks.surveys.survey import SOURCES
from tests.unit.surveys.bulk_sky import read_alone, same_curves, write_hats, ztf_curves


def both(sky, survey, **uris):
    """What the services give and what the catalogues give."""
    options = {**survey.OPTIONS, "route": "bulk", **uris}
    return sky.served(survey), survey.fetch(sky.exchange, sky.sources, sky.neighbours, options)


@pytest.mark.parametrize(("suffix", "as_lower"), [(".parquet", False), ("/", True)])
def test_ps1(bulk, tmp_path, suffix, as_lower):
    objects, detections = bulk.table("ps1", "dbo.meanobjectview"), bulk.table("ps1", "dbo.detection")
    ra, dec = "raMean", "decMean"
    if as_lower:
        objects, detections = (t.rename_columns([n.lower() for n in t.column_names]) for t in (objects, detections))
        ra, dec = ra.lower(), dec.lower()
    served, got = both(
        bulk, ps1,
        hats_objects=write_hats(tmp_path / "otmo", objects, max_rows=40, suffix=suffix, ra=ra, dec=dec),
        hats_detections=write_hats(tmp_path / "detection", detections, max_rows=900, suffix=suffix),
    )  # fmt: skip
    assert got.matches.equals(served.matches) and got.rejected.equals(served.rejected)
    same_curves(got.curves, served.curves)
    assert got.matches["is_ambiguous"].to_pylist().count(True) > 3 and len(got.curves.batch) > 200
    assert set(got.matches["method"].to_pylist()) == {"gaia_best_neighbour", "position"}
    _, timed = both(bulk, ps1, epoch_span=6.0, hats_objects=str(tmp_path / "otmo"),
                    hats_detections=str(tmp_path / "detection"))  # fmt: skip
    assert set(pairs_of(served.matches)) == set(pairs_of(timed.matches))  # no star of this sky is too fast


def pairs_of(matches: pa.Table) -> list[tuple[int, int]]:
    return list(zip(matches["source_id"].to_pylist(), matches["objid"].to_pylist(), strict=True))


def still(here: pa.Table) -> pa.Table:
    """SOURCES that do not move."""
    n = here.num_rows
    known = {**{name: here[name] for name in here.column_names}, "ref_epoch": pa.array([2016.0] * n)}
    return pa.table({f.name: known.get(f.name, pa.nulls(n, f.type)) for f in SOURCES}).cast(SOURCES)


@pytest.mark.parametrize("form", ["hats", "parquet"])
def test_objects_of_fast_stars_are_met_at_their_own_epochs(tmp_path, form):
    """Barnard's star, say: 10 arcsec a year. Objects of 2010 and 2013 lie 30 arcsec apart, each where it was then."""
    n, draw = 40, np.random.default_rng(6)
    star = pa.table({"source_id": np.arange(n), "ra": np.linspace(0, 359.9, n), "dec": draw.uniform(-29, 89, n)})
    pm = {"pmra": draw.uniform(-8000, 8000, n), "pmdec": draw.uniform(-8000, 8000, n)}
    sources = still(star)
    for name, value in pm.items():
        sources = sources.set_column(sources.column_names.index(name), name, pa.array(value))
    year = draw.uniform(2010.0, 2014.0, n)
    year[0] = 2012.3
    ra, dec = propagate(star["ra"], star["dec"], *pm.values(), None, 2016.0, year)
    mjd = 51_544.5 + 365.25 * (year - 2000)
    mjd[0] = -999.0
    objects = pa.table({"objID": np.arange(n) + 100, "raMean": ra, "decMean": dec, "nDetections": [9] * n,
                        "epochMean": mjd})  # fmt: skip
    uri = str(tmp_path / "otmo.parquet")
    if form == "hats":
        uri = write_hats(tmp_path / "otmo", objects, max_rows=5, ra="raMean", dec="decMean")
    else:
        pq.write_table(objects, uri)

    def met(**options):
        return bulk_ps1.objects(read_alone, uri, sources, {**ps1.OPTIONS, "search_arcsec": 0.1, **options}, ps1.OBJECT)

    got, here = met(epoch_span=3.0).sort_by("objid"), positions_at(sources, ps1.OPTIONS["epoch"])
    assert got["objid"].to_pylist() == list(range(100, 100 + n))
    assert got["source_id"].to_pylist() == list(range(n))
    for name, own in (("ramean", "ra"), ("decmean", "dec")):  # as the sources stand at the survey's epoch
        np.testing.assert_allclose((got[name].to_numpy() - here[own].to_numpy() + 180) % 360, 180, atol=1e-9)
    assert met().num_rows < n / 4  # none but those that were where they are at that epoch
    with pytest.raises(BadQuestion, match=r"up to [12]\.\d\d years from 2012\.3; give that as the span"):
        met(epoch_span=1.0)


def test_objects_detected_once_are_none(tmp_path):
    """As in the question to the service."""
    rows = pa.table({"objID": [1, 2, 3], "raMean": [5.0] * 3, "decMean": [2.0] * 3, "nDetections": [1, 2, None]})
    here = pa.table({"source_id": [9], "ra": [5.0], "dec": [2.0]})
    uri = write_hats(tmp_path / "otmo", rows, ra="raMean", dec="decMean")
    got = bulk_ps1.objects(read_alone, uri, still(here), {**ps1.OPTIONS, "search_arcsec": 1.0}, ps1.OBJECT)
    assert got.to_pylist() == [{"source_id": 9, "objid": 2, "ramean": 5.0, "decmean": 2.0, "ndetections": 2}]


@pytest.mark.parametrize("suffix", ["/", ".snappy.parquet"])
def test_ztf(bulk, tmp_path, suffix):
    """The catalogue's positions are short floats, 0.1 arcsec wide at ra 320; its times are as long as the service's."""
    objects, curves = bulk.table("irsa", "ztf_objects_dr24"), ztf_curves(bulk.holdings)
    write_hats(tmp_path / "dr24" / "objects" / "hats", objects, max_rows=60, suffix=suffix)
    write_hats(tmp_path / "dr24" / "lc" / "hats", curves, max_rows=90, suffix=suffix, ra="objra", dec="objdec")
    served, got = both(bulk, ztf, hats_objects=f"{tmp_path}/{{release}}/objects/hats",
                       hats_curves=f"{tmp_path}/{{release}}/lc/hats")  # fmt: skip
    assert got.matches.equals(served.matches) and got.rejected.equals(served.rejected)
    same_curves(got.curves, served.curves, time_day=1e-9)
    ids, oids = got.curves.batch.source_id, got.curves.objid
    assert oids.size > np.unique(ids).size > 200 and set(got.curves.batch.band.tolist()) == {0, 1, 2}


def test_ztf_epochs_that_cannot_be_are_named_by_their_place(bulk, tmp_path):
    objects, curves = bulk.table("irsa", "ztf_objects_dr24"), ztf_curves(bulk.holdings)
    strange = curves.set_column(1, "filterid", pa.array(np.full(curves.num_rows, 4, np.int8)))
    uris = {"hats_objects": write_hats(tmp_path / "objects", objects),
            "hats_curves": write_hats(tmp_path / "lc", strange, ra="objra", dec="objdec")}  # fmt: skip
    got = ztf.fetch(read_alone, bulk.sources, bulk.neighbours, {**ztf.OPTIONS, "route": "bulk", **uris})
    assert got.curves is None and got.rejected.num_rows > 1000
    assert set(got.rejected["check"].to_pylist()) == {"unknown_band"}
    assert len(set(got.rejected["key"].to_pylist())) == got.rejected.num_rows  # the quarantine's key


AS_TEXT = {}
AS_NUMBERS = {"ID": pa.int64(), "GAIA": pa.int64(), "duplicate_id": pa.float64(), "numcont": pa.int32()}


@pytest.mark.parametrize("kinds", [AS_TEXT, AS_NUMBERS], ids=["text", "numbers"])
def test_tic(bulk, tmp_path, kinds):
    entries = bulk.table("tic", "dbo.catalogrecord")
    for name, kind in kinds.items():
        entries = entries.set_column(entries.column_names.index(name), name, entries[name].cast(kind))
    served, got = both(bulk, tic, hats=write_hats(tmp_path / "tic", entries, max_rows=50))
    assert got.matches.equals(served.matches) and got.rejected.equals(served.rejected)
    assert got.parameter_labels.equals(served.parameter_labels)
    assert got.tables[tic.BEST].equals(served.tables[tic.BEST])
    assert set(got.matches["method"].to_pylist()) == {"dr2_source_id", "position"}
    assert got.rejected.num_rows and got.parameter_labels.num_rows > 500


@pytest.mark.parametrize("survey", [gaia, ps1, ztf, tic])
def test_of_no_sources_nothing_is_read(bulk, survey):
    uris = {name: "/nowhere" for name in survey.OPTIONS if name.startswith("hats")}
    got = survey.fetch(read_alone, bulk.sources.slice(0, 0), bulk.neighbours.slice(0, 0),
                         {**survey.OPTIONS, "route": "bulk", **uris})  # fmt: skip
    assert got.curves is None and got.matches.num_rows == 0 and got.rejected.num_rows == 0


@pytest.mark.parametrize("survey", [gaia, ps1, ztf, tic])
def test_a_route_that_is_none_is_refused(bulk, survey):
    with pytest.raises(BadInput, match="route is one of service, bulk, not 'scenic'"):
        survey.fetch(read_alone, bulk.sources, bulk.neighbours, {**survey.OPTIONS, "route": "scenic"})
