"""What is the photometric [Fe/H] of RR Lyrae worth? RRab against the labels of Dekany & Grebel 2022 and the sky's, RRc
of css_north by one published relation against another.

    argelander bench metallicity --data [folder of the sets, default ARGELANDER_DATA]

Their labels are photometric, too, from I-band light curves and on a scale of their own; the sky draws phi31 from a fit
to the same light curves. Median difference with a 95 % bootstrap interval, robust scatter, and the scatter over the
stated error; the cosine phase, for which the relation is not meant, in the last line. RRc have no labels here: the
second table gives what Nemec et al. 2013 and Morgan et al. 2007 find in V for real ones, medians and 68 % ranges.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import bootstrap, median_abs_deviation

from benchmarks.periods import DATA, SETS, read, read_sky
from tasks.features.feature import SWING, Curves, FeatureConfig
from tasks.features.metallicity import (
    EPOCHS_PER_TERM,
    N_HARMONICS,
    RRC_PERIODS,
    RRC_PHASES,
    WORST_PHASE,
    compute_metallicity,
    morgan_rrc,
    relation,
    relation_rrc,
)
from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.fourier import fit_fourier, sine_phase
from tasks.sky import generate

FOLDER = "dekany_rrab"
GOOD_PHASE = 0.2  # rad


def tell(name: str, value: NDArray, error: NDArray, truth: NDArray) -> None:
    """Prints a line."""
    some = np.isfinite(value) & np.isfinite(error) & np.isfinite(truth)
    difference = (value - truth)[some]
    span = bootstrap((difference,), np.median, method="percentile", rng=0).confidence_interval
    scatter = median_abs_deviation(difference, scale="normal")
    pull = median_abs_deviation(difference / error[some], scale="normal")
    median = f"{np.median(difference):+.3f} [{span.low:+.3f}, {span.high:+.3f}]"
    print(f"| {name} | {some.sum()} | {median} | {scatter:.3f} | {pull:.2f} |", flush=True)


def dekany(root: Path) -> None:
    """Real RRab in G, folded at OGLE's periods."""
    objects = pd.read_parquet(root / FOLDER / "objects.parquet")
    objects = objects[(objects.period > 0) & objects.feh.notna()]
    epochs = pd.read_parquet(root / FOLDER / "lightcurves_phase_binned.parquet")
    epochs = epochs[(epochs.phase < 1) & epochs.object_id.isin(objects.object_id)]
    row = pd.Index(objects.object_id).get_indexer(epochs.object_id)
    batch = LightCurveBatch.from_epochs(row, epochs.phase, epochs.mag, None, np.zeros(len(epochs)), None, ("G",))
    fit = fit_fourier(batch, np.ones(len(batch)), N_HARMONICS, epochs_per_term=2.0)
    period, phi31, error = objects.period.to_numpy(), fit.phase_difference(3), fit.phase_error(3)
    error = np.where(error < GOOD_PHASE, error, np.nan)
    for name, phase in (("dekany_rrab", sine_phase(phi31, 3)), ("dekany_rrab, cosine phase", phi31)):
        tell(name, *relation(period, phase, error), objects.feh.to_numpy())


def sky(n: int = 6000) -> None:
    """RRab of the embedded sky at Gaia's cadence, at their true periods."""
    batch, truth = read_sky("gaia", n)
    feh = generate(n, 20_252).truth.select(["source_id", "feh_dex"]).to_pandas().set_index("source_id")["feh_dex"]
    is_rrab = (truth.label == "RRab").to_numpy()
    curves = Curves.of(batch.select(is_rrab), FeatureConfig())
    found = compute_metallicity(curves, {"period_day": truth.period.to_numpy()[is_rrab]})
    tell(f"sky, gaia (phi31 to {WORST_PHASE} rad)", found["feh_rrab_dex"], found["feh_rrab_error"],
         feh.loc[curves.batch.source_id].to_numpy())  # fmt: skip


def css_north(root: Path) -> None:
    """Real RRc in V, folded at the catalogue's periods: the medians and 68 % ranges of two relations."""
    batch, objects = read(root, next(real for real in SETS if real.folder == "css_north"), 100_000)
    is_rrc = (objects.label == "RRc").to_numpy()
    batch, period = batch.select(is_rrc), objects.period.to_numpy()[is_rrc]
    fit = fit_fourier(batch, period, N_HARMONICS, epochs_per_term=EPOCHS_PER_TERM, swing=SWING)
    phi31, error = fit.phase_difference(3), fit.phase_error(3)
    some = (error < WORST_PHASE) & (phi31 > RRC_PHASES[0]) & (phi31 < RRC_PHASES[1]) & (period < RRC_PERIODS[1])
    nemec, total = relation_rrc(period[some], phi31[some], error[some])
    morgan = morgan_rrc(period[some], phi31[some])
    print("\n| RRc of css_north | n | 16 % | median | 84 % |\n" + "|---" * 5 + "|")
    lines = (
        ("Nemec et al. 2013", nemec),
        ("Morgan et al. 2007", morgan),
        ("difference", nemec - morgan),
        ("error", total),
    )
    for name, values in lines:
        low, middle, high = np.percentile(values, (16, 50, 84))
        print(f"| {name}, dex | {values.size} | {low:.2f} | {middle:.2f} | {high:.2f} |")


def main(root: str | Path = DATA) -> None:
    """Prints a Markdown table."""
    print("| stars | n | median difference, dex | scatter, dex | scatter / error |\n" + "|---" * 5 + "|")
    sky()
    if (Path(root) / FOLDER).is_dir():
        dekany(Path(root))
    else:
        print(f"\nmetallicity: real stars skipped, there is no {Path(root) / FOLDER}; set ARGELANDER_DATA.\n")
    if (Path(root) / "css_north").is_dir():
        css_north(Path(root))


if __name__ == "__main__":
    main(*sys.argv[1:2])
