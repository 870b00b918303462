"""The period, how well it is determined, and how the data fit at half and at twice the period."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.column import Column
from tasks.features.feature import CANDIDATE_PERIOD_DAY, CANDIDATE_PROB, PERIOD_DAY, Arrays, Curves, Feature
from tasks.lightcurves.alone import choose_by_band
from tasks.lightcurves.candidates import N_CANDIDATE, Candidates
from tasks.lightcurves.choice import SEEN
from tasks.lightcurves.fourier import weights
from tasks.lightcurves.periodogram import find_period

EXPLAIN_HARMONICS = 2


FOUND: tuple[tuple[str, str, str, str, str, float | None], ...] = (  # column, field of the choice, unit, ucd, doc, most
    ("period_error_day", "period_error", "d", "stat.error;time.period",
     "Error of the period: 68 % are off by less, if it is right within 1 %.", None),
    ("period_prob", "probability", "", "stat.probability;time.period",
     "Probability that the period is right within 1 %.", 1),
    ("half_period_prob", "half", "", "stat.probability", "Probability that half of it is the period.", 1),
    ("double_period_prob", "double", "", "stat.probability", "Probability that twice it is the period.", 1),
    ("alias_period_prob", "alias", "", "stat.probability",
     "Probability that the period is an alias of it by the window function.", 1),
    ("no_period_prob", "none", "", "stat.probability", "Probability that no trial is the period.", 1),
)  # fmt: skip
# What the choice sees of each candidate, by its names: sign(x) log(1 + |x|) of a difference of criteria.
SEEN_OF_CANDIDATES = {
    "log_peak_ratio": "log10 of the candidate over the period of the peak that explains most.",
    "log_cycle": "log10 of the cycles in the time covered.",
    "bic_over_peak": "Bayesian information criterion in its favour, less that of the best peak; compressed.",
    "bic_over_multiple": "The same, less that of twice the candidate or half of it, whichever is the other trial.",
    **{f"gain_{k}": f"ln(chi2_constant / chi2) with harmonics up to {k}, all bands." for k in (1, 2, 3, 8)},
    "log_gain": "ln(1 + gain of a sine in twice the log-likelihood).",
    "peak_rank": "Rank of its peak in the scan, 0 for the highest.",
    "multiple": "2 where it is twice the period of its peak, else 1.",
    "window": "Amplitude of the window function at its frequency.",
    "window_difference": "Amplitude of the window function at the difference to the best peak's frequency.",
    "window_sum": "Amplitude of the window function at the sum with the best peak's frequency.",
    **{f"r{k}1": f"Amplitude of harmonic {k} over that of the first, all bands, at its peak." for k in (2, 3, 4)},
    **{f"{of}_phi{k}1": f"{name} of phi_{k}1, all bands together, at its peak."
       for k in (2, 3) for of, name in (("cos", "Cosine"), ("sin", "Sine"))},
    **{f"odd_{k}": f"ln of the amplitude of harmonic {k} over that of the second at twice the period of its peak."
       for k in (1, 3, 4)},
}  # fmt: skip
SEEN_OF_STAR = {
    **{f"window_{k}": f"Amplitude of the window function at {k} per sidereal day." for k in (1, 4, 6)},
    "highest_bic": "Bayesian information criterion in favour of the best trial; compressed.",
}
CANDIDATES = (CANDIDATE_PERIOD_DAY, CANDIDATE_PROB, *(
    Column(f"candidate_{name}_{{candidate}}", pa.float32(), doc, ucd="stat.value", nullable=True)
    for name, doc in SEEN_OF_CANDIDATES.items()
))  # fmt: skip
OF_STAR = tuple(
    Column(f"period_{name}", pa.float32(), doc, ucd="stat.value", nullable=True) for name, doc in SEEN_OF_STAR.items()
)
OF_TIMES = (
    "period_day", "log_period", "period_power", "period_log_fap", "period_second_ratio", "band_period_ratio_{band}",
    *(name for name, *_ in FOUND), "period_is_decided", "double_period_r2",
    *(column.name for column in (*CANDIDATES, *OF_STAR)),
)  # fmt: skip
OF_PERIOD = (
    "period_day", "log_period", "period_second_ratio", "band_period_ratio_{band}", "period_is_decided", "period_r2",
    "half_period_r2", "double_period_r2", *(name for name, *_ in FOUND if name != "no_period_prob"),
)  # fmt: skip
DECIDED = 0.5  # probability from which the data decide


def compute_period(curves: Curves, earlier: Arrays) -> Arrays:
    """Period search and fits at P, P/2 and 2P, (S,) each; times that are phases have no period, but they have fits.

    Also the period that each band would choose of the trials, over the period, (S,B), and the candidates, (S,K) each.
    """
    n_object, alone = len(curves.batch), np.full(curves.n_epoch.shape, np.nan)
    names = ["period_day", "period_power", "period_log_fap", "period_second_ratio", *(name for name, *_ in FOUND)]
    found = dict.fromkeys((*names, *(column.name for column in OF_STAR)), np.full(n_object, np.nan))
    candidates: Arrays = {column.name: np.full((n_object, N_CANDIDATE), np.nan) for column in CANDIDATES}
    if curves.config.has_time:
        result = find_period(curves.batch, curves.config.period, curves.config.groups or None)
        found = {
            "period_day": result.period,
            "period_power": result.power,
            "period_log_fap": result.log_fap,
            "period_second_ratio": result.choice.rival / result.period,
            **{name: getattr(result.choice, attribute) for name, attribute, *_ in FOUND},
            **columns_of_star(result.choice.candidates),
        }
        candidates = columns_of_candidates(result.choice.candidates)
        alone = 1 / (choose_frequencies(curves, result.trials.frequency) * result.period[:, None])
    fold = curves.fold_period(found["period_day"])
    double = 2.0 if curves.config.has_time else np.nan  # phases in [0, 1) cover half of twice the period
    explained = {
        name: curves.explained_variance(fold * factor, EXPLAIN_HARMONICS)
        for name, factor in (("period_r2", 1.0), ("half_period_r2", 0.5), ("double_period_r2", double))
    }
    chance = found["period_prob"]
    decided = np.where(np.isfinite(chance), chance >= DECIDED, np.nan)
    return {
        **found,
        **candidates,
        "band_period_ratio_{band}": alone,
        "log_period": np.log10(found["period_day"]),
        "period_is_decided": decided,
        **explained,
    }


def columns_of_candidates(candidates: Candidates) -> Arrays:
    """The columns of each candidate, (S,K)."""
    seen = {f"candidate_{name}_{{candidate}}": candidates.seen[..., SEEN.index(name)] for name in SEEN_OF_CANDIDATES}
    return {CANDIDATE_PERIOD_DAY.name: candidates.period, CANDIDATE_PROB.name: candidates.probability, **seen}


def columns_of_star(candidates: Candidates) -> Arrays:
    """What the choice sees of a star whatever the trial, (S,)."""
    return {f"period_{name}": candidates.seen[:, 0, SEEN.index(name)] for name in SEEN_OF_STAR}


def choose_frequencies(curves: Curves, frequency: NDArray) -> NDArray[np.float64]:
    """The trial frequency (S,C) 1/day that each band prefers, (S,B)."""
    batch = curves.batch
    weight = weights(batch.mag_err, curves.config.period.error_floor)
    return choose_by_band(batch.time, batch.mag.astype(np.float64), weight, curves.band_offsets, frequency)


PERIOD = Feature(
    "period",
    source="Zechmeister & Kurster 2009, A&A 496, 577; VanderPlas & Ivezic 2015, ApJ 812, 18; Baluev 2008, MNRAS 385, "
    "1279; the choice is our own (decision 8).",
    version=4,
    compute=compute_period,
    of_times=OF_TIMES,
    of_period=OF_PERIOD,
    columns=(
        PERIOD_DAY,
        Column("log_period", pa.float32(), "log10 of the period in days.", ucd="time.period", nullable=True),
        Column(
            "period_power",
            pa.float32(),
            "Power of the highest Lomb-Scargle peak, 1 - chi2 / chi2_constant.",
            ucd="stat.value",
            nullable=True,
            range=(0, 1),
        ),
        Column(
            "period_log_fap",
            pa.float32(),
            "log10 of the peak's false alarm probability (Baluev 2008).",
            ucd="stat.probability",
            nullable=True,
        ),
        Column(
            "period_second_ratio",
            pa.float32(),
            "Period of the most probable unrelated trial over the best.",
            ucd="time.period;arith.ratio",
            nullable=True,
        ),
        Column(
            "band_period_ratio_{band}",
            pa.float32(),
            "Peak of the search that the band alone would choose, as a period over the period.",
            ucd="time.period;arith.ratio",
            nullable=True,
            range=(0, None),
        ),
        *(
            Column(name, pa.float32(), doc, unit, ucd, nullable=True, range=(0, most))
            for name, _, unit, ucd, doc, most in FOUND
        ),
        Column(
            "period_is_decided",
            pa.float32(),
            f"1 where the probability of the period is {DECIDED:g} or more: else the data do not decide.",
            ucd="meta.code.qual",
            nullable=True,
            range=(0, 1),
        ),
        *(
            Column(
                name,
                pa.float32(),
                f"Variance explained by two harmonics at {where} the period.",
                ucd="stat.value",
                nullable=True,
            )
            for name, where in (("period_r2", "once"), ("half_period_r2", "half"), ("double_period_r2", "twice"))
        ),
        *OF_STAR,
        *CANDIDATES,
    ),
)
