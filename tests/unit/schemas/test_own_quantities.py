"""Quantities that a dataset.toml describes itself: what it may say, and what it may not change."""

import pytest

from schemas import BadInput
from schemas.dataset import DatasetSpec
from schemas.dataset_nodes import Parameter
from schemas.mapping import parse_spec
from schemas.quantities import QUANTITIES, suggest_vounit

SPEC = """
name = "own"
[[parameters]]
quantity = "spin_deg"
column = "spin"
{}
[[bands]]
name = "G"
"""
TWICE = """
name = "own"
[[parameters]]
quantity = "spin_deg"
column = "spin"
unit = "deg"
[[references]]
quantity = "spin_deg"
column = "other"
origin = "elsewhere"
{}
[[bands]]
name = "G"
"""


def refused(text):
    """The sentence with which a mapping is refused."""
    with pytest.raises(BadInput) as caught:
        parse_spec(text, "dataset.toml")
    return str(caught.value)


def test_a_quantity_of_ones_own_has_what_is_said_of_it():
    more = 'unit = "deg"\nucd = "pos.posAng"\ndoc = "Angle of the spin."\nis_log = true'
    (own,) = parse_spec(SPEC.format(more), "toml").own_quantities
    assert (own.name, own.unit, own.shown_unit, own.ucd) == ("spin_deg", "deg", "deg", "pos.posAng")
    assert own.doc == "Angle of the spin." and own.is_log and own.label == "spin deg"


def test_without_a_word_it_has_no_unit_whatever_its_suffix():
    (own,) = parse_spec(SPEC.format(""), "toml").own_quantities
    assert (own.unit, own.ucd, own.is_log) == ("", "stat.value", False)


@pytest.mark.parametrize("unit", ["km.s**-1", "solLum", "mag", "m/s2", "1e3.pc"])
def test_vounits_are_accepted(unit):
    assert parse_spec(SPEC.format(f'unit = "{unit}"'), "toml").parameters[0].unit == unit


@pytest.mark.parametrize(("unit", "meant"), [("Kelvin", "K"), ("Msun", "solMass"), ("solrad", "solRad")])
def test_a_unit_by_another_name_is_met_with_that_of_the_standard(unit, meant):
    assert suggest_vounit(unit) == f" Did you mean {meant!r}?"
    assert suggest_vounit("furlongs per fortnight") == ""


@pytest.mark.parametrize("unit", ["furlong", "dex", "K K)", "[m]"])
def test_what_is_no_vounit_is_refused(unit):
    sentence = refused(SPEC.format(f'unit = "{unit}"'))
    assert "parameters.0.unit" in sentence and repr(unit) in sentence and "VOUnit" in sentence


@pytest.mark.parametrize("ucd", ["temperature", "phys.temprature", "stat.max;phys.mass", "phys mass"])
def test_what_is_no_ucd_is_refused(ucd):
    sentence = refused(SPEC.format(f'ucd = "{ucd}"'))
    assert "parameters.0.ucd" in sentence and repr(ucd) in sentence and "UCD" in sentence


@pytest.mark.parametrize("more, words", [
    ('unit = "deg"', ["unit", "'K'", "'deg'"]),
    ('ucd = "phys.mass"', ["ucd", "phys.temperature.effective"]),
    ("is_log = true", ["is_log", "False", "True"]),
])  # fmt: skip
def test_a_known_quantity_is_the_same_everywhere(more, words):
    sentence = refused(SPEC.format(more).replace("spin_deg", "teff_k"))
    for word in ["teff_k", "a name of its own", *words]:
        assert word in sentence, sentence


def test_a_known_quantity_may_repeat_its_unit_and_is_nothing_of_ones_own():
    spec = parse_spec(SPEC.format('unit = "K"').replace("spin_deg", "teff_k"), "toml")
    assert spec.parameters[0].as_quantity == QUANTITIES["teff_k"] and spec.own_quantities == ()


def test_two_columns_of_a_quantity_agree_about_it():
    assert "described in two ways" in refused(TWICE.format('unit = "rad"'))
    assert len(parse_spec(TWICE.format('unit = "deg"'), "toml").own_quantities) == 1


def test_a_mapping_without_own_words_is_dumped_as_before_there_were_any():
    plain = Parameter(quantity="teff_k", column="teff")
    assert plain.model_dump_json() == (
        '{"quantity":"teff_k","column":"teff","err":null,"origin":"objects","is_photometric":false}'
    )
    spec = parse_spec(SPEC.format('unit = "deg"'), "toml")
    assert '"unit":"deg"' in spec.model_dump_json()
    assert DatasetSpec.model_validate_json(spec.model_dump_json()) == spec
