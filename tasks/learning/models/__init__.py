"""One file per family of models. Each has `fit(recipe, examples, y, n_class, weight)` and `build(...)` to load it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

# Names of modules, not modules: whoever trains a forest need not import torch.
MODELS = {
    "majority": "baseline",
    "median": "baseline",
    "forest": "forest",
    "balanced_forest": "forest",
    "colour_forest": "forest",
    "lstm": "lstm",
}


def family(model: str) -> ModuleType:
    """The module that fits and loads `model`."""
    return import_module(f"{__name__}.{MODELS[model]}")
