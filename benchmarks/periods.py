"""How many known periods come back? Prints, per set and class, the fraction within 1 % and at P/2 or 2P.

    argelander bench periods --data [folder of the sets, default ARGELANDER_DATA] [objects per set]

Of four real sets and of the embedded sky at the cadences of Gaia, PS1 and ZTF and with few epochs of one band; of stars
from which the choice among trial periods has not learnt, with 95 % intervals (Wilson 1927, JASA 22, 209). Coherent are
periods that keep their phase: off by less than a tenth of a cycle over the whole series, a harder question than 1 %
where many cycles are covered. Beside them the mean of the probabilities stated, what BIC alone would choose among the
same trials, the highest peak of nifty-ls summed over bands on the grid of the scan, and, for a few stars of each set,
that of astropy's multiband periodogram (VanderPlas & Ivezic 2015, ApJ 812, 18). One configuration for all sets. A
catalogue period may itself be an alias: read the figures as agreement.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.timeseries import LombScargleMultiband
from numpy.typing import NDArray
from scipy.stats import binomtest

from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.choice import SAME, baseline, criterion, is_possible
from tasks.lightcurves.cuts import apply_cuts
from tasks.lightcurves.periodogram import PeriodResult, find_period, long_power
from tasks.lightcurves.series import PeriodConfig, residual_series
from tasks.lightcurves.slots import build_grid, build_slots
from tasks.sky import generate
from tasks.surveys.cuts import CutConfig

N_ASTROPY = 40  # stars of each set for astropy, which is slow
COHERENT = 0.1  # cycles over the series
SKY_SEED = 20_252  # of the sky that measures; the choice learns on another
ONE_BAND = "one band"  # 15 to 80 epochs of one band of ZTF: a small telescope's light curves
SURVEYS = ("gaia", "ps1", "ztf", ONE_BAND)
DATA = Path(os.environ.get("ARGELANDER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@dataclass(frozen=True)
class RealSet:
    """Where a set keeps its times and catalogue periods, and its bands."""

    folder: str
    time: str
    period: str
    bands: tuple[str, ...]


SETS = (
    RealSet("eros_br", "time_days", "period_true", ("B", "R")),
    RealSet("ztf_vsx", "mjd", "period_vsx", ("g", "r", "i")),
    RealSet("ogle_cepheids_vi", "hjd_minus_2450000", "period", ("V", "I")),
    RealSet("css_north", "mjd", "period", ("V_CSS",)),
)


def is_for_learning(object_id: str) -> bool:
    """Whether the choice among trial periods may learn from a star; the other half measures it."""
    return blake2b(object_id.encode(), digest_size=1).digest()[0] < 128


def read(root: Path, real: RealSet, n: int, learning: bool = False) -> tuple[LightCurveBatch, pd.DataFrame]:
    """Clean light curves and catalogue rows of about n objects with a period, drawn from the classes in proportion.

    From the half that measures, or from the one for learning.
    """
    objects = pd.read_parquet(root / real.folder / "objects.parquet")
    objects = objects[(objects[real.period] > 0) & (objects.object_id.astype(str).map(is_for_learning) == learning)]
    share = min(1.0, n / len(objects))
    objects = objects.groupby("label").sample(frac=share, random_state=1).reset_index(drop=True)
    epochs = pd.read_parquet(
        root / real.folder / "lightcurves.parquet", filters=[("object_id", "in", objects.object_id.tolist())]
    )
    # a few rows of css_north carry the full Julian date
    times = np.where(epochs[real.time] > 2_400_000, epochs[real.time] - 2_400_000.5, epochs[real.time])
    batch = LightCurveBatch.from_epochs(
        pd.Index(objects.object_id).get_indexer(epochs.object_id.astype(str)),
        times,
        epochs.mag,
        epochs.mag_err,
        pd.Index(real.bands).get_indexer(epochs.band.astype(str)),
        None,
        real.bands,
    )
    return apply_cuts(batch, CutConfig(has_error=True))[0], objects.iloc[batch.source_id]


def read_sky(survey: str, n: int, seed: int = SKY_SEED) -> tuple[LightCurveBatch, pd.DataFrame]:
    """Clean light curves of one survey of an embedded sky of n objects, and their true `period` and `label`."""
    sky = generate(n, seed)
    batch = apply_cuts(sky.epochs["ztf" if survey == ONE_BAND else survey], CutConfig())[0]
    batch = batch.keep(np.isfinite(batch.mag))
    if survey == ONE_BAND:
        batch = thinned(batch, np.random.default_rng(seed))
    truth = sky.truth.select(["source_id", "period_day", "class"]).to_pandas().set_index("source_id")
    return batch, truth.loc[batch.source_id].rename(columns={"period_day": "period", "class": "label"})


def thinned(batch: LightCurveBatch, rng: np.random.Generator) -> LightCurveBatch:
    """Of each light curve some epochs of one of its bands, 15 to 80 (log-uniform) or all that there are."""
    star = np.repeat(np.arange(len(batch)), batch.n_epoch)
    count = np.zeros((len(batch), len(batch.bands)))
    np.add.at(count, (star, batch.band), 1)
    band = np.argmax(count * rng.random(count.shape), axis=1)
    wanted = 10 ** rng.uniform(np.log10(15), np.log10(81), len(batch))
    draw = np.where(batch.band == band[star], rng.random(star.size), np.inf)
    order = np.lexsort((draw, star))
    rank = np.empty(star.size, np.int64)
    rank[order] = np.arange(star.size) - batch.offsets[:-1][star]
    return batch.keep(np.isfinite(draw) & (rank < np.floor(wanted)[star]))


def by_criterion(found: PeriodResult, batch: LightCurveBatch) -> NDArray[np.float64]:
    """What the Bayesian information criterion chooses of the trials, (S,) day; twice a peak's period must win by 10."""
    series = residual_series(batch, None, PeriodConfig())
    score = criterion(series, found.trials) - np.array([0.0, 10.0])
    score = np.where(is_possible(series, found.trials), score, -np.inf).reshape(len(batch), -1)
    return found.trials.period.reshape(len(batch), -1)[np.arange(len(batch)), score.argmax(axis=1)]


