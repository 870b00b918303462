"""How many Gaia-like stars does the torch scan do in a second? Prints the rate, against 100,000 stars/s on an H100.

    python benchmarks/period_scan_gpu.py [n_stars] [device]

A star: 3 bands of 36 epochs over 1000 d, 50,000 frequencies to 10 / day; from arrays on the host to peaks on the host.
Runs alone: of the project it reads `tasks/lightcurves/scan_torch.py`, and both import nothing but torch and NumPy.
Gains are compared with float64 sums at the frequencies found. Without and with the arithmetic fused by torch.compile.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray

BANDS, EPOCHS, BASELINE = 3, 36, 1000.0
N_POINT, FIRST = 50_000, 1 / 600
STEP = (10 - FIRST) / (N_POINT - 1)
TARGET = 100_000.0  # stars/s on an H100
TOLERANCE = 1e-2  # of the gain, in units of log-likelihood


def load() -> ModuleType:
    """The torch scan from its file: the package around it needs more than torch and NumPy."""
    path = Path(__file__).resolve().parents[1] / "tasks" / "lightcurves" / "scan_torch.py"
    spec = importlib.util.spec_from_file_location("scan_torch", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"period_scan_gpu: cannot read {path}.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stars(n: int, seed: int = 1) -> tuple[NDArray, NDArray, NDArray]:
    """Times, residuals and weights of n stars with a sinusoid each, (n,BANDS,EPOCHS)."""
    rng = np.random.default_rng(seed)
    shape = (n, BANDS, EPOCHS)
    times = rng.uniform(0, BASELINE, shape)
    frequency, amplitude = rng.uniform(0.1, 8, (n, 1, 1)), rng.uniform(0.03, 0.4, (n, 1, 1))
    error = rng.uniform(0.02, 0.08, shape)
    mag = amplitude * np.cos(2 * np.pi * frequency * times) + rng.normal(0, error)
    weight = error**-2
    return times, mag - np.sum(weight * mag, 2, keepdims=True) / weight.sum(2, keepdims=True), weight


def arguments(times: NDArray, residual: NDArray, weight: NDArray) -> tuple[NDArray, ...]:
    """What `scan` takes, up to n_peak: every band a slot of its own."""
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


def exact_gain(times: NDArray, residual: NDArray, weight: NDArray, frequency: NDArray) -> NDArray:
    """Gain of each star (n,) at its own frequency, by least squares in float64."""
    angle = 2 * np.pi * frequency[:, None, None] * times
    weight = weight / weight.sum(2, keepdims=True)
    c, s = (x - np.sum(weight * x, 2, keepdims=True) for x in (np.cos(angle), np.sin(angle)))
    cc, ss, cs, yc, ys, yy = (
        np.sum(weight * x, 2) for x in (c * c, s * s, c * s, residual * c, residual * s, residual**2)
    )
    p = (yc * yc * ss + ys * ys * cc - 2 * yc * ys * cs) / (cc * ss - cs * cs) / yy
    return -(EPOCHS - 3) * np.log1p(-p).sum(1)


def main(n: int = 100_000, device: str | None = None) -> dict[str, float]:
    """Prints and returns the rates in stars/s."""
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    name = torch.cuda.get_device_name() if device.startswith("cuda") else "the CPU"
    kernel, series, rate = load(), stars(n), {}
    of_scan, few = arguments(*series), arguments(*(values[: min(n, 2000)] for values in series))
    for fuse in (False, True) if device.startswith("cuda") else (False,):
        kernel.scan(*few, 6, device=device, fuse=fuse)  # libraries and compilation are not the scan's cost
        began = time.perf_counter()
        frequency, gain = kernel.scan(*of_scan, 6, device=device, fuse=fuse)
        label = "fused" if fuse else "plain"
        rate[label] = n / (time.perf_counter() - began)
        worst = np.max(np.abs(gain[:, 0] - exact_gain(*series, frequency[:, 0])))
        print(
            f"{name}, {label}: {rate[label]:,.0f} stars/s (wanted {TARGET:,.0f} on an H100); "
            f"highest gain within {worst:.1e} of float64 ({'as' if worst < TOLERANCE else 'NOT as'} wanted)"
        )
    return rate


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, sys.argv[2] if len(sys.argv) > 2 else None)
