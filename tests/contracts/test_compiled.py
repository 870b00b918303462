"""Compiled functions call none of another file: numba would go on using what it cached when only that file changed."""

import importlib
from pathlib import Path

from numba.core.registry import CPUDispatcher

ROOT = Path(__file__).parents[2]


def compiled() -> list[CPUDispatcher]:
    """Every compiled function that a module of tasks/ defines."""
    paths = [
        path
        for path in sorted((ROOT / "tasks").rglob("*.py"))
        if "njit" in (text := path.read_text()) or "@compiled" in text
    ]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    return [
        value
        for name in names
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, CPUDispatcher) and value.__module__ == name
    ]


def test_compiled_functions_call_only_those_of_their_own_file():
    functions = compiled()
    assert len(functions) > 40
    strangers = [
        f"{function.__module__}.{function.__name__} calls {called.__module__}.{called.__name__}"
        for function in functions
        for called in (function.py_func.__globals__.get(name) for name in function.py_func.__code__.co_names)
        if isinstance(called, CPUDispatcher) and called.__module__ != function.__module__
    ]
    assert not strangers
