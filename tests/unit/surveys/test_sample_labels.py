"""What Gaia says of its sources, as labels: classes, periods, amplitudes, parameters, and where they are from."""

import numpy as np
import pyarrow as pa
import pytest

from tasks.surveys.columns import list_columns
from tasks.surveys.gaia_labels import class_labels, parameter_labels, sources
from tasks.surveys.survey import CLASS_LABELS, PARAMETER_LABELS, SOURCES
from tests.unit.surveys.gaia_sky import RELEASE

SCHEMA = pa.schema(list(list_columns(RELEASE).items()))


def rows(*given: dict) -> pa.Table:
    """Wide rows with source_ids 1, 2, ...; what is not given is null."""
    return pa.Table.from_pylist(
        [dict.fromkeys(SCHEMA.names) | {"source_id": k + 1} | row for k, row in enumerate(given)], SCHEMA
    )


def label(row: dict, quantity: str) -> list[dict]:
    table, _ = parameter_labels(rows(row), RELEASE)
    return [found for found in table.to_pylist() if found["quantity"] == quantity]


CASES = [
    ({"class_name": "RR", "class_score": 0.7, "rr_class": "RRc"}, "RRc", 0.7),
    ({"class_name": "RR", "class_score": 0.7}, "RR", 0.7),
    ({"class_name": "CEP", "class_score": 0.9, "cep_class": "DCEP"}, "CEP", 0.9),
    ({"class_name": "CEP", "class_score": 0.9, "cep_class": "T2CEP"}, "T2CEP", 0.9),
    ({"class_name": "CEP", "class_score": 0.9, "cep_class": "ACEP"}, "ACEP", 0.9),
    ({"class_name": "CEP", "class_score": 0.9}, "CEP", 0.9),
    ({"class_name": "LPV", "class_score": 0.4}, "MIRA_SR", 0.4),
    ({"class_name": "DSCT|GDOR|SXPHE", "class_score": 0.2}, "DSCT_SXPHE", 0.2),
    ({"class_name": "ECL", "class_score": 0.3, "rr_class": "RRab"}, "ECL", 0.3),
    ({"class_name": "YSO", "class_score": 0.5}, "YSO", 0.5),
    ({"class_name": "YSO", "class_score": None}, "YSO", None),
    ({"rr_class": "RRd", "eb_source_id": 1}, "RRd", None),
    ({"cep_class": "DCEP"}, "CEP", None),
    ({"eb_source_id": 1, "lpv_source_id": 1}, "ECL", None),
    ({"lpv_source_id": 1, "phot_variable_flag": "CONSTANT"}, "MIRA_SR", None),
    ({"phot_variable_flag": "CONSTANT"}, "CONST", None),
    ({"phot_variable_flag": "NOT_AVAILABLE"}, None, None),
    ({}, None, None),
]


@pytest.mark.parametrize(("row", "word", "score"), CASES)
def test_classes(row, word, score):
    found = class_labels(rows(row), RELEASE)
    assert found.schema == CLASS_LABELS
    if word is None:
        assert found.num_rows == 0
    else:
        assert found.to_pylist() == [
            {"source_id": 1, "origin": "gaia_dr3", "class": word, "score": pytest.approx(score), "is_photometric": True}
        ]


def test_classes_of_many_are_those_of_each():
    found = class_labels(rows(*(row for row, _, _ in CASES)), RELEASE)
    expected = {k + 1: word for k, (_, word, _) in enumerate(CASES) if word is not None}
    assert dict(zip(found["source_id"].to_pylist(), found["class"].to_pylist(), strict=True)) == expected
    assert class_labels(SCHEMA.empty_table(), RELEASE).num_rows == 0


@pytest.mark.parametrize(
    ("row", "period", "err"),
    [
        ({"rr_class": "RRab", "rr_pf": 0.6, "rr_pf_error": 1e-5, "rr_p1_o": 0.4}, 0.6, 1e-5),
        ({"rr_class": "RRc", "rr_p1_o": 0.3, "rr_p1_o_error": 2e-5}, 0.3, 2e-5),
        ({"rr_class": "RRd", "rr_pf": 0.5, "rr_p1_o": 0.37, "rr_p1_o_error": 3e-5}, 0.37, 3e-5),
        ({"rr_class": "RRc", "rr_pf": 0.5, "rr_pf_error": 4e-5}, 0.5, 4e-5),
        ({"rr_class": "RRab", "rr_p1_o": 0.31}, 0.31, None),
        ({"cep_class": "DCEP", "cep_mode": "MULTI", "cep_pf": 5.0, "cep_p1_o": 3.5}, 5.0, None),
        ({"cep_class": "DCEP", "cep_mode": "FIRST_OVERTONE", "cep_p1_o": 3.5, "cep_p1_o_error": 0.01}, 3.5, 0.01),
        ({"eb_frequency": 0.5, "eb_frequency_error": 0.01}, 2.0, 0.04),
        ({"lpv_frequency": 0.004, "lpv_frequency_error": 1e-5}, 250.0, 0.625),
        ({"rr_class": "RRab", "rr_pf": 0.6, "eb_frequency": 0.8}, 0.6, None),
        ({"eb_frequency": -999.0}, None, None),
        ({"eb_frequency": 0.0}, None, None),
        ({}, None, None),
    ],
)
def test_periods(row, period, err):
    found = label(row, "period_day")
    if period is None:
        assert found == []
    else:
        (only,) = found
        assert only["value"] == pytest.approx(period, rel=1e-6) and only["origin"] == "gaia_dr3_sos"
        assert only["err"] == (None if err is None else pytest.approx(err, rel=1e-5))
        assert only["is_reference"] and only["is_photometric"] and only["lo"] is only["hi"] is None


