"""The same light curves come out of every format, in one file, in parts, in structs, and in one file for each star."""

import gzip
import hashlib
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas import BadInput
from schemas.formats import FORMATS
from schemas.formats.nested import flatten
from schemas.formats.opening import open_table
from schemas.mapping import load_spec
from tasks.folder.fingerprint import content_hash, fingerprint
from tasks.folder.local import read_epochs, read_objects
from tests.unit.schemas.formats.conftest import N_EPOCH, N_STAR, make_epochs, make_objects

ENDINGS = ("parquet", "csv", "csv.gz", "tsv", "ecsv", "fits", "fits.gz", "vot", "tbl", "feather", "txt")


def read(folder):
    """Hash of each star's epochs, labels and positions, as the readers give them; and the mapping."""
    spec = load_spec(folder)
    objects = read_objects(folder, spec)
    ids = objects.table["object_id"].to_pylist()
    (chunk,) = read_epochs(folder, spec, ids, 100)
    hashes = dict(zip(chunk.object_ids, content_hash(chunk.batch, chunk.object_ids).tolist(), strict=True))
    return hashes, objects, spec


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    pq.write_table(pa.table(make_epochs()), folder / "lightcurves.parquet")
    pq.write_table(pa.table(make_objects()), folder / "objects.parquet")
    return read(folder)


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_gives_the_same(tmp_path, write, expected, ending):
    write(tmp_path / f"objects.{ending}", make_objects())
    write(tmp_path / f"lightcurves.{ending}", make_epochs())
    hashes, objects, spec = read(tmp_path)
    assert hashes == expected[0] and len(hashes) == N_STAR
    assert objects.table.equals(expected[1].table) and objects.class_labels.equals(expected[1].class_labels)
    assert spec.lightcurves.file == f"lightcurves.{ending}" and spec.bands == expected[2].bands


@pytest.mark.parametrize("ending", ENDINGS)
def test_one_file_for_each_star_has_its_name_as_id(tmp_path, write, expected, ending):
    write(tmp_path / "objects.csv", make_objects())
    (tmp_path / "lightcurves").mkdir()
    columns = make_epochs()
    for star in make_objects()["object_id"]:
        mine = {n: v[columns["object_id"] == star] for n, v in columns.items() if n != "object_id"}
        write(tmp_path / "lightcurves" / f"{star}.{ending}", mine)
    hashes, _, spec = read(tmp_path)
    assert spec.lightcurves.id == "file_name" and hashes == expected[0]


@pytest.mark.parametrize("place", ["lightcurves.parquet", "lightcurves", "lightcurves/Norder=1/Dir=0"])
def test_parts_are_one_table(tmp_path, write, expected, place):
    write(tmp_path / "objects.parquet", make_objects())
    (tmp_path / place).mkdir(parents=True)
    columns = make_epochs()
    for part, rows in enumerate((slice(0, 20), slice(20, None))):
        write(tmp_path / place / f"part.{part}.parquet", {n: v[rows] for n, v in columns.items()})
    (tmp_path / place / "_metadata").write_bytes(b"PAR1")
    assert read(tmp_path)[0] == expected[0]


def nested(kind):
    """The light curves as one struct for each star: of lists, or a list of structs."""
    columns = make_epochs()
    inner = {name: columns[name].reshape(N_STAR, N_EPOCH) for name in columns if name != "object_id"}
    if kind == "struct of lists":
        rows = [{name: values[k].tolist() for name, values in inner.items()} for k in range(N_STAR)]
    else:
        rows = [
            [{name: values[k, j].item() for name, values in inner.items()} for j in range(N_EPOCH)]
            for k in range(N_STAR)
        ]
    return pa.table({"object_id": make_objects()["object_id"], "lightcurve": rows})


@pytest.mark.parametrize("kind", ["struct of lists", "list of structs"])
@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_structs_become_the_columns_that_they_hold(tmp_path, write, expected, kind, ending):
    write(tmp_path / "objects.parquet", make_objects())
    write(tmp_path / f"lightcurves.{ending}", nested(kind))
    hashes, _, spec = read(tmp_path)
    assert hashes == expected[0] and spec.lightcurves.time == "lightcurve.mjd"
    (tmp_path / "dataset.toml").write_text('time_zero = "mjd"\n[lightcurves]\ntime = "lightcurve.mjd"\n')
    assert read(tmp_path)[0] == expected[0]


