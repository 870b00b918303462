"""Models on disk: arrays in safetensors, everything else in a JSON card. No pickle, so a file cannot run code."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from tasks.learning.fit import Model
from tasks.learning.recipe import Recipe, recipe_from_json
from tasks.learning.spec import Body
from tasks.learning.targets import target_from_json

FORMAT = 3  # raise it when a model on disk can no longer be read; it is then trained again
CARD, ARRAYS = "card.json", "arrays.safetensors"
SEEN = "seen.source_id"


def save(model: Model, folder: str | Path, extra: dict[str, Any] | None = None) -> str:
    """Write `model` into `folder` (created): arrays.safetensors and card.json. Returns its id.

    `extra` goes into the card as it is (versions, inputs, metrics). The id is a hash of recipe and arrays: a training
    repeated gives the same one.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = _arrays(model)
    identity = model_id(model)
    save_file(arrays, folder / ARRAYS)
    card = {"format": FORMAT, "model_id": identity, **_card(model), "extra": extra or {}}
    (folder / CARD).write_text(json.dumps(card, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return identity


def load(folder: str | Path) -> Model:
    """Model written by `save`; predicts bit for bit as before. ValueError where a file is absent, damaged or newer."""
    folder = Path(folder)
    card = read_card(folder)
    if card.get("format") != FORMAT:
        raise ValueError(
            f"model {folder.name}: its format is {card.get('format')}, this version reads {FORMAT}; train it again."
        )
    try:
        arrays = load_file(folder / ARRAYS)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"model {folder.name}: {ARRAYS} cannot be read ({error}).") from None
    try:
        return _model(card, arrays)
    except KeyError as error:
        raise ValueError(f"model {folder.name}: {CARD} or {ARRAYS} lacks {error}; the files are damaged.") from None


def read_card(folder: str | Path) -> dict[str, Any]:
    """The JSON card of a stored model, without its arrays."""
    try:
        return json.loads((Path(folder) / CARD).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise ValueError(f"model {Path(folder).name}: {CARD} cannot be read ({error}).") from None


def model_id(model: Model) -> str:
    """16 hexadecimal digits of the SHA-256 over the card and every array."""
    digest = hashlib.sha256(json.dumps(_card(model), sort_keys=True).encode())
    for name, array in sorted(_arrays(model).items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def _card(model: Model) -> dict[str, Any]:
    return {
        "recipe": model.recipe.to_json(),
        "target": model.target.to_json(),
        "note": model.note,
        "settings": [body.settings() for body in model.bodies],
    }


def _arrays(model: Model) -> dict[str, NDArray]:
    """Arrays of every body, each under its place, and the objects that trained it."""
    arrays: dict[str, NDArray] = {SEEN: model.source_id}
    for place, body in enumerate(model.bodies):
        arrays |= {f"{place}/{name}": array for name, array in body.arrays().items()}
    return {name: np.ascontiguousarray(value) for name, value in arrays.items()}


def _model(card: dict[str, Any], arrays: dict[str, NDArray]) -> Model:
    recipe = recipe_from_json(card["recipe"])
    seen = arrays[SEEN]
    owners = [part for part in recipe.parts for _ in part.seeds]
    bodies = (_body(part, k, arrays, own) for k, (part, own) in enumerate(zip(owners, card["settings"], strict=True)))
    return Model(recipe, target_from_json(card["target"]), seen, tuple(bodies), card["note"])


def _body(part: Recipe, place: int, arrays: dict[str, NDArray], settings: dict[str, Any]) -> Body:
    prefix = f"{place}/"
    own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
    return part.spec.build(part.config, settings, own)
