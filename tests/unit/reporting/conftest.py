"""Reports to test on: the full sample, rendered once for the whole folder."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).parent))

from tasks.reporting import ReportData, render
from tasks.reporting.figures.canvas import drawing
from tasks.reporting.parts import Drawing, Remark
from tests.unit.reporting.report_sample import make_report


@pytest.fixture(scope="session")
def report() -> ReportData:
    """The sample report with every piece filled in."""
    return make_report()


@pytest.fixture(scope="session")
def page(report: ReportData) -> str:
    """The sample report as HTML."""
    return render(report)


@pytest.fixture
def draw(monkeypatch):
    """`draw(function, ...)`: the figure that the function draws, and the drawing or remark that it returns."""

    def call(function: Callable[..., Drawing | Remark], *args: Any) -> tuple[Figure | None, Drawing | Remark]:
        figures: list[Figure] = []

        def keep(figure: Figure, *rest: Any, **more: Any) -> Drawing:
            figures.append(figure)
            return drawing(figure, *rest, **more)

        monkeypatch.setattr(sys.modules[function.__module__], "drawing", keep)
        part = function(*args)
        return (figures or [None])[0], part

    return call
