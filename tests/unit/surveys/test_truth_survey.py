"""The truth of a replica comes through as the lake's table has it."""

from schemas import TABLES
from tasks.surveys import truth
from tests.unit.surveys.survey_answers import Asked, as_csv, neighbours, sources


def test_the_truth_has_the_columns_of_its_table():
    row = {name: None for name in truth.COLUMNS} | {
        "source_id": 5, "class": "CONST", "teff_k": 5000.0, "radius_rsun": 1.0, "feh_dex": -1.0, "distance_pc": 10.0,
        "ebv_mag": 0.1, "is_blended": "true", "is_wrong_match_ps1": "false", "is_wrong_match_ztf": "false",
    }  # fmt: skip
    asked = Asked({("truth", "source_id"): lambda items: as_csv([row])})
    got = truth.fetch(asked, sources({"source_id": 5}), neighbours(), {}).tables["label_truth__source"]
    spec = TABLES["label_truth__source"].arrow()
    assert got.column_names == spec.names[2:]
    assert [field.type for field in got.schema] == [field.type for field in list(spec)[2:]]
    (only,) = got.to_pylist()
    assert only["class"] == "CONST" and only["is_blended"] is True and only["period_day"] is None
    assert asked.items("truth", "source_id") == [5]
