"""What a deployment may say: settings whole, or a preset and what differs from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

from flows.presets import preset
from flows.settings import Settings


def complete(tree: Any) -> Any:
    """Settings as a plain tree that names a preset and no source, completed by that preset; anything else as it is.

    So a deployment says {"preset": "demo", "limit": 100}, and {"preset": "eros_br", "data": DIR} for a folder.
    """
    if not isinstance(tree, dict) or "source" in tree or "preset" not in tree:
        return tree
    data = Path(tree["data"]) if tree.get("data") else None
    changes = {name: value for name, value in tree.items() if name != "data"}
    return _merged(preset(tree["preset"], data).model_dump(), changes)


def _merged(tree: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`tree` with the values of `changes`, node by node."""
    nodes = {name for name, value in changes.items() if isinstance(value, dict) and isinstance(tree.get(name), dict)}
    return {**tree, **changes, **{name: _merged(tree[name], changes[name]) for name in nodes}}


CompleteSettings = Annotated[Settings, BeforeValidator(complete)]
