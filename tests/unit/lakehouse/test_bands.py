"""The bands of a dataset and their surveys, in the order of their codes."""

import pyarrow as pa

from lakehouse.bands import Bands, read_bands
from schemas import TABLES

BAND = TABLES["core_dataset__band"]
MANY = Bands(("G", "g_ztf", "BP", "r_ztf", "g_ps1"), ("gaia", "ztf", "gaia", "ztf", "ps1"))


def rows(dataset, codes, names, surveys):
    return pa.table({"dataset": [dataset] * len(codes), "band": pa.array(codes, pa.int8()), "name": names,
                     "survey": surveys, "system": ["AB"] * len(codes), "wavelength_nm": [500.0] * len(codes)},
                    schema=BAND.arrow())  # fmt: skip


def test_names_follow_the_codes_and_not_the_alphabet(lake):
    lake.append("r", BAND, rows("demo", [2, 0, 1], ["a", "z", "m"], ["one", "two", "one"]))
    lake.append("r", BAND, rows("other", [0], ["q"], ["three"]))
    assert read_bands(lake, "demo") == Bands(("z", "m", "a"), ("two", "one", "one"))
    assert read_bands(lake, "other") == Bands(("q",), ("three",)) and read_bands(lake, "absent") == Bands((), ())


def test_a_group_is_a_survey_in_the_order_of_first_appearance():
    assert MANY.groups == (0, 1, 0, 1, 2)
    assert Bands((), ()).groups == ()


def test_bands_of_one_survey_or_of_all():
    assert MANY.of("ztf") == ("g_ztf", "r_ztf") and MANY.of("gaia") == ("G", "BP")
    assert MANY.of("all") == MANY.names and MANY.of("tess") == ()
