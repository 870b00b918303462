"""The choice among trial periods: a probability for each, learnt on stars whose period is known.

Most wrong periods are detected peaks that are wrongly chosen: one-day aliases, P against 2P of eclipsing and contact
binaries. A small network gives each trial a score, from the gain of the fits for each number of harmonics, their shape,
the window function and the distance to the highest peak; a softmax over the trials of a star and "none of these" turns
scores into probabilities (conditional logit; McFadden 1974, in Frontiers in Econometrics). The network, `choice.npz`,
is fitted by `python -m benchmarks.fit_choice`, which prints its performance on stars left out of the fit.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.lightcurves.candidates import Candidates, describe_candidates, pick_candidates
from tasks.lightcurves.segments import segment_sum
from tasks.lightcurves.series import Series
from tasks.lightcurves.trials import MULTIPLES, Trials
from tasks.lightcurves.window import window, windows

NETWORK = Path(__file__).with_name("choice.npz")
SAME = 0.01  # relative: periods this close are one
IS_ALIAS = 0.4  # amplitude of the window function at the difference or sum of two frequencies that makes them aliases
SIDEREAL_DAY = 0.99726957  # day
WITHIN = 0.6827  # of a normal distribution, within one standard deviation
ERROR_FACTOR, PER_EPOCH, PER_CYCLE = 7.33, -0.11, -0.15  # printed by `argelander bench period_error`
LARGEST = 6.0  # standard deviations: beyond, an input of the network is taken for this far off
TINY = 1e-4  # mag, added to amplitudes before their ratio is taken
# What the network sees of a trial, then what it sees of the star, in the order in which it was fitted on them.
SEEN = (
    "log_period", "log_peak_ratio", "log_cycle", "bic_over_peak", "bic_over_multiple",
    "gain_1", "gain_2", "gain_3", "gain_8", "log_gain", "peak_rank", "multiple",
    "window", "window_difference", "window_sum",
    "r21", "r31", "r41", "cos_phi21", "sin_phi21", "cos_phi31", "sin_phi31", "odd_1", "odd_3", "odd_4",
    "log_peak_frequency", "log_std", "skew", "log_length", "log_n", "window_1", "window_4", "window_6", "highest_bic",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Choice:
    """candidates: the distinct periods, the chosen one first. period (S,) day, NaN where there is no trial;
    period_error (S,) day, within which 68 % lie if it is right within 1 % (`error_scale`, `spread`). probability (S,)
    that the period is right (within 1 %); of half and of twice it, and of an alias of it (S,); none (S,): that no trial
    is right. rival (S,) day, the most probable trial that is neither the period nor half or twice it, NaN where there
    is none.
    """

    candidates: Candidates
    period: NDArray[np.float64]
    period_error: NDArray[np.float64]
    probability: NDArray[np.float64]
    half: NDArray[np.float64]
    double: NDArray[np.float64]
    alias: NDArray[np.float64]
    none: NDArray[np.float64]
    rival: NDArray[np.float64]


def choose(series: Series, trials: Trials) -> Choice:
    """The most probable period of every object."""
    n_object, n_peak = trials.frequency.shape
    flat = (n_object, n_peak * len(MULTIPLES))
    described, star = describe(series, trials)
    seen = described.reshape(*flat, described.shape[-1])
    possible = is_possible(series, trials).reshape(flat)
    chance = probabilities(seen, possible, star, network())
    period = trials.period.reshape(flat)
    frequency = 1 / np.where(possible, period, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = frequency[:, :, None] / frequency[:, None, :]
    # two peaks may lead to one period: its probability is the sum of theirs
    near = np.abs(ratio - 1) < SAME
    together = np.einsum("sij,sj->si", near, chance[:, :-1])
    place, mass = pick_candidates(near, chance[:, :-1], possible)
    row, best = np.arange(n_object), place[:, 0]
    own = frequency[row, best]

    def of(factor: float) -> NDArray[np.float64]:
        return np.sum(chance[:, :-1] * (np.abs(ratio[row, best] / factor - 1) < SAME), axis=1)

    is_alias = windows(series, frequency, own)[1:].max(axis=0) > IS_ALIAS
    related = np.any(np.abs(ratio[row, best][..., None] / np.array([0.5, 1.0, 2.0]) - 1) < SAME, axis=-1)
    known = possible.any(axis=1)
    multiple = np.asarray(MULTIPLES)[best % len(MULTIPLES)]
    error = trials.sigma[row, best // len(MULTIPLES)] / multiple * period[row, best] ** 2
    error *= error_scale(np.diff(series.offsets), baseline(series) * own)
    off = np.abs(period - period[row, best][:, None])
    group = near[row, best]
    error = np.maximum(error, spread(np.where(group, off, np.inf), np.where(group, chance[:, :-1], 0.0)))
    is_rival = possible & ~related
    other = np.argmax(np.where(is_rival, together, -1.0), axis=1)
    rival = np.where(is_rival.any(axis=1), period[row, other], np.nan)
    alias = np.sum(chance[:, :-1] * (is_alias & ~related), axis=1)
    chosen = (period[row, best], error, together[row, best], of(0.5), of(2.0), alias, chance[:, -1], rival)
    candidates = describe_candidates(place, mass, period, seen, np.asarray(known))
    return Choice(candidates, *(np.where(known, value, np.nan) for value in chosen))


def spread(off: NDArray[np.float64], chance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The least distance (S,) within which 68 % of the chances (S,T) lie, of trials that are `off` (S,T)."""
    order = np.argsort(off, axis=1)
    held = np.cumsum(np.take_along_axis(chance, order, axis=1), axis=1)
    enough = np.argmax(held >= WITHIN * held[:, -1:], axis=1)
    return np.take_along_axis(off, order, axis=1)[np.arange(enough.size), enough]


