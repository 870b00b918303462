"""The declaration of a dataset, key by key: what each may be, what follows from it, and which keys go together."""

import itertools

import pytest
from pydantic import ValidationError

from schemas import BadInput
from schemas.dataset import DAYS_PER_UNIT, MJD_ZERO_JD, DatasetSpec, find_repeated
from schemas.dataset_nodes import Band, ClassLabel, LightCurveColumns, ObjectColumns, Parameter
from schemas.mapping import load_preset, load_spec, parse_spec, preset_names

G, R = {"name": "g"}, {"name": "r"}
MAGS = {"name": "g", "mag": "gmag"}


def spec(**keys):
    """A dataset with these keys, in one band unless they say otherwise."""
    return DatasetSpec.model_validate({"name": "toy", "bands": [G], **keys})


def refused(**keys):
    """Why such a dataset is refused."""
    with pytest.raises(ValidationError) as caught:
        spec(**keys)
    return str(caught.value)


@pytest.mark.parametrize("zero, mjd", [
    ("arbitrary", None), ("mjd", 0.0), ("MJD", 0.0), ("hmjd", 0.0), ("bmjd", 0.0), ("jd", -2_400_000.5),
    ("hjd", -2_400_000.5), ("bjd", -2_400_000.5), ("HJD - 2450000", 49_999.5), ("bjd-2454833", 54_832.5),
    ("jd-2400000.5", 0.0), ("bjd-2457000.25", 56_999.75),
])  # fmt: skip
def test_zero_points_of_time(zero, mjd):
    found = spec(time_zero=zero).zero_mjd
    assert found is mjd if mjd is None else found == mjd


@pytest.mark.parametrize("zero", ["unix", "jd+3", "jd-", "-2450000", "mjd-50000", "hjd2450000", ""])
def test_other_zero_points_are_refused_with_an_example(zero):
    assert "hjd-2450000" in refused(time_zero=zero)


def test_units_of_time_are_parts_of_a_day():
    parts = {"d": 1, "h": 24, "min": 1440, "s": 86_400}
    assert {unit: round(1 / DAYS_PER_UNIT[unit]) for unit in parts} == parts
    assert DAYS_PER_UNIT["yr"] == 365.25 and MJD_ZERO_JD == 2_400_000.5
    for unit in DAYS_PER_UNIT:
        assert spec(time_unit=unit).time_unit == unit


@pytest.mark.parametrize("keys, reason", [
    ({"mixed_jd": True}, "mixed_jd"),
    ({"mixed_jd": True, "time_zero": "mjd", "time_unit": "s"}, "mixed_jd"),
    ({"kind": "phase", "time_zero": "mjd"}, "time_zero"),
    ({"kind": "photometry", "bands": [MAGS], "time_zero": "mjd"}, "time_zero"),
    ({"phase_end": 1.5}, "phase_end"),
    ({"kind": "phase", "phase_end": 0}, "phase_end"),
    ({"bands": [G, R]}, "lightcurves.band"),
    ({"bands": [G, G], "lightcurves": {"band": "f"}}, "two bands have the name 'g'"),
    ({"bands": [G, {"name": "r", "value": "g"}], "lightcurves": {"band": "f"}}, "two bands have the value 'g'"),
    ({"bands": []}, "bands"),
    ({"bands": [MAGS]}, "must not name a column of mean magnitudes"),
    ({"kind": "photometry"}, "needs a column of mean magnitudes"),
    ({"objects": {"ra": "x"}}, "both ra and dec"),
    ({"objects": {"dec": "x"}}, "both ra and dec"),
    ({"name": "a b"}, "name"),
    ({"name": ""}, "name"),
    ({"kind": "time series"}, "kind"),
])  # fmt: skip
def test_keys_that_do_not_go_together(keys, reason):
    assert reason in refused(**keys)


@pytest.mark.parametrize("keys", [
    {"mixed_jd": True, "time_zero": "mjd"}, {"kind": "phase", "phase_end": 1.0},
    {"kind": "photometry", "bands": [MAGS]},
    {"bands": [G, R], "lightcurves": {"band": "f"}}, {"objects": {"ra": "x", "dec": "y"}}, {"name": "a.b-c_1"},
])  # fmt: skip
def test_keys_that_do(keys):
    assert spec(**keys)


def test_a_band_code_is_an_int8():
    bands = [{"name": f"b{i}"} for i in range(128)]
    assert len(spec(bands=bands[:127], lightcurves={"band": "f"}).band_names) == 127
    assert "127" in refused(bands=bands, lightcurves={"band": "f"})


@pytest.mark.parametrize("value, expected", [(3, "3"), ("zg", "zg"), ("", "g"), (None, None)])
def test_the_name_of_a_band_in_the_file(value, expected):
    if expected is None:
        assert "value" in refused(bands=[{"name": "g", "value": value}])
    else:
        assert Band(name="g", value=value).in_file == expected


@pytest.mark.parametrize("wrong", [{"value": True}, {"wavelength_nm": 0}, {"wavelength_nm": -5}, {"system": "vega"},
                                   {"name": "1g"}, {"name": "g-r"}, {"colour": "red"}])  # fmt: skip
def test_a_band_refuses(wrong):
    with pytest.raises(ValidationError):
        Band.model_validate({"name": "g", **wrong})


@pytest.mark.parametrize("kind, keys, has", [
    ("time", {}, False), ("time", {"lightcurves": {"mag_err": "e"}}, True), ("phase", {}, False),
    ("photometry", {"bands": [MAGS]}, False), ("photometry", {"bands": [{**MAGS, "mag_err": "e"}]}, True),
])  # fmt: skip
def test_whether_errors_are_quoted(kind, keys, has):
    found = spec(kind=kind, **keys)
    assert found.has_errors is has and found.has_light_curves is (kind != "photometry")


