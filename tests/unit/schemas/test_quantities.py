"""Quantities: standard units and UCDs, ranges, words, and that one line in the registry is all that a new one takes."""

import astropy.units as u
import numpy as np
import pytest
from astropy.io.votable.ucd import parse_ucd

from schemas.quantities import QUANTITIES, Quantity, quantity

every_quantity = pytest.mark.parametrize("one", QUANTITIES.values(), ids=QUANTITIES)


@every_quantity
def test_units_and_ucds_are_standard(one):
    u.Unit(one.unit, format="vounit")
    parse_ucd(one.ucd, check_controlled_vocabulary=True, has_colon=False)
    assert one.doc.endswith(".") and one.label


@every_quantity
def test_what_is_learnt_as_a_logarithm_is_positive(one):
    low, high = one.range
    assert low is None or high is None or low < high
    assert not one.is_log or (low is not None and low > 0)


def test_the_ends_of_the_range_are_inside_and_only_finite_values_are_outside():
    radius = QUANTITIES["radius_rsun"]
    values = [radius.range[0], radius.range[1], 0.0, -999.0, 5_001.0, np.nan, np.inf]
    assert radius.is_outside(values).tolist() == [False, False, True, True, True, False, False]
    assert QUANTITIES["ebv_mag"].is_outside([[-0.1, 0.0], [1e9, np.nan]]).tolist() == [[True, False], [False, False]]
    assert not quantity("my_own_k").is_outside([-1e300, 1e300]).any()


def test_a_name_nobody_declared_has_no_unit_whatever_its_suffix():
    own = quantity("spot_contrast_k")
    assert (own.unit, own.shown_unit, own.ucd, own.is_log) == ("", "", "stat.value", False)
    assert own.label == own.symbol == own.axis == "spot contrast k"


def test_axes_show_the_reader_s_unit():
    assert quantity("radius_rsun").axis == "R (R☉)"
    assert quantity("feh_dex").axis == "[Fe/H] (dex)" and quantity("feh_dex").unit == ""


def test_a_quantity_gives_its_column():
    column = quantity("teff_k").column("True temperature.", nullable=True)
    assert (column.name, column.unit, column.ucd) == ("teff_k", "K", "phys.temperature.effective")
    assert column.nullable and column.range == (500, 250_000) and column.doc == "True temperature."
    assert Quantity("x", "X").column().range is None
