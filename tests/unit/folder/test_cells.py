"""What cells of a folder say: masks, words for nothing, padding, bytes and floats change nothing that is read."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.mapping import load_spec
from tasks.folder.local import read_epochs, read_objects
from tests.unit.folder.conftest import make_light_curves

CURVES = make_light_curves()
LABELS = {"object_id": [f"star{k}" for k in range(4)], "label": ["RR", "EA", "RR", "EA"], "ra": [1.0, 2, 3, 4],
          "dec": [0.0] * 4}  # fmt: skip


def read(path):
    """Everything of a folder, as plain values: ids, positions, classes, epochs, and checks that rows failed."""
    spec = load_spec(path)
    objects = read_objects(path, spec)
    (chunk,) = read_epochs(path, spec, objects.table["object_id"].to_pylist(), 100)
    batch = chunk.batch
    epochs = {name: getattr(batch, name).tolist() for name in ("offsets", "time", "mag", "mag_err", "band", "flags")}
    checks = sorted(row["check"] for row in chunk.rejected.to_pylist())
    labels = objects.class_labels.select(["object_id", "class"]).to_pydict()
    return objects.table.to_pydict(), labels, {**epochs, "bands": batch.bands}, checks


def pad(values, blank="  "):
    """Every second text with blanks behind it."""
    return [value + blank * (k % 2) for k, value in enumerate(values)]


def as_bytes(values):
    return [str(value).encode() for value in values]


FORMS = {
    "text": lambda values: [str(value) for value in values],
    "padded": lambda values: pad([str(value) for value in values]),
    "bytes": as_bytes,
    "padded bytes": lambda values: pad(as_bytes(values), b"\0"),
    "dictionary": lambda values: pa.array([str(value) for value in values]).dictionary_encode(),
    "fixed bytes": lambda values: pa.array([value.ljust(24, b"\0") for value in as_bytes(values)], pa.binary(24)),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_text_does_not_matter(folder, form):
    plain = read(folder(CURVES, LABELS))
    of = FORMS[form]
    curves = {**CURVES, "object_id": of(CURVES["object_id"]), "band": of(CURVES["band"])}
    objects = {**LABELS, "object_id": of(LABELS["object_id"]), "label": of(LABELS["label"])}
    assert read(folder(curves, objects)) == plain
    numbers = {"mag": of(CURVES["mag"]), "mjd": of([repr(float(time)) for time in CURVES["mjd"]])}
    assert read(folder({**CURVES, **numbers}, {**LABELS, "ra": of(LABELS["ra"])})) == plain


@pytest.mark.parametrize("values", [[1.0, 2.0], [1, 2], ["1", "2 "], [1.0, 2.0, None]])
def test_bands_are_the_same_whatever_their_type(folder, values):
    curves = {**CURVES, "band": (values * 40)[:40]}
    *_, epochs, checks = read(folder(curves, LABELS))
    assert epochs["bands"] == ("band_1", "band_2")
    assert checks == ["unknown_band"] * sum(value is None for value in curves["band"])
    declared = '[[bands]]\nname = "a"\nvalue = 1\n[[bands]]\nname = "b"\nvalue = 2.0'
    *_, again, _ = read(folder(curves, LABELS, declared))
    assert again == {**epochs, "bands": ("a", "b")}


def test_a_mask_is_null_wherever_a_table_is_read(folder):
    mask = np.arange(40) % 10 == 0
    hidden = np.array([True, False, False, False])
    curves = {**CURVES, "mag": np.where(mask, 0, CURVES["mag"]), "mag.mask": mask}
    objects = {**LABELS, "label": ["0", *LABELS["label"][1:]], "label.mask": hidden, "ra": [0.0, 2, 3, 4],
               "ra.mask": hidden, "dec.mask": hidden}  # fmt: skip
    masked = read(folder(curves, objects))
    nulls = {**CURVES, "mag": pa.array(CURVES["mag"], mask=mask)}
    bare = {**LABELS, "label": [None, *LABELS["label"][1:]], "ra": [None, 2.0, 3, 4], "dec": [None, 0.0, 0, 0]}
    assert masked == read(folder(nulls, bare))
    assert masked[1]["object_id"] == ["star1", "star2", "star3"] and masked[3] == ["finite"] * 4


def test_masks_of_ids_and_bands(folder):
    first = np.arange(40) == 0
    curves = {**CURVES, "object_id.mask": first, "band.mask": np.roll(first, 1)}
    objects = {**LABELS, "object_id.mask": [False, False, False, True]}
    table, labels, epochs, checks = read(folder(curves, objects))
    assert table["object_id"] == labels["object_id"] == ["star0", "star1", "star2"]
    assert checks.count("null_id") == checks.count("unknown_band") == 1
    curves["band"] = np.where(curves["band.mask"], "masked", curves["band"])  # under the mask it is no band
    assert read(folder(curves, objects))[2] == epochs


def test_masks_in_the_nested_form(folder):
    mask = np.arange(40) % 7 == 0
    columns = {**CURVES, "mag": np.where(mask, 0, CURVES["mag"]), "mag.mask": mask}
    lists = [(name, "list") for name in columns if name != "object_id"]
    nested = pa.table(columns).group_by("object_id").aggregate(lists)
    nested = nested.rename_columns({f"{name}_list": name for name, _ in lists})
    assert read(folder(nested, LABELS)) == read(folder(columns, LABELS))
    fixed = {name: pa.array(nested[name].to_pylist(), pa.list_(nested[name].type.value_type, 10)) for name, _ in lists}
    assert read(folder({"object_id": nested["object_id"], **fixed}, LABELS)) == read(folder(columns, LABELS))


@pytest.mark.parametrize("word", ["nan", "None", "N/A", "--", "?", "", " NULL "])
def test_words_for_nothing_are_nothing_everywhere(folder, word):
    band, mag = CURVES["band"].astype(object), [str(mag) for mag in CURVES["mag"]]
    band[3], mag[4] = word, word
    ids = [*LABELS["object_id"], word]
    objects = {name: [*values, values[0]] for name, values in LABELS.items()} | {"object_id": ids}
    objects["label"] = [*LABELS["label"][:3], word, "EA"]
    table, labels, epochs, checks = read(folder({**CURVES, "band": band, "mag": mag}, objects))
    assert table["object_id"] == LABELS["object_id"] and labels["class"] == LABELS["label"][:3]
    assert epochs["bands"] == ("g", "r") and checks == ["finite", "unknown_band"]


def test_a_word_for_nothing_that_is_declared_is_a_name(folder):
    band = np.where(CURVES["band"] == "g", "None", "r")
    objects = {**LABELS, "label": ["?", "EA", "?", "--"]}
    toml = '[label]\ncolumn = "label"\nrename = { "?" = "unknown" }\n[[bands]]\nname = "clear"\nvalue = "None"'
    _, labels, epochs, checks = read(folder({**CURVES, "band": band}, objects, toml))
    assert labels["class"] == ["unknown", "EA", "unknown"]
    assert len(epochs["mag"]) == 20 and checks == ["unknown_band"] * 20


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(list(CURVES)), st.permutations(list(LABELS)), st.data())
def test_order_type_and_masks_of_columns_give_the_same(folder, of_curves, of_objects, data):
    """Any permutation of the columns, any form of each text, and masks that hide nothing."""
    plain = read(folder(CURVES, LABELS))
    forms, masks = st.sampled_from(list(FORMS)), st.booleans()

    def change(columns, order):
        text = ("object_id", "band", "label")
        changed = {name: FORMS[data.draw(forms)](columns[name]) if name in text else columns[name] for name in order}
        return changed | {f"{name}.mask": np.zeros(len(columns[name]), bool) for name in order if data.draw(masks)}

    assert read(folder(change(CURVES, of_curves), change(LABELS, of_objects))) == plain
