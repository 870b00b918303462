"""The costs in CONTRIBUTING.md that other tests' additions have, and that each row names what is there."""

import re

import pytest

from tests.contracts.costs import PAGE, ROOT, cost, lines_with, rows, stated_cost
from tests.integration import ogle_survey
from tests.unit.learning import joint_neighbours

MODELS = "tasks/learning/models/__init__.py"
SURVEYS = "tasks/surveys/__init__.py"


@pytest.mark.parametrize(
    ("what", "counted"),
    [
        ("survey", cost(lines_with(SURVEYS, '"ztf"'), ogle_survey.__file__)),
        ("model", cost(lines_with(MODELS, '"median"'), joint_neighbours.__file__)),
        ("quantity", cost(1)),
    ],
)
def test_a_cost_is_what_the_addition_of_a_test_takes(what, counted):
    assert stated_cost(what) == counted


def test_every_file_that_a_row_links_to_is_there():
    links = re.findall(r"\]\(([^)#]+)", PAGE.read_text())
    assert len(links) >= 8 and [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("what", rows())
def test_every_row_names_a_registry_that_its_file_holds(what):
    """The cell of the line is a name in backticks and a link to its file, or says that there is none."""
    line = rows()[what]["line"]
    found = re.search(r"`([A-Za-z_]+)` in \[[^]]+\]\(([^)]+)\)", line)
    assert found or line == "none", line
    if found:
        assert re.search(rf"\b{found[1]}\b", (ROOT / found[2]).read_text())


def test_the_four_ways_lead():
    """A model, a survey, a quantity and a flow are linked before anything else."""
    head = PAGE.read_text().split("\n## ")[0]
    assert re.findall(r"^- \*\*A (\w+)\*\*", head, re.M) == ["model", "survey", "quantity", "flow"]
    assert head.count("](") >= 4
