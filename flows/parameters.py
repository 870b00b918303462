"""What a deployment may say: settings whole, or a preset and what differs from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from flows.presets import PRESETS, preset
from flows.settings import Settings


def complete(tree: Any) -> Any:
    """Settings as a plain tree that names a preset and no whole source, completed by that preset; others as they are.

    So a deployment says {"preset": "demo", "limit": 100}, {"preset": "rrlyrae", "source": {"endpoint": "live"}}, and
    {"preset": "eros_br", "data": DIR} for a folder.
    """
    if not isinstance(tree, dict) or "preset" not in tree or _is_whole(tree.get("source", {})):
        return tree
    data = Path(tree["data"]) if tree.get("data") else None
    changes = {name: value for name, value in tree.items() if name != "data"}
    return _merge(preset(tree["preset"], data).model_dump(), changes)


def _is_whole(source: Any) -> bool:
    """Whether a source says by itself what is read: a sample of the archives, or a folder."""
    return not isinstance(source, dict) or not {"sample", "spec", "folder"}.isdisjoint(source)


def _merge(tree: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`tree` with the values of `changes`, node by node."""
    nodes = {name for name, value in changes.items() if isinstance(value, dict) and isinstance(tree.get(name), dict)}
    return {**tree, **changes, **{name: _merge(tree[name], changes[name]) for name in nodes}}


class CompletedByPreset:
    """Annotation of Settings: only the preset, a choice, must be given; the rest is completed."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(complete, handler(source))

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = handler(schema)
        node = handler.resolve_ref_schema(described)
        node["required"] = ["preset"]
        node["properties"]["preset"] |= {"enum": list(PRESETS)}
        node["properties"]["data"] = {"type": "string", "title": "Data", "description": "Folder or file of the preset."}
        return described


CompleteSettings = Annotated[Settings, CompletedByPreset]
