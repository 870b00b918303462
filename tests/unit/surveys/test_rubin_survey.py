"""Rubin: objects met at the epochs of their positions, forced fluxes as magnitudes, flags, and what cannot be."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from schemas import BadInput
from schemas.inputs import ArchiveSource
from tasks.archives.errors import BadQuestion
from tasks.lightcurves.flags import BAD_QUALITY, SATURATED
from tasks.stages.acquire.surveys import survey_archive
from tasks.surveys import rubin, surveys_of
from tests import real_data
from tests.unit.surveys.bulk_sky import read_alone, write_hats
from tests.unit.surveys.rubin_catalogue import N_EPOCH, mag_of, rubin_catalogue
from tests.unit.surveys.survey_answers import light_travel, neighbours, sources

# The second moves 12 arcsec between Gaia's epoch and Rubin's, the third stands 2 arcsec beside the first.
STARS = sources(
    {"source_id": 1, "ra": 53.0, "dec": -28.0, "pmra": 10.0, "pmdec": -5.0, "parallax": 1.0},
    {"source_id": 2, "ra": 53.1, "dec": -28.1, "pmra": 900.0, "pmdec": -1000.0, "parallax": 100.0},
    {"source_id": 3, "ra": 53.0, "dec": -28.0 + 2 / 3600},
    {"source_id": 4, "ra": 150.0, "dec": 40.0},
)
THREE = STARS.slice(0, 3)


def fetch(uri, **options):
    return rubin.fetch(read_alone, STARS, neighbours(), {**rubin.OPTIONS, "catalogue": str(uri), **options})


@pytest.mark.parametrize("form", ["hats", "parquet"])
def test_a_catalogue_in_its_layout_gives_light_curves(tmp_path, form):
    catalogue = rubin_catalogue(THREE)
    if form == "hats":
        uri = write_hats(tmp_path / "dp1", catalogue, max_rows=2)
    else:
        pq.write_table(catalogue, uri := tmp_path / "dp1.parquet")
    got = fetch(uri)
    batch = got.curves.batch
    assert (batch.source_id.tolist(), got.curves.objid.tolist()) == ([1, 2, 3], [1000, 1001, 1002])
    assert batch.n_epoch.tolist() == [N_EPOCH] * 3 and batch.bands == tuple(f"{letter}_rubin" for letter in "ugrizy")
    ranks = {(row["source_id"], row["objid"]): row["rank"] for row in got.matches.to_pylist()}
    assert ranks == {(1, 1000): 1, (2, 1001): 1, (3, 1002): 1, (1, 1002): 2, (3, 1000): 2}
    assert all(row["sep_arcsec"] < 1e-3 for row in got.matches.to_pylist() if row["rank"] == 1)
    place = np.argsort(np.argsort(batch.time[: batch.offsets[1]]))
    np.testing.assert_array_equal(batch.band[: batch.offsets[1]], place % 6)
    np.testing.assert_allclose(batch.mag[: batch.offsets[1]], mag_of(1000, place), atol=2e-6)
    np.testing.assert_allclose(batch.mag_err, 2.5 / np.log(10) * 0.01, rtol=1e-6)
    utc = 60_638.5 - 37 / 86_400  # TAI is 37 s ahead; TDB and TCB differ by 24 s then
    expected = 60_638.5 + (32.184 + 23.9) / 86_400 + light_travel(utc, 53.0, -28.0, "barycentric")
    assert abs(batch.time[0] - expected) < 2 / 86_400
    assert not batch.flags.any() and got.rejected.num_rows == 0


def test_flags_and_what_cannot_be(tmp_path):
    """A flag of the centre rejects, one of another pixel does not; no time, no known band: reported by its place."""
    shape, flux = (3, N_EPOCH), np.full((3, N_EPOCH), 1e6, np.float32)
    marks = {
        name: np.zeros(shape, bool)
        for name in ("pixelFlags_suspectCenter", "pixelFlags_saturatedCenter", "pixelFlags_cr")
    }
    for k, name in enumerate(marks):
        marks[name][0, k] = True
    flux[0, 3] = -50.0
    band = np.tile(np.array(list("ugrizy"))[np.arange(N_EPOCH) % 6], (3, 1))
    time = 60_638.5 + np.tile(np.arange(float(N_EPOCH)), (3, 1))
    band[1, 5], time[1, 6] = "w", np.nan
    got = fetch(
        write_hats(tmp_path / "dp1", rubin_catalogue(THREE, psfFlux=flux, band=band, midpointMjdTai=time, **marks))
    )
    batch = got.curves.batch
    assert batch.flags[:3].tolist() == [BAD_QUALITY, SATURATED, 0] and np.isnan(batch.mag).tolist() == [
        k == 3 for k in range(batch.mag.size)
    ]
    reasons = {(row["object_id"], row["key"], row["check"]) for row in got.rejected.to_pylist()}
    assert reasons == {("2", "1001 5", "unknown_band"), ("2", "1001 6", "finite")}


def test_another_layout_is_a_setting_and_a_missing_column_a_sentence(tmp_path):
    catalogue = rubin_catalogue(THREE).drop_columns("radecMjdTai")
    names = {"diaObjectId": "objectId", "diaObjectForcedSource": "objectForcedSource"}
    uri = write_hats(tmp_path / "dp2", catalogue.rename_columns([names.get(n, n) for n in catalogue.column_names]))
    layout = {"objid": "objectId", "epochs": "objectForcedSource", "position_mjd": ""}
    assert fetch(uri, **layout).curves.objid.tolist() == [1000, 1001, 1002]
    with pytest.raises(BadQuestion, match="lacks 1 of 4 columns, first 'radecMjdTai'"):
        fetch(uri, **layout | {"position_mjd": "radecMjdTai"})
    with pytest.raises(BadQuestion, match="no 'calFlux' in 'objectForcedSource'; it has band, midpointMjdTai"):
        fetch(uri, **layout, flux="calFlux")


def test_the_real_row_of_its_layout_is_read():
    """Its epochs are anywhere on the sky and its flags are drawn, so that only names, types and counts are compared."""
    path = real_data.ROOT / "rubin_dp1_layout" / "data_thumbnail.parquet"
    if not path.exists():
        pytest.skip(f"no row of the layout in {path.parent}")
    row = pq.read_table(path).to_pylist()[0]
    star = sources({"source_id": 7, "ra": row["ra"], "dec": row["dec"]})
    got = rubin.fetch(read_alone, star, neighbours(), {**rubin.OPTIONS, "catalogue": str(path)})
    batch, epochs = got.curves.batch, row["diaObjectForcedSource"]
    assert got.curves.objid.tolist() == [row["diaObjectId"]]
    assert batch.n_epoch.tolist() == [len(epochs["band"])] and np.abs(batch.time - 60_640).max() < 60
    order = np.argsort(epochs["midpointMjdTai"], kind="stable")
    assert [batch.bands[code][0] for code in batch.band] == [epochs["band"][k] for k in order]


def test_it_is_asked_where_its_catalogue_is_named():
    assert "rubin" not in surveys_of(ArchiveSource()) and "gaia" in surveys_of(ArchiveSource())
    assert surveys_of(ArchiveSource(surveys=("gaia",), options={"rubin": {"catalogue": "/dp1"}})) == ("gaia", "rubin")
    with pytest.raises(BadInput, match=r"No service has rubin: .*source\.options\.rubin\.catalogue=URI"):
        survey_archive(None, ArchiveSource(surveys=("gaia", "rubin")), None)
