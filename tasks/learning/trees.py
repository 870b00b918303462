"""Fitted trees of scikit-learn and imbalanced-learn, kept as plain node arrays so that no pickle is ever read.

Fitted trees are turned into the arrays of their nodes and rebuilt as scikit-learn's compiled trees, before the first
prediction as after loading: the two are the same code on the same numbers. Missing values go down the branch that the
training chose for them (scikit-learn's native support), so nothing is imputed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from tasks.learning.data import Examples

NODE_FIELDS = {"left_child": np.int32, "right_child": np.int32, "feature": np.int32, "threshold": np.float64,
               "missing_go_to_left": np.uint8}  # fmt: skip
LEAF = -1  # in place of a child: where scikit-learn stops
ARRAYS = ("offsets", "values", "depth")  # beside the nodes
CHUNK = 500  # rows per pass, which stay in the cache from tree to tree: twice as fast as 20,000


@dataclass(frozen=True, eq=False)
class Trees:
    """Trees as node arrays (nodes of tree t are `offsets[t]:offsets[t + 1]`), with their leaves' values (nodes, W)."""

    columns: tuple[str, ...]
    offsets: NDArray[np.int64]
    nodes: dict[str, NDArray]
    values: NDArray[np.float64]
    depth: NDArray[np.int32]

    def __post_init__(self) -> None:
        # compiled trees follow child numbers unchecked, so numbers that lead outside must not reach them
        length = np.diff(self.offsets)
        shapes = {each.shape for each in self.nodes.values()} | {self.values.shape[:1]}
        in_order = self.offsets[:1].tolist() == [0] and length.size > 0 and (length > 0).all()
        if not in_order or shapes != {(self.offsets[-1],)} or self.depth.size != length.size or self.values.ndim != 2:
            raise ValueError("forest: its arrays are not of the same nodes and trees; the file is damaged.")
        size = np.repeat(length, length)
        place = np.arange(size.size) - np.repeat(self.offsets[:-1], length)
        left, right, feature = (self.nodes[name] for name in ("left_child", "right_child", "feature"))
        leaf = left == LEAF
        inner = (left > place) & (left < size) & (right > place) & (right < size)
        inner &= (feature >= 0) & (feature < len(self.columns))
        if wrong := int((~(leaf | inner)).sum()):
            raise ValueError(f"forest: {wrong} of {size.size} nodes point outside their tree; the file is damaged.")

    @cached_property
    def compiled(self) -> list[Any]:
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

    def leaves(self, examples: Examples) -> Iterator[tuple[slice, int, NDArray[np.float64]]]:
        """Some rows, the number of a tree, and the values of these rows' leaves in it, (rows, W); of all in turn."""
        matrix = examples.matrix(self.columns)
        for start in range(0, len(examples), CHUNK):
            rows = slice(start, start + CHUNK)
            for number, tree in enumerate(self.compiled):
                yield rows, number, tree.predict(matrix[rows]).reshape(-1, self.values.shape[1])

    def arrays(self) -> dict[str, NDArray]:
        """Nodes, values, offsets and depths."""
        return {name: getattr(self, name) for name in ARRAYS} | self.nodes

    def settings(self) -> dict[str, Any]:
        """What it predicts with, its columns in their order, and the fields that a kind of trees adds."""
        own = {each.name: getattr(self, each.name) for each in fields(self)[len(fields(Trees)) :]}
        return {"predicts": type(self).__name__, "columns": list(self.columns), **own}


@dataclass(frozen=True, eq=False)
class Forest(Trees):
    """Trees whose leaves hold fractions of classes, (nodes, C)."""

    sigma_floor: float = 0.0

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Mean over trees of the values in the leaf, (S, C)."""
        return self.moments(examples)[0]

    def moments(self, examples: Examples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and mean square over trees of the values in the leaf, (S, C) each."""
        mean, square = np.zeros((2, len(examples), self.values.shape[1]))
        for rows, _, leaf in self.leaves(examples):
            mean[rows] += leaf
            square[rows] += leaf**2
        return mean / self.depth.size, square / self.depth.size


class ValueForest(Forest):
    """A forest whose leaves hold one number, (nodes, 1)."""

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Mean over trees and the spread between trees, no smaller than the floor, (S, 2)."""
        mean, square = self.moments(examples)
        spread = np.sqrt(np.maximum(square - mean**2, 0.0))
        return np.hstack([mean, np.maximum(spread, self.sigma_floor)])


@dataclass(frozen=True, eq=False)
class BoostedClasses(Trees):
    """Boosted trees of `n_output` sums, the logits of classes: tree t adds its leaf's one value to sum t % n_output."""

    n_output: int = 1

    def sums(self, examples: Examples) -> NDArray[np.float64]:
        """Sums over trees of the values in the leaf, (S, n_output)."""
        total = np.zeros((len(examples), self.n_output))
        for rows, number, leaf in self.leaves(examples):
            total[rows, number % self.n_output] += leaf[:, 0]
        return total

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Probabilities of the classes, (S, C)."""
        return np.asarray(softmax(self.sums(examples), axis=1))


@dataclass(frozen=True, eq=False)
class BoostedValue(BoostedClasses):
    """Boosted trees of several sums: values, whose mean is meant, and last the logarithm of the spread about it.

    The mean stays between `low` and `high`.
    """

    low: float = -np.inf
    high: float = np.inf

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Value and spread, (S, 2)."""
        sums = self.sums(examples)
        return np.stack([np.clip(sums[:, :-1].mean(1), self.low, self.high), np.exp(sums[:, -1])], axis=1)


BODIES: dict[str, type[Any]] = {each.__name__: each for each in (Forest, ValueForest, BoostedClasses, BoostedValue)}


def build(config: Any, settings: dict[str, Any], arrays: dict[str, NDArray]) -> Any:
    """Trees of stored arrays; ValueError where they cannot be trees."""
    del config
    absent = {*ARRAYS, *NODE_FIELDS} - set(arrays)
    if absent:
        raise ValueError(f"forest: the model file lacks {', '.join(sorted(absent))}.")
    own = {name: value for name, value in settings.items() if name not in ("predicts", "columns")}
    nodes = {name: arrays[name] for name in NODE_FIELDS}
    body, (offsets, values, depth) = BODIES[settings["predicts"]], (arrays[name] for name in ARRAYS)
    return body(tuple(settings["columns"]), offsets, nodes, values, depth, **own)


def from_estimators(fitted: Any, columns: tuple[str, ...], sigma_floor: float | None = None) -> Forest:
    """A fitted scikit-learn forest as arrays; one of numbers has a floor for the spread of its predictions."""
    states = [estimator.tree_.__getstate__() for estimator in fitted.estimators_]
    count = np.array([state["node_count"] for state in states])
    records = np.concatenate([state["nodes"] for state in states])
    nodes = {name: records[name].astype(dtype) for name, dtype in NODE_FIELDS.items()}
    values = np.concatenate([state["values"][:, 0, :] for state in states])
    depth = np.array([state["max_depth"] for state in states], np.int32)
    offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    arrays = (columns, offsets, nodes, values, depth)
    return Forest(*arrays) if sigma_floor is None else ValueForest(*arrays, sigma_floor)


def _fill(tree: Any, records: NDArray, values: NDArray, depth: int) -> Any:
    """The compiled tree with these nodes and the values of their leaves."""
    nodes, leaves = np.ascontiguousarray(records), np.ascontiguousarray(values[:, None, :])
    tree.__setstate__({"max_depth": depth, "node_count": len(records), "nodes": nodes, "values": leaves})
    return tree
