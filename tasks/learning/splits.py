"""Which objects train, which validate, which are held out: by object, stratified, the same whatever the row order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from schemas.arrays import GOLDEN, splitmix64
from tasks.learning.targets import Target

TEST = -1


@dataclass(frozen=True, eq=False)
class Split:
    """fold (S,) int8: the fold of each object, -1 for the held-out test part. `note` stands beside every figure."""

    fold: NDArray[np.int8]
    stratified: bool
    note: str


def split(
    target: Target,
    labels: ArrayLike,
    source_id: ArrayLike,
    n_folds: int = 5,
    test_fraction: float = 0.2,
    seed: int = 0,
    groups: ArrayLike | None = None,
) -> Split:
    """Folds 0..n_folds-1 and a test part (-1) of S objects, stratified by `target.strata`.

    Objects are ranked inside their class by a hash of their id and the seed, so row order does not matter. Rows with
    equal `groups` (S,) int64 are one star: they share a fold. A class with too few members to be in every fold is
    spread over the folds without stratification and stays out of the test part; `note` names it.
    """
    if n_folds < 2 or not 0 <= test_fraction < 1:
        raise ValueError(f"split: n_folds is {n_folds} (at least 2) and test_fraction {test_fraction} (0 up to 1).")
    labels, source_id = np.asarray(labels), np.asarray(source_id, np.int64)
    if labels.shape != source_id.shape:
        raise ValueError(f"split: {labels.size} labels for {source_id.size} objects; give one of each.")
    first, member = _stars(source_id, groups, seed)
    star_key = hash_of(source_id[first], seed)
    stratum, names = target.strata(labels[first])
    fold, small = _deal(stratum, star_key, n_folds, test_fraction)
    note = _note(names, np.bincount(stratum, minlength=names.size), small, n_folds)
    return Split(fold[member], not small.any(), note)


def published_split(published: ArrayLike) -> Split:
    """The folds that a dataset was published with, (S,) whole numbers, as 0..n-1; those of -1 are held out.

    They are taken as they are: not stratified, and nothing is added to the held-out part.
    """
    published = np.asarray(published, np.int64)
    names, place = np.unique(published, return_inverse=True)
    fold = (place - int((names == TEST).any())).astype(np.int8)
    n_fold, n_out = int(fold.max(initial=-1)) + 1, int(np.count_nonzero(fold == TEST))
    return Split(fold, False, f"On the {n_fold} published folds; {n_out or 'none'} held out.")


def same_star(ra: ArrayLike, dec: ArrayLike, radius_arcsec: float = 1.0) -> NDArray[np.int64]:
    """Group of each of S positions (deg, ICRS): those within `radius_arcsec` of one another, chains included, are one.

    A position that is NaN is a group of its own. To be used as `groups` of `split`, where one star has two ids.
    """
    ra, dec = np.radians(np.asarray(ra, np.float64)), np.radians(np.asarray(dec, np.float64))
    known = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    unit = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)[known]
    chord = 2 * np.sin(np.radians(radius_arcsec / 3600) / 2)
    pairs = known[cKDTree(unit).query_pairs(chord, output_type="ndarray")] if known.size else np.empty((0, 2), np.int64)
    link = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(ra.size, ra.size))
    return connected_components(link, directed=False)[1].astype(np.int64)


def hash_of(source_id: ArrayLike, seed: int) -> NDArray[np.uint64]:
    """Well mixed 64-bit hash of ids (S,) and a seed: one step of splitmix64."""
    with np.errstate(over="ignore"):
        z = np.asarray(source_id, np.int64).astype(np.uint64)
        return splitmix64(z + splitmix64(np.uint64(seed) + GOLDEN))


def _stars(source_id: NDArray[np.int64], groups: ArrayLike | None, seed: int) -> tuple[NDArray, NDArray]:
    """Row that stands for each star (U,), and the star of each row (S,)."""
    group = source_id if groups is None else np.asarray(groups, np.int64)
    order = np.lexsort((source_id, hash_of(source_id, seed)))  # the stand-in must not depend on the row order
    _, first, member = np.unique(group[order], return_index=True, return_inverse=True)
    star = np.empty(source_id.size, np.int64)
    star[order] = member
    return order[first], star


def _deal(
    stratum: NDArray[np.int64], key: NDArray[np.uint64], n_folds: int, test_fraction: float
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Folds of U stars dealt in turn inside each stratum, as cards are, and which strata are too small for it."""
    count = np.bincount(stratum)
    small = count < n_folds
    pool = np.where(small[stratum], count.size, stratum)  # the small strata are dealt as one
    order = np.lexsort((key, pool))
    size = np.bincount(pool, minlength=count.size + 1)
    start = np.cumsum(size) - size
    rank = np.arange(stratum.size) - start[pool[order]]
    n_test = np.minimum(np.rint(size * test_fraction).astype(np.int64), np.maximum(size - n_folds, 0))
    n_test[-1] = 0  # a class of one or two members is worth more in training
    turn = np.cumsum(size - n_test) - (size - n_test)  # the next stratum goes on where the last ended: equal folds
    dealt = (rank - n_test[pool[order]] + turn[pool[order]]) % n_folds
    fold = np.empty(stratum.size, np.int8)
    fold[order] = np.where(rank < n_test[pool[order]], TEST, dealt)
    return fold, small


def _note(names: NDArray, count: NDArray[np.int64], small: NDArray[np.bool_], n_folds: int) -> str:
    if not small.any():
        return ""
    listed = ", ".join(f"{name} ({n})" for name, n in zip(names[small], count[small], strict=True))
    return f"Too few for {n_folds} folds and a test part, so split without stratification, none held out: {listed}."
