"""The mapping of a folder: presets, dataset.toml, recognised columns, and the sentence for a mapping that is wrong."""

import re
from pathlib import Path

import pytest

from schemas import BadInput
from schemas.dataset import DatasetSpec
from schemas.dataset_nodes import Band, ClassLabel, LightCurveColumns, ObjectColumns, Parameter
from schemas.errors import Problems
from schemas.mapping import load_preset, load_spec, parse_spec, preset_names

DOCS = Path(__file__).parents[3] / "docs" / "your_light_curves.md"
EXAMPLES = re.findall(r"```toml\n(.*?)```", DOCS.read_text(), re.DOTALL)
PRESETS = {"css_north", "dekany_rrab", "eros_br", "green2020_sed", "huber2017_seismic", "ogle_cepheids_vi", "ztf_vsx"}


def test_presets_are_there():
    assert set(preset_names()) >= PRESETS


@pytest.mark.parametrize("name", preset_names())
def test_preset_is_complete_and_survives_a_manifest(name):
    spec = load_preset(name)
    assert spec.name == name and spec.doc
    assert all(band.survey for band in spec.bands)
    assert DatasetSpec.model_validate_json(spec.model_dump_json()) == spec
    assert DatasetSpec.model_validate(spec.model_dump()) == spec


@pytest.mark.parametrize("name", preset_names())
def test_no_label_or_reference_is_an_input(name):
    spec = load_preset(name)
    columns = spec.lightcurves
    inputs = {columns.time, columns.mag, columns.mag_err, spec.objects.ra, spec.objects.dec}
    inputs |= {column for band in spec.bands for column in (band.mag, band.mag_err)}
    labels = {column for p in (*spec.parameters, *spec.references) for column in (p.column, p.err)}
    assert not (inputs - {None}) & labels
    assert not any(re.search("period|parallax|plx|distance|reddening|amp", column or "") for column in inputs)


def test_recognised_columns(folder):
    spec = load_spec(folder())
    assert (spec.kind, spec.time_zero, spec.zero_mjd, spec.band_names) == ("time", "mjd", 0.0, ("g", "r"))
    assert spec.has_errors and spec.label is None and spec.objects.ra is None


def test_recognised_columns_in_other_capitals(folder, light_curves):
    columns = {name.upper(): value for name, value in light_curves().items()}
    objects = {"OBJECT_ID": ["star0"], "RA": [1.0], "DEC": [2.0], "Class": ["RR"]}
    spec = load_spec(folder(columns, objects))
    assert (spec.lightcurves.time, spec.objects.ra, spec.label.column) == ("MJD", "RA", "Class")


def test_names_of_bands_become_identifiers(folder, light_curves):
    columns = light_curves() | {"band": ["1", "g'", "g-", "z s"] * 10}
    assert load_spec(folder(columns)).band_names == ("band_1", "g", "g_2", "z_s")


def test_dataset_toml_overrides_what_is_recognised(folder):
    spec = load_spec(folder(toml='name = "other"\ntime_zero = "arbitrary"\n[lightcurves]\nmag_err = ""'))
    assert (spec.name, spec.zero_mjd, spec.has_errors, spec.lightcurves.mag) == ("other", None, False, "mag")


def test_preset_comes_before_dataset_toml(folder):
    assert load_spec(folder(toml='name = "other"'), "eros_br").name == "eros_br"


@pytest.mark.parametrize("toml, words", [
    ("nme = 1", ["unknown key nme", "Did you mean 'name'?"]),
    ('[lightcurves]\ntme = "t"', ["unknown key lightcurves.tme", "Did you mean 'time'?"]),
    ('[[bands]]\nname = "g"\nwavelenght_nm = 1', ["unknown key bands.0.wavelenght_nm", "'wavelength_nm'"]),
    ('time_unit = "fortnight"', ["time_unit", "'fortnight'"]),
    ('time_zero = "epoch"', ["time_zero", "hjd-2450000"]),
    ("name = mine\n", ["not valid TOML", "line 1"]),
    ('[objects]\nra = "x"', ["objects", "both ra and dec"]),
    ('[[bands]]\nname = "g"\n[[bands]]\nname = "g"', ["two bands", "'g'"]),
    ('kind = "photometry"\n[[bands]]\nname = "g"', ["'g'", "mean magnitudes"]),
    ('mixed_jd = true\ntime_zero = "jd"', ["mixed_jd"]),
    ('[objects]\nfile = "../objects.parquet"', ["objects.file"]),
    ("phase_end = 1.0", ["phase_end"]),
    ('[[parameters]]\nquantity = "Teff"\ncolumn = "t"', ["parameters.0.quantity", "'Teff'"]),
])  # fmt: skip
def test_wrong_mapping_is_one_sentence(folder, toml, words):
    path = folder()
    (path / "dataset.toml").write_text(toml)
    with pytest.raises(BadInput) as caught:
        load_spec(path)
    sentence = str(caught.value)
    assert "\n" not in sentence and "pydantic" not in sentence
    for word in words:
        assert word in sentence, sentence


