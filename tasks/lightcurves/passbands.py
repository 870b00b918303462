"""A passband: the constants that photometry in it needs, whichever survey declares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Passband:
    """One passband of a survey; `name` is unique over all surveys.

    `system` is AB or Vega, `wavelength_nm` the effective wavelength, `extinction` A_b / E(B-V) (NaN where none is
    known), `zero_points` the magnitude of one unit of the survey's flux by system. `is_reference`: published absolute
    magnitudes and the relation between [Fe/H] and phi31 are in this band. `colour` is its own in figures; without one
    it has the colour of its filter's letter.
    """

    name: str
    system: str
    wavelength_nm: float
    extinction: float = float("nan")
    zero_points: Mapping[str, float] = field(default_factory=dict, hash=False)
    is_reference: bool = False
    colour: str = ""
