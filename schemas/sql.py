"""SQL that storage and science write for DuckDB."""

from __future__ import annotations


def quote_name(name: str) -> str:
    """`name` as an SQL identifier, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'
