"""What a file counts decides how it is read: bands without errors, instrumental magnitudes, steps of times."""

import numpy as np
import pytest

from schemas import BadInput
from schemas.mapping import load_spec
from tasks.folder.local import read_epochs, read_objects
from tests.unit.folder.conftest import make_light_curves

CURVES = make_light_curves(n_objects=4, n_epochs=30)
BANDS = '[[bands]]\nname = "g"\nsystem = "{0}"\n[[bands]]\nname = "r"\nsystem = "{0}"\n'


def read(path):
    """All epochs in one batch, checks that rows failed, and notes."""
    spec = load_spec(path)
    reader = read_epochs(path, spec, read_objects(path, spec).table["object_id"].to_pylist(), 100)
    (chunk,) = reader
    return chunk.batch, [row["check"] for row in chunk.rejected.to_pylist()], reader.notes


@pytest.mark.parametrize("nothing", [np.nan, 0.0, -1.0, 99.0])
def test_a_band_without_any_error_quotes_none(folder, nothing):
    in_g = CURVES["band"] == "g"
    batch, failed, notes = read(folder({**CURVES, "mag_err": np.where(in_g, nothing, 0.01)}))
    assert batch.time.size == 120 and not failed
    np.testing.assert_array_equal(np.isnan(batch.mag_err), batch.band == 0)
    assert notes == ["Band g quotes no errors: none of its rows in lightcurves.parquet has a positive mag_err."]


def test_a_band_with_one_error_needs_them_all(folder):
    err = np.where(CURVES["band"] == "g", np.nan, 0.01)
    err[np.flatnonzero(np.isnan(err))[0]] = 0.02
    batch, failed, notes = read(folder({**CURVES, "mag_err": err}))
    assert batch.time.size == 61 and failed == ["finite"] * 59 and not notes


@pytest.mark.parametrize("shift", [25.0, 20.5])
@pytest.mark.parametrize("system", [None, "instrumental"])
def test_instrumental_magnitudes_are_read(folder, shift, system):
    curves = {**CURVES, "mag": CURVES["mag"] - np.float32(shift)}
    batch, failed, notes = read(folder(curves, toml=system and BANDS.format(system)))
    assert batch.time.size == 120 and not failed and batch.mag.min() < -5
    assert sum("are instrumental" in note for note in notes) == 2


def test_one_band_may_be_instrumental(folder):
    mag = CURVES["mag"] - np.float32(25) * (CURVES["band"] == "r")
    mag[0] = -9.99 if CURVES["band"][0] == "g" else mag[0]
    mag[1] = -9.99 if CURVES["band"][1] == "g" else mag[1]
    batch, failed, _ = read(folder({**CURVES, "mag": mag}))
    assert failed == ["range"] * int((CURVES["band"][:2] == "g").sum()) and batch.time.size == 120 - len(failed)


@pytest.mark.parametrize("system", ["AB", "Vega"])
def test_calibrated_magnitudes_are_never_so_bright(folder, system):
    path = folder({**CURVES, "mag": CURVES["mag"] - 25}, toml=BANDS.format(system))
    with pytest.raises(BadInput, match=r"120 of 120 .* look like instrumental magnitudes, write system = \"instrum"):
        read(path)


def test_a_few_bright_sentinels_make_no_instrumental_band(folder):
    mag = np.where(np.arange(120) % 6 == 0, np.float32(-9.99), CURVES["mag"])
    batch, failed, _ = read(folder({**CURVES, "mag": mag}))
    assert batch.time.size == 100 and failed == ["range"] * 20


def test_jd_of_32_bits_is_refused_with_its_step(folder):
    for kind in (np.float32, np.float64):  # also when they were widened afterwards
        curves = {**CURVES, "jd": (CURVES["mjd"] + 2_400_000.5).astype(np.float32).astype(kind)}
        del curves["mjd"]
        with pytest.raises(BadInput, match=r"column 'jd' are stored as numbers of 32 bits, in steps of 0\.25 d: no"):
            read(folder(curves, toml=""))
        batch, failed, notes = read(folder(curves, toml="coarse_time = true"))
        assert batch.time.size == 120 and not failed and "steps of 0.25 d" in notes[0]


def test_mjd_of_32_bits_is_read_and_mentioned(folder):
    batch, failed, notes = read(folder({**CURVES, "mjd": CURVES["mjd"].astype(np.float32)}))
    assert batch.time.size == 120 and not failed
    assert notes == ["The times of lightcurves.parquet are stored as numbers of 32 bits, in steps of 0.0039 d."]


@pytest.mark.parametrize("step", [0.5, 1.0])
def test_times_that_people_rounded_are_read(folder, step):
    days = np.round(CURVES["mjd"] / step) * step + 2_400_000.5
    curves = {name: values for name, values in CURVES.items() if name != "mjd"}
    assert read(folder({**curves, "jd": days}))[1:] == ([], [])


def halves(offset):
    """Times of which every second has another zero point."""
    return np.where(np.arange(120) % 2 == 0, CURVES["mjd"] + offset, CURVES["mjd"])


def test_half_jd_and_half_mjd_are_read_where_declared(folder):
    path = folder({**CURVES, "mjd": halves(2_400_000.5)}, toml="mixed_jd = true")
    batch, failed, notes = read(path)
    assert batch.time.size == 120 and not failed and "60 times" in notes[0]
    np.testing.assert_allclose(np.sort(batch.time), np.sort(CURVES["mjd"]), atol=1e-9)


@pytest.mark.parametrize("name", ["mjd", "time"])
def test_half_jd_and_half_mjd_are_asked_about(folder, name):
    curves = {key: values for key, values in CURVES.items() if key != "mjd"} | {name: halves(2_400_000.5)}
    with pytest.raises(BadInput, match=r"60 of 120 times .* look like JD, the others like MJD: .* mixed_jd = true"):
        read(folder(curves, toml=""))
