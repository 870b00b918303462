"""What a class draws for its stars, before they are placed on the sky."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.sky.constants import BANDS, WAVELENGTH_NM
from tasks.sky.shapes import GRID, pulsation, rotation

NONE = 0.0


@dataclass
class Draw:
    """Properties of n stars of one class. Magnitudes follow from

    m_b(t) = mean_b + scale_b (1 + modulation) template(phase) + scale2_b component(phase2).
    """

    subclass: NDArray[np.str_]  # (n,)
    feh_dex: NDArray  # (n,) dex
    teff_k: NDArray  # (n,) K, of the primary where there are two stars
    luminosity_lsun: NDArray  # (n,) solar, of the primary
    is_halo: NDArray[np.bool_]  # (n,) spread and moving like the halo
    period_day: NDArray  # (n,) day, NaN: constant
    template: NDArray  # (n, GRID) mag per unit scale
    scale: NDArray  # (n, 11) mag
    component: NDArray | float = NONE  # (n, GRID)
    scale2: NDArray | float = NONE  # (n, 11) mag
    clock2_day: NDArray | float = np.nan  # (n,) day, NaN: the component runs with the main period
    period2_day: NDArray | float = np.nan  # (n,) day, second pulsation mode
    teff2_k: NDArray | float = 5000.0  # (n,) K, of the companion
    luminosity2_lsun: NDArray | float = NONE  # (n,) solar; 0 where there is no companion
    modulation: NDArray | float = NONE  # (n,) relative change of amplitude
    modulation_day: NDArray | float = 100.0  # (n,) day
    jitter: NDArray | float = NONE  # (n,) slow wandering of the phase, cycles

    def fill(self) -> dict[str, NDArray]:
        """Every field as an array of its full shape."""
        n = self.feh_dex.size
        shape = {"template": (n, GRID), "component": (n, GRID), "scale": (n, len(BANDS)), "scale2": (n, len(BANDS))}
        return {f.name: np.broadcast_to(getattr(self, f.name), shape.get(f.name, (n,))) for f in fields(self)}


def merge_draws(parts: list[tuple[NDArray[np.int64], dict[str, NDArray]]]) -> dict[str, NDArray]:
    """Filled draws of several groups, each with the rows it belongs to, as one set of arrays in the order of rows."""
    order = np.argsort(np.concatenate([rows for rows, _ in parts]))
    return {field: np.concatenate([part[field] for _, part in parts])[order] for field in parts[0][1]}


def scale_pulsation(
    coefficient: NDArray, amplitude_g_mag: NDArray, band_ratio: ArrayLike, reference_nm: float
) -> dict[str, NDArray]:
    """The four shape fields of a `Draw` from Fourier coefficients, peak-to-peak in G and A_b/A_G per band."""
    template, component = pulsation(coefficient)
    scale = amplitude_g_mag[:, None] * np.asarray(band_ratio)
    return {
        "template": template,
        "component": component,
        "scale": scale,
        "scale2": scale * rotation(WAVELENGTH_NM, reference_nm),
    }


def draw_truncated(
    rng: np.random.Generator, mean: NDArray | float, sigma: float, low: float, high: float, n: int
) -> NDArray:
    """Normal draws (n,) folded back once at the limits, then clipped: no pile-up at the edge, always n numbers."""
    value = rng.normal(mean, sigma, n)
    value = np.where(value < low, 2 * low - value, value)
    value = np.where(value > high, 2 * high - value, value)
    return np.clip(value, low, high)


def draw_names(rng: np.random.Generator, names: tuple[str, ...], shares: tuple[float, ...], n: int) -> NDArray[np.str_]:
    """Names (n,) drawn with the given shares."""
    index = np.searchsorted(np.cumsum(shares), rng.random(n), side="right")
    return np.array(names)[np.minimum(index, len(names) - 1)]
