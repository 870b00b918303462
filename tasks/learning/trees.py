"""Fitted forests of scikit-learn and imbalanced-learn, kept as plain node arrays so that no pickle is ever read.

A fitted forest is turned into the arrays of its nodes and rebuilt as scikit-learn's compiled trees, before its first
prediction as after loading: the two are the same code on the same numbers. Missing values go down the branch that the
training chose for them (scikit-learn's native support), so nothing is imputed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.learning.data import Examples

NODE_FIELDS = {"left_child": np.int32, "right_child": np.int32, "feature": np.int32, "threshold": np.float64,
               "missing_go_to_left": np.uint8}  # fmt: skip
CHUNK = 20_000  # rows per pass: bounds the memory of predictions


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees as node arrays (nodes of tree t are `offsets[t]:offsets[t + 1]`), with their leaves' values (nodes, C)."""

    columns: tuple[str, ...]
    offsets: NDArray[np.int64]
    nodes: dict[str, NDArray]
    values: NDArray[np.float64]
    depth: NDArray[np.int32]
    importance: NDArray[np.float64]
    sigma_floor: float = 0.0

    def __post_init__(self) -> None:
        # compiled trees follow child numbers unchecked, so numbers that lead outside must not reach them
        length = np.diff(self.offsets)
        size = np.repeat(length, length)
        place = np.arange(size.size) - np.repeat(self.offsets[:-1], length)
        left, right, feature = (self.nodes[name] for name in ("left_child", "right_child", "feature"))
        leaf = left < 0
        inner = (left > place) & (left < size) & (right > place) & (right < size)
        inner &= (feature >= 0) & (feature < len(self.columns))
        if not (leaf | inner).all() or (length < 1).any() or not length.size or len(self.values) != size.size:
            wrong = int((~(leaf | inner)).sum())
            raise ValueError(f"forest: {wrong} of {size.size} nodes point outside their tree; the file is damaged.")

    @cached_property
    def trees(self) -> list[Any]:
        """scikit-learn's compiled trees."""
        from sklearn.tree._tree import NODE_DTYPE, Tree

        records = np.zeros(self.offsets[-1], NODE_DTYPE)
        for name in NODE_FIELDS:
            records[name] = self.nodes[name]
        width = self.values.shape[1]
        ends = zip(self.offsets[:-1], self.offsets[1:], self.depth, strict=True)
        trees = []
        for start, stop, depth in ends:
            tree = Tree(len(self.columns), np.array([width], np.intp), 1)
            trees.append(_fill(tree, records[start:stop], self.values[start:stop], int(depth)))
        return trees

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Mean over trees of the values in the leaf, (S, C): of classes their fractions."""
        return self.moments(examples)[0]

    def moments(self, examples: Examples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and mean square over trees of the values in the leaf, (S, C) each."""
        matrix = examples.matrix(self.columns)
        mean, square = np.zeros((2, len(examples), self.values.shape[1]))
        for start in range(0, len(examples), CHUNK):
            rows = slice(start, start + CHUNK)
            for tree in self.trees:
                leaf = tree.predict(matrix[rows]).reshape(-1, self.values.shape[1])
                mean[rows] += leaf
                square[rows] += leaf**2
        return mean / len(self.trees), square / len(self.trees)

    def arrays(self) -> dict[str, NDArray]:
        """Nodes, values, offsets, depths and importances."""
        names = ("offsets", "values", "depth", "importance")
        return {name: getattr(self, name) for name in names} | self.nodes

    def settings(self) -> dict[str, Any]:
        """Columns in their order, and the floor of the spread."""
        return {"predicts": type(self).__name__, "columns": list(self.columns), "sigma_floor": self.sigma_floor}


class ValueForest(Forest):
    """A forest whose leaves hold one number, (nodes, 1)."""

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Mean over trees and the spread between trees, no smaller than the floor, (S, 2)."""
        mean, square = self.moments(examples)
        spread = np.sqrt(np.maximum(square - mean**2, 0.0))
        return np.hstack([mean, np.maximum(spread, self.sigma_floor)])


BODIES: dict[str, type[Forest]] = {body.__name__: body for body in (Forest, ValueForest)}


def build(config: Any, settings: dict[str, Any], arrays: dict[str, NDArray]) -> Forest:
    """Forest of stored arrays; ValueError where they cannot be a forest."""
    del config
    absent = {"offsets", "values", "depth", "importance", *NODE_FIELDS} - set(arrays)
    if absent:
        raise ValueError(f"forest: the model file lacks {', '.join(sorted(absent))}.")
    nodes = {name: arrays[name] for name in NODE_FIELDS}
    body = BODIES[settings["predicts"]]
    values, depth, importance = (arrays[name] for name in ("values", "depth", "importance"))
    floor = float(settings["sigma_floor"])
    return body(tuple(settings["columns"]), arrays["offsets"], nodes, values, depth, importance, floor)


def from_estimators(fitted: Any, columns: tuple[str, ...], sigma_floor: float | None = None) -> Forest:
    """A fitted scikit-learn forest as arrays; one of numbers has a floor for the spread of its predictions."""
    states = [estimator.tree_.__getstate__() for estimator in fitted.estimators_]
    count = np.array([state["node_count"] for state in states])
    records = np.concatenate([state["nodes"] for state in states])
    nodes = {name: records[name].astype(dtype) for name, dtype in NODE_FIELDS.items()}
    values = np.concatenate([state["values"][:, 0, :] for state in states])
    depth = np.array([state["max_depth"] for state in states], np.int32)
    offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    arrays = (columns, offsets, nodes, values, depth, np.asarray(fitted.feature_importances_))
    return Forest(*arrays) if sigma_floor is None else ValueForest(*arrays, sigma_floor)


def _fill(tree: Any, records: NDArray, values: NDArray, depth: int) -> Any:
    """The compiled tree with these nodes and the values of their leaves."""
    nodes, leaves = np.ascontiguousarray(records), np.ascontiguousarray(values[:, None, :])
    tree.__setstate__({"max_depth": depth, "node_count": len(records), "nodes": nodes, "values": leaves})
    return tree
