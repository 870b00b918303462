"""Rows of (star, candidate period): the columns of a star, with what is seen at that candidate in place of the chosen.

p(c) = sum_k p(k) p(c | k) over a star's candidates k. The probabilities of those that are there are made to add up to
1: that no trial is right is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas import Column
from tasks.features import FEATURES
from tasks.features.feature import CANDIDATE_PERIOD_DAY, CANDIDATE_PROB, candidate_names
from tasks.learning.data import Examples
from tasks.lightcurves.choice import SAME

LEAST = 0.01  # of a star's probability: less moves no class, and each row costs


@dataclass(frozen=True, eq=False)
class Pairs:
    """R rows of S stars, in order of star and candidate; each star has one at least.

    `examples` (R), whose columns have the names of the first candidate; the star of each row, `row` (R,), and the
    probability of its candidate, `chance` (R,) in (0, 1].
    """

    examples: Examples
    row: NDArray[np.int64]
    chance: NDArray[np.float64]

    def mean(self, values: NDArray[np.float64], n_star: int) -> NDArray[np.float64]:
        """Means (S, W) of the values (R, W) of each star's rows, each weighted by its probability."""
        total = np.zeros((n_star, values.shape[1]))
        np.add.at(total, self.row, self.chance[:, None] * values)
        return total


def pairs_of(examples: Examples) -> Pairs:
    """All pairs of the examples; a single one of each star where no candidate period is among the columns."""
    chance = _chances(examples)
    row, candidate = np.nonzero(chance)
    return Pairs(_at_candidate(examples, row, candidate), row, chance[row, candidate])


def at_known_period(examples: Examples) -> Examples:
    """Each star at the candidate that agrees with its published period, else at the chosen one."""
    group = candidate_names(CANDIDATE_PERIOD_DAY)
    row = np.arange(len(examples))
    if examples.period_day is None or not set(group) <= set(examples.feature_names):
        return _at_candidate(examples, row, np.zeros(row.size, np.int64))
    off = np.abs(examples.matrix(group) / examples.period_day[:, None] - 1)
    return _at_candidate(examples, row, np.argmax(off < SAME, axis=1))


def _at_candidate(examples: Examples, row: NDArray[np.int64], candidate: NDArray[np.int64]) -> Examples:
    """The stars at `row` (R,), with the columns of their `candidate` (R,) in place of the first's."""
    groups = _candidate_columns(examples.feature_names)
    later = {name for group in groups for name in group[1:]}
    names = [name for name in examples.feature_names if name not in later]
    features = examples.matrix(names)[row]
    for group in groups:
        features[:, names.index(group[0])] = examples.matrix(group)[row, candidate]
    batch = None if examples.batch is None else examples.batch.select(row)
    return Examples(examples.source_id[row], features, tuple(names), batch)


def _candidate_columns(names: Sequence[str]) -> list[tuple[str, ...]]:
    """The columns of all candidates of each declared one that is among `names` whole."""
    declared: list[Column] = [column for feature in FEATURES.values() for column in feature.columns]
    groups = (candidate_names(column) for column in declared)
    return [group for group in groups if group and set(group) <= set(names)]


def _chances(examples: Examples) -> NDArray[np.float64]:
    """Probability of each candidate of a star (S, K), 0 where there is none; rows add up to 1."""
    group = candidate_names(CANDIDATE_PROB)
    if not set(group) <= set(examples.feature_names):
        return np.ones((len(examples), 1))
    chance = np.nan_to_num(examples.matrix(group).astype(np.float64))
    chance[chance < LEAST] = 0.0
    chance[chance.sum(axis=1) == 0, 0] = 1.0
    return chance / chance.sum(axis=1, keepdims=True)
