"""A complete dataset.toml: every entry of a mapping, with what it means, to be corrected by hand."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from pydantic import BaseModel

from schemas.dataset import DatasetSpec
from schemas.dataset_nodes import Blankable

WIDTH = 34  # of an entry before its comment
NODES = ("objects", "label", "parameters", "references", "inputs", "lightcurves", "bands")  # in this order


def write_toml(spec: DatasetSpec, unsettled: Collection[str] = ()) -> str:
    """The text of a dataset.toml that reads as `spec`, whatever the names of columns say.

    The entries `unsettled` ("lightcurves.band") are left out, as comments, so that they are asked about again.
    """
    lines = [*_entries(spec, "", unsettled)]
    for name in NODES:
        doc, value = DatasetSpec.model_fields[name].description, getattr(spec, name)
        if name == "lightcurves" and not spec.has_light_curves:
            continue
        if name == "bands" and "lightcurves.band" in unsettled:
            continue  # they follow from the column
        if name == "inputs":
            lines += ["", f"[{name}]  # {doc}"] if value else []
            lines += [f"{key} = {_text(column)}" for key, column in value.items()]
        elif name == "label" and value is None:
            lines += ["", f"[{name}]  # {doc}", _entry("column", _text(""), "No label.", "label.column" in unsettled)]
        elif isinstance(value, tuple):
            for each in value:
                lines += ["", f"[[{name}]]", *_entries(each, name, unsettled)]
        else:
            lines += ["", f"[{name}]  # {doc}", *_entries(value, name, unsettled)]
    return "\n".join([*lines, ""])


def _entries(node: BaseModel, path: str, unsettled: Collection[str]) -> Iterator[str]:
    """A line for each entry of a node that is no node itself; what is not said is a comment, or "" for a column."""
    for name, field in type(node).model_fields.items():
        if path or name not in NODES:
            value = getattr(node, name)
            value = "" if value is None and isinstance(node, Blankable) and not field.exclude_if else value
            is_comment = value is None or f"{path}.{name}".lstrip(".") in unsettled
            yield _entry(name, "" if value is None else _text(value), field.description or "", is_comment)


def _entry(name: str, value: str, doc: str, is_comment: bool) -> str:
    return f"{'# ' if is_comment else ''}{name} = {value}".ljust(WIDTH) + f"  # {doc}"


def _text(value: Any) -> str:
    """A value in TOML: its strings, numbers and truth values are those of JSON but for one control character."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_text(key)} = {_text(each)}' for key, each in value.items())} }}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