def by_nifty_ls(batch: LightCurveBatch) -> NDArray[np.float64]:
    """Period of the highest sum over bands of n ln(chi2_constant / chi2), nifty-ls in float64, (S,) day."""
    config = PeriodConfig()
    series = residual_series(batch, None, config)
    grid = build_grid(build_slots(series, config), config)
    period = np.full(len(batch), np.nan)
    n_band = len(batch.bands)
    for i in np.flatnonzero(grid.n_point > 0):
        gain = np.zeros(grid.n_point[i])
        for band in range(i * n_band, (i + 1) * n_band):
            epochs = slice(*series.band_offsets[band : band + 2])
            if (n := epochs.stop - epochs.start) > 5:
                gain -= n * np.log1p(-long_power(series, epochs, grid.first[i], grid.step[i], grid.n_point[i]))
        period[i] = 1 / (grid.first[i] + np.argmax(gain) * grid.step[i])
    return period


def by_astropy(batch: LightCurveBatch) -> NDArray[np.float64]:
    """Period of the highest peak of astropy's multiband periodogram on the grid of the scan, (S,) day."""
    config = PeriodConfig()
    series = residual_series(batch, None, config)
    grid = build_grid(build_slots(series, config), config)
    period = np.full(len(batch), np.nan)
    for i in np.flatnonzero(grid.n_point > 0):
        star = slice(batch.offsets[i], batch.offsets[i + 1])
        frequency = grid.first[i] + grid.step[i] * np.arange(grid.n_point[i])
        model = LombScargleMultiband(batch.time[star], batch.mag[star], batch.band[star], batch.mag_err[star])
        power = model.power(frequency, method="fast", sb_method="fast")
        period[i] = 1 / frequency[np.argmax(power)]
    return period


