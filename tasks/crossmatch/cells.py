"""Geometry of the nested HEALPix grid: how far a radius reaches on it.

A step of one cell along x or y is nowhere shorter on the sky than `NARROWEST` / 2**order radians: it is the height of
the parallelogram that the grid makes of a cell, area / longest side, with area pi / 3 and side^2 = (pi s / 2)^2 +
(2 / (3 s))^2 in units of 1 / 2**order, where s = cos(dec) / sqrt(3 (1 - |sin(dec)|)) at the borders of a polar face; it
is smallest at the pole, s^2 = 2/3 (from equations 1 to 5 of Calabretta & Roukema 2007, MNRAS 381, 865). So a position
whose distance to the edge of its cell is d steps is at least d NARROWEST / 2**order from it.
"""

from __future__ import annotations

import numpy as np

ORDER = 29  # the finest order that 64 bits hold; a step there is 0.26 mas or more
NARROWEST = (np.pi / 3) / np.sqrt(np.pi**2 / 6 + 2 / 3)  # 0.6888 rad


def reach_of(radius_rad: float) -> int:
    """Steps of order 29 that hold `radius_rad` everywhere on the sphere; two more for the rounding of positions."""
    return int(radius_rad * 2**ORDER / NARROWEST) + 2


def narrowest_order(reach: int) -> int:
    """The finest order whose cells are `reach` steps wide: a disc of that radius touches its own cell and those next
    to it, and no others.
    """
    return ORDER - (reach - 1).bit_length()
