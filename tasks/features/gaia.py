"""Distance, luminosity and motion of the star from Gaia's astrometry, and the quality of the solution.

Parallaxes are taken as published: the zero point, some hundredths of a mas (Lindegren et al. 2021, A&A 649, A4), stays.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas import TABLES
from schemas.column import Column
from tasks.features.feature import Arrays, Curves, Feature

# Below it the inverse of a parallax is biased and its error lopsided (Luri et al. 2018, A&A 616, A9): no luminosity.
LEAST_SIGNIFICANCE = 5.0


def compute_gaia(curves: Curves, earlier: Arrays) -> Arrays:
    """Each quantity (S,), NaN where Gaia gives none; of `curves.objects`, mas, mas/yr and mag."""
    known = curves.objects
    parallax, error = known["parallax"], known["parallax_error"]
    with np.errstate(divide="ignore", invalid="ignore"):
        significance = parallax / error
        near = np.where(significance >= LEAST_SIGNIFICANCE, parallax, np.nan)
        absolute = known["phot_g_mean_mag"] + 5 * np.log10(near) - 10
    reference = curves.config.reference
    extinction = np.nan if reference is None else reference.extinction
    motion, motion_error = proper_motion(known)
    return {
        "parallax_over_error": significance,
        "abs_mag_g": absolute,
        "abs_mag_g_error": 5 / np.log(10) * error / near,
        "abs_mag_g0": absolute - extinction * known["ebv"],
        "ruwe": known["ruwe"],
        "pm": motion,
        "pm_error": motion_error,
    }


def proper_motion(known: Arrays) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Total proper motion and its error, correlations left out, (S,) mas/yr."""
    pmra, pmdec = known["pmra"], known["pmdec"]
    total = np.hypot(pmra, pmdec)
    with np.errstate(divide="ignore", invalid="ignore"):
        return total, np.hypot(pmra * known["pmra_error"], pmdec * known["pmdec_error"]) / total


def _column(
    name: str, doc: str, unit: str, ucd: str, low: float | None = None, *, derived_from: tuple[str, ...]
) -> Column:
    return Column(name, pa.float32(), doc, unit, ucd, True, (low, None), derived_from)


PARALLAX, MOTION = (
    tuple(TABLES["core_gaia__source"].path_of(name) for name in names)
    for names in (("parallax", "parallax_error"), ("pmra", "pmra_error", "pmdec", "pmdec_error"))
)
G_MAG, RUWE = (TABLES["core_gaia__source"].path_of(name) for name in ("phot_g_mean_mag", "ruwe"))
EBV = TABLES["core_tic__source"].path_of("ebv")


GAIA = Feature(
    "gaia",
    inputs=("parallax", "parallax_error", "pmra", "pmra_error", "pmdec", "pmdec_error", "phot_g_mean_mag", "ruwe",
            "ebv"),
    source="Luri et al. 2018, A&A 616, A9.",
    compute=compute_gaia,
    columns=(
        _column("parallax_over_error", "Parallax over its standard error.", "", "stat.snr;pos.parallax.trig",
                derived_from=PARALLAX),
        _column("abs_mag_g", f"Absolute G magnitude of a parallax of {LEAST_SIGNIFICANCE:g} sigma or more.", "mag",
                "phys.magAbs;em.opt", derived_from=(*PARALLAX, G_MAG)),
        _column("abs_mag_g_error", "Standard error of abs_mag_g, from the parallax alone.", "mag",
                "stat.error;phys.magAbs", 0, derived_from=PARALLAX),
        _column("abs_mag_g0", "Absolute G magnitude without extinction, where E(B-V) is known.", "mag",
                "phys.magAbs;em.opt", derived_from=(*PARALLAX, G_MAG, EBV)),
        _column("ruwe", "Renormalised unit weight error of the astrometric solution.", "", "stat.error", 0,
                derived_from=(RUWE,)),
        _column("pm", "Total proper motion.", "mas.yr**-1", "pos.pm", 0, derived_from=MOTION[::2]),
        _column("pm_error", "Standard error of the total proper motion.", "mas.yr**-1", "stat.error;pos.pm", 0,
                derived_from=MOTION),
    ),
)  # fmt: skip
