"""Laws over quantities: ranges against a plain comparison, words that differ, columns that agree."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.quantities import QUANTITIES, Quantity, is_ucd, is_vounit, quantity
from schemas.tables.catalogue import OUT__CATALOGUE

every_quantity = pytest.mark.parametrize("one", QUANTITIES.values(), ids=QUANTITIES)
ENDS = st.one_of(st.none(), st.floats(-1e6, 1e6))
VALUES = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=8)


@settings(max_examples=80, deadline=None)
@given(ends=st.tuples(ENDS, ENDS), values=VALUES)
def test_outside_is_what_a_plain_comparison_says(ends, values):
    low, high = ends
    one = Quantity("x", "X", range=ends)
    expected = [
        math.isfinite(value) and ((low is not None and value < low) or (high is not None and value > high))
        for value in values
    ]
    assert one.is_outside(values).tolist() == expected


@every_quantity
def test_the_sentinels_of_catalogues_are_outside_or_impossible_to_tell(one):
    sentinels = np.array([-999.0, -9999.0, -1e30])
    assert one.range == (None, None) or one.is_outside(sentinels).all()


@every_quantity
@pytest.mark.parametrize("end", [0, 1])
def test_each_end_is_the_last_value_inside(one, end):
    if (limit := one.range[end]) is not None:
        beyond = np.nextafter(limit, -np.inf if end == 0 else np.inf)
        assert one.is_outside([limit, beyond]).tolist() == [False, True]


@every_quantity
def test_a_column_takes_its_words_from_the_quantity(one):
    column = one.column()
    assert (column.name, column.unit, column.ucd, column.doc) == (one.name, one.unit, one.ucd, one.doc)
    assert one.column("Another.").doc == "Another." and one.column(nullable=True).nullable


@pytest.mark.parametrize("first, second", itertools.combinations(QUANTITIES, 2))
def test_words_tell_quantities_apart(first, second):
    one, other = QUANTITIES[first], QUANTITIES[second]
    assert one.label != other.label and one.symbol != other.symbol


@every_quantity
def test_its_words_are_plain_text(one):
    """Figures and pages read no mathtext."""
    assert not set("$\\{}") & set(one.label + one.axis + one.shown_unit)


@every_quantity
def test_its_columns_in_the_catalogue_collide_with_none_that_is_always_there(one):
    always = {column.name for column in OUT__CATALOGUE.columns if not column.is_family}
    shared = {one.name, f"{one.name}_lo", f"{one.name}_hi"} & always
    assert shared <= {"period_day"}  # the period found, beside which none is ever learnt


@every_quantity
def test_its_name_is_found_again(one):
    assert quantity(one.name) is one and one.name == one.name.lower()


def test_words_that_are_given_are_kept():
    given_ = Quantity("x", "X", symbol="x", unit="solRad", shown_unit="R☉", doc="The x.")
    assert (given_.symbol, given_.shown_unit, given_.doc) == ("x", "R☉", "The x.")
    assert replace(quantity("own_name"), unit="deg").shown_unit == "deg"


@pytest.mark.parametrize("text, is_unit", [("", True), ("solMass", True), ("mas.yr**-1", True), ("parsec", False)])
def test_units_of_the_standard(text, is_unit):
    assert is_vounit(text) is is_unit


@pytest.mark.parametrize(
    "text, is_word", [("phys.mass", True), ("phys.mass;stat.mean", True), ("mass", False), ("", False)]
)
def test_words_of_the_vocabulary(text, is_word):
    assert is_ucd(text) is is_word
