"""Do our Fourier parameters agree with OGLE's? Median difference and scatter of R21, phi21, R31 and phi31, I band.

    argelander bench fourier --data [folder of the sets, default ARGELANDER_DATA]

Fundamental-mode Cepheids of the LMC (Soszynski et al. 2015, Acta Astron. 65, 297) at the catalogue's period, in the
cosine convention that both use; clean epochs, the features' own fit. Median of ours minus theirs with a 95 % bootstrap
interval, robust scatter (1.4826 MAD), and that scatter in units of our standard errors: both sides saw much the same
epochs, so it may be below 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap, median_abs_deviation

from benchmarks.periods import DATA, SETS, read
from tasks.features.feature import SWING
from tasks.features.fourier import EPOCHS_PER_TERM, N_HARMONICS
from tasks.lightcurves.fourier import FourierFit, fit_fourier
from tasks.lightcurves.series import PeriodConfig

FOLDER = "ogle_cepheids_vi"
BANDS = {"all": (0, np.inf), "P < 10 d": (0, 10), "P >= 10 d": (10, np.inf)}


def fitted(root: Path) -> tuple[FourierFit, dict[str, NDArray]]:
    """Our fits of the I band, and the catalogue's columns of the same stars."""
    real = next(real for real in SETS if real.folder == FOLDER)
    parts = [read(root, real, 10_000, learning) for learning in (False, True)]
    fits, rows = [], []
    for batch, objects in parts:
        curves, offsets = batch.by_band()
        n_band = len(batch.bands)
        fit = fit_fourier(curves, np.repeat(objects.period.to_numpy(), n_band), N_HARMONICS, offsets,
                          floor=PeriodConfig().error_floor, epochs_per_term=EPOCHS_PER_TERM, swing=SWING)  # fmt: skip
        fits.append((fit, np.arange(real.bands.index("I"), fit.offset.size, n_band)))
        rows.append(objects)
    names = FourierFit.__dataclass_fields__
    together = FourierFit(*(np.concatenate([getattr(fit, name)[rows_] for fit, rows_ in fits]) for name in names))
    catalogue = {name: np.concatenate([part[name] for part in rows]) for name in
                 ("period", "R21", "phi21", "R31", "phi31")}  # fmt: skip
    return together, catalogue


def main(root: str | Path = DATA) -> None:
    """Prints a Markdown table."""
    if not (Path(root) / FOLDER).is_dir():
        print(
            f"fourier: skipped, there is no {Path(root) / FOLDER}; set ARGELANDER_DATA to the folder of the real sets."
        )
        return
    fit, catalogue = fitted(Path(root))
    print("| stars | parameter | n | median difference | scatter | scatter / error |\n" + "|---" * 6 + "|")
    for label, (low, high) in BANDS.items():
        inside = (catalogue["period"] >= low) & (catalogue["period"] < high)
        for k in (2, 3):
            angle = fit.phase_difference(k) - catalogue[f"phi{k}1"]
            for name, difference, error in (
                (f"R{k}1", fit.ratio(k) - catalogue[f"R{k}1"], fit.ratio_error(k)),
                (f"phi{k}1", np.angle(np.exp(1j * angle)), fit.phase_error(k)),
            ):
                some = inside & np.isfinite(difference)
                values = difference[some]
                span = bootstrap((values,), np.median, method="percentile", rng=0).confidence_interval
                scatter = median_abs_deviation(values, scale="normal")
                pull = median_abs_deviation(values / error[some], scale="normal")
                median = f"{np.median(values):+.4f} [{span.low:+.4f}, {span.high:+.4f}]"
                print(f"| {label} | {name} | {values.size} | {median} | {scatter:.4f} | {pull:.2f} |")


if __name__ == "__main__":
    main(*sys.argv[1:2])
