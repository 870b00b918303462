"""The period that a folder declares as vetted: of folded curves that of the fold, which no search can find."""

from __future__ import annotations

from dataclasses import replace

from schemas import TABLES
from tasks.features.feature import PERIOD_DAY, Arrays, Curves, Feature

INPUT = "period_day"
VETTED_PERIOD_DAY = replace(
    PERIOD_DAY.rename("vetted_period_day", "Period that somebody has vetted, where the folder declares one."),
    derived_from=(TABLES["core_sample__input"].path_of(INPUT),),
)


def compute_vetted(curves: Curves, earlier: Arrays) -> Arrays:
    """The period (S,) day, NaN where none is declared."""
    return {VETTED_PERIOD_DAY.name: curves.objects[INPUT]}


VETTED = Feature(
    "vetted",
    inputs=(INPUT,),
    source="The folder's own.",
    compute=compute_vetted,
    columns=(VETTED_PERIOD_DAY,),
)
