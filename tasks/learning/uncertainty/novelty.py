"""How strange an object is among those that trained: its distance, in feature space, to the nearest class."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import ndtri

from tasks.learning.data import Examples

AXES = 16
QUANTILES = 65  # of each feature, between which its rank is interpolated
OUTERMOST = 1 / 256  # the rank of whatever is below all quantiles: no single feature makes an object strange
FEWEST = 50  # training stars below which nothing is said to be strange
STARS_PER_AXIS = 10  # at the least: their scatter must be known
MOST_DISTANCES = 10_000  # kept of the training stars: ranks to a ten-thousandth
RIDGE = 1e-3  # of the mean variance, added to each axis: columns may be copies of one another
COLUMNS = "columns"  # in the metadata of a file


@dataclass(frozen=True, eq=False)
class Novelty:
    """Ranks the distance of an object to the nearest class among the distances of the training stars.

    The features `columns` (F,) are made normal by their ranks among the `quantiles` (Q, F) of the training stars, a
    missing one 0, and put along `axes` (F, A): those of the largest variance, turned and scaled so that the scatter
    within the classes is 1 in every direction. `means` (C, A) are of the classes. So the distance is Mahalanobis', with
    one covariance for all classes (Lee et al. 2018, NeurIPS, arXiv:1807.03888, eq. 2). `distances` are those of
    training stars, sorted, each left out of the mean of its own class: a star like them has any rank alike.
    """

    columns: tuple[str, ...]
    quantiles: NDArray[np.float32]
    axes: NDArray[np.float32]
    means: NDArray[np.float32]
    distances: NDArray[np.float32]

    @classmethod
    def fit(cls, examples: Examples, codes: NDArray[np.int64], columns: Sequence[str]) -> Novelty | None:
        """From the features `columns` of training stars with class codes (S,); None without columns or 50 stars."""
        if len(examples) < FEWEST or not columns:
            return None
        features = examples.matrix(columns)
        known = np.isfinite(features).any(axis=0)
        quantiles = np.full((QUANTILES, known.size), np.nan, np.float32)
        quantiles[:, known] = np.nanquantile(features[:, known], np.linspace(0, 1, QUANTILES), axis=0)
        normal, codes = _make_normal(features, quantiles), np.unique(codes, return_inverse=True)[1]
        axes = _axes(normal, codes)
        points = normal @ axes
        means = _class_means(points, codes)[0]
        distances = np.sort(_left_out(points, means, codes))
        kept = np.linspace(0, distances.size - 1, min(distances.size, MOST_DISTANCES)).astype(np.int64)
        return cls(tuple(columns), quantiles, axes, means, distances[kept].astype(np.float32))

    def rank(self, examples: Examples) -> NDArray[np.float64]:
        """Share of the training stars that are less strange, (S,): 1 where all are, NaN without any feature."""
        features = examples.matrix(self.columns)
        distance = cdist(_make_normal(features, self.quantiles) @ self.axes, self.means).min(axis=1)
        rank = np.searchsorted(self.distances, distance.astype(np.float32)) / self.distances.size
        return np.where(np.isfinite(features).any(axis=1), rank, np.nan)

    def save(self, path: Path) -> None:
        """Write it as one safetensors file."""
        from safetensors.numpy import save_file

        arrays = {field.name: np.ascontiguousarray(getattr(self, field.name)) for field in fields(self)[1:]}
        save_file(arrays, path, {COLUMNS: json.dumps(self.columns)})

    @classmethod
    def load(cls, path: Path) -> Novelty:
        """What `save` wrote; ValueError where the file is damaged."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "numpy") as file:
                columns = json.loads(file.metadata()[COLUMNS])
                return cls(tuple(columns), *(file.get_tensor(field.name) for field in fields(cls)[1:]))
        except (SafetensorError, TypeError, KeyError) as error:
            raise ValueError(f"{path.name} cannot be read ({error}).") from None


def _make_normal(features: NDArray[np.float32], quantiles: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features (S, F) as the normal deviates of their ranks, equal ones in the middle of theirs; 0 where missing."""
    share = np.linspace(0, 1, len(quantiles))
    normal = np.zeros(features.shape, np.float32)
    for k, edges in enumerate(quantiles.T):
        own = features[:, k]
        rank = (np.interp(own, edges, share) - np.interp(-own, -edges[::-1], -share[::-1])) / 2
        normal[:, k] = ndtri(np.clip(rank, OUTERMOST, 1 - OUTERMOST))
    return np.nan_to_num(normal, nan=0.0)


def _axes(normal: NDArray[np.float32], codes: NDArray[np.int64]) -> NDArray[np.float32]:
    """(F, A) the axes of the largest variance, in which the scatter within the classes is then made 1."""
    covariance = np.cov(normal, rowvar=False, dtype=np.float64).reshape(normal.shape[1], -1)
    widest = np.linalg.eigh(covariance)[1][:, ::-1][:, : min(AXES, codes.size // STARS_PER_AXIS)]
    points = normal @ widest
    means, members = _class_means(points, codes)
    scatter = points - means[codes]
    within = scatter.T @ scatter / max(codes.size - members.size, 1)
    variance = np.trace(within) / len(within) or 1.0  # all stars of a class may be alike
    within += RIDGE * variance * np.eye(len(within))
    return np.ascontiguousarray(widest @ np.linalg.inv(np.linalg.cholesky(within)).T, np.float32)


def _class_means(
    points: NDArray[np.floating], codes: NDArray[np.int64]
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Mean (C, A) of the points (S, A) of each class, and its number of members (C,)."""
    members = np.bincount(codes)
    total = np.zeros((members.size, points.shape[1]), points.dtype)
    np.add.at(total, codes, points)
    return total / members[:, None].astype(points.dtype), members


def _left_out(points: NDArray[np.float32], means: NDArray[np.float32], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Distance (S,) of each point to the nearest class, whose mean is taken without it.

    That is n / (n - 1) as far from the mean of its own class of n, and infinite where it is alone.
    """
    distance, members = cdist(points, means), np.bincount(codes)[codes]
    own = distance[np.arange(codes.size), codes]
    others = np.maximum(members - 1, 1)
    distance[np.arange(codes.size), codes] = np.where(members > 1, own * members / others, np.inf)
    return np.asarray(distance.min(axis=1))
