"""Normal equations of Fourier series, for all slices of a batch at once.

Unknowns are the coefficients of cos and sin of 2 pi k t / P, k = 1..K, cosines first; an offset for each slice is
eliminated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tasks.lightcurves.segments import segment_sum

TURN = 2 * np.pi
RIDGE = 1e-6  # relative to the sum of weights: keeps the normal equations solvable, far below any measured amplitude


@dataclass(frozen=True, eq=False)
class SliceMean:
    """Weighted means of each slice: magnitude (S,) mag, and design (S,2K), the means of the cosines and sines."""

    magnitude: NDArray[np.float64]
    design: NDArray[np.float64]


def normal_equations(
    turns: NDArray,
    mag: NDArray,
    weight: NDArray,
    offsets: NDArray,
    n_harmonics: int,
) -> tuple[NDArray, NDArray, SliceMean, NDArray]:
    """Normal matrix (S,2K,2K), vector (S,2K), means, and chi2 of a constant (S,), with the offset eliminated.

    `turns` (N,) is t / P. The offset is eliminated by the Schur complement, so the equations of several bands (one
    offset each, common harmonics) may simply be added. Products of cosines and sines are sums at k - l and k + l:
    cos a cos b = (cos(a - b) + cos(a + b)) / 2 and so on, so 2K complex sums build the whole matrix.
    """
    total = segment_sum(weight, offsets)
    safe = np.where(total > 0, total, 1.0)
    magnitude = segment_sum(weight * mag, offsets) / safe
    residual = mag - np.repeat(magnitude, np.diff(offsets))
    constant = segment_sum(weight * residual**2, offsets)
    trig, vector = power_sums(turns, weight, weight * residual, offsets, n_harmonics)
    matrix, design = assemble(trig, total)
    return matrix, vector, SliceMean(magnitude, design / safe[:, None]), constant


@njit(cache=True, nogil=True)
def power_sums(
    turns: NDArray, weight: NDArray, weighted: NDArray, offsets: NDArray, n_harmonics: int
) -> tuple[NDArray, NDArray]:
    """Sums over slices, for z = exp(2 pi i t / P): of w z^k, k = 1..2K, (S,2K) complex; of (w y) z^k, k = 1..K, (S,2K),
    real parts first.
    """
    n_slice = offsets.size - 1
    trig, data = np.zeros((n_slice, 2 * n_harmonics), np.complex128), np.zeros((n_slice, 2 * n_harmonics))
    for s in range(n_slice):
        for i in range(offsets[s], offsets[s + 1]):
            angle = TURN * (turns[i] - np.floor(turns[i]))
            unit = complex(np.cos(angle), np.sin(angle))
            power = unit
            for k in range(2 * n_harmonics):
                trig[s, k] += weight[i] * power
                if k < n_harmonics:
                    data[s, k] += weighted[i] * power.real
                    data[s, n_harmonics + k] += weighted[i] * power.imag
                power *= unit
    return trig, data


@njit(cache=True, nogil=True)
def assemble(trig: NDArray, total: NDArray) -> tuple[NDArray, NDArray]:
    """Normal matrix (S,2K,2K) without the offset, and the design sums (S,2K), from sums of w z^k (S,2K) and of w (S,);
    zeros where that is 0.
    """
    n_slice, n = trig.shape[0], trig.shape[1] // 2
    matrix, design = np.zeros((n_slice, 2 * n, 2 * n)), np.zeros((n_slice, 2 * n))
    for s in range(n_slice):
        if total[s] == 0:
            continue
        design[s, :n], design[s, n:] = trig[s, :n].real, trig[s, :n].imag
        for k in range(n):
            for j in range(k + 1):
                plus = trig[s, k + j + 1]
                minus = trig[s, k - j - 1] if k > j else complex(total[s], 0.0)
                matrix[s, k, j] = (minus.real + plus.real) / 2
                matrix[s, n + k, n + j] = (minus.real - plus.real) / 2
                matrix[s, n + j, k] = (plus.imag - minus.imag) / 2  # cosine of k, sine of j
                matrix[s, n + k, j] = (plus.imag + minus.imag) / 2
        for k in range(2 * n):
            for j in range(k + 1):
                matrix[s, k, j] -= design[s, k] * design[s, j] / total[s]
                matrix[s, j, k] = matrix[s, k, j]
            matrix[s, k, k] += RIDGE * total[s]
    return matrix, design


def solve_free(matrix: NDArray, vector: NDArray, free: NDArray[np.int64]) -> tuple[NDArray, NDArray]:
    """Solutions (S,2K) with only the first `free` (S,) harmonics fitted, the others exactly 0; and their matrix."""
    n_harmonics = vector.shape[1] // 2
    held = np.tile(np.arange(n_harmonics) >= free[:, None], 2)
    matrix = np.where(held[:, :, None] | held[:, None, :], 0.0, matrix)
    diagonal = np.arange(2 * n_harmonics)
    matrix[:, diagonal, diagonal] += held
    return np.linalg.solve(matrix, np.where(held, 0.0, vector)[..., None])[..., 0], matrix
