"""Epoch photometry through unmodified astroquery, in every structure, layout and format, against the holdings."""

import csv
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest
from astropy.io.votable import parse, parse_single_table
from astropy.table import Table

from tasks.replica import datalink, layouts
from tests import real_data
from tests.unit.replica.served_sky import Server, serving

RECORDED_ZIP = "gaia_dr3_source_id_5937083312263887616_dl_products_csv.zip"
# The head of a csv file of the live service, as two public repositories keep it (June and September 2026).
LIVE_HEAD = (
    "solution_id,source_id,transit_id,g_transit_time,g_transit_flux,g_transit_flux_error,g_transit_flux_over_error,"
    "g_transit_mag,bp_obs_time,bp_flux,bp_flux_error,bp_flux_over_error,bp_mag,rp_obs_time,rp_flux,rp_flux_error,"
    "rp_flux_over_error,rp_mag,variability_flag_g_reject,variability_flag_bp_reject,variability_flag_rp_reject,"
    "g_other_flags,bp_other_flags,rp_other_flags,rejected_by_photometry"
)
FLAG = "variability_flag_g_reject"


@pytest.fixture(scope="module")
def server():
    with serving(datalink) as server:
        yield server


@pytest.fixture(scope="module")
def ids(server: Server) -> np.ndarray:
    """Three sources with a product, the first with a band missing somewhere."""
    relation = server.holdings.tables("gaia")["gaiadr3.gaia_source"].relation
    with server.holdings.connect() as connection:
        query = f"SELECT source_id FROM {relation} WHERE has_epoch_photometry ORDER BY source_id"
        every = connection.execute(query).fetchnumpy()["source_id"]
    transits = server.holdings.epoch_photometry(every)
    gap = transits.filter(pc.and_(pc.is_null(transits["bp_flux"]), pc.is_valid(transits["g_transit_flux"])))
    first = gap["source_id"][0].as_py()
    held = transits["source_id"].unique().to_numpy()
    return np.array([first, *[id for id in held if id != first][:2]])


@pytest.fixture
def gaia(server: Server, tmp_path: Path, monkeypatch):
    from astroquery.gaia import GaiaClass

    monkeypatch.chdir(tmp_path)  # load_data writes into the current folder
    return GaiaClass(
        gaia_tap_server=server.url + "/",
        gaia_data_server=server.url + "/",
        tap_server_context="tap-server",
        data_server_context="data-server",
        show_server_messages=False,
    )


def load(gaia, ids, **options):
    known = {"data_release": "Gaia DR3", "retrieval_type": "EPOCH_PHOTOMETRY", "data_structure": "INDIVIDUAL"}
    return gaia.load_data([int(id) for id in ids], **{**known, **options})


def as_table(value) -> Table:
    """What load_data gives for one file: a list of one table, a list of one VOTable element, or a table (json)."""
    value = value[0] if isinstance(value, list) else value
    return value if isinstance(value, Table) else value.to_table(use_names_over_ids=True)


def numbers(column) -> np.ndarray:
    """Values as floats, what is missing as NaN, whichever way the reader said so."""
    missing = (None, np.ma.masked)
    return np.array([np.nan if any(value is none for none in missing) else float(value) for value in column])


@pytest.mark.parametrize("form", ["csv", "votable", "votable_plain", "fits", "json"])
def test_load_data_gives_each_source_its_transits(server, gaia, ids, form):
    files = load(gaia, ids, format=form)
    suffix = {"csv": "csv", "fits": "fits", "json": "json"}.get(form, "xml")
    assert set(files) == {f"EPOCH_PHOTOMETRY-Gaia DR3 {id}.{suffix}" for id in ids}
    held = server.holdings.epoch_photometry(ids[:1])
    table = as_table(files[f"EPOCH_PHOTOMETRY-Gaia DR3 {ids[0]}.{suffix}"])
    parameters = set(layouts.WIDE.parameters) if "votable" in form else set()
    assert set(table.colnames) == set(LIVE_HEAD.split(",")) - parameters
    assert table["transit_id"].tolist() == held["transit_id"].to_pylist()
    for name in ("g_transit_time", "g_transit_flux", "bp_flux_over_error", "bp_flux", "rp_mag"):
        np.testing.assert_array_equal(
            numbers(table[name]).astype(np.float32), held[name].to_numpy().astype(np.float32), name
        )
    assert np.isnan(numbers(table["bp_flux"])).sum() == held["bp_flux"].null_count > 0
    flags = [str(value).lower() for value in table[FLAG]]
    assert flags == [str(value).lower() for value in held[FLAG].to_pylist()]
    if form == "csv":
        assert table[FLAG].dtype.kind == "U"  # "true" and "false": load_data makes no booleans of them


