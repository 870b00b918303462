"""On which sky a model was trained: a synthetic one, whose stars are simulated, or the one that is observed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lakehouse.disk import read_json
from lakehouse.manifest import RUN_FOLDER
from schemas.inputs import is_synthetic

SYNTHETIC, OBSERVED = "synthetic", "observed"  # as cards say


def is_of_synthetic_sky(lake_path: str | Path, card: Mapping[str, Any]) -> bool:
    """Whether a model was trained on a synthetic sky; where an old card does not say, the run that trained it does."""
    if "sky" in card:
        return bool(card["sky"] == SYNTHETIC)
    manifest = Path(lake_path) / RUN_FOLDER / f"{card['run_id']}.json"
    return manifest.exists() and is_synthetic(read_json(manifest)["settings"].get("source", {}))