def test_amplitudes_and_metallicity_of_lyrae():
    row = {"rr_class": "RRab", "rr_peak_to_peak_g": 0.8, "rr_peak_to_peak_g_error": 0.02, "rr_metallicity": -1.4,
           "rr_metallicity_error": 0.3, "cep_peak_to_peak_g": 0.5, "mh_gspspec": -1.1, "mh_gspspec_lower": -1.3,
           "mh_gspspec_upper": -0.7}  # fmt: skip
    (amplitude,) = label(row, "amplitude_g_mag")
    assert (amplitude["value"], amplitude["err"]) == pytest.approx((0.8, 0.02)) and amplitude["is_reference"]
    spectroscopic, photometric = label(row, "feh_dex")
    assert photometric["origin"] == "gaia_dr3_sos" and photometric["is_photometric"]
    assert (photometric["value"], photometric["err"]) == pytest.approx((-1.4, 0.3))
    assert spectroscopic["origin"] == "gaia_dr3" and not spectroscopic["is_photometric"]
    assert [spectroscopic[name] for name in ("value", "err", "lo", "hi")] == pytest.approx([-1.1, 0.3, -1.3, -0.7])
    assert not photometric["is_reference"] and not spectroscopic["is_reference"]
    assert label({"cep_peak_to_peak_g": 0.5}, "amplitude_g_mag")[0]["value"] == 0.5


def test_parameters_with_intervals():
    names = {
        "teff_gspphot": "teff_k",
        "radius_gspphot": "radius_rsun",
        "logg_gspphot": "logg_dex",
        "mh_gspphot": "mh_dex",
    }
    row = {}
    for k, name in enumerate(names):
        row |= {name: 1000.0 / 20**k, f"{name}_lower": 900.0 / 20**k, f"{name}_upper": 1200.0 / 20**k}
    table, refused = parameter_labels(rows(row), RELEASE)
    assert table.schema == PARAMETER_LABELS and refused.num_rows == 0
    for k, name in enumerate(names.values()):
        (found,) = label(row, name)
        expected = np.array([1000.0, 150.0, 900.0, 1200.0]) / 20**k
        assert [found[column] for column in ("value", "err", "lo", "hi")] == pytest.approx(expected)
        assert found["is_photometric"] and found["origin"] == "gaia_dr3"
        assert found["is_reference"] == (name == "logg_dex")
    (bare,) = label({"teff_gspphot": 5000.0}, "teff_k")
    assert bare["err"] is bare["lo"] is bare["hi"] is None


def test_values_that_cannot_be_are_refused():
    given = {"teff_gspphot": -999.0, "radius_gspphot": 0.0, "logg_gspphot": 4.0, "mh_gspphot": float("nan")}
    table, refused = parameter_labels(rows(given, {"teff_gspphot": 5000.0}), RELEASE)
    assert {(row["source_id"], row["quantity"]) for row in table.to_pylist()} == {(1, "logg_dex"), (2, "teff_k")}
    report = refused.select(["object_id", "table", "column", "check", "value"]).to_pylist()
    assert [tuple(row.values()) for row in report] == [
        ("1", "gaia_dr3", "teff_k", "range", "-999"), ("1", "gaia_dr3", "radius_rsun", "range", "0"),
    ]  # fmt: skip


def test_keys_are_those_of_the_tables():
    """One row per source, origin and quantity, whatever Gaia has of a source."""
    rng = np.random.default_rng(2)
    full = [
        {
            name: float(rng.uniform(0.2, 2))
            for name, kind in zip(SCHEMA.names, SCHEMA.types, strict=True)
            if pa.types.is_floating(kind)
        }
        for _ in range(5)
    ]
    full = [row | {"rr_class": "RRab", "teff_gspphot": 5000.0} for row in full]
    table, _ = parameter_labels(rows(*full), RELEASE)
    keys = list(zip(*(table[name].to_pylist() for name in ("source_id", "quantity", "origin")), strict=True))
    assert keys == sorted(set(keys)) and len(keys) == 5 * 8
    assert sources(rows(*full), RELEASE).schema == SOURCES