def test_every_wrong_entry_can_be_told_at_once(folder, light_curves):
    columns = light_curves()
    columns["flux"] = columns.pop("mag")
    path, problems = folder(columns, toml='nme = 1\ntime_unit = "fortnight"'), Problems()
    with pytest.raises(BadInput) as first:
        load_spec(path, guard=problems.collect)
    assert [part in sentence for part, sentence in zip(("looks like the mag", "unknown key nme", "time_unit"), problems,
                                                       strict=True)] == [True] * 3  # fmt: skip
    assert str(first.value) == problems[1] and problems.keys == {"lightcurves.mag"}


def test_no_label_is_said_by_a_column_without_a_name(folder):
    path = folder(objects={"object_id": ["star0"], "label": ["RR"]})
    assert load_spec(path).label.column == "label"
    (path / "dataset.toml").write_text('[label]\ncolumn = ""')
    assert load_spec(path).label is None


def test_unknown_preset_names_the_nearest(tmp_path):
    with pytest.raises(BadInput, match=r"no preset 'ztf_vxs'.*Did you mean 'ztf_vsx'\?"):
        load_spec(tmp_path, "ztf_vxs")


def test_a_dataset_file_names_a_preset_and_what_differs(tmp_path):
    own = 'preset = "tess_fits"\nname = "mine"\n[lightcurves]\nflux = "SAP_FLUX"\nflags = ""\n[[bands]]\nname = "T"'
    (tmp_path / "dataset.toml").write_text(own)
    spec, preset = load_spec(tmp_path), load_preset("tess_fits")
    changed = preset.lightcurves.model_copy(update={"flux": "SAP_FLUX", "flags": None})
    assert spec.name == "mine" and spec.lightcurves == changed and spec.band_names == ("T",)
    assert (spec.objects, spec.zero_mjd) == (preset.objects, preset.zero_mjd)
    assert load_spec(tmp_path, "tess_fits") == spec  # the same preset, asked for
    assert load_spec(tmp_path, "kepler_fits") == load_preset("kepler_fits")


@pytest.mark.parametrize("own, sentence", [
    ('preset = "tess_fit"', r"dataset.toml: There is no preset 'tess_fit'; there are .*Did you mean 'tess_fits'\?"),
    ("preset = 3", "There is no preset 3"),
    ('preset = "tess_fits"\n[lightcurves]\nflg = "Q"', r"dataset.toml: unknown key lightcurves.flg"),
    ('preset = "tess_fits"\nlightcurves = 3', "dataset.toml: lightcurves: "),
    ('preset = "tess_fits"\n[lightcurves]\nmag = "m"', "name the column of magnitudes as mag, or"),
])  # fmt: skip
def test_what_is_wrong_beside_a_preset_is_one_sentence(tmp_path, own, sentence):
    (tmp_path / "dataset.toml").write_text(own)
    with pytest.raises(BadInput, match=sentence):
        load_spec(tmp_path)


def test_short_example_of_the_docs_completes_a_folder(folder, light_curves):
    columns = light_curves()
    columns["hjd_minus_2450000"] = columns.pop("mjd") - 49999.5
    spec = load_spec(folder(columns, toml=EXAMPLES[0]))
    assert spec.zero_mjd == 49999.5 and spec.band_names == ("g", "r")


@pytest.mark.parametrize("example", EXAMPLES[1:])
def test_long_examples_of_the_docs_are_complete(example):
    assert parse_spec(example, "docs").bands


def test_docs_name_every_key_and_preset():
    text = DOCS.read_text()
    models = (DatasetSpec, ObjectColumns, LightCurveColumns, Band, ClassLabel, Parameter)
    missing = {key for model in models for key in model.model_fields if not re.search(rf"\b{key}\b", text)}
    assert not missing
    assert all(f"`{name}`" in text for name in preset_names())
