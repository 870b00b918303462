"""Extinction of the passbands that the surveys have, for a given reddening."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# A_b / E(B-V): Casagrande & VandenBerg 2018, MNRAS 479, L102, table 2 (Gaia); Schlafly &
# Finkbeiner 2011, ApJ 737, 103, table 6, R_V = 3.1 (PS1). The ZTF values are the PS1 ones moved to ZTF's effective
# wavelengths along the same curve.
EXTINCTION = {
    "G": 2.740, "BP": 3.374, "RP": 2.035,
    "g_ps1": 3.172, "r_ps1": 2.271, "i_ps1": 1.682, "z_ps1": 1.322, "y_ps1": 1.087,
    "g_ztf": 3.25, "r_ztf": 2.21, "i_ztf": 1.60,
}  # fmt: skip


def extinctions(bands: tuple[str, ...]) -> NDArray[np.float64]:
    """A_b / E(B-V) of each band, (B,); NaN where none is known."""
    return np.array([EXTINCTION.get(band, np.nan) for band in bands])
