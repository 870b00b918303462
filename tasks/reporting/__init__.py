"""Figures and the one self-contained HTML page of a release."""

from tasks.reporting.data import (
    ClassCounts,
    ClassPeriods,
    Command,
    FoldedCurve,
    HeldOutClasses,
    HeldOutQuantity,
    ReportData,
    Rows,
    SkyPositions,
)
from tasks.reporting.figures.folded import confident_examples
from tasks.reporting.page import render

__all__ = [
    "ClassCounts",
    "ClassPeriods",
    "Command",
    "FoldedCurve",
    "HeldOutClasses",
    "HeldOutQuantity",
    "ReportData",
    "Rows",
    "SkyPositions",
    "confident_examples",
    "render",
]
