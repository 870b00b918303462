"""Shape of the light curve from all bands together: one set of harmonics, one offset per band (shared phase).

For sparse bands this is the only shape there is. Amplitudes are means over the bands, weighted by the data.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.column import Column
from tasks.features.feature import Arrays, Curves, Feature
from tasks.lightcurves.fourier import FourierFit, normal_equations, solve_free, weights

N_HARMONICS = 4
MINIMA_HARMONICS = 8  # of twice the period: four of the period, and the odd ones that tell its halves apart
EPOCHS_PER_TERM = 3.0
GRID = np.arange(128) / 128


def shared(curves: Curves, earlier: Arrays) -> Arrays:
    """Fourier parameters over all bands, and the minima of the curve folded at P and at 2P, (S,) each."""
    fold = curves.fold_period(earlier["period_day"])
    fit = fit_shared(curves, fold, N_HARMONICS)
    found = {"shared_amplitude_mag": np.where(fit.n_harmonics > 0, fit.amplitude[:, 0], np.nan)}
    for k in (2, 3, 4):
        phi = fit.phase_difference(k)
        found |= {f"shared_r{k}1": fit.ratio(k), f"shared_cos_phi{k}1": np.cos(phi), f"shared_sin_phi{k}1": np.sin(phi)}
    found["minima_ratio"] = np.where(fit.n_harmonics >= 2, minima_ratio(fit.shape(GRID)), np.nan)
    # phases in [0, 1) cover half of twice the period
    double = fit_shared(curves, 2 * fold if curves.config.has_time else np.full(fold.size, np.nan), MINIMA_HARMONICS)
    found["alternation"] = np.where(double.n_harmonics >= 2, alternation(double.shape(GRID)), np.nan)
    return found


def fit_shared(curves: Curves, fold: NDArray, n_harmonics: int) -> FourierFit:
    """Series with common harmonics and an offset per band (offset 0 here), one per object."""
    batch, n_object = curves.batch, len(curves.batch)
    known = np.isfinite(fold) & (fold > 0)
    turns = batch.time * np.repeat(np.where(known, 1 / np.where(known, fold, 1.0), 0.0), batch.n_epoch)
    matrix, vector, _, constant = normal_equations(
        turns, batch.mag, weights(batch.mag_err, curves.config.period.error_floor), curves.band_offsets, n_harmonics
    )
    matrix, vector, constant = (curves.per_band(value).sum(axis=1) for value in (matrix, vector, constant))
    n_band = np.count_nonzero(curves.n_epoch, axis=1)
    free = np.clip(((batch.n_epoch - n_band) / EPOCHS_PER_TERM) // 2, 0, n_harmonics).astype(np.int64)
    free = np.where(known & (constant > 0), free, 0)
    solution, normal = solve_free(matrix, vector, free)
    chi2 = np.maximum(constant - np.einsum("sp,sp->s", vector, solution), 0.0)
    return FourierFit(  # of the epochs, those that the other bands' offsets leave
        np.zeros(n_object), solution[:, :n_harmonics], solution[:, n_harmonics:], chi2, constant,
        batch.n_epoch - n_band + 1, free, normal,
    )  # fmt: skip


def minima_ratio(curve: NDArray) -> NDArray[np.float64]:
    """Depth of the second minimum over the first's, (S,): faintest point more than 0.2 in phase from the faintest.

    0 where the curve only falls from there: a single minimum.
    """
    n = curve.shape[1]
    brightest = curve.min(axis=1)
    centred = curve[np.arange(curve.shape[0])[:, None], (np.argmax(curve, axis=1)[:, None] + np.arange(n)) % n]
    inner = centred[:, int(0.2 * n) : int(0.8 * n) + 1]
    is_minimum = (inner[:, 1:-1] >= inner[:, :-2]) & (inner[:, 1:-1] >= inner[:, 2:])
    depth = np.max(np.where(is_minimum, inner[:, 1:-1] - brightest[:, None], 0.0), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return depth / (curve.max(axis=1) - brightest)


def alternation(curve: NDArray) -> NDArray[np.float64]:
    """Difference of the faintest points of the two halves of a curve folded at 2P, over its range, (S,).

    The halves are cut at the brightest point, so a minimum is not split. 0: P is the period; large: 2P is.
    """
    n = curve.shape[1]
    turned = curve[np.arange(curve.shape[0])[:, None], (np.argmin(curve, axis=1)[:, None] + np.arange(n)) % n]
    first, second = turned[:, : n // 2].max(axis=1), turned[:, n // 2 :].max(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs(first - second) / (curve.max(axis=1) - curve.min(axis=1))


def _column(name: str, doc: str, low: float | None, high: float | None, unit: str = "") -> Column:
    return Column(name, pa.float32(), doc, unit, "src.var;stat.fourier", nullable=True, range=(low, high))


SHARED = Feature(
    "shared",
    needs=("period_day",),
    compute=shared,
    columns=(
        _column("shared_amplitude_mag", "Amplitude A1 of the series common to all bands.", 0, None, "mag"),
        *(
            column
            for k in (2, 3, 4)
            for column in (
                _column(f"shared_r{k}1", f"Amplitude ratio A{k}/A1, all bands.", 0, None),
                _column(f"shared_cos_phi{k}1", f"Cosine of phi{k} - {k} phi1, all bands.", -1, 1),
                _column(f"shared_sin_phi{k}1", f"Sine of phi{k} - {k} phi1, all bands.", -1, 1),
            )
        ),
        _column("minima_ratio", "Depth of the second minimum over the first's, folded at P.", 0, 1),
        _column("alternation", "Difference of the two minima folded at 2P, over the range.", 0, 1),
    ),
)
