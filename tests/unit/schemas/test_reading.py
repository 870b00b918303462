"""How a folder is read, in a few lines."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas import BadInput
from schemas.dataset import DatasetSpec
from schemas.mapping import load_spec, parse_spec
from schemas.reading import describe_epochs, describe_objects, describe_reading, describe_time


def write(folder, objects, lightcurves):
    """A folder with a row in each file."""
    for name, columns in {"objects": objects, "lightcurves": lightcurves}.items():
        pq.write_table(pa.table({column: [value] for column, value in columns.items()}), folder / f"{name}.parquet")
    return folder


OBJECTS = {"ID": "a", "RA": 1.0, "Dec": 2.0, "Type": "RR", "teff": 6000.0, "e_teff": 100.0, "note": "x"}


def test_every_column_is_read_or_listed(tmp_path):
    epochs = {"ID": "a", "HJD": 2458000.5, "Mag": 15.0, "MAG_2": 1.0, "filterid": 1, "catflags": 0}
    folder = write(tmp_path, OBJECTS, epochs)
    (folder / "dataset.toml").write_text('[[parameters]]\nquantity = "teff_k"\ncolumn = "teff"\nerr = "e_teff"')
    assert describe_reading(folder, load_spec(folder)) == [
        "objects.parquet: id = ID, ra = RA, dec = Dec, label = Type, teff_k = teff; not used: note",
        "lightcurves.parquet: id = ID, time = HJD -> MJD, mag = Mag, no errors, bands band_1 (1) from filterid, "
        "flags = catflags; not used: MAG_2",
    ]


def test_the_twin_that_is_not_read_is_listed(tmp_path):
    folder = write(tmp_path, {"id": "a"}, {"id": "a", "mjd": 58000.0, "MAG": 20.5, "mag": 15.0, "magerr": 0.1})
    assert describe_reading(folder, load_spec(folder)) == [
        "objects.parquet: id = id, no label; not used: nothing",
        "lightcurves.parquet: id = id, time = mjd (MJD), mag = mag, mag_err = magerr, all in one band, single; "
        "not used: MAG",
    ]


def test_mean_photometry_and_long_lists(tmp_path):
    rest = {f"c{k}": 1.0 for k in range(14)}
    folder = write(tmp_path, {"star": "a", "mag_G": 15.0, "feh": -1.0, **rest}, {"id": "a"})
    toml = ('name = "x"\nkind = "photometry"\n[objects]\nid = "star"\n[[parameters]]\nquantity = "feh_dex"\n'
            'column = "feh"\n[[bands]]\nname = "G"\nmag = "mag_G"')  # fmt: skip
    listed = ", ".join(list(rest)[:12])
    assert describe_reading(folder, parse_spec(toml, "x")) == [
        f"objects.parquet: id = star, feh_dex = feh, G = mag_G, no label; not used: {listed} and 2 more"
    ]


@pytest.mark.parametrize("column, keys, words", [
    ("HJD", {"time_zero": "hjd"}, "time = HJD -> MJD"),
    ("t", {"time_zero": "hjd-2450000"}, "time = t (HJD-2450000) -> MJD"),
    ("HJD-2450000", {"time_zero": "hjd-2450000"}, "time = HJD-2450000 -> MJD"),
    ("hmjd", {"time_zero": "mjd"}, "time = hmjd (MJD)"),
    ("mjd", {"time_zero": "mjd", "mixed_jd": True}, "time = mjd (MJD, and JD above 2,400,000 -> MJD)"),
    ("t", {"time_zero": "mjd", "time_unit": "s"}, "time = t (seconds since MJD 0) -> MJD"),
    ("t", {"time_zero": "bjd-2457000", "time_unit": "h"}, "time = t (hours since BJD 2457000) -> MJD"),
    ("t", {}, "time = t (days from an unknown zero)"),
    ("ph", {"kind": "phase"}, "phase = ph"),
])  # fmt: skip
def test_what_times_become(column, keys, words):
    spec = DatasetSpec.model_validate({"name": "x", "bands": [{"name": "g"}], "lightcurves": {"time": column}, **keys})
    assert describe_time(spec) == words


@pytest.mark.parametrize("bands, band, words", [
    ([{"name": "V"}], None, "all in one band, V"),
    ([{"name": "g_ztf", "value": "zg"}, {"name": "r"}], "fid", "bands g_ztf (zg) r from fid"),
    ([{"name": f"b{k}"} for k in range(14)], "band", "b9 b10 b11 and 2 more from band"),
])  # fmt: skip
def test_bands_are_named_with_what_the_file_calls_them(tmp_path, bands, band, words):
    folder = write(tmp_path, {"object_id": "a"}, {"object_id": "a", "time": 1.0, "mag": 15.0, "fid": 1, "band": "x"})
    spec = DatasetSpec.model_validate({"name": "x", "bands": bands, "lightcurves": {"band": band}})
    assert words in describe_epochs(folder, spec) and describe_reading(folder, spec)[1] == describe_epochs(folder, spec)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    spec = DatasetSpec.model_validate({"name": "x", "bands": [{"name": "g"}]})
    with pytest.raises(BadInput, match=r"There is no objects\.parquet"):
        describe_objects(tmp_path, spec)


def test_a_second_table_of_objects_is_named(tmp_path):
    folder = write(tmp_path, {"id": "a"}, {"id": "a", "mjd": 58000.0, "mag": 15.0})
    (folder / "objects.csv").write_text("id\na\n")
    first, second = describe_reading(folder, load_spec(folder))
    assert first == "objects.parquet: id = id, no label; not used: nothing; objects.csv beside it: not read"
    assert "not read" not in second
