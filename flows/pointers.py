"""Where to look after a run: how many stars there are and what became of the others, the report, what to type next."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.delta.store import Lake
from schemas.tables.catalogue import QUANTITY_LO

COMMAND = "argelander"
CATALOGUE, FEATURES, SOURCE = "out__catalogue", "feature_sample__source", "core_sample__source"
QUARANTINE = "core_quarantine__row"
FIRST, LAST, N_SHOWN = ("object_id", "class_pred", "period_day", "period_prob"), ("n_epoch", "ra", "dec"), 6
# What became of stars that are not in the sample, by the check that refused them; any other took their epochs.
LOSSES = {"unknown_id": "unknown to the archive", "no_counterpart": "without a counterpart"}
NO_EPOCH = "without a usable epoch"
CUT_AWAY = "no_epoch"  # reason why a row of the catalogue has no scores: the cuts left no epoch


def own_command() -> str:
    """How this program is called from here: by its name where the shell finds it, else by its path."""
    script = Path(sys.executable).with_name(COMMAND)
    found = shutil.which(COMMAND)
    if not script.exists() or (found and os.path.samefile(found, script)):
        return COMMAND
    near = os.path.relpath(script)
    return shlex.quote(str(script) if near.startswith(os.pardir) else near)


def query_to_type(lake: Lake, dataset: str) -> str:
    """A query of a few stars of the dataset, with columns that hold something and fit a terminal."""
    table = CATALOGUE if lake.exists(CATALOGUE) else FEATURES
    columns = ", ".join(list_columns(lake, dataset)) if lake.exists(CATALOGUE) else "*"
    at = shlex.quote(str(lake.path))
    return f"{own_command()} query \"SELECT {columns} FROM {table} WHERE dataset = '{dataset}' LIMIT 5\" --lake {at}"


def list_columns(lake: Lake, dataset: str) -> list[str]:
    """The first six columns of the catalogue that hold anything of the dataset, one quantity among them."""
    names = lake.dataset(CATALOGUE).schema.names
    end = QUANTITY_LO.name.removeprefix("{quantity}")
    quantities = sorted(each.removesuffix(end) for each in names if each.endswith(end))
    rows = lake.read(CATALOGUE, columns=[*FIRST, *quantities, *LAST], where={"dataset": dataset})
    filled = [name for name in rows.column_names if rows[name].null_count < rows.num_rows and name.isidentifier()]
    chosen = [name for name in filled if name in quantities][:1]
    shown = [name for name in filled if name in (*FIRST, *chosen, *LAST)][:N_SHOWN]
    return [name for name in shown if name != "ra" or "dec" in shown]


def count_stars(lake: Lake, dataset: str) -> str:
    """ "212 of 216; 4 without a usable epoch": how many stars the dataset has, and what became of the others.

    Stars that stay without an epoch after the cuts are counted behind them.
    """
    ids = lake.read(SOURCE, columns=["source_id"], where={"dataset": dataset})["source_id"].to_numpy()
    losses = _count_losses(lake, dataset, ids)
    n_lost = sum(losses.values())
    words = [", ".join(f"{n:,} {loss}" for loss, n in losses.most_common())] if n_lost else []
    if n_cut := _count_cut(lake, dataset):
        words.append(f"the cuts left {n_cut:,} without an epoch")
    return "; ".join([f"{ids.size:,} of {ids.size + n_lost:,}" if n_lost else f"{ids.size:,}", *words])


def _count_losses(lake: Lake, dataset: str, ids: NDArray[np.int64]) -> Counter[str]:
    """What became of the stars that were refused and are not among `ids` (S,)."""
    if not lake.exists(QUARANTINE):
        return Counter()
    rows = lake.read(QUARANTINE, columns=["source_id", "check"], where={"dataset": dataset})
    rows = rows.filter(rows["source_id"].is_valid())
    lost, first = np.unique(rows["source_id"].to_numpy(), return_index=True)
    first = first[~np.isin(lost, ids)]
    return Counter(LOSSES.get(check, NO_EPOCH) for check in rows["check"].take(first).to_pylist())


def _count_cut(lake: Lake, dataset: str) -> int:
    """How many stars of the catalogue the cuts left without an epoch."""
    if not lake.exists(CATALOGUE) or "unscored_reason" not in lake.dataset(CATALOGUE).schema.names:
        return 0
    reason = lake.read(CATALOGUE, columns=["unscored_reason"], where={"dataset": dataset})["unscored_reason"]
    return pc.sum(pc.equal(reason, CUT_AWAY)).as_py() or 0