def test_structs_in_structs_and_nulls_are_flattened():
    inner = pa.array([[{"a": {"b": 1.0}, "c": "x"}], None, []])
    batch = pa.RecordBatch.from_pydict({"id": [1, 2, 3], "s": inner})
    flat = flatten(batch)
    assert flat.to_pydict() == {"id": [1, 2, 3], "s.a.b": [[1.0], [], []], "s.c": [["x"], [], []]}


def test_light_curves_alone_hold_their_objects(tmp_path, write, expected):
    of_star = {name: np.repeat(make_objects()[name], N_EPOCH) for name in ("ra", "dec", "label")}
    write(tmp_path / "my stars.csv", {**make_epochs(), **of_star})
    hashes, objects, spec = read(tmp_path)
    assert hashes == expected[0] and spec.objects.file == spec.lightcurves.file == "my stars.csv"
    assert objects.table.equals(expected[1].table) and objects.class_labels.equals(expected[1].class_labels)


def test_a_folder_of_nothing_but_stars(tmp_path, write, expected):
    columns = make_epochs()
    for star in make_objects()["object_id"]:
        write(
            tmp_path / f"{star}.csv",
            {n: v[columns["object_id"] == star] for n, v in columns.items() if n != "object_id"},
        )
    hashes, objects, spec = read(tmp_path)
    assert hashes == expected[0] and spec.lightcurves.file == "." and objects.table["ra"].null_count == N_STAR


def test_objects_beside_files_of_stars_in_another_format_is_no_mixture(tmp_path, write, expected):
    write(tmp_path / "objects.fits", make_objects())
    write(tmp_path / "lightcurves.csv.gz", make_epochs())
    assert read(tmp_path)[0] == expected[0]


