"""Quality of Pan-STARRS1 detections: the sky's flags as bits that the archive sets.

Names of the bits after the DetectionFlags tables of the PS1 archive documentation. Which of them are reasons to reject
is Becker et al. 2025, appendix A; which of them the sky's flags become is ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.replica import constants as own
from tasks.sky.constants import BAD_QUALITY, BLENDED, MOONLIGHT, SATURATED

GOOD_QF, BAD_QF = (own.PS1_QF_LIMIT + 0.02, 1.0), own.PS1_QF_LIMIT - 0.4  # psfQfPerfect of good and bad detections
BITS = {SATURATED: own.PS1_SATURATED, BLENDED: own.PS1_BLEND, MOONLIGHT: own.PS1_SKY_FAILURE}


def quality(flags: NDArray[np.int32], chance: NDArray, chance2: NDArray) -> dict[str, NDArray]:
    """psfQf, psfQfPerfect and the three info flags of detections with the sky's `flags` (N,).

    BAD_QUALITY shows in one of the four at random, the others each in a bit of infoFlag. `chance`, `chance2` (N,):
    numbers in (0, 1).
    """
    is_bad = (flags & BAD_QUALITY) != 0
    way = np.searchsorted([0.5, 0.75, 0.9], chance)
    info = own.PS1_PSF_MODEL | _bit(own.PS1_PSF_STAR, chance2 < 0.10) | _bit(own.PS1_EXTERNAL, chance2 > 0.95)
    for bit, rejected in BITS.items():
        info |= _bit(rejected, (flags & bit) != 0)
    low, high = GOOD_QF
    return {
        "psfQf": np.full(flags.size, 0.998),
        "psfQfPerfect": np.where(is_bad & (way == 0), BAD_QF, low + (high - low) * np.sqrt(chance2)),
        "infoFlag": info | _bit(own.PS1_DEFECT, is_bad & (way == 1)),
        "infoFlag2": _bit(own.PS1_HARMLESS2, chance < 0.2) | _bit(own.PS1_REJECTED2, is_bad & (way == 2)),
        "infoFlag3": _bit(own.PS1_HARMLESS3, chance2 < 0.3) | _bit(own.PS1_REJECTED3, is_bad & (way == 3)),
    }


def _bit(bit: int, where: NDArray[np.bool_]) -> NDArray[np.int64]:
    """`bit` where it is set, 0 elsewhere."""
    return np.where(where, bit, 0)
