"""The house keeps its measures: short files and functions, documented and annotated, doors of a few lines."""

import ast

import numpy as np
import pytest

from benchmarks.house import ROOT, functions, modules, n_lines, rooms

TREES = modules()
FUNCTIONS = [function for path, tree in TREES.items() for function in functions(path, tree)]


def test_files_are_short():
    lines = {str(path.relative_to(ROOT)): n_lines(path) for path in TREES if path.name != "__init__.py"}
    sizes = [*lines.values()]
    assert np.median(sizes) <= 110 and np.quantile(sizes, 0.9) <= 210
    assert {name: n for name, n in lines.items() if n > 380} == {}


def test_functions_are_short():
    sizes = [function.n_line for function in FUNCTIONS]
    assert np.median(sizes) <= 8 and np.quantile(sizes, 0.9) <= 20


def test_what_is_public_is_documented_and_annotated():
    lacking = [f.where for f in FUNCTIONS if f.is_public and not (f.has_docstring and f.is_annotated)]
    assert lacking == []


@pytest.mark.parametrize("room", sorted(set(rooms()) - {"replica"}))
def test_every_room_has_its_tests(room):
    assert rooms()[room] >= 0.85


@pytest.mark.parametrize("door", sorted((ROOT / "tasks").glob("[!_]*.py")), ids=lambda path: path.stem)
def test_a_door_is_a_prefect_task_and_nothing_else(door):
    """At most 40 lines: imports, and one task named as the file, whose body is one call."""
    tree = TREES[door]
    defined = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)]
    assert n_lines(door) <= 40 and [node.name for node in defined] == [door.stem]
    (task,) = defined
    assert "task" in ast.unparse(task.decorator_list[0]) and len(task.body) == 2
