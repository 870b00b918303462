"""Colours corrected for interstellar reddening, where E(B-V) and the extinction of both bands are known."""

from __future__ import annotations

import pyarrow as pa

from schemas import TABLES
from schemas.column import Column
from tasks.features.feature import Arrays, Curves, Feature, pair_difference


def compute_reddening(curves: Curves, earlier: Arrays) -> Arrays:
    """Mean colours less their reddening, (S,P) mag, NaN where it is not known."""
    bands, ebv = curves.batch.bands, curves.objects["ebv"]
    return {
        "ebv": ebv,
        "colour0_mag_{pair}": pair_difference(curves.mean_mag - ebv[:, None] * curves.config.extinctions(bands), bands),
    }


EBV = TABLES["core_tic__source"].path_of("ebv")

REDDENING = Feature(
    "reddening",
    inputs=("ebv",),
    source="Casagrande & VandenBerg 2018, MNRAS 479, L102; Schlafly & Finkbeiner 2011, ApJ 737, 103.",
    compute=compute_reddening,
    columns=(
        Column("ebv", pa.float32(), "Reddening E(B-V) by the TIC.", "mag", "phot.color.excess", nullable=True,
               range=(0, None), derived_from=(EBV,)),
        Column("colour0_mag_{pair}", pa.float32(), "Difference of the mean magnitudes without extinction.", "mag",
               "phot.color", nullable=True, derived_from=(EBV,)),
    ),
)  # fmt: skip
