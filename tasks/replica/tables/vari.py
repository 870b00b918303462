"""Variability tables of Gaia DR3: published classes, periods and amplitudes.

Classes and metallicities are the labels that the sky publishes. Periods and modes are measured: near the truth where
the class is right, but for one in 40 at the alias of a day, and plausible for the wrong class otherwise. Amplitudes,
epochs and mean magnitudes are those of the epochs themselves. Columns after the documentation of Gaia DR3, 20.7; some
of each table, from memory.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.replica.constants import GAIA_SOLUTION_ID, SIDEREAL_PER_DAY
from tasks.replica.served import declare_table
from tasks.replica.tables.chance import normal, uniform
from tasks.replica.tables.clock import gaia_time
from tasks.replica.tables.held import Held
from tasks.replica.tables.patch import Patch
from tasks.replica.tables.statistics import Summary, summarise
from tasks.replica.tables.transits import Transits
from tasks.sky import SURVEYS

CLASSIFIER = "nTransits:5+"
CLASS_NAME = {
    **dict.fromkeys(("RRab", "RRc", "RRd"), "RR"),
    **dict.fromkeys(("CEP", "T2CEP"), "CEP"),
    "DSCT_SXPHE": "DSCT|GDOR|SXPHE",
    "ECL": "ECL",
    "MIRA_SR": "LPV",
}
PLAUSIBLE_DAY = {  # what a wrong member of a class is found to repeat after
    "RRab": (0.45, 0.75), "RRc": (0.25, 0.40), "RRd": (0.33, 0.42), "CEP": (2.0, 20.0), "T2CEP": (1.2, 25.0),
    "DSCT_SXPHE": (0.05, 0.2), "ECL": (0.3, 5.0), "MIRA_SR": (80.0, 500.0),
}  # fmt: skip
ALIAS_SHARE = 1 / 40  # of right classes; not of long-period variables, where no such frequency is looked for
RRD_RATIO = 0.745  # first overtone over fundamental (Soszynski et al. 2016)
MODE_WRONG_SHARE = 0.06
T2_EDGES_DAY, T2_NAMES = (4.0, 20.0), np.array(["BL_HER", "W_VIR", "RV_TAU"])  # Soszynski et al. 2008

IN_BAND = {"G": "g_fov", "BP": "bp", "RP": "rp"}  # ends of the names of the columns of one band


def _hold(name: str, doc: str) -> Held:
    """The table gaiadr3.`name`."""
    return Held(declare_table(f"gaiadr3.{name}", f"gaia_{name}", doc), name, "source_id")


EVERY = (  # in the order of `rows`
    _hold("vari_summary", "Statistics of the time series of the sources that the variability analysis published."),
    _hold("vari_classifier_result", "Best class of each source that the general classifier found variable."),
    _hold("vari_rrlyrae", "RR Lyrae stars, with periods and shapes of their light curves."),
    _hold("vari_cepheid", "Cepheids, with periods and shapes of their light curves."),
    _hold("vari_eclipsing_binary", "Eclipsing binaries, with a model of their light curves."),
    _hold("vari_long_period_variable", "Long-period variable candidates."),
)


def rows(patch: Patch, transits: Transits) -> Iterator[tuple[Held, pa.Table]]:
    """Rows of every variability table."""
    label, score = patch.label
    seen = {band: _in_band(transits, index, len(label)) for index, band in enumerate(SURVEYS["gaia"])}
    period, second = measure_periods(patch)
    every = (
        _summary(transits, seen, label),
        _classifier_result(label, score),
        _rrlyrae(patch, transits, seen["G"], period, second),
        _cepheid(patch, transits, seen["G"], period),
        _eclipsing(patch, transits, seen["G"], period),
        _long_period(seen["G"], label, period),
    )
    for held, (chosen, values) in zip(EVERY, every, strict=True):
        row = np.flatnonzero(chosen)
        common = {"solution_id": np.full(row.size, GAIA_SOLUTION_ID), "source_id": patch.stars.source_id[row]}
        yield held, held.rows(common | {name: value[row] for name, value in values.items()})


def measure_periods(patch: Patch) -> tuple[NDArray, NDArray]:
    """Period of the main mode, and of the fundamental of RRd, as measured for the published class, (S,) day."""
    label, _ = patch.label
    number, seed = patch.stars.number, patch.seed
    low, high = np.array([PLAUSIBLE_DAY.get(name, (np.nan, np.nan)) for name in label]).T
    period = low * (high / low) ** uniform("plausible period", seed, number)
    second = period / RRD_RATIO
    is_right = label == patch.sky.truth["class"].to_numpy(zero_copy_only=False)
    noise = 1 + 1e-5 * normal("period", seed, number)
    is_alias = is_right & (uniform("alias", seed, number) < ALIAS_SHARE) & (label != "MIRA_SR")
    period = np.where(is_right, patch.truth("period_day") * noise, period)
    second = np.where(is_right, patch.truth("period2_day") * noise, second)
    return np.where(is_alias, 1 / (1 / period + SIDEREAL_PER_DAY), period), np.where(label == "RRd", second, np.nan)


def _in_band(transits: Transits, band: int, n: int) -> Summary:
    good = transits.is_good[:, band]
    return summarise(transits.row[good], transits.mag[good, band], n)


def _summary(transits: Transits, seen: dict[str, Summary], label: NDArray) -> tuple[NDArray, dict[str, NDArray]]:
    values: dict[str, NDArray] = {}
    for index, (band, name) in enumerate(IN_BAND.items()):
        good = transits.is_good[:, index]
        when = summarise(transits.row[good], gaia_time(transits.time[good]), len(label))
        of = seen[band]
        values |= {
            f"num_selected_{name}": of.count.astype(np.int16),
            f"mean_obs_time_{name}": when.mean,
            f"time_duration_{name}": when.greatest - when.least,
            f"min_mag_{name}": of.least,
            f"max_mag_{name}": of.greatest,
            f"mean_mag_{name}": of.mean,
            f"median_mag_{name}": of.median,
            f"range_mag_{name}": of.greatest - of.least,
            f"std_dev_mag_{name}": of.std,
        }
    is_variable = (label != "") & (label != "CONST")
    flags = {
        "in_vari_classification_result": is_variable,
        "in_vari_rrlyrae": is_rrlyrae(label),
        "in_vari_cepheid": is_cepheid(label),
        "in_vari_eclipsing_binary": label == "ECL",
        "in_vari_long_period_variable": label == "MIRA_SR",
    }
    return is_variable, values | flags


def is_rrlyrae(label: NDArray) -> NDArray[np.bool_]:
    """Published as one of the RR Lyrae classes."""
    return np.isin(label, ("RRab", "RRc", "RRd"))


def is_cepheid(label: NDArray) -> NDArray[np.bool_]:
    """Published as a Cepheid of either type."""
    return np.isin(label, ("CEP", "T2CEP"))


def _classifier_result(label: NDArray, score: NDArray) -> tuple[NDArray, dict[str, NDArray]]:
    name = np.array([CLASS_NAME.get(one, "") for one in label], object)
    return name != "", {
        "classifier_name": np.full(label.size, CLASSIFIER),
        "best_class_name": name,
        "best_class_score": score,
    }


def _shape(transits: Transits, seen: Summary) -> dict[str, NDArray]:
    """Amplitude, mean and epoch of maximum as the epochs have them."""
    size = seen.greatest - seen.least
    error = seen.std / np.sqrt(np.maximum(seen.count, 1))
    return {
        "epoch_g": _when(transits, seen.least),
        "int_average_g": seen.mean,
        "int_average_g_error": error,
        "peak_to_peak_g": size,
        "peak_to_peak_g_error": 0.02 + 0.05 * size,
        "num_clean_epochs_g": seen.count.astype(np.int32),
    }


def _when(transits: Transits, mag: NDArray) -> NDArray[np.float64]:
    """Time of the good G epoch of each star that has magnitude `mag` (S,), the last of them; NaN without one."""
    found = np.flatnonzero(transits.is_good[:, 0] & (transits.mag[:, 0] == mag[transits.row]))
    time = np.full(mag.size, np.nan)
    time[transits.row[found]] = gaia_time(transits.time[found])
    return time


def _periods(period: NDArray, second: NDArray, is_overtone: NDArray) -> dict[str, NDArray]:
    """pf and p1_o: the main period is that of the overtone where `is_overtone`, and `second` the fundamental."""
    fundamental, overtone = np.where(is_overtone, second, period), np.where(is_overtone, period, np.nan)
    return {"pf": fundamental, "pf_error": 1e-5 * fundamental, "p1_o": overtone, "p1_o_error": 1e-5 * overtone}


def _rrlyrae(
    patch: Patch, transits: Transits, seen: Summary, period: NDArray, second: NDArray
) -> tuple[NDArray, dict[str, NDArray]]:
    label, _ = patch.label
    iron, error = patch.find_published("gaia_dr3", "feh_dex", is_photometric=True)
    return is_rrlyrae(label), {
        **_periods(period, second, np.isin(label, ("RRc", "RRd"))),
        **_shape(transits, seen),
        "metallicity": iron,
        "metallicity_error": error,
        "best_classification": label,
    }


def _cepheid(patch: Patch, transits: Transits, seen: Summary, period: NDArray) -> tuple[NDArray, dict[str, NDArray]]:
    """Modes are right for 94 per cent of true classical Cepheids, and fundamental for what is none."""
    label, _ = patch.label
    is_classical = label == "CEP"
    is_overtone = is_classical & (patch.sky.truth["subclass"].to_numpy(zero_copy_only=False) == "1O")
    is_overtone ^= is_classical & (uniform("mode", patch.seed, patch.stars.number) < MODE_WRONG_SHARE)
    kind = T2_NAMES[np.searchsorted(T2_EDGES_DAY, period)]
    mode = np.where(is_overtone, "FIRST_OVERTONE", "FUNDAMENTAL")
    return is_cepheid(label), {
        **_periods(period, np.full(period.size, np.nan), is_overtone),
        **_shape(transits, seen),
        "type_best_classification": np.where(is_classical, "DCEP", "T2CEP"),
        "type2_best_sub_classification": np.ma.array(kind, mask=is_classical),
        "mode_best_classification": np.ma.array(mode, mask=~is_classical),
    }


def _eclipsing(patch: Patch, transits: Transits, seen: Summary, period: NDArray) -> tuple[NDArray, dict[str, NDArray]]:
    label, score = patch.label
    size = period.size
    return label == "ECL", {
        "global_ranking": np.clip(0.4 + 0.5 * score, 0.0, 1.0),
        "reference_time": _when(transits, seen.greatest),
        "frequency": 1 / period,
        "frequency_error": 1e-5 / period,
        "geom_model_reference_level": seen.median,
        "derived_primary_ecl_depth": seen.greatest - seen.median,
        "model_type": np.full(size, "TWOGAUSSIANS"),
        "num_model_parameters": np.full(size, 8, np.int32),
        "reduced_chi2": np.exp(0.5 * normal("chi2", patch.seed, patch.stars.number)),
    }


def _long_period(seen: Summary, label: NDArray, period: NDArray) -> tuple[NDArray, dict[str, NDArray]]:
    return label == "MIRA_SR", {
        "frequency": 1 / period,
        "frequency_error": 1e-3 / period,
        "amplitude": 0.5 * (seen.greatest - seen.least),
        "isCstar": np.zeros(label.size, bool),
    }
