"""What a check has found: its lines, what the archive has otherwise, and the file that says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum, StrEnum
from typing import Any

import pyarrow as pa

from schemas import BadInput
from tasks.surveys.gaia_check.asking import Asking
from tasks.surveys.gaia_release import GaiaRelease
from tasks.surveys.gaia_releases import merge_trees, override_release


class Status(StrEnum):
    """How a test came out."""

    OK = "OK"
    MISSING = "MISSING"
    DIFFERENT = "DIFFERENT"
    UNKNOWN = "UNKNOWN"
    SKIPPED = "SKIPPED"


class Verdict(IntEnum):
    """What a check ends with; its exit code."""

    READY = 0
    UNREACHABLE = 2
    NOT_RELEASED = 3
    OVERRIDDEN = 4
    LACKING = 5


@dataclass(frozen=True)
class Line:
    """One thing that a test found. `is_needed`: no run can do without it."""

    status: Status
    seen: str
    advice: str = ""
    is_needed: bool = False


class Ended(Exception):
    """There is nothing more to test: the verdict stands."""

    def __init__(self, verdict: Verdict, line: Line) -> None:
        super().__init__(line.seen)
        self.verdict, self.line = verdict, line


@dataclass(frozen=True)
class Served:
    """A column as TAP_SCHEMA has it."""

    name: str
    datatype: str
    is_array: bool
    unit: str
    ucd: str
    doc: str


@dataclass
class Findings:
    """The release as it is known so far, and what the tests hand on to each other.

    `given` is the tree of the file that the check began with, `changes` what it found otherwise; `columns` are those of
    each table by alias, `rows` some stars of the wide question, `epochs` DataLink's columns of some of them.
    """

    ask: Asking
    release: GaiaRelease
    given: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, Served]] = field(default_factory=dict)
    rows: pa.Table | None = None
    epochs: pa.Table | None = None
    epochs_before: pa.Table | None = None

    @property
    def tree(self) -> dict[str, Any]:
        """The file that says all that is otherwise."""
        return {"release": self.release.release, **merge_trees(self.given, self.changes)}

    def change(self, path: tuple[str, ...], value: Any, reason: str) -> bool:
        """Use `value` from here on; False where no run could do with it, and then it is not kept."""
        changes: dict[str, Any] = {}
        node = changes
        for part in path[:-1]:
            node = node.setdefault(part, {})
        node[path[-1]] = value
        merged = merge_trees(self.changes, changes)
        try:
            self.release = override_release(
                self.release.release, merge_trees({"release": self.release.release, **self.given}, merged), "the check"
            )
        except BadInput:
            return False
        self.changes, self.reasons[".".join(path)] = merged, reason
        return True

    def document(self, archive: str, on: date) -> str:
        """The release file, with the reason of every value."""
        head = [f"# What {archive} has otherwise, found on {on:%Y-%m-%d}:"]
        head += [f"# {path}: {reason}" for path, reason in self.reasons.items()]
        return "\n".join([*head, *_toml(self.tree)]) + "\n"


def _toml(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[str]:
    """Lines of a TOML document: values first, then tables."""
    values = {name: value for name, value in tree.items() if not isinstance(value, Mapping)}
    lines = [f"{_key(name)} = {_value(value)}" for name, value in values.items()]
    if path and values:
        lines = ["", f"[{'.'.join(map(_key, path))}]", *lines]
    for name, value in tree.items():
        if isinstance(value, Mapping):
            lines += _toml(value, (*path, name))
    return lines


def _key(name: str) -> str:
    return name if name.replace("_", "").isalnum() else json.dumps(name)


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return json.dumps(bool(value))
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value) if isinstance(value, str) else repr(value)
