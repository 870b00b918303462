"""Models: one file each, which ends in ``SPEC = ModelSpec(...)``, and one line here. `tasks.learning.spec` says how."""

from __future__ import annotations

from importlib import import_module

from tasks.learning.spec import ModelSpec

# Names of modules, not modules: who lists the models need not import them all.
MODELS: dict[str, str] = {
    "majority": "tasks.learning.models.majority",
    "median": "tasks.learning.models.median",
    "colour_forest": "tasks.learning.models.colour_forest",
    "forest": "tasks.learning.models.forest",
    "balanced_forest": "tasks.learning.models.balanced_forest",
    "lstm": "tasks.learning.models.lstm",
}


def spec_of(model: str) -> ModelSpec:
    """The spec of the registered model; ValueError where there is none of this name."""
    if model not in MODELS:
        raise ValueError(f"there is no model {model!r}; there are {', '.join(MODELS)}.")
    spec: ModelSpec = import_module(MODELS[model]).SPEC
    return spec
