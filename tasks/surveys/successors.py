"""What became of the sources of an earlier data release: kept, renamed, split, merged or lost.

A source of the later release has at most one star of the earlier one, the one that its row names
(`core_gaia__source.dr3_source_id`: the probable match, else the nearest of about the same magnitude). So an earlier
star is split where several sources name it, and merged where none does although one of them is the same star.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas import TABLES, BadInput
from schemas.arrays import align, floats
from tasks.surveys.chain import is_same_star
from tasks.surveys.columns import first_of_each
from tasks.surveys.gaia_release import ChainStep, GaiaRelease
from tasks.surveys.id_lists import neighbourhood_question
from tasks.surveys.survey import Ask

SUCCESSORS = pa.schema([field for field in TABLES["assn_sample__successor"].arrow() if "dataset" not in field.name])
# What a pair can be, the best first: named by the later source; the same star, whose later source names another;
# the same star, not in the later sample; two stars.
NAMED, TAKEN, OUTSIDE, OTHER = range(4)
REASONS = {TAKEN: "other_source", OUTSIDE: "not_in_dataset", OTHER: "other_star"}


def find_step(release: GaiaRelease, earlier: GaiaRelease) -> ChainStep:
    """The table of neighbours that leads from `release` to the `earlier` one; BadInput where there is none."""
    if release.release == earlier.release:
        raise BadInput(f"Both datasets are of {release.name}, where one id is one star: there is nothing to migrate.")
    if not release.chain or release.chain[0].leads_to != earlier.release:
        raise BadInput(
            f"No table of neighbours leads from {release.name} to {earlier.name}, so their ids cannot be matched: "
            "nothing was changed."
        )
    return release.chain[0]


def ask_successors(
    ask: Ask, ids: NDArray[np.int64], sources: pa.Table, release: GaiaRelease, step: ChainStep
) -> pa.Table:
    """SUCCESSORS of the earlier `ids` (S,) among `sources`, which have source_id and the column of the step."""
    found = ask(neighbourhood_question(release, step), pa.table({step.name: ids}))
    probable = found["is_probable"] if step.probable else pa.nulls(found.num_rows, pa.bool_())
    pairs = pa.table(
        {
            "earlier_id": found[step.name],
            "source_id": found["source_id"],
            "sep_mas": found["angular_distance"],
            "delta_mag": found["magnitude_difference"],
            "is_probable": probable,
        }
    )
    named = pc.fill_null(sources[step.name], -1).to_numpy()
    return follow_ids(ids, pairs, sources["source_id"].to_numpy(), named)


def follow_ids(
    ids: NDArray[np.int64], pairs: pa.Table, source_id: NDArray[np.int64], named: NDArray[np.int64]
) -> pa.Table:
    """SUCCESSORS of the earlier `ids` (S,), ascending by them.

    `pairs` (P rows) are their neighbours in the later release: earlier_id, source_id, sep_mas, delta_mag, is_probable.
    `source_id` (N,) are the sources of the later dataset and `named` (N,) the earlier star of each, -1 for none.
    """
    rank = _rank_pairs(pairs, source_id, named)
    is_named = pc.fill_null(pairs["is_probable"], False).to_numpy()
    keys = (pairs["source_id"].to_numpy(), floats(pairs["sep_mas"]), ~is_named, rank, pairs["earlier_id"].to_numpy())
    order = np.lexsort(keys)
    pairs, rank = pairs.take(pa.array(order)), rank[order]
    earlier = pairs["earlier_id"].to_numpy()
    is_first = first_of_each(earlier)
    is_kept = is_first | (rank == NAMED)
    found = _describe(pairs.filter(pa.array(is_kept)), rank[is_kept], is_first[is_kept])
    alone = pa.table({"earlier_id": np.setdiff1d(ids, earlier)})
    n = alone.num_rows
    lost = {"outcome": pa.repeat("lost", n), "is_carried": pa.repeat(False, n), "reason": pa.repeat("no_neighbour", n)}
    columns = {"earlier_id": alone["earlier_id"], **lost}
    nothing = [columns.get(field.name, pa.nulls(n, field.type)) for field in SUCCESSORS]
    rows = pa.concat_tables([found, pa.table(nothing, schema=SUCCESSORS)])
    return rows.sort_by([("earlier_id", "ascending"), ("is_carried", "descending"), ("source_id", "ascending")])


def _rank_pairs(pairs: pa.Table, source_id: NDArray[np.int64], named: NDArray[np.int64]) -> NDArray[np.int64]:
    """What each pair is, (P,): NAMED, TAKEN, OUTSIDE or OTHER."""
    earlier = pairs["earlier_id"].to_numpy()
    place = align(pairs["source_id"].to_numpy(), source_id)
    is_inside = place >= 0
    own = np.where(is_inside, np.append(named, -1)[place], -1)
    is_same = is_same_star(earlier, pairs["delta_mag"], pairs["is_probable"])
    return np.select([own == earlier, is_same & (own >= 0), is_same & ~is_inside], [NAMED, TAKEN, OUTSIDE], OTHER)


def _describe(pairs: pa.Table, rank: NDArray[np.int64], is_first: NDArray[np.bool_]) -> pa.Table:
    """SUCCESSORS of the pairs that count (K,), in order of earlier_id; `is_first`: the best pair of its star."""
    earlier, later = pairs["earlier_id"].to_numpy(), pairs["source_id"].to_numpy()
    n_piece = np.bincount(np.cumsum(is_first) - 1, minlength=1)[np.cumsum(is_first) - 1] if earlier.size else earlier
    is_merged = np.isin(later, later[rank == TAKEN]) & (rank <= TAKEN)
    outcome = np.select(
        [is_merged, rank > TAKEN, n_piece > 1, earlier == later], ["merged", "lost", "split", "kept"], "renamed"
    )
    reason = np.select([rank == kind for kind in REASONS], list(REASONS.values()), "second_piece")
    is_carried = is_first & (rank == NAMED)
    columns = {
        "earlier_id": pairs["earlier_id"],
        "source_id": pa.array(later, mask=rank == OTHER),
        "outcome": pa.array(outcome.tolist(), pa.string()),
        "is_carried": pa.array(is_carried),
        "reason": pa.array(reason.tolist(), pa.string(), mask=is_carried),
        **{name: pairs[name] for name in ("sep_mas", "delta_mag", "is_probable")},
    }
    return pa.table(columns).select(SUCCESSORS.names).cast(SUCCESSORS)
