"""How is the code built: lines of files and functions, docstrings, annotations, tests beside source, by room?

Limits are those of CONTRIBUTING.md; `tests/contracts/test_house.py` holds them. The path from a door to the arrays and
the cost of adding something are counted by tests of their own.

python -m benchmarks.house
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ("flows", "tasks", "lakehouse", "schemas")
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Function:
    """A function or method: where it stands, its lines (decorators and docstring included), and what it declares."""

    where: str
    n_line: int
    is_public: bool
    has_docstring: bool
    is_annotated: bool


def modules(folders: tuple[str, ...] = SOURCE) -> dict[Path, ast.Module]:
    """Syntax tree of every module below the folders, by its path."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return {path: ast.parse(path.read_text()) for path in paths}


def n_lines(path: Path) -> int:
    """Lines of a file."""
    return len(path.read_text().splitlines())


def functions(path: Path, tree: ast.Module) -> Iterator[Function]:
    """Every function and method of a module; those inside of functions belong to their outer one."""
    for node, is_public in _definitions(tree.body, not path.name.startswith("_")):
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        where = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        yield Function(where, length, is_public, ast.get_docstring(node) is not None, _is_annotated(node))


def _definitions(body: list[ast.stmt], is_public: bool) -> Iterator[tuple[FunctionNode, bool]]:
    for node in body:
        if isinstance(node, FunctionNode):
            yield node, is_public and not node.name.startswith("_")
        elif isinstance(node, ast.ClassDef):
            yield from _definitions(node.body, is_public and not node.name.startswith("_"))


def _is_annotated(node: FunctionNode) -> bool:
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    own = [argument for argument in every if argument.arg not in ("self", "cls")]
    stars = [star for star in (node.args.vararg, node.args.kwarg) if star is not None]
    return node.returns is not None and all(argument.annotation is not None for argument in [*own, *stars])


# Tests outside of tests/unit/<room>: laws over everything registered, and the command line as a user runs it.
BESIDE_UNIT = {"features": ("laws/*feature*",), "lightcurves": ("laws/*batch*", "laws/curve_*"),
               "learning": ("laws/*learning*",),
               "flows": ("integration/*", "ui/*")}  # fmt: skip


def rooms() -> dict[str, float]:
    """Lines of tests over lines of source, by room; contracts count for no room."""
    tests = ROOT / "tests"
    folders = {
        **{name: ROOT / name for name in ("flows", "lakehouse", "schemas")},
        **{path.name: path for path in (ROOT / "tasks").iterdir() if path.is_dir() and any(path.glob("*.py"))},
    }
    patterns = {
        name: (f"unit/{name}/**/*.py", *(f"{more}.py" for more in BESIDE_UNIT.get(name, ()))) for name in folders
    }
    counted = {name: sum(n_lines(path) for each in patterns[name] for path in tests.glob(each)) for name in folders}
    return {name: counted[name] / sum(map(n_lines, folders[name].rglob("*.py"))) for name in sorted(folders)}


def main() -> None:
    """Print the figures."""
    trees = modules()
    lines = {path: n_lines(path) for path in trees if path.name != "__init__.py"}
    every = [function for path, tree in trees.items() for function in functions(path, tree)]
    public = [function for function in every if function.is_public]
    for what, values in (("file", list(lines.values())), ("function", [each.n_line for each in every])):
        print(f"lines of a {what}: median {np.median(values):.0f}, 90 % {np.quantile(values, 0.9):.0f}, "
              f"longest {max(values)}, {len(values):,} in all")  # fmt: skip
    for what, n in (("with a docstring", sum(f.has_docstring for f in public)),
                    ("annotated", sum(f.is_annotated for f in public))):  # fmt: skip
        print(f"public functions {what}: {n:,} of {len(public):,} ({n / len(public):.1%})")
    for name, ratio in rooms().items():
        print(f"test to source lines, {name}: {ratio:.2f}")
    for path in sorted(lines, key=lambda path: -lines[path])[:8]:
        print(f"longest files: {lines[path]} {path.relative_to(ROOT)}")
    for function in sorted(every, key=lambda function: -function.n_line)[:8]:
        print(f"longest functions: {function.n_line} {function.where}")
    for function in [each for each in public if not (each.has_docstring and each.is_annotated)]:
        print(f"lacks docstring or annotation: {function.where}")


if __name__ == "__main__":
    main()
