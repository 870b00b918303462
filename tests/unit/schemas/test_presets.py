"""The presets, one by one: what each says is possible, known, and the same as its file says."""

import re
import tomllib

import pytest

from schemas.mapping import PRESET_FOLDER, load_preset, load_spec, parse_spec, preset_names
from schemas.quantities import QUANTITIES

SERVICES = {name for name in preset_names() if re.match("(Tables|Light curve files) of", load_preset(name).doc)}
every_preset = pytest.mark.parametrize("name", preset_names())
EARLIEST_JD, LATEST_JD = 2_400_000, 2_470_000  # 1858 to 2050


def text_of(name):
    """The file of a preset."""
    return (PRESET_FOLDER / f"{name}.toml").read_text(encoding="utf-8")


@every_preset
def test_every_key_of_the_file_is_in_the_mapping(name):
    tree, spec = tomllib.loads(text_of(name)), load_preset(name)
    dumped = spec.model_dump()
    for key, value in tree.items():
        if isinstance(value, dict):
            read = {k: list(v) if isinstance(v, tuple) else "" if v is None else v for k, v in dumped[key].items()}
            assert {k: read[k] for k in value} == value, key
        elif not isinstance(value, list):
            assert dumped[key] == (value.lower().replace(" ", "") if key == "time_zero" else value), key
        else:
            assert len(dumped[key]) == len(value), key


@every_preset
def test_a_misspelt_key_of_it_is_refused(name):
    wrong = re.sub(r"^name = ", "nmae = ", text_of(name), count=1, flags=re.MULTILINE)
    with pytest.raises(ValueError, match=r"unknown key nmae. Did you mean 'name'\?"):
        parse_spec(wrong, "preset")


@every_preset
def test_quantities_are_known_and_periods_are_never_learnt(name):
    spec = load_preset(name)
    assert all(p.quantity in QUANTITIES for p in (*spec.parameters, *spec.references))
    assert spec.own_quantities == () and "period_day" not in {p.quantity for p in spec.parameters}


@every_preset
def test_published_columns_have_an_origin_and_an_error_column_of_their_own(name):
    spec = load_preset(name)
    for published in (*spec.parameters, *spec.references):
        assert published.origin != "objects" and published.err != published.column
    assert spec.label is None or spec.label.origin != "objects"


@every_preset
def test_there_is_something_to_learn(name):
    spec = load_preset(name)
    assert spec.label is not None or spec.parameters or name in SERVICES


@every_preset
def test_bands_have_possible_wavelengths(name):
    known = [band.wavelength_nm for band in load_preset(name).bands if band.wavelength_nm is not None]
    assert all(90 < wavelength < 30_000 for wavelength in known)


@every_preset
def test_times_begin_at_a_possible_date(name):
    zero = load_preset(name).zero_mjd
    assert zero is None or zero == 0 or EARLIEST_JD - 2_400_000.5 <= zero + 2_400_000.5 <= LATEST_JD


@every_preset
def test_its_doc_says_how_many_and_from_which_paper(name):
    doc = load_preset(name).doc
    assert re.search(r"\d", doc) and re.search(r"(19|20)\d\d", doc) and doc.endswith(".")


@every_preset
def test_a_preset_is_taken_whatever_the_folder_holds(name, tmp_path):
    assert load_spec(tmp_path, name) == load_preset(name)


@every_preset
def test_renamed_classes_are_words(name):
    label = load_preset(name).label
    assert label is None or all(old and new and old != new for old, new in label.rename.items())
