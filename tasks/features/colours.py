"""Features of objects that have no light curves: mean magnitudes and all their colours."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from schemas.column import Column
from tasks.features.feature import COLOUR, expand

COLOURS = "colours:1"  # the definitions of a source without light curves
DECLARED = (
    Column("mean_mag_{band}", pa.float32(), "Mean magnitude.", "mag", "phot.mag;stat.mean", nullable=True),
    COLOUR,
)


def colour_columns(bands: tuple[str, ...]) -> tuple[Column, ...]:
    """mean_mag_{band} of every band and colour_mag_{first}_{second} of every pair, in the order of `bands`."""
    pairs = list(combinations(range(len(bands)), 2))
    return tuple(column for declared in DECLARED for column in expand(declared, bands, pairs=pairs))


def compute_colours(mags: ArrayLike, bands: tuple[str, ...]) -> pa.Table:
    """Table of `colour_columns` from mean magnitudes (S,B), NaN where missing; a colour needs both of its bands."""
    mags = np.asarray(mags, np.float64)
    if mags.ndim != 2 or mags.shape[1] != len(bands):
        raise ValueError(f"compute_colours: magnitudes have shape {mags.shape}, but there are {len(bands)} bands.")
    first, second = np.triu_indices(len(bands), k=1)
    values = np.concatenate([mags, mags[:, first] - mags[:, second]], axis=1).astype(np.float32)
    columns = colour_columns(bands)
    arrays = [pa.array(value, mask=~np.isfinite(value)) for value in values.T]
    return pa.Table.from_arrays(arrays, schema=pa.schema([column.field() for column in columns]))
