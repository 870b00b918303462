"""Scores that earlier models gave, under the later ids: what the catalogue said before, to compare with."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.delta.keys import sort_rows
from lakehouse.delta.reference import TableRef
from lakehouse.delta.store import Lake
from lakehouse.run import Run
from schemas import TABLES
from tasks.stages.followed import follow_rows

SCORE, CATALOGUE = TABLES["score__value"], TABLES["out__catalogue"]


def carry_scores(run: Run, lake: Lake, earlier: str, links: pa.Table, sample: pa.Table) -> tuple[TableRef, ...]:
    """Put the scores by the models of the catalogue of `earlier` beside the dataset's own, a tile at a time.

    They keep the id of their model, their run and their time. A tile whose scores are all there is left alone.
    """
    if not (lake.exists(SCORE) and lake.exists(CATALOGUE)):
        return ()
    of_rows = lake.read(CATALOGUE, ["model_id"], where={"dataset": earlier})["model_id"].unique().to_pylist()
    models = sorted({model for text in of_rows for model in text.split()})
    tiles = sorted(sample["tile"].unique().to_pylist()) if models else []
    done = (_carry_tile(run, lake, earlier, models, links, sample, tile) for tile in tiles)
    return tuple(ref for ref in done if ref)


def _carry_tile(
    run: Run, lake: Lake, earlier: str, models: list[str], links: pa.Table, sample: pa.Table, tile: int
) -> TableRef | None:
    sample = sample.filter(pc.equal(sample["tile"], tile))
    links = links.filter(pc.is_in(links["source_id"], value_set=sample["source_id"].combine_chunks()))
    ids = {"source_id": links["earlier_id"].combine_chunks(), "model_id": models}
    rows = follow_rows(lake.read(SCORE, where={"dataset": earlier, **ids}), links, sample, run.dataset)
    rows = sort_rows(rows.select(SCORE.arrow().names).cast(SCORE.arrow()), SCORE.key).combine_chunks()
    where = {"dataset": run.dataset, "tile": tile, "model_id": models}
    if rows.equals(lake.read(SCORE, where=where).cast(SCORE.arrow()).combine_chunks()):
        return None
    return lake.replace(run.run_id, SCORE, rows, where, stage="migrate")
