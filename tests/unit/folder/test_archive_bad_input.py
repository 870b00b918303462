"""Bad input: a wrong file stops with one sentence, a bad row is reported and the rest is read."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas import BadInput
from schemas.mapping import load_spec
from tasks.folder.local import fingerprint, read_epochs, read_objects


def read(path):
    """Reports and notes of all light curves of a folder."""
    spec = load_spec(path)
    reader = read_epochs(path, spec, read_objects(path, spec).table["object_id"].to_pylist(), 2)
    chunks = list(reader)
    n_epochs = sum(chunk.batch.time.size for chunk in chunks)
    return n_epochs, pa.concat_tables(chunk.rejected for chunk in chunks).to_pylist(), reader.notes


def stops(path, *words):
    """The run stops with one sentence (one line) that holds all `words`."""
    with pytest.raises(BadInput) as caught:
        read(path)
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith((".", "?")), sentence
    for word in words:
        assert word in sentence, f"{word!r} is not in: {sentence}"


def test_missing_folder(tmp_path):
    stops(tmp_path / "nowhere", "There is no folder", "nowhere")


def test_missing_file(folder):
    path = folder()
    (path / "lightcurves.parquet").unlink()
    stops(path, "There is no lightcurves.parquet")


@pytest.mark.parametrize("name", ["lightcurves", "objects"])
def test_not_parquet(folder, name):
    path = folder()
    (path / f"{name}.parquet").write_text("object_id,mag\n1,15.0\n")
    stops(path, f"{name}.parquet cannot be read")


def test_broken_pages(folder, light_curves):
    path = folder(light_curves(n_epochs=2000))
    file = path / "lightcurves.parquet"
    content = bytearray(file.read_bytes())
    content[100:20000] = b"\xff" * 19900
    file.write_bytes(content)
    stops(path, "lightcurves.parquet", "cannot be read")


FULL_DISK = """
import resource, signal, sys
from schemas.mapping import load_spec
from tasks.folder.local import read_epochs

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
path = sys.argv[1]
try:
    list(read_epochs(path, load_spec(path), ["star0", "star1"], 1, memory_limit="16MiB", scratch=path))
except ValueError as error:
    print(type(error).__name__, error)