@pytest.mark.parametrize("form", ["csv", "votable", "votable_plain", "fits", "json"])
def test_load_data_raw_gives_one_row_per_source(server, gaia, ids, form):
    files = load(gaia, ids, data_structure="RAW", format=form)
    (name,) = files
    assert name.startswith("EPOCH_PHOTOMETRY_RAW.")
    table = as_table(files[name])
    assert table.colnames == [column.name for column in layouts.RAW.columns]
    assert len(table.colnames) == 48
    assert table["source_id"].tolist() == sorted(ids)
    for row in table:
        held = server.holdings.epoch_photometry(np.array([row["source_id"]], np.int64))
        assert row["n_transits"] == len(held)
        flux = row["bp_flux"]
        if form == "csv":  # "(1.5, NaN)"
            flux = [float(value) for value in flux.strip("()").split(", ")]
        np.testing.assert_array_equal(numbers(flux), held["bp_flux"].to_numpy())


def test_ecsv_files_are_ecsv(server, ids):
    """load_data of astroquery 0.4.11 drops .ecsv files, so they are read by themselves."""
    with archive(server, ids[:1], FORMAT="ecsv") as files:
        table = Table.read(files.read(f"EPOCH_PHOTOMETRY-Gaia DR3 {ids[0]}.ecsv").decode(), format="ascii.ecsv")
    held = server.holdings.epoch_photometry(ids[:1])
    assert ",".join(table.colnames) == LIVE_HEAD
    assert table[FLAG].tolist() == held[FLAG].to_pylist()
    np.testing.assert_array_equal(numbers(table["bp_flux"]), held["bp_flux"].to_numpy())
    assert "electron" in str(table["bp_flux"].unit)


def test_ecsv_arrays_are_written_as_on_the_cdn(server, ids):
    with archive(server, ids[:1], FORMAT="ecsv", DATA_STRUCTURE="RAW") as files:
        text = files.read("EPOCH_PHOTOMETRY_RAW.ecsv").decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    (row,) = csv.DictReader(lines)
    held = server.holdings.epoch_photometry(ids[:1])
    assert json.loads(row[FLAG]) == [str(value) for value in held[FLAG].to_pylist()]  # "True" and "False", as texts
    np.testing.assert_array_equal(json.loads(row["bp_flux"]), held["bp_flux"].to_numpy())  # JSON with NaN
    assert text.count("subtype: 'float64[null]'") == 12


def archive(server: Server, ids, **parameters) -> zipfile.ZipFile:
    """The zip of a request as the project's own client sends it."""
    import requests

    form = {
        "VALID_DATA": "false",
        "ID": ",".join(map(str, ids)),
        "RELEASE": "Gaia DR3",
        "DATA_STRUCTURE": "INDIVIDUAL",
        "FORMAT": "csv",
        "RETRIEVAL_TYPE": "EPOCH_PHOTOMETRY",
        "USE_ZIP_ALWAYS": "true",
        **parameters,
    }
    answer = requests.post(f"{server.url}/data-server/data", data=form, timeout=20)
    assert answer.status_code == 200, answer.text
    return zipfile.ZipFile(io.BytesIO(answer.content))


def test_the_fast_path_of_tapplus_streams_a_zip(server, ids, tmp_path):
    from astroquery.utils.tap import TapPlus

    connection = TapPlus(
        url=server.url + "/",
        server_context="data-server",
        tap_context="tap",
        data_context="data",
        datalink_context="datalink",
    )
    parameters = {
        "VALID_DATA": "false",
        "ID": ",".join(map(str, ids)),
        "RELEASE": "Gaia DR3",
        "DATA_STRUCTURE": "INDIVIDUAL",
        "FORMAT": "csv",
        "RETRIEVAL_TYPE": "EPOCH_PHOTOMETRY",
        "USE_ZIP_ALWAYS": "true",
    }
    place = tmp_path / "products.zip"
    connection.load_data(params_dict=parameters, output_file=str(place))
    with zipfile.ZipFile(place) as files:
        texts = {name: files.read(name) for name in files.namelist()}
    assert all(text.startswith(LIVE_HEAD.encode() + b"\n") for text in texts.values())
    tables = [pa.csv.read_csv(io.BytesIO(text)) for _, text in sorted(texts.items())]
    order = [table["source_id"][0].as_py() for table in tables]
    whole = pa.concat_tables([table.cast(tables[0].schema) for table in tables])
    held = pa.concat_tables([server.holdings.epoch_photometry(np.array([id])) for id in order])
    assert len(whole) == len(held)
    for name, kind in zip(held.column_names, held.schema.types, strict=True):
        if pa.types.is_floating(kind):
            np.testing.assert_array_equal(whole[name].cast(kind).to_numpy(), held[name].to_numpy(), name)
        else:
            assert whole[name].to_pylist() == held[name].to_pylist(), name


