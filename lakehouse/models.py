"""Trained models of a lake: one folder each, never changed once written, and which of them is current."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lakehouse.disk import read_json, room_for, whole_folder, write_json
from schemas import BadInput

MODEL_FOLDER = "models"
NAME = re.compile(r"[\w.+-]+\Z", re.ASCII)


def model_dir(lake_path: str | Path, dataset: str, target: str, model_id: str) -> Path:
    """Folder of one model: `<lake>/models/<dataset>/<target>/<model_id>`."""
    for name in (dataset, target, model_id):
        if not NAME.match(name):
            raise BadInput(f"{name!r} cannot name a model: letters, digits and . _ + - only.")
    return Path(lake_path) / MODEL_FOLDER / dataset / target / model_id


def has_model(lake_path: str | Path, dataset: str, target: str, model_id: str) -> bool:
    """True where the model is on disk, whole."""
    return (model_dir(lake_path, dataset, target, model_id) / "card.json").exists()


@contextmanager
def write_model(
    lake_path: str | Path, dataset: str, target: str, model_id: str, card: Mapping[str, Any]
) -> Iterator[Path]:
    """A temporary folder to save weights in; at the end of the block it becomes the model's folder, card included.

    A failure inside the block leaves nothing; a model of the same id is replaced whole.
    """
    final = model_dir(lake_path, dataset, target, model_id)
    with room_for(f"model {model_id}"), whole_folder(final) as draft:
        yield draft
        write_json(draft / "card.json", {"dataset": dataset, "target": target, "model_id": model_id, **card})


def read_card(lake_path: str | Path, dataset: str, target: str, model_id: str) -> dict[str, Any]:
    """The model's card: what it is, what it was trained on and how well it did."""
    path = model_dir(lake_path, dataset, target, model_id) / "card.json"
    if not path.exists():
        raise BadInput(f"The lake at {lake_path} has no model {model_id} of {target} for {dataset}.")
    return read_json(path)


def set_current(lake_path: str | Path, dataset: str, target: str, model_id: str) -> None:
    """Makes a model the one that scores `target`. BadInput where there is no such model.

    One writer at a time: the stage that trains chooses for all targets of a dataset in turn.
    """
    read_card(lake_path, dataset, target, model_id)
    write_json(_current(lake_path, dataset), {**current(lake_path, dataset), target: model_id})


def current(lake_path: str | Path, dataset: str) -> dict[str, str]:
    """Target to id of its current model, (T,); empty where nothing is trained yet."""
    path = _current(lake_path, dataset)
    return read_json(path) if path.exists() else {}


def retire(lake_path: str | Path, dataset: str, wanted: Collection[str]) -> None:
    """Stop scoring the targets that are not among the `wanted`; their models stay on disk."""
    known = current(lake_path, dataset)
    kept = {target: model_id for target, model_id in known.items() if target in wanted}
    if kept != known:
        write_json(_current(lake_path, dataset), kept)


def _current(lake_path: str | Path, dataset: str) -> Path:
    return Path(lake_path) / MODEL_FOLDER / dataset / "current.json"
