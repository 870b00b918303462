"""A dataset of a later data release takes over what is known of an earlier one: by the archive's neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.answers.ledger import write_ledger
from lakehouse.delta.keys import sort_rows
from lakehouse.delta.reference import TableRef
from lakehouse.delta.store import Lake
from lakehouse.run import Run, StageResult
from schemas import BadInput
from schemas.inputs import FolderSource, Source
from tasks.stages.acquire.surveys import open_exchange
from tasks.stages.followed import SAMPLE, SUCCESSOR, carry_labels
from tasks.stages.migrate.models import carry_models
from tasks.stages.migrate.scores import carry_scores
from tasks.surveys import find_sample_provider

OUTCOMES = ("kept", "renamed", "split", "merged", "lost")


def migrate_sources(run: Run, source: Source, earlier: str, earlier_source: Source) -> StageResult:
    """What became of each source of the dataset `earlier`, and all that follows from it into the dataset of `run`.

    Each part is one commit, and is made only where it differs: a second call changes nothing, and one that was killed
    is completed by the next. BadInput, before anything is changed, where the ids cannot be matched.
    """
    lake = Lake(run.lake)
    successors = find_successors(run, lake, source, earlier, earlier_source)
    sample = lake.read(SAMPLE, ["source_id", "tile"], where={"dataset": run.dataset})
    links = successors.filter(successors["is_carried"])
    refs = [_commit(run, lake, earlier, successors), *carry_labels(run, lake)]
    refs += carry_scores(run, lake, earlier, links, sample)
    n_model, notes = carry_models(run, earlier, successors)
    tables = tuple(ref for ref in refs if ref)
    counts, report = report_successors(successors, sample["source_id"].to_numpy(), earlier, run.dataset)
    done, total = sum(counts[name] for name in OUTCOMES[:-1]), sum(counts.values())
    ledger = (write_ledger(lake, run.run_id),)
    return StageResult(
        "migrate", done if tables or n_model else 0, total, (*tables, *ledger), (*report, *notes), counts
    )


def find_successors(run: Run, lake: Lake, source: Source, earlier: str, earlier_source: Source) -> pa.Table:
    """Rows of assn_sample__successor but for the names of the datasets; the archive is asked what the lake lacks."""
    provider = find_sample_provider()
    if isinstance(source, FolderSource) or isinstance(earlier_source, FolderSource) or provider.follow_ids is None:
        name = run.dataset if isinstance(source, FolderSource) else earlier
        raise BadInput(
            f"{name} was made of a folder, and no archive knows what became of its ids: nothing was changed."
        )
    spec = provider.tables[0]
    ids = [column.name for column in spec.columns if column.type == pa.int64()]
    sources = lake.read(spec, ids, where={"dataset": run.dataset})
    before = lake.read(SAMPLE, ["source_id"], where={"dataset": earlier})["source_id"].to_numpy()
    options: list[Mapping[str, Any]] = [each.options.get(provider.name, {}) for each in (source, earlier_source)]
    with open_exchange(run, source, {}) as ask:
        return provider.follow_ids(ask, np.unique(before), sources, *options)


def _commit(run: Run, lake: Lake, earlier: str, successors: pa.Table) -> TableRef | None:
    """Replace what the lake holds of the two datasets; None where it is the same."""
    names = {"dataset": run.dataset, "earlier_dataset": earlier}
    fixed = {name: pa.repeat(value, successors.num_rows) for name, value in names.items()}
    own = {name: successors[name] for name in successors.column_names}
    rows = pa.table({**fixed, **own}).select(SUCCESSOR.arrow().names).cast(SUCCESSOR.arrow())
    rows = sort_rows(rows, SUCCESSOR.key).combine_chunks()
    if lake.exists(SUCCESSOR) and rows.equals(lake.read(SUCCESSOR, where=names).cast(rows.schema).combine_chunks()):
        return None
    return lake.overwrite(run.run_id, SUCCESSOR, rows, names, stage="migrate")


def report_successors(
    successors: pa.Table, source_id: NDArray[np.int64], earlier: str, dataset: str
) -> tuple[dict[str, int], list[str]]:
    """How many earlier sources had each outcome, and the same in words; `source_id` (N,) are the later ones."""
    first = np.unique(successors["earlier_id"].to_numpy(), return_index=True)[1]
    stars = successors.take(pa.array(first))
    found = Counter(stars["outcome"].to_pylist())
    counts = {name: found[name] for name in OUTCOMES}
    pieces = successors.filter(pc.equal(successors["outcome"], "split")).num_rows
    why = Counter(stars.filter(pc.equal(stars["outcome"], "lost"))["reason"].to_pylist()).most_common()
    more = {"split": f" (into {pieces:,})" if pieces else "", "lost": _brackets(why)}
    words = ", ".join(f"{name} {n:,}{more.get(name, '')}" for name, n in counts.items())
    inside = successors.filter(pc.not_equal(successors["outcome"], "lost"))["source_id"].combine_chunks()
    n_new = int((~np.isin(source_id, inside.to_numpy(zero_copy_only=False))).sum())
    return counts, [
        f"{stars.num_rows:,} sources of {earlier}: {words}",
        f"{n_new:,} of {source_id.size:,} sources of {dataset} are no source of {earlier}",
    ]


def _brackets(why: Sequence[tuple[str, int]]) -> str:
    return f" ({', '.join(f'{reason} {n:,}' for reason, n in why)})" if why else ""
