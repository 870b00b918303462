"""Bands and classes become columns: names that differ in case alone are refused, here and across a lake's datasets."""

import numpy as np
import pytest

from lakehouse.delta.store import Lake
from schemas import TABLES, BadInput
from tasks.stages.acquire.case_clashes import refuse_case_clashes
from tests.unit.stages.labelled_lake import rows

BAND, CLASS = TABLES["core_dataset__band"], TABLES["label_sample__class"]


def check(lake, names):
    refuse_case_clashes(lake, names, BAND, "name", "band")


def test_names_of_one_folder_must_differ_in_more_than_case(tmp_path):
    lake = Lake(tmp_path, create=True)
    check(lake, ["g", "r", "g"])
    with pytest.raises(BadInput, match=r"The band names 'g' and 'G' differ only in case.*rename one.*--lake"):
        check(lake, ["g", "r", "G"])


def test_names_of_another_dataset_of_the_lake_count_too(tmp_path):
    lake = Lake(tmp_path, create=True)
    two = {"band": [0, 1], "name": ["g", "r"], "survey": ["one"] * 2, "system": ["AB"] * 2}
    lake.append("r", BAND, rows(BAND, np.zeros(2, np.int64), **two))
    check(lake, ["g", "i"])
    with pytest.raises(BadInput, match="The band names 'r' and 'R'"):
        check(lake, ["i", "R"])
    refuse_case_clashes(lake, ["R"], CLASS, "class", "class")  # which are columns of other tables
