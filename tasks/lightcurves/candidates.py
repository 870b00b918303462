"""The distinct candidates among the trial periods of each star, the chosen one first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_CANDIDATE = 4  # the right period is among the first three of 93 % of stars
LEAST = 1e-3  # probability below which a trial is no candidate


@dataclass(frozen=True, eq=False)
class Candidates:
    """period (S,K) day, K = N_CANDIDATE; probability (S,K) that each is right within 1 %, which add up to 1 at most;
    seen (S,K,F), what the choice saw of each, in the order of `choice.SEEN`. NaN where a star has fewer.
    """

    period: NDArray[np.float64]
    probability: NDArray[np.float64]
    seen: NDArray[np.float64]


def pick_candidates(
    near: NDArray[np.bool_], chance: NDArray[np.float64], possible: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The trial that each candidate is, and the probability of all trials near it, (S,K) both.

    `near` (S,T,T): two trials are one period; `chance` and `possible` (S,T). Of trials near the most probable period
    the most probable one is the candidate, and what is near it can be no other: of a short series the side lobes of a
    peak are as near. The first is there for every star; later ones are -1 where less than LEAST is left for them.
    """
    row, left = np.arange(len(chance)), possible.copy()
    places: list[NDArray[np.int64]] = []
    masses: list[NDArray[np.float64]] = []
    for _ in range(N_CANDIDATE):
        together = np.einsum("sij,sj->si", near, np.where(left, chance, 0.0))
        group = near[row, np.argmax(np.where(left, together, -1.0), axis=1)]
        place = np.argmax(np.where(group & left, chance, -1.0), axis=1)
        mass = np.where(left.any(axis=1), together[row, place], 0.0)
        places.append(place if not places else np.where(mass >= LEAST, place, -1))
        masses.append(mass)
        left &= ~near[row, place]
    return np.stack(places, axis=1), np.stack(masses, axis=1)


def describe_candidates(
    place: NDArray[np.int64], mass: NDArray[np.float64], period: NDArray, seen: NDArray, known: NDArray[np.bool_]
) -> Candidates:
    """The candidates at `place` (S,K) of the trials `period` (S,T) and `seen` (S,T,F); none where a star is not `known`
    (S,).
    """
    row = np.arange(len(place))[:, None]
    exists = (place >= 0) & known[:, None]
    return Candidates(
        np.where(exists, period[row, place], np.nan),
        np.where(exists, mass, np.nan),
        np.where(exists[:, :, None], seen[row, place], np.nan),
    )