def agreement(period: NDArray, catalogue: NDArray) -> NDArray[np.bool_]:
    """Whether a period, half of it or twice it is the catalogue's within 1 %, (3,S)."""
    with np.errstate(invalid="ignore"):
        return np.stack([np.abs(period * factor / catalogue - 1) < SAME for factor in (1.0, 2.0, 0.5)])


def is_coherent(period: NDArray, catalogue: NDArray, batch: LightCurveBatch) -> NDArray[np.bool_]:
    """Whether a period is off by less than a tenth of a cycle over the series, (S,): |dP| / P baseline / P < 0.1."""
    covered = baseline(residual_series(batch, None, PeriodConfig()))
    with np.errstate(invalid="ignore"):
        return np.abs(period / catalogue - 1) * covered / catalogue < COHERENT


def interval(right: NDArray[np.bool_]) -> str:
    """A fraction with its 95 % interval."""
    low, high = binomtest(int(right.sum()), right.size).proportion_ci(method="wilson")
    return f"{right.mean():.3f} [{low:.3f}, {high:.3f}]"


def tell(name: str, batch: LightCurveBatch, catalogue: NDArray, label: NDArray) -> None:
    """Prints the lines of one set."""
    find_period(batch.select(np.arange(1)))  # compiled
    began = time.process_time()
    found = find_period(batch)
    spent = (time.process_time() - began) * 1e3 / len(batch)
    few = np.random.default_rng(0).permutation(len(batch))[:N_ASTROPY]
    ours, bic, peer = (
        agreement(each, catalogue) for each in (found.period, by_criterion(found, batch), by_nifty_ls(batch))
    )
    coherent = is_coherent(found.period, catalogue, batch)
    slow = agreement(by_astropy(batch.select(few)), catalogue[few])[0]
    for group in ("all", *np.unique(label)):
        some = (label == group) | (group == "all")
        astropy = f"{slow.sum()} of {slow.size}; ours {ours[0, few].sum()}" if group == "all" else ""
        print(
            f"| {name} | {group} | {some.sum()} | {interval(ours[0, some])} | {interval(coherent[some])} | "
            f"{np.nanmean(found.choice.probability[some]):.3f} | {ours[1, some].mean():.3f} | "
            f"{ours[2, some].mean():.3f} | {interval(ours[:, some].any(axis=0))} | {bic[0, some].mean():.3f} | "
            f"{peer[0, some].mean():.3f} | {peer[:, some].any(axis=0).mean():.3f} | {astropy} | {spent:.1f} |",
            flush=True,
        )


def main(root: str | Path = DATA, n: int = 300) -> None:
    """Prints a Markdown table."""
    heads = ("set", "class", "n", "within 1 %", "coherent", "stated", "at P/2", "at 2P", "any of these", "BIC",
             "nifty-ls", "any of its", "astropy", "ms")  # fmt: skip
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    if Path(root).is_dir():
        for real in SETS:
            batch, objects = read(Path(root), real, int(n))
            tell(real.folder, batch, objects[real.period].to_numpy(), objects.label.to_numpy())
    else:
        print(f"\nperiods: real sets skipped, there is no {root}; set ARGELANDER_DATA to their folder.\n")
    for survey in SURVEYS:
        batch, truth = read_sky(survey, int(n))
        periodic = np.flatnonzero(np.isfinite(truth.period.to_numpy()))
        tell(
            f"sky, {survey}",
            batch.select(periodic),
            truth.period.to_numpy()[periodic],
            truth.label.to_numpy()[periodic],
        )


if __name__ == "__main__":
    folders, counts = ([word for word in sys.argv[1:] if word.isdigit() == is_count] for is_count in (False, True))
    main(*(folders or [DATA])[:1], *map(int, counts[:1]))
