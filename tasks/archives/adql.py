"""ADQL from templates: only typed literals and checked names ever enter a query."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import pyarrow as pa

from tasks.archives.errors import BadQuestion

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_NO_NUMBERS = ("nan", "inf", "infinity")  # what floats become that no query can hold
_INTEGER = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def render(text: str, items: pa.Table, key: str | None, parameters: Mapping[str, str]) -> str:
    """The query of one request: the template `text` with every ``{name}`` replaced.

    ``{items}`` becomes the list of ids in column `key`, ``(1,2,3)`` or ``('a','b')``; the name of another column of
    `items` (``{lo}``, ``{hi}``) becomes its value, and the request must then have one item; any other name is one
    of `parameters`, an integer, a finite float or an identifier. Raises BadQuestion on anything else.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name == "items":
            return item_list(items, key)
        if name in items.column_names:
            return _single(items, name)
        if name in parameters:
            return word(parameters[name])
        raise BadQuestion(
            f"The query has a placeholder {{{name}}} that is neither a column of the items nor a parameter."
        )

    if "{" in (rest := _PLACEHOLDER.sub("", text)) or "}" in rest:
        raise BadQuestion(f"The query has a brace that belongs to no placeholder: {rest.strip()[:80]!r}.")
    return _PLACEHOLDER.sub(value, text)


def item_list(items: pa.Table, key: str | None) -> str:
    """Column `key` of the items as an ADQL list: integers or strings, at least one, none of them null."""
    if key is None or key not in items.column_names:
        raise BadQuestion(f"The query asks for {{items}}, but the items have no column {key!r}.")
    column = items[key]
    if not len(column) or column.null_count:
        raise BadQuestion(f"The query needs ids in {key!r}: {column.null_count} of {len(column)} items have none.")
    if pa.types.is_integer(column.type):
        return f"({','.join(map(str, column.to_pylist()))})"
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return f"({','.join(map(literal, column.to_pylist()))})"
    raise BadQuestion(f"Ids in {key!r} are integers or strings, not {column.type}.")


def literal(value: int | float | str) -> str:
    """A value as an ADQL literal; raises BadQuestion for one that has none (NaN, infinity, control characters)."""
    if isinstance(value, str):
        if not value.isprintable():
            raise BadQuestion(f"A query cannot hold the text {value!r}: it has characters that do not print.")
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadQuestion(f"A query can hold integers, floats and texts, not {value!r}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise BadQuestion(f"A query cannot hold the number {value!r}.")
    return repr(value)


def word(text: str) -> str:
    """A parameter as it stands in a query: an integer, a finite float, or a (dotted) identifier; BadQuestion else."""
    text = str(text)
    if _INTEGER.fullmatch(text):
        return str(int(text))
    if _FLOAT.fullmatch(text):
        return literal(float(text))
    if _NAME.fullmatch(text) and text.lower() not in _NO_NUMBERS:
        return text
    raise BadQuestion(f"{text!r} cannot stand in a query: it is no number and no name of a table or column.")


def _single(items: pa.Table, name: str) -> str:
    if items.num_rows != 1 or items[name].null_count:
        raise BadQuestion(
            f"The query asks for one {{{name}}}, but the request has {items.num_rows} items: "
            f"set the question's chunk to 1."
        )
    return literal(items[name][0].as_py())
