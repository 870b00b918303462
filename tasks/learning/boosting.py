"""Gradient boosting: small trees one after the other, each along the gradient of a loss where the earlier ones left it.

Friedman 2001 (Ann. Stat. 29, 1189), with Newton steps and columns drawn for each tree as in XGBoost (Chen & Guestrin
2016, section 2). The trees are grown by scikit-learn on columns that were binned once. Its own estimator draws columns
for each split after it has summed the histograms of all of them, and draws no rows: on 500 columns it takes five times
as long, so the loop over trees is here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tasks.learning.trees import LEAF, NODE_FIELDS

# Of raw predictions (S, K) the gradient and the Hessian's diagonal of the loss, (S, K) each.
Loss = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]
MOST_TREES = 20_000  # of hundreds of classes each has fewer rounds: a training ends
Share = Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True)
class BoostingConfig:
    """Settings of gradient boosting."""

    rounds: Annotated[int, Field(ge=1, le=5000, description="trees of each class")] = 150
    rate: Annotated[float, Field(gt=0, le=1, description="part of a tree's step that is taken")] = 0.06
    max_depth: Annotated[int, Field(ge=1, le=16, description="splits from root to leaf")] = 5
    columns: Annotated[Share, Field(description="share of the columns that a tree may use")] = 0.3
    rows: Annotated[Share, Field(description="share of the objects that a round learns from")] = 0.8
    most_drawn: Annotated[int, Field(ge=10, description="objects that a round learns from, where there are more")] = (
        8000
    )
    min_leaf: Annotated[int, Field(ge=1, le=1000, description="fewest objects in a leaf")] = 3
    shrink: Annotated[
        float, Field(ge=0, le=1000, description="added to the Hessian of a leaf: few are not trusted")
    ] = 1.0
    bins: Annotated[int, Field(ge=4, le=255, description="bins of a column, beside the one for missing values")] = 127
    class_power: Annotated[float, Field(ge=0, le=1, description="weight of a class of n is n ** -class_power")] = 0.5

    def effort(self, n: float) -> float:
        """The time that n objects take is proportional to it: the bins of a tree cost as much as 600 objects."""
        return self.rounds * self.columns * (600 + min(self.rows * n, self.most_drawn))


@dataclass(frozen=True, eq=False)
class Bins:
    """Columns of S objects in bins: `codes` (F, S) uint8, the last code where missing, and the `edges` between them."""

    codes: NDArray[np.uint8]
    edges: list[NDArray[np.float64]]
    missing: int

    @classmethod
    def of(cls, matrix: NDArray[np.float32], bins: int) -> Bins:
        """Bins of equal counts of the columns (S, F); one value each where there are fewer values than bins."""
        from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper

        codes, edges = np.full(matrix.shape[::-1], bins, np.uint8), [np.empty(0)] * matrix.shape[1]
        for column in np.flatnonzero(np.isfinite(matrix).any(axis=0)):
            mapper = _BinMapper(bins + 1, subsample=None, n_threads=1)
            codes[column] = mapper.fit_transform(matrix[:, [column]].astype(np.float64))[:, 0]
            edges[column] = mapper.bin_thresholds_[0]
        return cls(codes, edges, bins)


# Offsets, nodes, values (nodes, 1) and depths, as the fields of `trees.Trees` are.
Arrays = tuple[NDArray[np.int64], dict[str, NDArray], NDArray[np.float64], NDArray[np.int32]]


def boost(bins: Bins, loss: Loss, start: NDArray[np.float64], config: BoostingConfig, seed: int) -> Arrays:
    """Trees of K sums that begin at `start` (K,), for `config.rounds` rounds of K trees: tree t adds to sum t % K.

    All trees of a round learn from the same rows, each from columns of its own. The start is K trees of one leaf.
    """
    rng, (n_column, n) = np.random.default_rng(seed), bins.codes.shape
    raw = np.tile(start, (n, 1))
    grown = [_stump(value) for value in start]
    for _ in range(min(config.rounds, -(-MOST_TREES // start.size))):
        rows = _draw(rng, n, min(config.rows, config.most_drawn / n))
        gradient, hessian = (each.astype(np.float32) for each in loss(raw))
        for k in range(start.size):
            columns = _draw(rng, n_column, config.columns)
            tree = _grow(bins, rows, columns, gradient[rows, k], hessian[rows, k], config)
            tree.nodes["feature_idx"] = columns[tree.nodes["feature_idx"]]
            raw[:, k] += tree.predict_binned(bins.codes.T, bins.missing, 1)
            grown.append(tree.nodes)
    return _as_arrays(grown)


def _draw(rng: np.random.Generator, n: int, share: float) -> NDArray[np.int64]:
    """A share of the numbers below n, in order; at least one."""
    return np.sort(rng.permutation(n)[: max(1, round(share * n))])


def _grow(
    bins: Bins,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    gradient: NDArray[np.float32],
    hessian: NDArray[np.float32],
    config: BoostingConfig,
) -> Any:
    """A tree on some rows and columns; its nodes number the columns among these."""
    from sklearn.ensemble._hist_gradient_boosting.grower import TreeGrower

    edges = [bins.edges[column] for column in columns]
    codes = bins.codes[columns].take(rows, axis=1).T
    grower = TreeGrower(
        codes, gradient, hessian, max_depth=config.max_depth, max_leaf_nodes=None, min_samples_leaf=config.min_leaf,
        n_bins=bins.missing + 1, n_bins_non_missing=np.array([each.size + 1 for each in edges], np.uint32),
        has_missing_values=(codes == bins.missing).any(axis=0), l2_regularization=config.shrink, shrinkage=config.rate,
        n_threads=1,
    )  # fmt: skip
    grower.grow()
    return grower.make_predictor(edges)


def _stump(value: float) -> NDArray:
    """A tree of one leaf."""
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE

    node = np.zeros(1, PREDICTOR_RECORD_DTYPE)
    node["value"], node["is_leaf"] = value, True
    return node


def _as_arrays(grown: list[NDArray]) -> Arrays:
    """Offsets, nodes, values and depths of scikit-learn's records of nodes."""
    offsets = np.concatenate([[0], np.cumsum([nodes.size for nodes in grown])]).astype(np.int64)
    records = np.concatenate(grown)
    is_leaf = records["is_leaf"].astype(bool)
    found = {
        "left_child": np.where(is_leaf, LEAF, records["left"]),
        "right_child": np.where(is_leaf, LEAF, records["right"]),
        "feature": np.where(is_leaf, -2, records["feature_idx"]), "threshold": records["num_threshold"],
        "missing_go_to_left": records["missing_go_to_left"],
    }  # fmt: skip
    nodes = {name: found[name].astype(dtype) for name, dtype in NODE_FIELDS.items()}
    depth = np.maximum.reduceat(records["depth"], offsets[:-1]).astype(np.int32)
    return offsets, nodes, records["value"][:, None].copy(), depth
