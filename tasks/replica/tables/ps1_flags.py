"""Quality of Pan-STARRS1 detections: the sky's flags as bits that the archive sets.

Names of the bits after the DetectionFlags tables of the PS1 archive documentation. Which of them are reasons to reject
is Becker et al. 2025, appendix A; which of them the sky's flags become is ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.lightcurves.flags import BAD_QUALITY, BLENDED, MOONLIGHT, SATURATED

# Rejected bits of infoFlag, infoFlag2 and infoFlag3.
BLEND, DEFECT, SATURATED_PIXELS, SKY_FAILURE = 256, 2048, 4096, 65536
REJECTED2, REJECTED3 = 8, 8192
# Bits that good detections carry too.
PSF_MODEL, PSF_STAR, EXTERNAL, HARMLESS2, HARMLESS3 = 1, 64, 512, 128, 4
GOOD_QF, BAD_QF = (0.92, 1.0), 0.5  # psfQfPerfect; 0.9 is the limit


def quality(flags: NDArray[np.int32], chance: NDArray, chance2: NDArray) -> dict[str, NDArray]:
    """psfQf, psfQfPerfect and the three info flags of detections with the sky's `flags` (N,).

    BAD_QUALITY shows in one of the four at random, the others each in a bit of infoFlag. `chance`, `chance2` (N,):
    numbers in (0, 1).
    """
    is_bad = (flags & BAD_QUALITY) != 0
    way = np.searchsorted([0.5, 0.75, 0.9], chance)
    info = PSF_MODEL | np.where(chance2 < 0.10, PSF_STAR, 0) | np.where(chance2 > 0.95, EXTERNAL, 0)
    for bit, rejected in ((SATURATED, SATURATED_PIXELS), (BLENDED, BLEND), (MOONLIGHT, SKY_FAILURE)):
        info |= np.where(flags & bit, rejected, 0)
    low, high = GOOD_QF
    return {
        "psfQf": np.full(flags.size, 0.998),
        "psfQfPerfect": np.where(is_bad & (way == 0), BAD_QF, low + (high - low) * np.sqrt(chance2)),
        "infoFlag": info | np.where(is_bad & (way == 1), DEFECT, 0),
        "infoFlag2": np.where(chance < 0.2, HARMLESS2, 0) | np.where(is_bad & (way == 2), REJECTED2, 0),
        "infoFlag3": np.where(chance2 < 0.3, HARMLESS3, 0) | np.where(is_bad & (way == 3), REJECTED3, 0),
    }
