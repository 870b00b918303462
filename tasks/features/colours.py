"""Features of objects that have no light curves: mean magnitudes, all their colours, and what a parallax and E(B-V)
add to them.

A parallax of few sigma has no absolute magnitude, but 10^(0.2 M) = parallax 10^(0.2 m - 2), parallax in mas, is linear
in it: defined for negative parallaxes too, with symmetric errors (Arenou & Luri 1999, ASP Conf. Ser. 167, 13).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from schemas.column import Column
from tasks.features.feature import COLOUR, Arrays, FeatureConfig, expand
from tasks.features.gaia import GAIA, PARALLAX
from tasks.features.reddening import EBV, REDDENING

COLOURS = "colours:1"  # the definitions of a source without light curves
BESIDE = "colours_beside:1"  # those of the columns of inputs
INPUTS = ("parallax", "parallax_error", "ebv")
MEAN = Column("mean_mag_{band}", pa.float32(), "Mean magnitude.", "mag", "phot.mag;stat.mean", nullable=True)
ROOT, ROOT0 = (
    Column(f"luminosity_root{mark}_{{band}}", pa.float32(), f"10^(0.2 M) of the absolute magnitude M{words}.", "",
           "phys.magAbs;arith", nullable=True, derived_from=sources)
    for mark, words, sources in (("", "", PARALLAX[:1]), ("0", " without extinction", (*PARALLAX[:1], EBV)))
)  # fmt: skip
SIGNIFICANCE = next(column for column in GAIA.columns if column.name == "parallax_over_error")
DECLARED = (MEAN, COLOUR)
DECLARED_BESIDE = (SIGNIFICANCE, *REDDENING.columns, ROOT, ROOT0)


def colour_columns(bands: tuple[str, ...], config: FeatureConfig | None = None) -> tuple[Column, ...]:
    """The columns of `compute_colours`, in its order: of every band, and of every pair in the order of `bands`."""
    pairs = list(combinations(range(len(bands)), 2))
    declared = (*DECLARED, *DECLARED_BESIDE) if config and config.inputs else DECLARED
    return tuple(column for each in declared for column in expand(each, bands, pairs=pairs))


def colour_definitions(config: FeatureConfig) -> str:
    """What a row of features of mean photometry is made of."""
    return f"{COLOURS} {BESIDE}" if config.inputs else COLOURS


def compute_colours(
    mags: ArrayLike, bands: tuple[str, ...], config: FeatureConfig | None = None, objects: Arrays | None = None
) -> pa.Table:
    """Table of `colour_columns` from mean magnitudes (S,B), NaN where missing; a colour needs both of its bands.

    `objects`: the INPUTS, (S,) each, NaN where unknown; read where the inputs of `config` say that the dataset has any.
    """
    mags = np.asarray(mags, np.float64)
    if mags.ndim != 2 or mags.shape[1] != len(bands):
        raise ValueError(f"compute_colours: magnitudes have shape {mags.shape}, but there are {len(bands)} bands.")
    values = np.hstack([mags, _differences(mags), *(_beside(mags, bands, config, objects or {}) if config else ())])
    columns = colour_columns(bands, config)
    arrays = [pa.array(value, mask=~np.isfinite(value)) for value in values.astype(np.float32).T]
    return pa.Table.from_arrays(arrays, schema=pa.schema([column.field() for column in columns]))


def _beside(
    mags: NDArray[np.float64], bands: tuple[str, ...], config: FeatureConfig, objects: Arrays
) -> tuple[NDArray[np.float64], ...]:
    """Blocks (S, ...) of the columns of DECLARED_BESIDE, none where the dataset has no inputs."""
    if not config.inputs:
        return ()
    unknown = np.full(len(mags), np.nan)
    parallax, error, ebv = (objects.get(name, unknown)[:, None] for name in INPUTS)
    mags0 = mags - ebv * config.extinctions(bands)
    with np.errstate(divide="ignore", invalid="ignore"):
        significance = parallax / error
    roots = (parallax * 10 ** (0.2 * each - 2) for each in (mags, mags0))
    return significance, ebv, _differences(mags0), *roots


def _differences(mags: NDArray[np.float64]) -> NDArray[np.float64]:
    """First minus second band of every pair, (S,P)."""
    first, second = np.triu_indices(mags.shape[1], k=1)
    return mags[:, first] - mags[:, second]