"""


def test_full_disk(folder, light_curves):
    """A limit on the size of files stands in for a full disk: there is no room to sort in."""
    path = folder(light_curves(n_objects=2, n_epochs=400_000))
    command = [sys.executable, "-c", FULL_DISK, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3], check=True)
    assert done.stdout.startswith("BadInput") and "free disk" in done.stdout and done.stdout.count("\n") == 1
    assert not list(path.glob("argelander-*"))


def test_missing_column_names_the_nearest(folder):
    stops(folder(toml='[lightcurves]\ntime = "mdj"'), "'mdj'", "lightcurves.time", "mag_err", "Did you mean 'mjd'?")


def test_missing_column_in_a_preset(folder):
    path = folder()
    with pytest.raises(BadInput, match=r"no column 'label' \(label.column\); it has object_id"):
        read_objects(path, load_spec(path, "css_north").model_copy(update={"objects": load_spec(path).objects}))


def test_no_column_looks_like_the_time(folder, light_curves):
    columns = light_curves()
    columns["when"] = columns.pop("mjd")
    stops(folder(columns), "no column looks like the time", "when", "lightcurves.time")


@pytest.mark.parametrize("name", ["lightcurves", "objects"])
def test_no_rows(folder, name):
    path = folder()
    table = pq.read_table(path / f"{name}.parquet")
    pq.write_table(table.slice(0, 0), path / f"{name}.parquet")
    stops(path, f"{name}.parquet", "no rows")


@pytest.mark.parametrize("factor, zero, advice", [
    (86400, 0, 'time_unit = "s" and time_zero = "mjd"'),
    (24, 0, 'time_unit = "h"'),
    (1, 2400000.5, 'time_zero = "jd"'),
    (1, -49999.5, 'time_zero = "jd-2450000"'),
    (86400, -40587, 'time_zero = "jd-2440587.5"'),
])  # fmt: skip
def test_wrong_unit_of_absolute_times(folder, factor, zero, advice, light_curves):
    columns = light_curves()
    columns["mjd"] = (columns["mjd"] + zero) * factor
    stops(folder(columns), "column 'mjd'", "median", advice)


def test_days_declared_as_jd(folder):
    stops(folder(toml='time_zero = "jd"'), 'time_zero = "jd"', 'set time_unit = "d" and time_zero = "mjd"')


def test_seconds_since_some_time(folder, light_curves):
    columns = light_curves()
    columns["time"] = (columns.pop("mjd") - 58000) * 86400
    stops(folder(columns), "spans", "years", "seconds", 'time_unit = "s"')
    n_epochs, rejected, _ = read(folder(columns, toml='time_unit = "s"'))
    assert n_epochs == 40 and not rejected


def test_times_declared_as_phases(folder):
    stops(folder(toml='kind = "phase"'), "declared as phase", 'kind = "time"')


def test_fluxes(folder, light_curves):
    columns = light_curves()
    stops(folder(columns | {"mag": columns["mag"] * 100}), "40 of 40", "fluxes")


@pytest.mark.parametrize("column, value", [("mjd", "2020-01-01"), ("mag", "bright")])
def test_text_for_numbers(folder, column, value, light_curves):
    columns = light_curves()
    stops(folder(columns | {column: [value] * 40}), f"column {column!r} is string", "number")


def test_float_ids(folder, light_curves):
    columns = light_curves()
    stops(folder(columns | {"object_id": np.arange(40.0)}, {"object_id": np.arange(40.0)}), "is double", "ids")


def test_no_id_matches(folder):
    stops(folder(objects={"object_id": ["STAR-0", "STAR-1"]}), "none of its 4 objects", "'star0'", "'STAR-0'")


def test_only_unknown_bands(folder):
    stops(folder(toml='[[bands]]\nname = "V"'), "'g', 'r'", "declared are 'V'")


def test_all_errors_unusable(folder, light_curves):
    columns = light_curves()
    stops(folder(columns | {"mag_err": np.full(40, np.nan)}), "no value of column 'mag_err'", 'mag_err = ""')


def test_most_ids_repeated(folder):
    stops(folder(objects={"object_id": ["star0"] * 9 + ["star1"]}), "8 of 10 rows repeat an id", "objects.id")


def test_few_ids_repeated(folder):
    ids = ["star0", "star1", "star2", "star0", "star3", "star0"]
    path = folder(objects={"object_id": ids, "ra": [1.0, 2, 3, 4, 5, 6], "dec": [0.0] * 6})
    objects = read_objects(path, load_spec(path))
    assert objects.table["object_id"].to_pylist() == ["star0", "star1", "star2", "star3"]
    assert objects.table["ra"].to_pylist() == [1, 2, 3, 5]
    assert [(r["key"], r["check"]) for r in objects.rejected.to_pylist()] == [
        ("star0", "duplicate"),
        ("star0 #2", "duplicate"),
    ]


@pytest.mark.parametrize("column, value, check, text", [
    ("mag_err", np.nan, "finite", "nan"),
    ("mag_err", np.inf, "finite", "inf"),
    ("mag_err", -0.01, "positive", "-0.01"),
    ("mag_err", 0.0, "positive", "0"),
    ("mag", np.nan, "finite", "nan"),
    ("mag", 99.99, "range", "99.99"),
    ("mag", -999.0, "range", "-999"),
    ("mag", 1e300, "finite", "nan"),  # more than a float32 holds
    ("mjd", np.nan, "finite", "nan"),
    ("mjd", -9999.0 * 86400, "range", "-863913600"),
    ("band", "Q", "unknown_band", "Q"),
    ("band", None, "unknown_band", None),
])  # fmt: skip
def test_a_bad_row_is_reported_and_the_rest_is_read(folder, column, value, check, text, light_curves):
    columns = {name: values.tolist() for name, values in light_curves().items()}
    columns[column][7] = value
    bands = '[[bands]]\nname = "g"\n[[bands]]\nname = "r"'
    n_epochs, rejected, _ = read(folder(columns, toml=bands))
    assert n_epochs == 39 and len(rejected) == 1
    report = rejected[0]
    assert (report["column"], report["check"], report["value"]) == (column, check, text)
    assert report["table"] == "lightcurves.parquet" and report["object_id"] == columns["object_id"][7]
    assert report["key"].startswith(report["object_id"])


def test_keys_of_reports_are_unique(folder):
    columns = {"object_id": ["a"] * 4, "time": [1.0, 1, 1, 2], "mag": [np.nan, np.nan, 99, 15.0]}
    _, rejected, _ = read(folder(columns))
    assert len({report["key"] for report in rejected}) == 3


def test_an_object_that_loses_every_row_is_reported(folder, light_curves):
    columns = light_curves()
    columns["mag_err"][columns["object_id"] == "star1"] = -1
    n_epochs, rejected, _ = read(folder(columns))
    assert n_epochs == 30 and [r["check"] for r in rejected].count("positive") == 10
    assert [(r["object_id"], r["value"]) for r in rejected if r["check"] == "no_epochs"] == [("star1", "10")]


def test_objects_without_rows_and_rows_without_objects(folder):
    path = folder(objects={"object_id": ["star0", "star1", "dark"]})
    n_epochs, rejected, notes = read(path)
    assert n_epochs == 20
    assert [(r["object_id"], r["check"], r["value"]) for r in rejected] == [("dark", "no_epochs", "0")]
    assert any("2 of 4 objects" in note for note in notes)


def test_rows_without_an_id(folder, light_curves):
    columns = {name: values.tolist() for name, values in light_curves().items()}
    columns["object_id"][3] = columns["object_id"][4] = None
    path = folder(columns, {"object_id": ["star0", "star1", "star2", "star3", None, ""]})
    n_epochs, rejected, _ = read(path)
    assert n_epochs == 38 and [r["check"] for r in rejected] == ["null_id", "null_id"]
    reports = read_objects(path, load_spec(path)).rejected.to_pylist()
    assert [(r["key"], r["check"]) for r in reports] == [("row 4", "null_id"), ("row 5", "null_id")]


def test_an_empty_band_is_mentioned(folder):
    n_epochs, rejected, notes = read(folder(toml="".join(f'[[bands]]\nname = "{band}"\n' for band in "gri")))
    assert n_epochs == 40 and not rejected
    assert notes == ["Band i is declared, but no row of lightcurves.parquet is in it."]


def test_undeclared_bands_are_counted(folder):
    n_epochs, rejected, notes = read(folder(toml='[[bands]]\nname = "g"'))
    assert n_epochs == 20 and {r["check"] for r in rejected} == {"unknown_band"} and len(rejected) == 20
    assert "20 rows" in notes[0] and "'r'" in notes[0]


def test_mean_photometry_has_no_light_curves(folder):
    path = folder(None, {"object_id": ["a"], "G": [15.0]}, 'kind = "photometry"\n[[bands]]\nname = "G"\nmag = "G"')
    with pytest.raises(BadInput, match="no light curves"):
        read_epochs(path, load_spec(path), ["a"], 1)


def test_fingerprint_sees_data_and_mapping_only(folder):
    path = folder()
    before = fingerprint(path)
    (path / "README.md").write_text("about")
    assert fingerprint(path) == before and len(before) == 64
    (path / "dataset.toml").write_text('name = "x"')
    assert fingerprint(path) != before
    (path / "dataset.toml").unlink()
    file = path / "lightcurves.parquet"
    content = bytearray(file.read_bytes())
    content[50] ^= 1
    file.write_bytes(content)
    assert fingerprint(path) != before
    with pytest.raises(BadInput, match="no Parquet file"):
        fingerprint(path / "nowhere")
