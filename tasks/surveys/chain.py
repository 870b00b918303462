"""From the ids of a release to those of earlier ones, by the tables of neighbours between two releases.

Gaia DR4's table says which neighbour is probably the same star; DR3's says nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.arrays import floats
from tasks.surveys.gaia_release import ChainStep

# Largest |G(later) - G(earlier)| of one star. DR3 and DR2 differ by a few hundredths of a magnitude in calibration, and
# the mean of a large-amplitude variable moves by tenths between 22 and 34 months of data (Miras most). A neighbour
# within the table's reach that is not the star is, as a rule, one or more magnitudes off.
SAME_STAR_MAG = 0.5
EARLIER = ("dr3", "dr2")  # releases to which chains lead, the nearest first


def chain_columns(chain: Sequence[ChainStep]) -> list[str]:
    """What the wide question selects of the tables of neighbours."""
    chosen = []
    for step in chain:
        alias, to = step.alias, step.leads_to
        chosen += [f"{alias}.angular_distance AS {to}_distance_mas", f"{alias}.magnitude_difference AS {to}_delta_mag"]
        chosen += [f"{alias}.{step.probable} AS {to}_is_probable"] if step.probable else []
        chosen += [f"{alias}.{step.earlier} AS {step.name}"]
    return chosen


def chain_types(chain: Sequence[ChainStep]) -> dict[str, pa.DataType]:
    """Name and type of the columns that these become."""
    types: dict[str, pa.DataType] = {}
    for step in chain:
        types |= {f"{step.leads_to}_distance_mas": pa.float32(), f"{step.leads_to}_delta_mag": pa.float32()}
        types |= {f"{step.leads_to}_is_probable": pa.bool_()} if step.probable else {}
        types |= {step.name: pa.int64()}
    return types


def keep_same_stars(rows: pa.Table) -> tuple[pa.Table, list[str]]:
    """The wide rows with the ids and distances of neighbours that are other stars made null, and those columns.

    An id in an earlier release is kept where every step to it leads to the same star.
    """
    is_kept = np.ones(rows.num_rows, bool)
    links: list[str] = []
    for to in EARLIER:
        if f"{to}_distance_mas" in rows.column_names:
            probable = rows[f"{to}_is_probable"] if f"{to}_is_probable" in rows.column_names else None
            is_kept &= is_same_star(rows["source_id"].to_numpy(), rows[f"{to}_delta_mag"], probable)
            names = [f"{to}_distance_mas", f"{to}_source_id"]
            kept = {name: pc.if_else(pa.array(is_kept), rows[name], None) for name in names}
            rows = pa.table({**{name: rows[name] for name in rows.column_names}, **kept})
            links += names
    return rows, links


def is_same_star(
    of: NDArray[np.int64], delta_mag: pa.ChunkedArray, probable: pa.ChunkedArray | None = None
) -> NDArray[np.bool_]:
    """Whether each neighbour (N,) of the sources `of` (N,) is the same star.

    By the archive's own word where it names one for the source; else where the magnitudes differ by SAME_STAR_MAG at
    most, and a difference that is not known is too large.
    """
    is_like = np.abs(floats(delta_mag)) <= SAME_STAR_MAG
    if probable is None:
        return is_like
    is_named = pc.fill_null(probable, False).to_numpy()
    return np.where(np.isin(of, of[is_named]), is_named, is_like)
