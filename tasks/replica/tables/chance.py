"""Chance by name: numbers drawn for an id and a purpose, the same in every chunk, build and process.

A counter-based generator: the finaliser of SplitMix64 (Steele, Lea & Flood 2014, OOPSLA), applied to each key in
turn. What is drawn for one purpose never moves what is drawn for another.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from schemas.arrays import GOLDEN, splitmix64


def bits(purpose: str, seed: int, *keys: ArrayLike) -> NDArray[np.uint64]:
    """64 random bits for each set of integer `keys` (broadcast against each other)."""
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is the point
        state: NDArray = np.asarray(np.uint64(seed) * GOLDEN + np.uint64(zlib.crc32(purpose.encode())))
        state = splitmix64(state)
        for key in keys:
            state = splitmix64(state + GOLDEN * (np.asarray(key).astype(np.uint64) + np.uint64(1)))
    return state


def uniform(purpose: str, seed: int, *keys: ArrayLike) -> NDArray[np.float64]:
    """A number inside (0, 1) for each set of keys."""
    return ((bits(purpose, seed, *keys) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normal(purpose: str, seed: int, *keys: ArrayLike) -> NDArray[np.float64]:
    """A standard normal number for each set of keys."""
    return ndtri(uniform(purpose, seed, *keys))
