"""Models that follow into a later dataset: the same weights, with the training stars under their later ids."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lakehouse.lineage import fingerprint
from lakehouse.models import (
    LABELS,
    MIGRATED,
    NOVELTY,
    explain_damaged_model,
    fold_dir,
    has_model,
    model_dir,
    read_card,
    read_current,
    set_current,
    write_model,
)
from lakehouse.run import Run
from schemas.arrays import align
from tasks.learning.persistence import load, save
from tasks.learning.persistence import read_card as read_model_card
from tasks.learning.splits import TEST


def carry_models(run: Run, earlier: str, successors: pa.Table) -> tuple[int, list[str]]:
    """Copy the current models of `earlier`; returns how many were new, and a sentence for each.

    A star that trained a model is scored by the one that never saw it here too, since its fold follows it. A copy
    becomes current where no model of the dataset's own scores its target.
    """
    notes, n_new = [], 0
    for target, model_id in read_current(run.lake, earlier).items():
        new_id, is_new, about = _carry(run, earlier, target, model_id, successors)
        n_new += is_new
        current = read_current(run.lake, run.dataset).get(target)
        is_free = current is None or MIGRATED in read_card(run.lake, run.dataset, target, current)
        if is_free and current != new_id:
            set_current(run.lake, run.dataset, target, new_id)
        place = "scores from now on" if is_free else f"lies beside {current}, which scores"
        twice = f", {about['n_two_folds']:,} trained in two folds" if about["n_two_folds"] else ""
        notes.append(
            f"model of {target}: {about['n_followed']:,} of {about['n_before']:,} labelled stars followed{twice}; "
            f"{new_id} {place}"
        )
    return n_new, notes


def _carry(
    run: Run, earlier: str, target: str, model_id: str, successors: pa.Table
) -> tuple[str, bool, dict[str, Any]]:
    """Id of the copy of a model, whether it is new, and what the card says of its way."""
    folder, card = model_dir(run.lake, earlier, target, model_id), read_card(run.lake, earlier, target, model_id)
    labels, counts = follow_training(pq.read_table(folder / LABELS), successors)
    mark = fingerprint(earlier, model_id, labels["source_id"].to_numpy(), labels["fold"].to_numpy())
    new_id = f"{model_id.partition('+')[0]}+{mark[:8]}"
    about = {"dataset": earlier, "model_id": model_id, **counts}
    if has_model(run.lake, run.dataset, target, new_id):
        return new_id, False, about
    card = {**card, "dataset": run.dataset, "model_id": new_id, MIGRATED: about}
    with write_model(run.lake, run.dataset, target, new_id, card) as draft:
        for fold in range(card["n_folds"]):
            _rewrite_fold(folder, draft, fold, labels, successors)
        if (folder / NOVELTY).exists():
            shutil.copyfile(folder / NOVELTY, draft / NOVELTY)
        pq.write_table(labels, draft / LABELS)
    return new_id, True, about


def _rewrite_fold(folder: Path, draft: Path, fold: int, labels: pa.Table, successors: pa.Table) -> None:
    """The weights of one fold, which name the stars that they have seen, with the later ids of these.

    A star of two folds counts as of the one in `labels`.
    """
    with explain_damaged_model(folder):
        model, extra = load(fold_dir(folder, fold)), read_model_card(fold_dir(folder, fold)).get("extra")
    rows = successors.filter(pc.is_in(successors["earlier_id"], value_set=pa.array(model.source_id)))
    others = labels.filter(pc.not_equal(labels["fold"].cast(pa.int64()), fold))
    seen = np.intersect1d(rows["source_id"].drop_null().to_numpy(), others["source_id"].to_numpy())
    save(replace(model, source_id=seen), fold_dir(draft, fold), extra)


def follow_training(labels: pa.Table, successors: pa.Table) -> tuple[pa.Table, dict[str, int]]:
    """The labelled stars of a model (source_id, fold, ...) under their later ids, ascending, and how many followed.

    Every piece of a star that was split keeps its fold. Where two stars were merged, one that trained goes before one
    that was held out, and the one that the ids follow before the other; of two folds the models know the star of one.
    """
    rows = successors.filter(pc.is_valid(successors["source_id"]))
    place = align(rows["earlier_id"].to_numpy(), labels["source_id"].to_numpy())
    rows = rows.filter(pa.array(place >= 0))
    moved, later = labels.take(pa.array(place[place >= 0])), rows["source_id"].to_numpy()
    fold = moved["fold"].to_numpy().astype(np.int64)
    order = np.lexsort((rows["earlier_id"].to_numpy(), ~rows["is_carried"].to_numpy(), fold == TEST, later))
    first = np.unique(later[order], return_index=True)[1]
    pairs = np.unique(np.stack([later, fold])[:, fold != TEST], axis=1)[0]
    before, metadata = np.unique(labels["source_id"].to_numpy()), labels.schema.metadata
    about = {
        "n_before": before.size,
        "n_followed": int(np.isin(before, rows["earlier_id"].to_numpy()).sum()),
        "n_two_folds": int((np.unique(pairs, return_counts=True)[1] > 1).sum()),
    }
    chosen = order[first]
    moved = moved.take(pa.array(chosen))
    at = moved.column_names.index("source_id")
    moved = moved.set_column(at, "source_id", pa.array(later[chosen]))
    return moved.replace_schema_metadata(metadata), about
