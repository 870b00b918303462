"""Trained models of a lake: one folder each, never changed once written, and which of them is current."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from lakehouse.delta.reference import TableRef
from lakehouse.delta.store import Lake
from lakehouse.disk import read_json, refuse_full_disk, whole_folder, write_json
from schemas import TABLES, BadInput

MODEL_FOLDER, LABELS, NOVELTY = "models", "labels.parquet", "novelty.safetensors"
CARD = TABLES["score_model__card"]
MIGRATED = "migrated"  # in a card: from which dataset and model it came, and what became of its training stars
NAME = re.compile(r"[\w.+-]+\Z", re.ASCII)


@dataclass(frozen=True)
class ModelPlace:
    """Whose models score: those of `dataset`, in the lake at the path `lake`."""

    lake: str
    dataset: str

    @classmethod
    def parse(cls, text: str | None, lake: str, dataset: str) -> ModelPlace:
        """DATASET of the lake at `lake`, or LAKE/DATASET of another one; `dataset` has its own where `text` is None."""
        if text is None:
            return cls(lake, dataset)
        other, _, name = text.rstrip("/").rpartition("/")
        return cls(str(Path(other).absolute()) if other else lake, name)


def model_dir(lake_path: str | Path, dataset: str, target: str, model_id: str) -> Path:
    """Folder of one model: `<lake>/models/<dataset>/<target>/<model_id>`."""
    for name in (dataset, target, model_id):
        if not NAME.match(name):
            raise BadInput(f"{name!r} cannot name a model: letters, digits and . _ + - only.")
    return Path(lake_path) / MODEL_FOLDER / dataset / target / model_id


def fold_dir(folder: Path, fold: int) -> Path:
    """In a model's folder, the weights that were trained without a fold; its labels and folds are in `LABELS`."""
    return folder / f"fold-{fold}"


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
    with refuse_full_disk(f"model {model_id}"), whole_folder(final) as draft:
        yield draft
        about = {
            "dataset": dataset,
            "target": target,
            "model_id": model_id,
            "trained_at": datetime.now(UTC).isoformat(),
        }
        write_json(draft / "card.json", {**about, **card})


def read_card(lake_path: str | Path, dataset: str, target: str, model_id: str) -> dict[str, Any]:
    """The model's card: what it is, what it was trained on and how well it did."""
    path = model_dir(lake_path, dataset, target, model_id) / "card.json"
    if not path.exists():
        raise BadInput(f"The lake at {lake_path} has no model {model_id} of {target} for {dataset}.")
    return read_json(path)


@contextmanager
def explain_damaged_model(folder: Path) -> Iterator[None]:
    """Turns what readers say of damaged files of the model in `folder` into one sentence (BadInput)."""
    try:
        yield
    except (ValueError, KeyError, TypeError, OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0].rstrip(". ")
        raise BadInput(
            f"The model {folder.name} is damaged ({reason}): remove {folder} and refresh again, which trains it."
        ) from error


def set_current(lake_path: str | Path, dataset: str, target: str, model_id: str) -> None:
    """Makes a model the one that scores `target`. BadInput where there is no such model.

    One writer at a time: the stage that trains chooses for all targets of a dataset in turn.
    """
    read_card(lake_path, dataset, target, model_id)
    write_json(_current(lake_path, dataset), {**read_current(lake_path, dataset), target: model_id})


def read_current(lake_path: str | Path, dataset: str) -> dict[str, str]:
    """Target to id of its current model, (T,), where that is on disk; empty where nothing is trained yet."""
    path = _current(lake_path, dataset)
    models = read_json(path) if path.exists() else {}
    return {target: model_id for target, model_id in models.items() if has_model(lake_path, dataset, target, model_id)}


def retire(lake_path: str | Path, dataset: str, wanted: Collection[str]) -> None:
    """Stop scoring the targets that are not among the `wanted`; their models stay on disk."""
    known = read_current(lake_path, dataset)
    kept = {target: model_id for target, model_id in known.items() if target in wanted}
    if kept != known:
        write_json(_current(lake_path, dataset), kept)


def _current(lake_path: str | Path, dataset: str) -> Path:
    return Path(lake_path) / MODEL_FOLDER / dataset / "current.json"


def read_cards(lake: Lake, dataset: str | None = None) -> list[dict[str, Any]]:
    """The cards of all models of a dataset, or of every one, by dataset, target and id."""
    place = lake.path / MODEL_FOLDER
    names = [dataset] if dataset else sorted(each.name for each in place.glob("*"))
    return [read_json(path) for name in names for path in sorted((place / name).glob("*/*/card.json"))]


def record_models(lake: Lake, run_id: str, dataset: str) -> TableRef | None:
    """Copies the cards of the dataset's models to score_model__card, in one commit; None where none differs.

    The cards are the truth: they are on disk with the weights, whatever becomes of the run that wrote them.
    """
    in_use = read_current(lake.path, dataset)
    rows = pa.Table.from_pylist([_card_row(card, in_use) for card in read_cards(lake, dataset)], schema=CARD.arrow())
    held = lake.read(CARD, where={"dataset": dataset}).cast(rows.schema) if lake.exists(CARD) else CARD.empty()
    if rows.equals(held):
        return None
    return lake.overwrite(run_id, CARD, rows, {"dataset": dataset}, stage="train")


def _card_row(card: Mapping[str, Any], in_use: Mapping[str, str]) -> dict[str, Any]:
    """A card as a row; what cards of older programs do not say is null."""
    recipe, choice, trained_at = card.get("recipe", {}), card.get("choice", {}), card.get("trained_at")
    names = ("dataset", "target", "model_id", "run_id", "fingerprint", "n_labelled", "n_test")
    return {
        **{name: card.get(name) for name in names},
        "is_current": in_use.get(card["target"]) == card["model_id"],
        "recipe": recipe.get("name"),
        "model": recipe.get("model"),
        "trained_at": datetime.fromisoformat(trained_at) if trained_at else None,
        "features": list(card.get("features", ())),
        "classes": list(card.get("classes", ())),
        "runner_up": choice.get("runner_up"),
        "margin": choice.get("margin"),
        "margin_err": choice.get("spread"),
        "card": json.dumps(card),
    }
