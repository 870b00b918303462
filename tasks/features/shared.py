"""Shape of the light curve from all bands together: one set of harmonics, one offset per band (shared phase).

Sparse bands have no other parameters of shape. Amplitudes are means over the bands, weighted by the data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.column import Column
from tasks.features.feature import SWING, Arrays, Curves, Feature
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.fourier import FourierFit, largest_gap, limit_harmonics, weights
from tasks.lightcurves.normal_equations import normal_equations, solve_free

N_HARMONICS = 4
MINIMA_HARMONICS = 8  # of twice the period: four of the period, and the odd ones that tell its halves apart
EPOCHS_PER_TERM = 3.0
GRID = np.arange(128) / 128


def compute_shared(curves: Curves, earlier: Arrays) -> Arrays:
    """Fourier parameters over all bands, (S,), and over each survey's, (S,G); minima folded at P and 2P."""
    fold = curves.fold_period(earlier["period_day"])
    equations = Equations.of(curves, fold, N_HARMONICS)
    fit = equations.solve(np.arange(len(curves.batch.bands)))
    found = {f"shared_{name}": values for name, values in parameters(fit).items()}
    found["minima_ratio"] = np.where(fit.n_harmonics >= 2, minima_ratio(fit.shape(GRID)), np.nan)
    by_survey = [parameters(equations.solve(bands)) for bands in curves.survey_bands]
    none = np.empty((len(curves.batch), 0))
    for name in parameters(fit):
        found[f"shared_{name}_{{survey}}"] = np.stack([each[name] for each in by_survey], 1) if by_survey else none
    # phases in [0, 1) cover half of twice the period
    double = 2 * fold if curves.config.has_time else np.full(fold.size, np.nan)
    twice = Equations.of(curves, double, MINIMA_HARMONICS).solve(np.arange(len(curves.batch.bands)))
    found["alternation"] = np.where(twice.n_harmonics >= 2, alternation(twice.shape(GRID)), np.nan)
    return found


def parameters(fit: FourierFit) -> dict[str, NDArray[np.float64]]:
    """Amplitude A1, ratios and phase differences, the latter as cosine and sine, (S,) each."""
    found = {"amplitude_mag": np.where(fit.n_harmonics > 0, fit.amplitude[:, 0], np.nan)}
    for k in (2, 3, 4):
        phi = fit.phase_difference(k)
        found |= {f"r{k}1": fit.ratio(k), f"cos_phi{k}1": np.cos(phi), f"sin_phi{k}1": np.sin(phi)}
    return found


@dataclass(frozen=True, eq=False)
class Equations:
    """Normal equations of every band, which add up for bands that share their harmonics, with an offset each."""

    matrix: NDArray[np.float64]  # (S,B,2K,2K)
    vector: NDArray[np.float64]  # (S,B,2K)
    constant: NDArray[np.float64]  # (S,B), chi2 of the offsets alone
    n_epoch: NDArray[np.int64]  # (S,B)
    known: NDArray[np.bool_]  # (S,), objects with a period
    batch: LightCurveBatch
    turns: NDArray[np.float64]  # (N,), t / P

    @classmethod
    def of(cls, curves: Curves, fold: NDArray, n_harmonics: int) -> Equations:
        """At the period `fold` (S,) of each object."""
        batch = curves.batch
        known = np.isfinite(fold) & (fold > 0)
        turns = batch.time * np.repeat(np.where(known, 1 / np.where(known, fold, 1.0), 0.0), batch.n_epoch)
        weight = weights(batch.mag_err, curves.config.period.error_floor)
        matrix, vector, _, constant = normal_equations(turns, batch.mag, weight, curves.band_offsets, n_harmonics)
        of_band = curves.per_band
        return cls(of_band(matrix), of_band(vector), of_band(constant), curves.n_epoch, known, batch, turns)

    def gap(self, bands: NDArray[np.int64]) -> NDArray[np.float64]:
        """The largest gap in phase that these bands leave together, (S,) turns."""
        kept = np.isin(self.batch.band, bands)
        return largest_gap(self.turns[kept], np.concatenate([[0], np.cumsum(kept)])[self.batch.offsets])

    def solve(self, bands: NDArray[np.int64]) -> FourierFit:
        """The series with common harmonics of these bands (offset 0 here), one per object."""
        matrix, vector, constant = (value[:, bands].sum(axis=1) for value in (self.matrix, self.vector, self.constant))
        n_epoch, n_band = self.n_epoch[:, bands].sum(axis=1), np.count_nonzero(self.n_epoch[:, bands], axis=1)
        n_harmonics = vector.shape[1] // 2
        free = np.clip(((n_epoch - n_band) / EPOCHS_PER_TERM) // 2, 0, n_harmonics)
        free = np.minimum(free, limit_harmonics(self.gap(bands), SWING)).astype(np.int64)
        free = np.where(self.known & (constant > 0), free, 0)
        solution, normal = solve_free(matrix, vector, free)
        chi2 = np.maximum(constant - np.einsum("sp,sp->s", vector, solution), 0.0)
        cosine, sine = solution[:, :n_harmonics], solution[:, n_harmonics:]
        n_epoch = n_epoch - n_band + 1  # the offsets of the other bands each take one
        return FourierFit(np.zeros(free.size), cosine, sine, chi2, constant, n_epoch, free, normal)


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


def _parameters(template: str, which: str) -> tuple[Column, ...]:
    """Columns of `parameters`, by the names that `template` makes."""
    return (
        _column(template.format("amplitude_mag"), f"Amplitude A1 of the series common to {which}.", 0, None, "mag"),
        *(
            column
            for k in (2, 3, 4)
            for column in (
                _column(template.format(f"r{k}1"), f"Amplitude ratio A{k}/A1, {which}.", 0, None),
                _column(template.format(f"cos_phi{k}1"), f"Cosine of phi{k} - {k} phi1, {which}.", -1, 1),
                _column(template.format(f"sin_phi{k}1"), f"Sine of phi{k} - {k} phi1, {which}.", -1, 1),
            )
        ),
    )


SHARED = Feature(
    "shared",
    needs=("period_day",),
    version=2,
    source="Shared phase: VanderPlas & Ivezic 2015, ApJ 812, 18.",
    compute=compute_shared,
    of_times=("alternation",),
    columns=(
        *_parameters("shared_{}", "all bands"),
        *_parameters("shared_{}_{{survey}}", "the bands of one survey"),
        _column("minima_ratio", "Depth of the second minimum over the first's, folded at P.", 0, 1),
        _column("alternation", "Difference of the two minima folded at 2P, over the range.", 0, 1),
    ),
)
