"""A light curve in the terminal: brightness upwards, time to the right, a sign for each band."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIGNS = "ox+*#%@&"


def plot_light_curve(
    time: NDArray[np.float64], mag: NDArray[np.floating], band: NDArray[np.integer], names: Sequence[str],
    width: int = 64, height: int = 10,
) -> list[str]:  # fmt: skip
    """Lines of text with a sign for each of the (N,) epochs, all finite, N > 0; `band` indexes `names`.

    Epochs of several bands in one place show the sign of the last band.
    """
    cells = np.full((height, width), " ")
    order = np.argsort(band, kind="stable")
    row, column = _place(mag, height)[order], _place(time, width)[order]
    cells[row, column] = np.array(list(SIGNS))[band[order] % len(SIGNS)]
    edges = {0: f"{mag.min():.3f}", height - 1: f"{mag.max():.3f}"}
    lines = [f"{edges.get(k, ''):>8} |{''.join(line).rstrip()}" for k, line in enumerate(cells)]
    first, last = f"{time.min():.10g}", f"{time.max():.10g}"
    key = "  ".join(f"{SIGNS[k % len(SIGNS)]} {names[k]}" for k in np.unique(band))
    return [*lines, f"{'':8} +{'-' * width}", f"{'':10}{first}{last:>{width - len(first)}}", f"{'':10}{key}"]


def _place(value: NDArray, n_cell: int) -> NDArray[np.int64]:
    """Cell of each value (N,), from 0 for the smallest to `n_cell` - 1 for the largest."""
    span = np.ptp(value.astype(np.float64)) or 1.0
    return np.rint((value - value.min()) / span * (n_cell - 1)).astype(np.int64)
