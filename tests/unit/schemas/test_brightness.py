"""What a cell says of a brightness: a magnitude of a flux, a limit, a truth; and how a mapping names them."""

import math

import duckdb
import pyarrow as pa
import pytest

from schemas.dataset_nodes import LightCurveColumns
from schemas.values import AB_ZERO_POINTS, is_limit, limit_number, magnitude, magnitude_error, ratio_error, truth


def evaluate(expression, cells, *parameters):
    """The values of an SQL expression of the column `cell`."""
    with duckdb.connect() as con:
        con.register("given", pa.table({"cell": cells}))
        return [value for (value,) in con.execute(f"SELECT {expression} FROM given", parameters).fetchall()]


def test_magnitudes_of_fluxes():
    assert evaluate(magnitude("cell", "?"), pa.array([1.0, 100.0, 0.0, -1.0, None]), 25.0) == [
        25.0,
        20.0,
        None,
        None,
        None,
    ]
    assert math.isnan(evaluate(magnitude("cell", "?"), pa.array([math.nan]), 25.0)[0])


def test_an_error_is_the_slope_times_that_of_the_flux():
    (error,) = evaluate(magnitude_error("cell", "0.01"), pa.array([1.0]))
    upper, lower = evaluate(magnitude("cell", "0.0"), pa.array([1.01, 0.99]))
    assert error == pytest.approx((lower - upper) / 2, rel=1e-4)


def test_zero_points_of_units_are_those_of_ab():
    for unit, watt in {"Jy": 1e-23, "uJy": 1e-29, "nJy": 1e-32}.items():  # erg / s / cm2 / Hz
        assert AB_ZERO_POINTS[unit] == pytest.approx(-2.5 * math.log10(watt) - 48.6, abs=1e-12)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([True, False, None], [True, False, None]),
        ([0, 1, 512], [False, True, True]),
        ([0.0, 2.5, math.nan], [False, True, None]),
        (["T", " false ", "4", "0", "", "limit"], [True, False, True, False, None, None]),
    ],
)
def test_what_is_true(cells, expected):
    column = pa.array(cells)
    assert evaluate(truth("cell", column.type), column) == expected


def test_limits_and_their_numbers():
    column = pa.array([">17.25", " > 17.5", "17.25", "x", None])
    assert evaluate(is_limit("cell", column.type), column) == [True, True, False, False, None]
    assert evaluate(limit_number("cell", column.type), column) == [17.25, 17.5, 17.25, None, None]


def test_the_columns_of_a_brightness():
    plain = LightCurveColumns(mag_err="e")
    assert (plain.value, plain.error, plain.zero_mag) == ("mag", "e", None)
    flux = LightCurveColumns(flux="f", flux_err="e", zero_point="uJy")
    assert (flux.value, flux.error, flux.zero_mag, flux.mag) == ("f", "e", 23.9, None)
    assert LightCurveColumns(flags="q", good_flags=[0, 2.0, " G ", False]).good_flags == ("0", "2", "G", "false")
    assert LightCurveColumns.model_validate(flux.model_dump()) == flux


def test_errors_of_a_ratio_are_those_of_the_flux():
    (error,) = evaluate(magnitude_error("cell", "0.5"), pa.array([25.0]))
    assert evaluate(ratio_error("cell"), pa.array([50.0])) == [pytest.approx(error)]
    assert LightCurveColumns(snr="r").error == "r"
    for others in ({"mag_err": "e"}, {"flux": "f", "zero_point": 25}):
        with pytest.raises(ValueError, match="snr gives the errors"):
            LightCurveColumns(snr="r", **others)