def test_long_layout_has_a_row_for_every_flux(server, gaia, ids):
    server.state.limits.layout = "long"
    try:
        files = load(gaia, ids[:1], format="votable")
    finally:
        server.state.limits.layout = "wide"
    table = as_table(files[f"EPOCH_PHOTOMETRY-Gaia DR3 {ids[0]}.xml"])
    held = server.holdings.epoch_photometry(ids[:1])
    bands = [str(value) for value in table["band"]]
    assert bands == sorted(bands, key=["G", "BP", "RP"].index)
    for band, flux, time in (
        ("G", "g_transit_flux", "g_transit_time"),
        ("BP", "bp_flux", "bp_obs_time"),
        ("RP", "rp_flux", "rp_obs_time"),
    ):
        rows = table[[str(value) == band for value in table["band"]]]
        measured = held.filter(pc.is_valid(held[flux]))
        np.testing.assert_array_equal(rows["flux"], measured[flux].to_numpy())
        np.testing.assert_array_equal(rows["time"], measured[time].to_numpy())
        assert [bool(value) for value in rows["rejected_by_variability"]] == measured[
            f"variability_flag_{band.lower()}_reject"
        ].to_pylist()
    assert len(table) == sum(len(held) - held[name].null_count for name in ("g_transit_flux", "bp_flux", "rp_flux"))


def test_long_layout_has_the_columns_of_the_recorded_product(server, ids):
    place = real_data.recorded("ivoa_gaia_multiband.xml")
    recorded = {field.name: field for field in parse_single_table(str(place), verify="ignore").fields}
    server.state.limits.layout = "long"
    try:
        with archive(server, ids, FORMAT="votable_plain") as files:
            own = parse_single_table(io.BytesIO(files.read(files.namelist()[0]))).fields
    finally:
        server.state.limits.layout = "wide"
    assert [field.name for field in own] == list(recorded)
    for field in own:
        wider = {"float": "double"}.get(recorded[field.name].datatype, recorded[field.name].datatype)
        assert field.datatype in (recorded[field.name].datatype, wider), field.name
        assert field.ucd is None or field.ucd in str(recorded[field.name].ucd) + str(recorded[field.name].utype)
        assert (field.unit is None) == (recorded[field.name].unit is None), field.name


def test_files_are_named_as_in_the_recorded_zip(server, ids):
    with zipfile.ZipFile(real_data.of_astroquery("gaia", RECORDED_ZIP)) as recorded:
        patterns = {name.replace("5937083312263887616", "*").partition("-")[2] for name in recorded.namelist()}
        deflated = {entry.compress_type for entry in recorded.infolist()}
    with archive(server, ids) as own:
        assert {
            name.replace(str(id), "*").partition("-")[2] for name, id in zip(own.namelist(), sorted(ids), strict=True)
        } == patterns
        assert {entry.compress_type for entry in own.infolist()} == deflated


def test_votables_are_framed_as_the_recorded_ones(server, ids):
    """Spectra recorded by astroquery: the same service, so the same frame; ids are said in PARAMs there and here."""
    import astroquery.gaia

    place = Path(astroquery.gaia.__file__).parent / "tests" / "data" / RECORDED_ZIP.replace("_csv", "_vot")
    with zipfile.ZipFile(place) as recorded:
        text = recorded.read("XP_SAMPLED-Gaia DR3 5937083312263887616.xml")
    theirs = parse(io.BytesIO(text), verify="ignore")
    with archive(server, ids, FORMAT="votable") as files:
        content = files.read(f"EPOCH_PHOTOMETRY-Gaia DR3 {ids[0]}.xml")
    ours = parse(io.BytesIO(content), verify="ignore")
    assert ours.version == theirs.version
    for one in (ours, theirs):
        (system,) = one.resources[0].time_systems
        assert (system.timeorigin, system.timescale, system.refposition) == (2455197.5, "TCB", "BARYCENTER")
        (told,) = [p for p in one.get_first_table().params if p.name == "source_id"]
        assert told.datatype == "long"
    assert int(told.value) == 5937083312263887616
    (told,) = [p for p in ours.get_first_table().params if p.name == "source_id"]
    assert int(told.value) == ids[0]
    assert b"BINARY2" in text and b"BINARY2" in content