@pytest.mark.parametrize("model, key", [
    (LightCurveColumns, "mag_err"), (LightCurveColumns, "band"), (LightCurveColumns, "flags"),
])  # fmt: skip
def test_an_empty_name_says_that_there_is_none(model, key):
    assert getattr(model.model_validate({key: ""}), key) is None


@pytest.mark.parametrize("model, key", [(LightCurveColumns, "mag"), (LightCurveColumns, "id"), (ObjectColumns, "id")])
def test_what_is_needed_cannot_be_empty(model, key):
    with pytest.raises(ValidationError):
        model.model_validate({key: ""})


@pytest.mark.parametrize("file", ["a/b.parquet", "..\\x", "x\x00", ""])
def test_files_are_names(file):
    with pytest.raises(ValidationError):
        ObjectColumns(file=file)


def test_one_quantity_may_come_from_two_origins():
    one, other = ({"quantity": "teff_k", "column": "t", "origin": origin} for origin in ("apogee", "galah"))
    assert len(spec(parameters=[one, other]).parameters) == 2
    assert "two columns are the teff_k of apogee" in refused(parameters=[one], references=[one])


@pytest.mark.parametrize("name", ["Teff", "1teff", "teff k", "_teff", ""])
def test_quantities_are_lower_case_identifiers(name):
    with pytest.raises(ValidationError):
        Parameter(quantity=name, column="t")


@pytest.mark.parametrize("model, known", [
    (DatasetSpec, {"name": "toy", "bands": [G]}), (Band, G), (ClassLabel, {"column": "c"}), (ObjectColumns, {}),
    (LightCurveColumns, {}), (Parameter, {"quantity": "q", "column": "c"}),
])  # fmt: skip
def test_no_unknown_key_and_no_change_afterwards(model, known):
    one = model.model_validate(known)
    with pytest.raises(ValidationError, match="extra"):
        model.model_validate({**known, "surprise": 1})
    with pytest.raises(ValidationError, match="frozen"):
        setattr(one, next(iter(model.model_fields)), "x")


@pytest.mark.parametrize("inputs, reason", [
    ({"paralax": "plx"}, "Did you mean 'parallax'?"), ({"source_id": "id"}, "no input 'source_id'"),
    ({"parallax": ""}, "inputs"), ({"parallax": 3}, "inputs"),
])  # fmt: skip
def test_inputs_are_values_of_catalogues(inputs, reason):
    assert reason in refused(inputs=inputs)
    assert spec(inputs={"parallax": "plx", "ebv": "reddening"}).inputs == {"parallax": "plx", "ebv": "reddening"}


@pytest.mark.parametrize("names, twice", [((), None), (("a", "b"), None), (("a", "b", "b", "a"), "b")])
def test_the_first_name_that_comes_again(names, twice):
    assert find_repeated(names) == twice


@pytest.mark.parametrize("first, second", itertools.combinations(preset_names(), 2))
def test_presets_differ(first, second):
    assert load_preset(first) != load_preset(second)


@pytest.mark.parametrize("text, words", [
    ('name = "x"', ["dataset.toml: bands:", "required"]),
    ('name = 3\n[[bands]]\nname = "g"', ["name", "(it is 3)"]),
    ('name = "x"\nbands = 3', ["bands", "(it is 3)"]),
    ("[[bands]", ["dataset.toml is not valid TOML"]),
    ('name = "x"\n[[bands]]\nnme = "g"', ["unknown key bands.0.nme", "Did you mean 'name'?"]),
    ('name = "x"\n[[bands]]\nname = "g"\n[label]\ncolum = "c"', ["unknown key label.colum", "'column'"]),
])  # fmt: skip
def test_a_wrong_mapping_is_one_sentence_that_names_the_key(text, words):
    with pytest.raises(BadInput) as caught:
        parse_spec(text, "dataset.toml")
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith((".", "?"))
    for word in words:
        assert word in sentence, sentence


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(BadInput, match=r"There is no folder .*nowhere: give the one that holds objects.parquet"):
        load_spec(tmp_path / "nowhere")


NODES = {
    "objects": ('[objects]\nrra = "x"', "objects.rra", "ra"),
    "lightcurves": ('[lightcurves]\nmagerr = "x"', "lightcurves.magerr", "mag_err"),
    "label": ('[label]\ncolumn = "c"\norigins = "x"', "label.origins", "origin"),
    "parameters": ('[[parameters]]\nquantity = "teff_k"\ncolum = "c"', "parameters.0.colum", "column"),
    "references": ('[[references]]\nquantity = "teff_k"\ncolumn = "c"\nunits = "K"', "references.0.units", "unit"),
    "bands": ('[[bands]]\nname = "r"\nsytem = "AB"', "bands.1.sytem", "system"),
    "the mapping": ('time_zer = "mjd"', "time_zer", "time_zero"),
}


@pytest.mark.parametrize("node", NODES)
def test_the_nearest_key_of_the_same_node_is_offered(node):
    text, key, meant = NODES[node]
    first = f'name = "toy"\n{text}\n' if node == "the mapping" else 'name = "toy"\n'
    last = "" if node == "the mapping" else text
    with pytest.raises(BadInput) as caught:
        parse_spec(f'{first}[[bands]]\nname = "g"\n{last}', "dataset.toml")
    assert f"unknown key {key}. Did you mean {meant!r}?" in str(caught.value)


def test_a_key_like_no_other_is_named_without_a_hint():
    with pytest.raises(BadInput, match=r"^dataset.toml: unknown key bands.0.zzzzzzzz\.$"):
        parse_spec('name = "toy"\n[[bands]]\nname = "g"\nzzzzzzzz = 1', "dataset.toml")
