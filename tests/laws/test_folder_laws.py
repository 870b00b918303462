"""Laws of a folder: neither the order of its columns, nor their capitals, nor their types change what is read."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.dataset_file import write_toml
from schemas.errors import Problems
from schemas.mapping import load_spec
from schemas.recognition import BAND, ID, LABEL, MAG, MAG_ERR, find_column
from tasks.folder.local import content_hash, read_epochs, read_objects

LAW = settings(max_examples=25, deadline=None)
N_OBJECT, N_EPOCH = 4, 6
TEXTS = (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()))
REALS = (pa.float64(), pa.float32())
WHOLE = (pa.int64(), pa.int32(), pa.uint64(), pa.string())
CHANGES = (str, str.upper, str.title, str.capitalize)


def make_columns():
    """Columns of both files under their first names: values that every type of `kinds` holds exactly."""
    rng = np.random.default_rng(3)
    n = N_OBJECT * N_EPOCH
    epochs = {
        "object_id": np.repeat(np.arange(N_OBJECT) + 7, N_EPOCH),
        "mjd": 58000 + np.arange(n) / 4,
        "mag": 15 + rng.integers(0, 64, n) / 64,
        "mag_err": np.full(n, 1 / 64),
        "band": np.array(["G", "g", "r"] * n)[:n],
        "note": np.array([f"epoch {k}" for k in range(n)]),
    }
    objects = {"object_id": np.arange(N_OBJECT) + 7, "ra": np.arange(N_OBJECT) / 4, "dec": np.arange(N_OBJECT) / 8,
               "label": np.array(["a", "b", "a", "A"])}  # fmt: skip
    return epochs, objects


WORDS = {"object_id": ID, "mag": MAG, "mag_err": MAG_ERR, "band": BAND, "label": LABEL}
KINDS = {"object_id": WHOLE, "mjd": REALS[:1], "band": TEXTS, "label": TEXTS, "note": TEXTS}


@st.composite
def tables(draw, columns):
    """The columns in any order, each under any of its names in any capitals, as any of its types."""
    table = {}
    for name in draw(st.permutations(list(columns))):
        word = draw(st.sampled_from(WORDS.get(name, (name,))))
        kind = draw(st.sampled_from(KINDS.get(name, REALS)))
        table[draw(st.sampled_from(CHANGES))(word)] = pa.array(columns[name]).cast(kind)
    return pa.table(table)


def write(folder, epochs, objects):
    pq.write_table(epochs, Path(folder) / "lightcurves.parquet")
    pq.write_table(objects, Path(folder) / "objects.parquet")
    return Path(folder)


def content(folder):
    """Everything that a lake would get from the folder."""
    spec = load_spec(folder)
    objects = read_objects(folder, spec)
    chunks = list(read_epochs(folder, spec, objects.table["object_id"].to_pylist(), 3, threads=1))
    hashes = [content_hash(chunk.batch, chunk.object_ids).tolist() for chunk in chunks]
    refused = sum(chunk.rejected.num_rows for chunk in chunks) + objects.rejected.num_rows
    return hashes, objects.table.to_pydict(), objects.class_labels.to_pydict(), spec.band_names, spec.zero_mjd, refused


EPOCHS, OBJECTS = make_columns()


@LAW
@given(tables(EPOCHS), tables(OBJECTS))
def test_order_capitals_words_and_types_of_columns_change_nothing(epochs, objects):
    with TemporaryDirectory() as plain, TemporaryDirectory() as other:
        expected = content(write(plain, pa.table(EPOCHS), pa.table(OBJECTS)))
        assert expected[3:] == (("G", "g", "r"), 0.0, 0)
        assert content(write(other, epochs, objects)) == expected


@LAW
@given(st.permutations(["MAG", "Mag", "MJD", "Mjd", "BAND", "Object_ID", *EPOCHS]))
def test_twins_of_a_column_are_never_read_for_it(names):
    with TemporaryDirectory() as plain, TemporaryDirectory() as other:
        expected = content(write(plain, pa.table(EPOCHS), pa.table(OBJECTS)))
        zeros = np.zeros(N_OBJECT * N_EPOCH)
        both = pa.table({name: EPOCHS.get(name, zeros) for name in names})
        assert content(write(other, both, pa.table(OBJECTS))) == expected


@LAW
@given(tables(EPOCHS), tables(OBJECTS))
def test_the_complete_mapping_used_unchanged_reads_the_same(epochs, objects):
    with TemporaryDirectory() as folder:
        write(folder, epochs, objects)
        expected, spec, problems = content(Path(folder)), load_spec(folder), Problems()
        (Path(folder) / "dataset.toml").write_text(write_toml(spec))
        assert load_spec(folder, guard=problems.collect) == spec and not problems
        assert content(Path(folder)) == expected


@LAW
@given(st.sampled_from([ID, LABEL, MAG, MAG_ERR, BAND]), st.data())
def test_a_column_is_found_wherever_it_stands(words, data):
    word = data.draw(st.sampled_from(words))
    others = data.draw(st.lists(st.sampled_from(["x", "y", "sp_type", "airmass", "ccd"]), unique=True))
    name = data.draw(st.sampled_from(CHANGES))(word)
    names = data.draw(st.permutations([*others, name]))
    assert find_column(words, names, "key") == name
