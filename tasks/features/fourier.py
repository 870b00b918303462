"""Shape of the folded light curve of each band, from its Fourier series (cosine convention, lightcurves/fourier.py)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.column import Column
from tasks.features.feature import SWING, Arrays, Curves, Feature, band_pairs, pair_difference
from tasks.lightcurves.fourier import FourierFit, fit_fourier

N_HARMONICS = 7
SHAPE = (2, 3)  # harmonics whose ratio and phase difference are given with errors, and as cosine and sine
EPOCHS_PER_TERM = 3.0  # fewer, and the series swings in the gaps of sparse bands
GRID = np.arange(128) / 128  # phases at which the series is read


def compute_fourier(curves: Curves, earlier: Arrays) -> Arrays:
    """Fourier parameters and shape of each band, (S,B) each; NaN where the band has too few epochs, too large a gap in
    phase, or no period.
    """
    n_band = len(curves.batch.bands)
    fold = np.repeat(curves.fold_period(earlier["period_day"]), n_band)
    fit = fit_fourier(
        curves.batch,
        fold,
        N_HARMONICS,
        curves.band_offsets,
        floor=curves.config.period.error_floor,
        epochs_per_term=EPOCHS_PER_TERM,
        swing=SWING,
    )
    known = fit.n_harmonics > 0
    curve = fit.shape(GRID)
    found = {**parameters(fit), **shape(fit, curve)}
    by_band = {name: curves.per_band(np.where(known, values, np.nan)) for name, values in found.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        log_amplitude = np.log10(by_band["fourier_amplitude_mag_{band}"])
    return {
        **by_band,
        "log_amplitude_ratio_{pair}": pair_difference(log_amplitude, curves.batch.bands),
        "fourier_colour_mag_{pair}": pair_difference(by_band["fourier_mean_mag_{band}"], curves.batch.bands),
        **extreme_colours(fit, curve, curves),
    }


def parameters(fit: FourierFit) -> dict[str, NDArray]:
    """Mean, amplitudes, R_k1 and phi_k1 (also as cosine and sine, which do not jump at 2 pi), (S*B,) each."""
    found = {"fourier_mean_mag_{band}": fit.offset, "fourier_amplitude_mag_{band}": fit.amplitude[:, 0]}
    for k in range(2, N_HARMONICS + 1):
        phi = fit.phase_difference(k)
        amplitude = np.where(fit.n_harmonics >= k, fit.amplitude[:, k - 1], np.nan)
        found |= {f"fourier_a{k}_mag_{{band}}": amplitude, f"phi{k}1_rad_{{band}}": phi}
        if k in SHAPE:
            found |= {
                f"r{k}1_{{band}}": fit.ratio(k),
                f"r{k}1_error_{{band}}": fit.ratio_error(k),
                f"phi{k}1_error_{{band}}": fit.phase_error(k),
                f"cos_phi{k}1_{{band}}": np.cos(phi),
                f"sin_phi{k}1_{{band}}": np.sin(phi),
            }
    return found


def extreme_colours(fit: FourierFit, curve: NDArray, curves: Curves) -> dict[str, NDArray]:
    """Colour where the first band of a pair is brightest, where it is faintest, and there less at its other minimum.

    (S,P) mag each, both bands at the same phase; NaN where either band has no series, or the first no other minimum.
    """
    bands = curves.batch.bands
    first, second = np.array(band_pairs(bands), np.int64).reshape(-1, 2).T
    other, has_other = other_minimum(curve)
    place = np.stack([np.argmin(curve, axis=1), np.argmax(curve, axis=1), other], axis=1)
    # the grid begins where the first harmonic is faintest, at -phi_1
    phase = curves.per_band(place / GRID.size - fit.phase[:, :1] / (2 * np.pi))[:, first]
    row = np.arange(len(curves.batch))[:, None] * len(bands)
    of_first, of_second = (
        replace(fit, **{name: getattr(fit, name)[(row + band).ravel()] for name in ("offset", "cosine", "sine")})
        for band in (first, second)
    )
    colour = (of_first.at(phase.reshape(-1, 3)) - of_second.at(phase.reshape(-1, 3))).reshape(phase.shape)
    known = curves.per_band(fit.n_harmonics > 0)
    both = known[:, first] & known[:, second]
    bright, faint, elsewhere = np.moveaxis(np.where(both[..., None], colour, np.nan), -1, 0)
    difference = np.where(curves.per_band(has_other)[:, first], faint - elsewhere, np.nan)
    return {
        "bright_colour_mag_{pair}": bright,
        "faint_colour_mag_{pair}": faint,
        "minima_colour_mag_{pair}": difference,
    }


def other_minimum(curve: NDArray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Place of the faintest local minimum of light more than 0.2 in phase from the faintest, (S,), and if there is one.

    `curve` (S,G) mag, one period.
    """
    n = curve.shape[1]
    faintest = np.argmax(curve, axis=1)
    away = np.abs((np.arange(n) - faintest[:, None] + n // 2) % n - n // 2) > 0.2 * n
    is_minimum = away & (curve >= np.roll(curve, 1, axis=1)) & (curve > np.roll(curve, -1, axis=1))
    return np.argmax(np.where(is_minimum, curve, -np.inf), axis=1), is_minimum.any(axis=1)


def shape(fit: FourierFit, curve: NDArray) -> dict[str, NDArray]:
    """Peak-to-peak, rise time, acuteness and scatter around the series, (S*B,) each; `curve` (S*B,G) is its shape."""
    faintest, brightest = np.argmax(curve, axis=1), np.argmin(curve, axis=1)
    peak_to_peak = curve.max(axis=1) - curve.min(axis=1)
    bright = np.mean(curve < 0.5 * (curve.max(axis=1) + curve.min(axis=1))[:, None], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scatter = np.sqrt(fit.chi2 / fit.chi2_constant)
        acuteness = (1 - bright) / bright
    return {
        "fourier_range_mag_{band}": peak_to_peak,
        "rise_phase_{band}": np.mod(brightest - faintest, GRID.size) / GRID.size,
        "acuteness_{band}": acuteness,
        "scatter_ratio_{band}": scatter,
    }


def _column(
    name: str,
    doc: str,
    unit: str = "",
    ucd: str = "src.var;stat.fourier",
    low: float | None = None,
    high: float | None = None,
) -> Column:
    return Column(name, pa.float32(), doc, unit, ucd, nullable=True, range=(low, high))


FOURIER = Feature(
    "fourier",
    needs=("period_day",),
    version=2,
    source="Simon & Lee 1981, ApJ 248, 291; Stellingwerf & Donohoe 1986, ApJ 306, 183 (rise, acuteness).",
    compute=compute_fourier,
    columns=(
        _column("fourier_mean_mag_{band}", "Mean over phase of the Fourier series.", "mag", "phot.mag;stat.mean"),
        _column("fourier_amplitude_mag_{band}", "Amplitude A1 of the first harmonic.", "mag", "src.var.amplitude", 0),
        *(
            column
            for k in range(2, N_HARMONICS + 1)
            for column in (
                _column(f"fourier_a{k}_mag_{{band}}", f"Amplitude A{k}.", "mag", "src.var.amplitude", 0),
                _column(
                    f"phi{k}1_rad_{{band}}",
                    f"Phase difference phi{k} - {k} phi1, cosine series.",
                    "rad",
                    low=0,
                    high=6.3,
                ),
            )
        ),
        *(
            column
            for k in SHAPE
            for column in (
                _column(f"r{k}1_{{band}}", f"Amplitude ratio A{k}/A1.", low=0),
                _column(f"r{k}1_error_{{band}}", f"Standard error of A{k}/A1.", "", "stat.error;stat.fourier", 0),
                _column(
                    f"phi{k}1_error_{{band}}",
                    f"Standard error of phi{k} - {k} phi1.",
                    "rad",
                    "stat.error;stat.fourier",
                    0,
                    1.82,
                ),
                _column(f"cos_phi{k}1_{{band}}", f"Cosine of phi{k}1.", low=-1, high=1),
                _column(f"sin_phi{k}1_{{band}}", f"Sine of phi{k}1.", low=-1, high=1),
            )
        ),
        _column("fourier_range_mag_{band}", "Peak to peak of the Fourier series.", "mag", "src.var.amplitude", 0),
        _column("rise_phase_{band}", "Phase from faintest to brightest (Stellingwerf & Donohoe 1986).", low=0, high=1),
        _column(
            "acuteness_{band}", "Time fainter over time brighter than mid-range (Stellingwerf & Donohoe 1986).", low=0
        ),
        _column("scatter_ratio_{band}", "Scatter around the Fourier series over scatter around the mean.", low=0),
        _column("log_amplitude_ratio_{pair}", "log10 of the ratio of the amplitudes A1."),
        _column("fourier_colour_mag_{pair}", "Difference of the mean magnitudes over phase.", "mag", "phot.color"),
        _column(
            "bright_colour_mag_{pair}", "Colour at the phase where the first band is brightest.", "mag", "phot.color"
        ),
        _column(
            "faint_colour_mag_{pair}", "Colour at the phase where the first band is faintest.", "mag", "phot.color"
        ),
        _column(
            "minima_colour_mag_{pair}",
            "Colour at the deepest less that at the other minimum of the first band.",
            "mag",
            "phot.color;arith.diff",
        ),
    ),
)