def refused(folder):
    with pytest.raises(BadInput) as caught:
        read(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_two_tables_of_one_name_are_asked_about(tmp_path, write):
    write(tmp_path / "lightcurves.parquet", make_epochs())
    for ending in ("csv", "fits"):
        write(tmp_path / f"objects.{ending}", make_objects())
    sentence = refused(tmp_path)
    assert "objects.csv, objects.fits" in sentence and "objects.file in dataset.toml" in sentence
    (tmp_path / "dataset.toml").write_text('[objects]\nfile = "objects.fits"\n')
    assert read(tmp_path)[2].objects.file == "objects.fits"


def test_parquet_beside_its_source_is_read_as_ever(tmp_path, write):
    write(tmp_path / "lightcurves.parquet", make_epochs())
    write(tmp_path / "objects.parquet", make_objects())
    write(tmp_path / "objects.csv", {"nothing": np.arange(3)})
    assert read(tmp_path)[2].objects.file == "objects.parquet"


def test_files_of_stars_must_have_the_same_columns(tmp_path, write):
    write(tmp_path / "stars.csv", make_objects())
    write(tmp_path / "epochs.csv", make_epochs())
    assert "stars.csv has other columns than the files before it" in refused(tmp_path)


def test_numbers_of_other_types_in_other_files_are_joined(tmp_path, write):
    (tmp_path / "lightcurves").mkdir()
    for star, mag in {"a": np.array([15, 16]), "b": np.array([15.5, 16.5])}.items():
        write(tmp_path / "lightcurves" / f"{star}.parquet", {"mjd": np.array([58000.0, 58001.0]), "mag": mag})
    assert pq.read_table(open_table(tmp_path, "lightcurves"))["mag"].to_pylist() == [15, 16, 15.5, 16.5]


@pytest.mark.parametrize("ending", ["csv", "fits", "vot", "ecsv", "tbl", "feather", "csv.gz"])
def test_a_broken_file_is_one_sentence(tmp_path, write, ending):
    write(tmp_path / "objects.parquet", make_objects())
    (tmp_path / f"lightcurves.{ending}").write_bytes(b"\x00\x01<broken" * 50)
    sentence = refused(tmp_path)
    assert str(tmp_path / f"lightcurves.{ending}") in sentence and "argelander-" not in sentence


@pytest.mark.parametrize("text, said", [
    ("", "holds nothing"), ("# only words\n", "holds nothing"), ("1.5,2.5\n3,4\n", "holds numbers"),
    ("mjd,mag,mag\n1,2,3\n", "more than one column 'mag'"), ("mjd,mag\n1,2,3\n", "cannot be read as CSV"),
])  # fmt: skip
def test_a_csv_that_is_none(tmp_path, text, said):
    (tmp_path / "lightcurves.csv").write_text(text)
    assert said in refused(tmp_path)


@pytest.mark.parametrize("separator", ",;|\t")
def test_separators_comments_and_marks_before_a_csv(tmp_path, separator):
    rows = ["\ufeff# of a night", "id;mjd;mag", *(f"a;{58000 + k};15.{k}" for k in range(5))]
    (tmp_path / "lightcurves.csv").write_text("\n".join(rows).replace(";", separator), encoding="utf-8")
    table = pq.read_table(open_table(tmp_path, "lightcurves.csv"))
    assert table.column_names == ["id", "mjd", "mag"] and table["mag"].to_pylist() == [f"15.{k}" for k in range(5)]


def test_text_between_blanks_under_a_comment(tmp_path):
    (tmp_path / "lightcurves.txt").write_text("# of a night\n###MJD  m  F\n58000.5   15.25 o\n 58001.5  >19 c\n")
    table = pq.read_table(open_table(tmp_path, "lightcurves.txt"))
    assert table.to_pydict() == {"MJD": ["58000.5", "58001.5"], "m": ["15.25", ">19"], "F": ["o", "c"]}


def test_a_format_that_is_read_whole_has_a_size(tmp_path, write, monkeypatch):
    write(tmp_path / "lightcurves.vot", make_epochs())
    monkeypatch.setattr("pathlib.Path.stat", big_stat(tmp_path / "lightcurves.vot"))
    sentence = refused(tmp_path)
    assert "300 MiB" in sentence and "VOTable is read whole, up to 256" in sentence and "Table.read" in sentence


def big_stat(path):
    """`Path.stat` that says that `path` has 300 MiB."""
    import os
    from pathlib import Path

    real = Path.stat

    def stat(self, **options):
        found = real(self, **options)
        if str(self) != str(path):
            return found
        return os.stat_result((*found[:6], 300 << 20, *found[7:10]), {"st_mtime_ns": found.st_mtime_ns})

    return stat


def test_plain_parquet_is_read_where_it_lies_and_copies_are_made_once(tmp_path, write):
    write(tmp_path / "lightcurves.parquet", make_epochs())
    assert open_table(tmp_path, "lightcurves.parquet") == tmp_path / "lightcurves.parquet"
    assert type(open_table(tmp_path, "lightcurves.parquet")) is type(tmp_path)
    write(tmp_path / "lightcurves.csv", make_epochs())
    first, second = (open_table(tmp_path, "lightcurves.csv") for _ in range(2))
    assert str(first) == str(tmp_path / "lightcurves.csv") and first.parquet == second.parquet
    write(tmp_path / "lightcurves.csv", {"x": np.arange(3)})
    assert pq.read_table(open_table(tmp_path, "lightcurves.csv")).column_names == ["x"]


def test_endings_belong_to_one_format():
    every = [ending for each in FORMATS for ending in each.endings]
    assert len(set(every)) == len(every) and all(ending == ending.lower() for ending in every)


def test_a_file_in_no_known_format_is_refused_and_parquet_by_another_name_is_not(tmp_path, write):
    write(tmp_path / "objects.parquet", make_objects())
    write(tmp_path / "lightcurves.parquet", make_epochs())
    (tmp_path / "dataset.toml").write_text('[lightcurves]\nfile = "epochs.bin"\n')
    (tmp_path / "lightcurves.parquet").rename(tmp_path / "epochs.bin")
    assert len(read(tmp_path)[0]) == N_STAR
    (tmp_path / "epochs.bin").write_text("mjd mag")
    assert "in no format that is known by its ending: there are .parquet" in refused(tmp_path)


PEAK = """
import sys, tracemalloc
from pathlib import Path
import astropy.io.fits, pyarrow, pyarrow.csv, pyarrow.parquet
from schemas.formats.opening import open_table

tracemalloc.start()
path = open_table(Path(sys.argv[1]), sys.argv[2])
peak = pyarrow.default_memory_pool().max_memory() + tracemalloc.get_traced_memory()[1]
print(pyarrow.parquet.read_metadata(path).num_rows, peak)
"""


@pytest.mark.parametrize("ending", ["csv", "fits"])
def test_memory_is_that_of_a_chunk(tmp_path, write, ending):
    """Copies of a table and of one three times as long hold about the same, as Arrow and Python count it."""
    peaks, sizes = [], []
    for n in (300_000, 900_000):
        rng = np.random.default_rng(1)
        columns = {"object_id": np.arange(n) // 100, **{f"extra_{k}": rng.random(n) for k in range(5)}}
        path = tmp_path / f"of_{n}.{ending}"
        write(path, columns)
        command = [sys.executable, "-c", PEAK, str(tmp_path), path.name]
        rows, peak = map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
        assert rows == n
        peaks.append(peak)
        sizes.append(path.stat().st_size)
    assert peaks[1] - peaks[0] < 0.5 * (sizes[1] - sizes[0])  # what is read ahead depends on the machine


def test_reading_parquet_and_csv_needs_no_astropy(tmp_path, write):
    write(tmp_path / "lightcurves.csv", make_epochs())
    code = (
        "import sys; from pathlib import Path; from schemas.mapping import load_spec; load_spec(Path(sys.argv[1]));"
        "assert 'astropy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_gzip_is_told_by_the_ending(tmp_path):
    (tmp_path / "lightcurves.tsv.gz").write_bytes(gzip.compress(b"mjd\tmag\n1\t2\n"))
    assert pq.read_table(open_table(tmp_path, "lightcurves.tsv.gz")).to_pydict() == {"mjd": ["1"], "mag": ["2"]}


def test_a_preset_finds_its_tables_in_any_format(tmp_path, write):
    write(tmp_path / "objects.fits", make_objects())
    write(tmp_path / "lightcurves.csv", make_epochs())
    spec = load_spec(tmp_path, "css_north")
    assert (spec.objects.file, spec.lightcurves.file) == ("objects.fits", "lightcurves.csv")


def test_any_change_of_the_files_is_one_of_the_fingerprint(tmp_path, write):
    write(tmp_path / "objects.csv", make_objects())
    (tmp_path / "lightcurves").mkdir()
    write(tmp_path / "lightcurves" / "a.fits", make_epochs())
    tables = ("objects.csv", "lightcurves")
    seen = [fingerprint(tmp_path, tables)]
    (tmp_path / "README.txt").write_text("no table of these")
    assert fingerprint(tmp_path, tables) == seen[0]
    write(tmp_path / "lightcurves" / "b.fits", make_epochs())
    seen.append(fingerprint(tmp_path, tables))
    (tmp_path / "lightcurves" / "b.fits").rename(tmp_path / "lightcurves" / "c.fits")
    seen.append(fingerprint(tmp_path, tables))
    with (tmp_path / "objects.csv").open("a") as stream:
        stream.write("\n")
    seen.append(fingerprint(tmp_path, tables))
    assert len(set(seen)) == 4


def test_the_fingerprint_of_a_folder_of_parquet_is_what_it_was(tmp_path, write):
    """Lakes hold it: names, sizes and digests of the files, in their order."""
    (tmp_path / "objects.parquet").write_bytes(b"PAR1 a")
    (tmp_path / "lightcurves.parquet").write_bytes(b"PAR1 b")
    lines = "".join(
        f"{name}\0{6}\0{hashlib.sha256(content).hexdigest()}\n"
        for name, content in {"lightcurves.parquet": b"PAR1 b", "objects.parquet": b"PAR1 a"}.items()
    )
    expected = hashlib.sha256(lines.encode()).hexdigest()
    assert fingerprint(tmp_path) == expected == fingerprint(tmp_path, ("objects.parquet", "lightcurves.parquet"))
