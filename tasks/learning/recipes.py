"""The recipes that compete for each target. A recipe is data; adding one here enters it into every training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.quantities import quantity
from tasks.learning.recipe import Kind, ModelName, NetworkConfig, Recipe


def default_recipes(
    targets: Mapping[str, Kind],
    *,
    colour_columns: Sequence[str] = (),
    network: NetworkConfig | None = None,
    has_features: bool = True,
    trees: int = 300,
    seed: int = 0,
) -> tuple[Recipe, ...]:
    """Every recipe for `targets` (name -> "classifier" or "regressor"), the simplest of each target first.

    Without `colour_columns` there is no colour forest, without a `network` no LSTM (phase-folded or unmeasured
    times cannot feed it), and without features only the baselines and the network are left.
    """
    found: list[Recipe] = []
    for target, kind in targets.items():
        classifier = kind == "classifier"
        names: list[ModelName] = ["majority" if classifier else "median"]
        if has_features:
            names += ["colour_forest"] if colour_columns else []
            names += ["forest", "balanced_forest"] if classifier else ["forest"]
        if network is not None and classifier:
            names.append("lstm")
        log = not classifier and quantity(target).is_log
        for name in names:
            columns = tuple(colour_columns) if name == "colour_forest" else ()
            own = network if name == "lstm" else None
            found.append(Recipe(name, target, kind, name, trees, own, seed, log, columns))
    return tuple(found)
