"""A recipe says completely how one model is trained: change it and it is another model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Kind = Literal["classifier", "regressor"]
ModelName = Literal["forest", "balanced_forest", "colour_forest", "majority", "median", "lstm"]
CLASSIFIERS = ("forest", "balanced_forest", "colour_forest", "majority", "lstm")
REGRESSORS = ("forest", "colour_forest", "median")


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes and training of the multiband LSTM (Becker et al. 2025, A&A 694, A183, scaled down for one core).

    `bands` are names of the bands it reads, () for all of the training batch. At most `max_per_band` successive epochs
    of a band are read at a time. `head` and `central_head` are the widths of the per-step layers. `batch` is the most
    objects in a step. The learning rate decays as `decay`**pass. Training ends after `max_epoch_count` passes, or
    `patience` passes after the best log loss on a validation part of the training objects.
    """

    hidden: int = 32
    levels: int = 2
    head: tuple[int, ...] = (32,)
    translation: int = 1
    central_levels: int = 1
    central_head: tuple[int, ...] = (32,)
    dropout: float = 0.2
    batch: int = 128
    lr: float = 5e-3
    central_lr: float = 5e-3
    decay: float = 0.96
    weight_decay: float = 1e-4
    clip: float = 1.0
    max_epoch_count: int = 50
    patience: int = 10
    band_only: int = 1
    central_steps: int = 1
    n_skip: int = 2
    max_per_band: int = 64
    validation_fraction: float = 0.15
    class_balance: float = 0.5
    bands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """How one model of one target is trained.

    `target` is "class" or a quantity such as teff_k. `columns` limits the features to these names (() for all; the
    colour forest needs them). A `log_target` is learned as log10: it must be positive, and so is what is predicted.
    """

    name: str
    target: str
    kind: Kind
    model: ModelName
    trees: int = 300
    network: NetworkConfig | None = None
    seed: int = 0
    log_target: bool = False
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        allowed = CLASSIFIERS if self.kind == "classifier" else REGRESSORS
        if self.model not in allowed:
            raise ValueError(f"recipe {self.name}: a {self.kind} cannot be a {self.model}; choose from {allowed}.")
        if self.model == "lstm" and self.network is None:
            raise ValueError(f"recipe {self.name}: an lstm needs a NetworkConfig in `network`.")
        if self.model == "colour_forest" and not self.columns:
            raise ValueError(f"recipe {self.name}: a colour_forest needs the names of its colour columns.")
        if self.log_target and self.kind != "regressor":
            raise ValueError(f"recipe {self.name}: only a regressor can have a log target.")
        if self.trees < 1:
            raise ValueError(f"recipe {self.name}: trees is {self.trees}, but at least 1 is needed.")

    @property
    def reads_features(self) -> bool:
        """False for models that never look at the feature columns."""
        return self.model in ("forest", "balanced_forest", "colour_forest")

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for a model card; `recipe_from_json` reads it back."""
        return asdict(self)


def recipe_from_json(card: dict[str, Any]) -> Recipe:
    """Recipe of a model card; a field that this version does not know raises ValueError."""
    network = card.get("network")
    parts = {**card, "network": None if network is None else NetworkConfig(**_checked(NetworkConfig, network))}
    return Recipe(**_checked(Recipe, parts))


def _checked(cls: type, values: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(values) - {field.name for field in fields(cls)})
    if unknown:
        raise ValueError(f"model card: {cls.__name__} has no {', '.join(unknown)}; the model is of another version.")
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