def error_scale(n_epoch: NDArray, n_cycle: NDArray) -> NDArray[np.float64]:
    """Errors of periods over those of the curvature of the likelihood, (S,), from epochs and cycles covered (S,).

    That curvature knows of white noise alone: a series cut short, a star that is not strictly periodic and the window
    add to it. Learnt on stars whose period is known.
    """
    return np.maximum(ERROR_FACTOR * np.maximum(n_epoch, 1) ** PER_EPOCH * np.maximum(n_cycle, 1) ** PER_CYCLE, 1.0)


def is_possible(series: Series, trials: Trials) -> NDArray[np.bool_]:
    """Trials no longer than the series, (S,C,M)."""
    return trials.period <= baseline(series)[:, None, None]


def baseline(series: Series) -> NDArray[np.float64]:
    """Time covered, (S,) day; times begin at 0."""
    longest = np.zeros(series.offsets.size - 1)
    filled = np.flatnonzero(np.diff(series.offsets) > 0)
    if filled.size:
        longest[filled] = np.maximum.reduceat(series.time, series.offsets[:-1][filled])
    return longest


def describe(series: Series, trials: Trials) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Inputs of the network: of each trial, (S,C,M,F), and of each star, (S,G); all finite."""
    n_object, n_peak = trials.frequency.shape
    n = np.maximum(np.diff(series.offsets), 1).astype(np.float64)
    length = np.maximum(baseline(series), 1e-3)
    scores = criterion(series, trials)
    ranked = np.where(np.isfinite(scores), scores, -np.inf)
    top = trials.frequency[np.arange(n_object), np.argmax(ranked[:, :, 0], axis=1)]
    frequency, first = 1 / trials.period, top[:, None, None]
    moments = _moments(series)
    of_window = windows(series, frequency.reshape(n_object, n_peak * len(MULTIPLES)), top).reshape(3, *frequency.shape)
    daily = window(series, np.tile(np.array([1.0, 4.0, 6.0]) / SIDEREAL_DAY, (n_object, 1)))
    highest = _compress(ranked.max(axis=(1, 2)))
    star = np.column_stack([np.log10(top), *moments, np.log10(length), np.log10(n), daily, highest])
    per_epoch = trials.gain[..., [0, 1, 2, -1]] / n[:, None, None, None]
    seen = [
        -np.log10(frequency),
        np.log10(first / frequency),
        np.log10(length[:, None, None] * frequency),
        _compress(scores - ranked[:, :, 0].max(axis=1)[:, None, None]),
        _compress(scores - scores[:, :, ::-1]),
        *np.moveaxis(per_epoch, -1, 0),
        np.log1p(np.maximum(trials.gain[..., 0], 0)),
        np.arange(n_peak)[None, :, None],
        np.asarray(MULTIPLES),
        *of_window,
        *_shapes(trials.shape),
        *np.moveaxis(star[:, None, None, :] + np.zeros((*frequency.shape, 1)), -1, 0),
    ]
    stacked = np.stack([np.broadcast_to(value, frequency.shape) for value in seen], axis=-1)
    return np.nan_to_num(stacked, posinf=0.0, neginf=0.0), np.nan_to_num(star, posinf=0.0, neginf=0.0)


def criterion(series: Series, trials: Trials) -> NDArray[np.float64]:
    """Bayesian information criterion in favour of each trial, at its best number of harmonics, (S,C,M).

    Schwarz 1978, Ann. Stat. 6, 461: gain in twice the log-likelihood, less ln n for each free term.
    """
    log_n = np.log(np.maximum(np.diff(series.offsets), 2))
    return np.max(trials.gain - trials.terms * log_n[:, None, None, None], axis=-1)


def _compress(difference: NDArray) -> NDArray[np.float64]:
    """sign(x) log(1 + |x|): differences of any size as numbers of order 1."""
    return np.sign(difference) * np.log1p(np.abs(difference))


def _shapes(shape: NDArray) -> list[NDArray[np.float64]]:
    """Amplitude ratios and phases of the folded curve, (S,C,1) each: at the peak, and the odd harmonics at twice it."""
    cosine, sine = shape[..., 0::2], shape[..., 1::2]
    amplitude, phase = np.hypot(cosine, sine) + TINY, np.arctan2(-sine, cosine)
    once, twice = amplitude[:, :, 0], amplitude[:, :, 1]
    found = [np.clip(once[..., k] / once[..., 0], 0, 20) for k in (1, 2, 3)]
    for k in (2, 3):
        angle = phase[:, :, 0, k - 1] - k * phase[:, :, 0, 0]
        found += [np.cos(angle), np.sin(angle)]
    found += [np.log(twice[..., k] / twice[..., 1]) for k in (0, 2, 3)]
    return [value[:, :, None] for value in found]


def _moments(series: Series) -> list[NDArray[np.float64]]:
    """log10 of the standard deviation (mag), and the skewness, of each object's residuals, (S,) each."""
    n = np.maximum(np.diff(series.offsets), 1)
    second, third = (segment_sum(series.residual**k, series.offsets) / n for k in (2, 3))
    deviation = np.sqrt(second) + TINY
    return [np.log10(deviation), third / deviation**3]


