"""Reports to test on: the full sample, rendered once for the whole folder."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tasks.reporting import ReportData, render
from tests.unit.reporting.report_sample import make_report


@pytest.fixture(scope="session")
def report() -> ReportData:
    """The sample report with every piece filled in."""
    return make_report()


@pytest.fixture(scope="session")
def page(report: ReportData) -> str:
    """The sample report as HTML."""
    return render(report)
