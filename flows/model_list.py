"""The models of a lake as a table: what each learnt, how good it is, and which of them scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from lakehouse.delta.store import Lake
from lakehouse.models import read_cards, read_current
from schemas import BadInput
from schemas.errors import nearest


def list_models(lake: Lake, dataset: str | None = None) -> Table:
    """A row for each model, the newest of a target first; BadInput where the dataset has none."""
    cards = read_cards(lake, dataset)
    if not cards:
        known = sorted({card["dataset"] for card in read_cards(lake)})
        whose = f"models of {dataset!r}; it has those of {', '.join(known) or 'none'}" if known else "models yet"
        raise BadInput(f"The lake at {lake.path} has no {whose}.{nearest(dataset or '', known)}")
    columns = ("dataset", "target", "scores", "recipe", "out of fold", "runner-up", "labels", "format", "run", "model")
    table = Table(*columns, box=None)
    in_use = {name: read_current(lake.path, name) for name in {card["dataset"] for card in cards}}
    cards.sort(key=lambda card: card.get("trained_at") or "", reverse=True)
    cards.sort(key=lambda card: (card["dataset"], card["target"]))
    for card in cards:
        is_used = in_use[card["dataset"]].get(card["target"]) == card["model_id"]
        table.add_row(*map(escape, _cells(card, is_used)))
    return table


def _cells(card: Mapping[str, Any], is_used: bool) -> tuple[str, ...]:
    """What cards of older programs do not say is left empty."""
    choice, labels = card.get("choice", {}), card.get("n_labelled")
    other = (
        f"{choice['runner_up']} ({choice['margin']:+.3g} +- {choice['spread']:.2g})" if choice.get("runner_up") else ""
    )
    return (
        card["dataset"],
        card["target"],
        "yes" if is_used else "",
        card.get("recipe", {}).get("name", ""),
        _figure(card.get("figure")),
        other,
        "" if labels is None else f"{labels:,}",
        str(card.get("format", "")),
        card.get("run_id", ""),
        card["model_id"].rpartition("-")[2],
    )


def _figure(figure: Mapping[str, Any] | None) -> str:
    """The figure that decided, with its interval."""
    if not figure or figure["value"] is None:
        return ""
    ends = "" if figure["lo"] is None else f" [{figure['lo']:.3g}, {figure['hi']:.3g}]"
    return f"{figure['metric']} {figure['value']:.3g}{ends}"
