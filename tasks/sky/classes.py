"""The classes of the embedded sky: their shares, where they live, and who draws them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.sky.binaries import eclipsing
from tasks.sky.cepheids import cepheid, type_two
from tasks.sky.draw import Draw, merge_draws
from tasks.sky.others import constant, delta_scuti, mira
from tasks.sky.rrlyrae import rrab, rrc, rrd
from tasks.sky.streams import BLOCK, stream


@dataclass(frozen=True)
class Home:
    """Where the stars of a class are seen: limits in mean G (mag) and distance (kpc), density ~ distance^slope,
    and the scale of galactic latitude (deg) of those that do not belong to the halo."""

    g_mag: tuple[float, float]
    distance_kpc: tuple[float, float]
    slope: float
    latitude_deg: float


@dataclass(frozen=True)
class VariableClass:
    """One class: share of the default mix, its draw, its home."""

    share: float
    draw: Callable[[np.random.Generator, int], Draw]
    home: Home


REGISTRY: dict[str, VariableClass] = {
    "RRab": VariableClass(0.200, rrab, Home((11.5, 20.2), (0.5, 90), -0.6, 15)),
    "RRc": VariableClass(0.070, rrc, Home((11.5, 20.2), (0.5, 90), -0.6, 15)),
    "RRd": VariableClass(0.035, rrd, Home((12.5, 20.0), (0.8, 90), -0.6, 15)),
    "CEP": VariableClass(0.080, cepheid, Home((9.0, 17.8), (0.5, 14), 1.2, 3)),
    "T2CEP": VariableClass(0.040, type_two, Home((10.0, 18.0), (0.5, 30), 0.0, 12)),
    "DSCT_SXPHE": VariableClass(0.065, delta_scuti, Home((11.0, 19.0), (0.2, 7), 0.5, 18)),
    "ECL": VariableClass(0.180, eclipsing, Home((11.5, 19.3), (0.1, 6), 0.5, 18)),
    "MIRA_SR": VariableClass(0.130, mira, Home((9.0, 18.0), (0.5, 16), 0.8, 10)),
    "CONST": VariableClass(0.200, constant, Home((12.0, 20.4), (0.05, 9), 0.5, 20)),
}
CLASSES = tuple(REGISTRY)


def draw_classes(seed: int, block: int, mix: Mapping[str, float] | None = None) -> NDArray[np.int8]:
    """Class of each object of a block, (BLOCK,), as an index into CLASSES."""
    shares = {name: entry.share for name, entry in REGISTRY.items()} if mix is None else dict(mix)
    unknown = sorted(set(shares) - set(CLASSES))
    if unknown or min(shares.values()) < 0 or sum(shares.values()) <= 0:
        raise ValueError(
            f"sky: the mix must give shares >= 0 with a positive sum for classes out of {CLASSES}, got {shares}."
        )
    share = np.array([shares.get(name, 0.0) for name in CLASSES])
    edges = np.cumsum(share / share.sum())
    code = np.searchsorted(edges[:-1], stream(seed, block, "class").random(BLOCK), side="right")
    return code.astype(np.int8)


def draw_stars(seed: int, block: int, code: NDArray[np.int8]) -> dict[str, NDArray]:
    """Every field of `Draw` for a block, (BLOCK, ...), from the draws of all classes."""
    rows = {name: np.flatnonzero(code == index) for index, name in enumerate(CLASSES)}
    return merge_draws(
        [
            (row, REGISTRY[name].draw(stream(seed, block, f"class {name}"), row.size).fill())
            for name, row in rows.items()
            if row.size
        ]
    )