@dataclass(frozen=True, eq=False)
class Network:
    """E networks of two hidden layers of H, whose mean counts; inputs are centred and scaled, (F,) both.

    first (E,F,H), second (E,H,H), last (E,H) with biases; none (E,G) and none_bias (E,) score "none of these".
    """

    centre: NDArray[np.float32]
    scale: NDArray[np.float32]
    first: NDArray[np.float32]
    first_bias: NDArray[np.float32]
    second: NDArray[np.float32]
    second_bias: NDArray[np.float32]
    last: NDArray[np.float32]
    none: NDArray[np.float32]
    none_bias: NDArray[np.float32]


@functools.lru_cache(maxsize=1)
def network() -> Network:
    """The network in the package."""
    with np.load(NETWORK, allow_pickle=False) as stored:
        return Network(**stored)


def probabilities(
    seen: NDArray[np.float64], possible: NDArray[np.bool_], star: NDArray[np.float64], net: Network
) -> NDArray[np.float64]:
    """Probability of each of T trials, and last of none, (S,T+1).

    From what is seen of the trials, (S,T,F), which of them are possible (S,T), and what is seen of the stars, (S,G).
    """
    scaled = scale(seen, net)
    n_star = star.shape[1]
    of_star = (star - net.centre[-n_star:]) / net.scale[-n_star:]
    total = np.zeros((seen.shape[0], seen.shape[1] + 1))
    for k in range(net.last.shape[0]):
        hidden = np.maximum(scaled @ net.first[k] + net.first_bias[k], 0)
        hidden = np.maximum(hidden @ net.second[k] + net.second_bias[k], 0)
        score = np.where(possible, hidden @ net.last[k], -np.inf)
        none = np.clip(of_star, -LARGEST, LARGEST) @ net.none[k] + net.none_bias[k]
        score = np.column_stack([score, none])
        weight = np.exp(score - score.max(axis=1, keepdims=True))
        total += weight / weight.sum(axis=1, keepdims=True)
    return total / net.last.shape[0]


def scale(seen: NDArray[np.float64], net: Network) -> NDArray[np.float32]:
    """Inputs of the network, centred, scaled and clipped."""
    return np.clip((seen - net.centre) / net.scale, -LARGEST, LARGEST).astype(np.float32)
