"""What does a period scan cost? Prints ratios to nifty-ls and astropy on Gaia-like stars and to the floor.

    OMP_NUM_THREADS=1 python -m benchmarks.period_scan [n_stars]

A star: 3 bands of 36 epochs over 1000 d, 50,000 frequencies to 10 / day, one harmonic and a floating mean per band, the
highest peak of the summed gains. The floor is what plain sums, 24 operations for an epoch and a frequency, would take
at the rate of a large sgemm; the scan does with half as many, and what those counted here would take is printed too.
All in one process on one core, best of several alternating rounds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import nifty_ls
import numpy as np
from astropy.timeseries import LombScargle
from numpy.typing import NDArray

from tasks.lightcurves.scan import LANES, compile_kernels, scan, slots_gain

BANDS, EPOCHS, BASELINE = 3, 36, 1000.0
N_POINT, FIRST = 50_000, 1 / 600
STEP = (10 - FIRST) / (N_POINT - 1)
N_SLOW = 4  # stars for astropy, which takes a quarter of a second each
PLAIN, OURS = 24.0, 12.0  # operations for an epoch and a frequency: plain sums, products about the centre of a block
AFTER = (
    53.0  # operations of one band and frequency after ours: sums and differences 4 + 2, offset 6, p 16, logarithm 25
)
TARGETS = {"nifty-ls": 8.0, "astropy": 100.0}
FLOOR = 1.5


def stars(n: int, seed: int = 1) -> tuple[NDArray, NDArray, NDArray]:
    """Sorted times, residuals and weights of n stars with a sinusoid each, (n,BANDS,EPOCHS)."""
    rng = np.random.default_rng(seed)
    shape = (n, BANDS, EPOCHS)
    times = np.sort(rng.uniform(0, BASELINE, shape), axis=2)
    frequency, amplitude = rng.uniform(0.1, 8, (n, 1, 1)), rng.uniform(0.03, 0.4, (n, 1, 1))
    error = rng.uniform(0.02, 0.08, shape)
    mag = amplitude * np.cos(2 * np.pi * frequency * times) + rng.normal(0, error)
    weight = error**-2
    return times, mag - np.sum(weight * mag, 2, keepdims=True) / weight.sum(2, keepdims=True), weight


def arguments(times: NDArray, residual: NDArray, weight: NDArray) -> tuple[NDArray, ...]:
    """What `scan` takes, up to n_peak."""
    n, edges = len(times), np.arange(times.size // EPOCHS + 1)
    return (
        *(values.ravel() for values in (times, residual, weight)),
        np.stack([edges[:-1], edges[1:]], axis=1) * EPOCHS,
        edges,
        np.arange(n + 1) * BANDS,
        np.full(n, FIRST),
        np.full(n, STEP),
        np.full(n, N_POINT),
    )


def nifty(times: NDArray, residual: NDArray, weight: NDArray) -> NDArray:
    """Power of one band by nifty-ls in float64."""
    last = FIRST + STEP * (N_POINT - 1)
    found = nifty_ls.lombscargle(
        times,
        residual,
        weight**-0.5,
        fmin=FIRST,
        fmax=last,
        Nf=N_POINT,
        center_data=False,
        backend="finufft",
        nthreads=1,
    )
    return found.power


def astropy(times: NDArray, residual: NDArray, weight: NDArray) -> NDArray:
    """Power of one band by astropy's fast Lomb-Scargle."""
    frequency = FIRST + STEP * np.arange(N_POINT)
    return LombScargle(times, residual, weight**-0.5).power(frequency, method="fast", assume_regular_frequency=True)


def best_places(power: Callable[..., NDArray], *series: NDArray) -> list[int]:
    """Place of the highest summed gain of every star, band by band with `power`."""
    return [
        int(np.argmax(sum(-np.log1p(-np.clip(power(*band), 0, 1 - 1e-6)) for band in zip(*star, strict=True))))
        for star in zip(*series, strict=True)
    ]


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Processor time of `work` and what it returns."""
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def sgemm_rate(n: int = 2048) -> float:
    """Operations per second of a large float32 product."""
    a = np.ones((n, n), np.float32)
    return 2.0 * n**3 / timed(lambda: a @ a)[0]


def crossover(repeats: int = 3) -> None:
    """Prints the cost of one long band by both ways."""
    for epochs in (100, 300, 600, 750, 900, 1500):
        rng = np.random.default_rng(epochs)
        band = np.sort(rng.uniform(0, BASELINE, epochs)), rng.normal(0, 0.1, epochs), np.full(epochs, 100.0)
        edges = np.array([[0, epochs]]), np.array([0, 1])
        ours, peer = (
            min(timed(work)[0] for _ in range(repeats))
            for work in (lambda: slots_gain(*band, *edges, FIRST, STEP, N_POINT), lambda: nifty(*band))  # noqa: B023
        )
        print(f"one band of {epochs:5d} epochs: direct sums {ours * 1e3:5.2f} ms, nifty-ls {peer * 1e3:5.2f} ms")


def main(n: int = 60, rounds: int = 5) -> dict[str, float]:
    """Prints the ratios; returns them."""
    compile_kernels()
    series = stars(n)
    of_scan, few = arguments(*series), tuple(values[:N_SLOW] for values in series)
    best_places(nifty, *few), sgemm_rate()
    cost: dict[str, list[float]] = {"scan": [], "nifty-ls": [], "astropy": []}
    rates = []
    for _ in range(rounds):
        rates.append(sgemm_rate())
        spent, (frequency, _) = timed(lambda: scan(*of_scan, 1))
        cost["scan"].append(spent / n)
        spent, by_nifty = timed(lambda: best_places(nifty, *series))
        cost["nifty-ls"].append(spent / n)
        spent, by_astropy = timed(lambda: best_places(astropy, *few))
        cost["astropy"].append(spent / N_SLOW)
    least = {name: min(spent) for name, spent in cost.items()}
    place = np.rint((frequency[:, 0] - FIRST) / STEP)
    print(f"scan {least['scan'] * 1e3:.2f} ms per star, peaks included")
    for name, theirs in (("nifty-ls", by_nifty), ("astropy", by_astropy)):
        same = np.sum(place[: len(theirs)] == theirs)
        print(
            f"{name} {least[name] * 1e3:.1f} ms, ratio {least[name] / least['scan']:.1f} (wanted {TARGETS[name]:.0f}); "
            f"same peak for {same} of {len(theirs)} stars"
        )
    rate, frequencies = max(rates), -(-N_POINT // LANES) * LANES * BANDS
    plain, ours = PLAIN * EPOCHS * frequencies / rate, (OURS * EPOCHS + AFTER) * frequencies / rate
    print(
        f"plain sums at sgemm's {rate / 1e9:.0f} GFlop/s {plain * 1e3:.2f} ms: the scan takes "
        f"{least['scan'] / plain:.2f} times as long (limit {FLOOR}); its own operations {ours * 1e3:.2f} ms, "
        f"{least['scan'] / ours:.2f} times"
    )
    crossover()
    return {name: least[name] / least["scan"] for name in TARGETS} | {"floor": least["scan"] / plain}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
