"""Models: one file each, which ends in ``SPEC = ModelSpec(...)``, and one line here (`tasks.learning.spec`)."""

from __future__ import annotations

from importlib import import_module

from schemas.errors import nearest
from tasks.learning.spec import ModelSpec

# Names of modules, not modules: listing the models must not import them all.
MODELS: dict[str, str] = {
    "majority": "tasks.learning.models.majority",
    "median": "tasks.learning.models.median",
    "colour_forest": "tasks.learning.models.colour_forest",
    "forest": "tasks.learning.models.forest",
    "balanced_forest": "tasks.learning.models.balanced_forest",
    "boosting": "tasks.learning.models.boosting",
    "extra_trees": "tasks.learning.models.extra_trees",
    "hierarchical_forest": "tasks.learning.models.hierarchical_forest",
    "folded": "tasks.learning.models.folded",
    "pair": "tasks.learning.models.pair",
    "stefan_boltzmann": "tasks.learning.models.stefan_boltzmann",
    "fourier_metallicity": "tasks.learning.models.fourier_metallicity",
    "lstm": "tasks.learning.models.lstm",
    "mixture": "tasks.learning.models.mixture",
}


def spec_of(model: str) -> ModelSpec:
    """The spec of the registered model; ValueError where there is none of this name."""
    if model not in MODELS:
        hint = nearest(model, tuple(MODELS))
        raise ValueError(f"there is no model {model!r}; there are {', '.join(MODELS)}.{hint}")
    spec: ModelSpec = import_module(MODELS[model]).SPEC
    return spec
