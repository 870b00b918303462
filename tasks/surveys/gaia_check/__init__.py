"""Is a data release of Gaia there, and as this code expects it? Tests as rows of one table, and what to set otherwise.

Every test asks the archive through the clients of a run and puts nothing into a lake. What the archive has otherwise
becomes a value of the release's file, and so the next test, and the next run, ask by it.
"""

from tasks.surveys.gaia_check.asking import Asking
from tasks.surveys.gaia_check.checks import CHECKS, Check, check_release
from tasks.surveys.gaia_check.findings import Findings, Line, Status, Verdict

__all__ = ["CHECKS", "Asking", "Check", "Findings", "Line", "Status", "Verdict", "check_release"]
