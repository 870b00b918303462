"""By how many of their stated errors are periods off? By less than 1 for 68 % of stars, and 2 for 95 %, if all is well.

    argelander bench period_error --data [folder of the sets, default ARGELANDER_DATA] [objects per set]

Of the embedded sky at the cadences of Gaia, PS1 and ZTF and with few epochs of one band, and of OGLE's Cepheids, whose
catalogue periods are far more exact than those of the other real sets. Of periods within 1 %, of the right peak (less
than half a cycle off over the baseline), of stars from which nothing was learnt. Below, what the scale of the errors
would be if it were learnt now, from other stars of the surveys (quantile regression; Koenker & Bassett 1978,
Econometrica 46, 33).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import QuantileRegressor

from benchmarks.periods import DATA, ONE_BAND, SETS, SKY_SEED, SURVEYS, read, read_sky
from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.choice import SAME, error_scale
from tasks.lightcurves.periodogram import find_period

LEARNING_SEED = 20_253
WITHIN = (0.6827, 0.9545)  # of a normal distribution, within one and two standard deviations
LEAST = 15  # stars, for a line of the table


@dataclass(frozen=True, eq=False)
class Off:
    """Of stars with the right peak: |period - truth| over its stated error, class, epochs and cycles covered, (S,)."""

    pull: NDArray[np.float64]
    label: NDArray[np.str_]
    n_epoch: NDArray[np.float64]
    n_cycle: NDArray[np.float64]


def off(batch: LightCurveBatch, truth: NDArray, label: NDArray) -> Off:
    """How far the periods of light curves are off; `truth` (S,) day."""
    known = np.flatnonzero(np.isfinite(truth) & (batch.n_epoch > 0))
    batch, truth, label = batch.select(known), truth[known], label[known].astype(str)
    found = find_period(batch)
    baseline = np.maximum.reduceat(batch.time, batch.offsets[:-1]) - np.minimum.reduceat(batch.time, batch.offsets[:-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        is_near = np.abs(found.period / truth - 1) < SAME
        is_peak = np.abs(1 / found.period - 1 / truth) * baseline < 0.5
        pull = np.abs(found.period - truth) / found.choice.period_error
        cycles = baseline / found.period
    some = is_near & is_peak & np.isfinite(pull)
    return Off(pull[some], label[some], batch.n_epoch[some].astype(float), cycles[some])


def sets(root: Path, n: int, learning: bool) -> dict[str, Off]:
    """Every set, from the stars that measure or from those to learn from; these are of the surveys, as they come."""
    found = {}
    for survey in (survey for survey in SURVEYS if not (learning and survey == ONE_BAND)):
        batch, truth = read_sky(survey, n, LEARNING_SEED if learning else SKY_SEED)
        found[f"sky, {survey}"] = off(batch, truth.period.to_numpy(), truth.label.to_numpy())
    if root.is_dir():
        real = next(real for real in SETS if real.folder == "ogle_cepheids_vi")
        batch, objects = read(root, real, n, learning)
        found[real.folder] = off(batch, objects[real.period].to_numpy(), objects.label.to_numpy())
    else:
        print(f"\nperiod_error: OGLE skipped, there is no {root}; set ARGELANDER_DATA to the folder of the sets.\n")
    return found


def line(name: str, group: str, pull: NDArray) -> str:
    """One line of the table."""
    one, two = np.quantile(pull, WITHIN)
    return f"| {name} | {group} | {pull.size} | {np.mean(pull < 1):.3f} | {one:.2f} | {two:.2f} |"


def learnt(found: dict[str, Off]) -> NDArray[np.float64]:
    """Factor, exponent of the epochs and exponent of the cycles that make 68 % of the stars be off by less than 1."""
    n_epoch, n_cycle, pull = (
        np.concatenate([getattr(each, name) for each in found.values()]) for name in ("n_epoch", "n_cycle", "pull")
    )
    raw = np.log(np.maximum(pull * error_scale(n_epoch, n_cycle), 1e-3))
    design = np.column_stack([np.ones(raw.size), np.log(n_epoch), np.log(n_cycle)])
    fit = QuantileRegressor(quantile=WITHIN[0], alpha=0, fit_intercept=False).fit(design, raw)
    return np.array([np.exp(fit.coef_[0]), *fit.coef_[1:]])


def main(root: str | Path = DATA, n: int = 600) -> None:
    """Prints a Markdown table, and the scale."""
    print("| set | class | n | within 1 error | 68 % within | 95 % within |\n" + "|---" * 6 + "|")
    for name, found in sets(Path(root), n, learning=False).items():
        groups = {"all": np.ones(found.pull.size, bool)} | {g: found.label == g for g in np.unique(found.label)}
        for group, some in groups.items():
            if some.sum() >= LEAST:
                print(line(name, group, found.pull[some]), flush=True)
    factor, per_epoch, per_cycle = learnt(sets(Path(root), 2 * n, learning=True))
    print(f"\nlearnt: {factor:.2f} n_epoch^{per_epoch:.2f} n_cycle^{per_cycle:.2f} (at least 1)")


if __name__ == "__main__":
    folders, counts = ([word for word in sys.argv[1:] if word.isdigit() == is_count] for is_count in (False, True))
    main(*(folders or [DATA])[:1], *map(int, counts[:1]))
