"""What a label, a survey, a report or the catalogue may name: unit, UCD, words and valid range of every quantity.

A new quantity is one line in QUANTITIES. Ranges are generous: they tell the sentinels of catalogues (-999) and values
in other units from measurements, nothing finer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from schemas.column import Column
from schemas.errors import nearest


@dataclass(frozen=True)
class Quantity:
    """A physical quantity of a star, called as its column is.

    `label` is its name in prose, `symbol` in the axes of figures (else the label). Both are plain text: figures read no
    mathtext, for the name of a class may hold a $. `unit` is a VOUnit string, "" for a dimensionless quantity;
    `shown_unit` is what a reader sees where that differs ("R☉", "dex"). `range` is (lowest, highest) in `unit`, both
    inclusive, None where open. `is_log`: it is positive and spreads over decades, so that it is learnt as its log10.
    """

    name: str
    label: str
    symbol: str = ""
    unit: str = ""
    ucd: str = "stat.value"
    range: tuple[float | None, float | None] = (None, None)
    is_log: bool = False
    shown_unit: str = ""
    doc: str = ""

    def __post_init__(self) -> None:
        for field, value in (("symbol", self.label), ("shown_unit", self.unit), ("doc", f"{self.label}.")):
            object.__setattr__(self, field, getattr(self, field) or value)

    @property
    def axis(self) -> str:
        """Title of an axis: the symbol, and the unit in brackets."""
        return f"{self.symbol} ({self.shown_unit})" if self.shown_unit else self.symbol

    def is_outside(self, values: ArrayLike) -> NDArray[np.bool_]:
        """True where a finite value, in `unit`, is outside the range; the shape of `values`."""
        numbers = np.asarray(values, np.float64)
        low, high = self.range
        below = numbers < (-np.inf if low is None else low)
        above = numbers > (np.inf if high is None else high)
        return np.isfinite(numbers) & (below | above)

    def column(self, doc: str = "", *, nullable: bool = False) -> Column:
        """A float64 column of this name, unit, UCD and range."""
        bounds = None if self.range == (None, None) else self.range
        return Column(self.name, pa.float64(), doc or self.doc, self.unit, self.ucd, nullable, bounds)


QUANTITY_NAME = r"^[a-z][a-z0-9_]*$"

QUANTITIES: dict[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        Quantity("teff_k", "Effective temperature", "Teff", "K", "phys.temperature.effective",
                 (500, 250_000)),
        Quantity("radius_rsun", "Radius", "R", "solRad", "phys.size.radius", (1e-3, 5_000), True, "R☉"),
        Quantity("mass_msun", "Mass", "M", "solMass", "phys.mass", (1e-3, 1_000), False, "M☉"),
        Quantity("lum_lsun", "Luminosity", "L", "solLum", "phys.luminosity", (1e-8, 1e9), True, "L☉"),
        Quantity("logg_dex", "log g", "log g", "", "phys.gravity", (-3, 10), False, "dex",
                 "log10 of the surface gravity in cm/s2."),
        Quantity("feh_dex", "[Fe/H]", "[Fe/H]", "", "phys.abund.Fe", (-10, 3), False, "dex",
                 "Metallicity [Fe/H], in dex."),
        Quantity("mh_dex", "[M/H]", "[M/H]", "", "phys.abund.Z", (-10, 3), False, "dex",
                 "Metallicity [M/H], in dex."),
        Quantity("distance_pc", "Distance", "d", "pc", "pos.distance", (1e-2, 1e10), True),
        Quantity("ebv_mag", "E(B−V)", "E(B−V)", "mag", "phot.color.excess", (0, None), doc="Reddening E(B-V)."),
        Quantity("period_day", "Period", "P", "d", "src.var;time.period", (1e-4, 1e6), True),
        Quantity("amplitude_g_mag", "Amplitude in G", "A(G)", "mag", "src.var.amplitude;phot.mag", (0, 15),
                 doc="Peak-to-peak amplitude in Gaia G."),
    )
}  # fmt: skip


def quantity(name: str) -> Quantity:
    """The quantity called `name`; one that nobody declared has no unit, whatever its name ends with."""
    return QUANTITIES.get(name) or Quantity(name, name.replace("_", " "))


def is_vounit(text: str) -> bool:
    """True for a unit of the VOUnit standard, "" (a pure number) included."""
    from astropy.units import Unit

    try:
        Unit(text, format="vounit")
    except ValueError:
        return False
    return True


def suggest_vounit(text: str) -> str:
    """ " Did you mean 'solRad'?" for text that is no VOUnit: the same unit by its name there, or the nearest in use."""
    from astropy.units import Unit

    try:
        return f" Did you mean {Unit(text).to_string('vounit')!r}?"
    except ValueError:
        return nearest(text, sorted({each.unit for each in QUANTITIES.values() if each.unit}))


def is_ucd(text: str) -> bool:
    """True for a word, or words, of the controlled vocabulary of UCD1+."""
    from astropy.io.votable.ucd import check_ucd

    return bool(text) and check_ucd(text, check_controlled_vocabulary=True)
