"""Colours: one per class throughout a report, one per filter, readable on white and on dark paper.

The class colours were found by maximising the smallest CIE 1976 colour difference between any two of them as seen
with normal vision, deuteranopia and protanopia (matrices of Machado et al. 2009, IEEE TVCG 15, 1291, severity 1),
holding a contrast of at least 2 against both papers. They start from Okabe & Ito (2008). A test keeps the law.
"""

import zlib
from collections.abc import Iterable

from tasks.surveys import SURVEYS, list_passbands

CLASS_COLOURS = (
    "#0072b2", "#2cb6dc", "#6a48f0", "#d55e00", "#eda200", "#91b45b", "#784e71", "#2a8558", "#b3a093",
    "#b02a3a", "#9c9f6d", "#6b5c5a", "#bc6a35", "#c37fb9", "#9964ff", "#cb05a7",
)  # fmt: skip
N_FARTHEST = 9  # the first nine are the farthest apart

# Ordered by wavelength; bands that surveys declare may have a colour of their own.
FILTER_COLOURS = {
    "u": "#7a4fd0", "b": "#3b6fe0", "g": "#1f9e89", "v": "#4d9a3f", "r": "#d9622b",
    "i": "#b5407f", "z": "#8a5a9c", "y": "#8a6a4a", "w1": "#8f6b3a",
}  # fmt: skip
OTHER_FILTERS = ("#0072b2", "#d55e00", "#2a8558", "#c37fb9", "#b08800", "#2cb6dc")


def class_colours(names: Iterable[str]) -> dict[str, str]:
    """Colour of each class: the one that a hash of its name chooses where it is free, else the next free one.

    It depends on the names alone: of up to nine classes, most have the same colour in every report. Beyond
    sixteen classes colours repeat; every figure names its classes, so no figure rests on colour alone.
    """
    wanted = list(dict.fromkeys(names))
    n_colour = N_FARTHEST if len(wanted) <= N_FARTHEST else len(CLASS_COLOURS)
    own = {zlib.crc32(name.encode()) % n_colour: name for name in sorted(wanted, reverse=True)}
    slots = {name: slot for slot, name in own.items()}
    others = sorted(set(wanted) - set(slots))
    free = [slot for slot in range(n_colour) if slot not in own] or list(range(n_colour))
    slots |= {name: free[i % len(free)] for i, name in enumerate(others)}
    return {name: CLASS_COLOURS[slots[name]] for name in wanted}


def band_style(band: str, position: int = 0) -> tuple[str, str]:
    """Colour and marker of a band: its survey declares them; else the filter before an underscore sets the colour."""
    declared = list_passbands().get(band)
    letter = band.partition("_")[0]
    colour = (declared and declared.colour) or FILTER_COLOURS.get(letter.lower())
    symbol = next((survey.symbol for survey in SURVEYS.values() if declared in survey.bands), "o")
    return colour or OTHER_FILTERS[position % len(OTHER_FILTERS)], symbol
