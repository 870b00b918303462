"""What a column holds, judged by its name: the words that are recognised, and what the name of a time says.

A word is recognised in any capitals and with or without separators (MagErr, mag_err, "mag err"). Where a file has
several spellings of one word the exact one is meant, and without it nobody can say which.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.dataset import MJD_ZERO_JD
from schemas.errors import BadInput

ID = (
    "object_id", "obj_id", "source_id", "oid", "id", "name", "star_id", "target_id", "object", "obj", "star", "target",
    "object_name", "obj_name", "star_name", "target_name", "identifier", "dia_object_id", "ss_object_id", "file_name",
)  # fmt: skip
RA = ("ra", "ra_deg", "raj2000", "ra_j2000", "ra_icrs", "obj_ra", "right_ascension")
DEC = ("dec", "dec_deg", "dej2000", "decj2000", "dec_j2000", "de_icrs", "dec_icrs", "obj_dec", "declination")
LABEL = (
    "label", "class", "var_type", "variable_type", "variability_type", "var_class", "variable_class",
    "variability_class", "class_name", "classification", "true_class", "type", "object_type", "obj_type", "star_type",
)  # fmt: skip
PHASE = ("phase",)
MAG = ("mag", "magnitude", "mags", "magnitudes")
MAG_ERR = (
    "mag_err", "mag_error", "e_mag", "err_mag", "sigma_mag", "mag_sigma", "sig_mag", "mag_unc", "mag_uncertainty",
    "magnitude_err", "magnitude_error", "m_err", "err", "error", "uncertainty",
)  # fmt: skip
BAND = (
    "band", "filter", "passband", "filtercode", "filter_id", "fid", "phot_filter", "filter_name", "band_name",
    "band_id", "passband_name", "passband_id", "bandpass", "photometric_band", "phot_band", "obs_filter", "filt",
    "bands", "filters",
)  # fmt: skip
FLAGS = ("flags", "flag", "catflags")
TIME_SYSTEM = ("time_system", "time_sys", "time_format", "time_zero", "time_scale", "time_type", "date_type")
SURVEY = ("survey", "instrument", "telescope")

ZEROS = {  # word -> the zero point of the times that it stands for
    "mjd": "mjd", "hmjd": "mjd", "bmjd": "mjd", "jd": "jd", "hjd": "hjd", "bjd": "bjd",
    "btjd": "bjd-2457000", "bkjd": "bjd-2454833", "rjd": "jd-2400000",  # of TESS, of Kepler, reduced
}  # fmt: skip
UNITS = {"d": "d", "day": "d", "h": "h", "hr": "h", "hour": "h", "min": "min", "minute": "min", "s": "s", "sec": "s",
         "second": "s", "yr": "yr", "year": "yr"}  # fmt: skip
DATE = re.compile(  # obs_mjd, midpointMjdTai, BJD_TDB, "MJD (TAI)", "HJD - 2450000", mjd_minus_50000
    rf"(?:obs_?|time_?|mid_?(?:point_?)?)?(?P<word>{'|'.join(ZEROS)})(?:[\W_]*(?:obs|mid|tdb|tai|utc|tcb|tt))?"
    r"[\W_]*(?:(?:minus|sub)?[\W_]*(?P<offset>\d{5,7}(?:\.\d+)?)\W*)?"
)
TIME = re.compile(rf"(?:obs_?)?(?:t|times?)(?:[\W_]+(?P<unit>{'|'.join(UNITS)})s?\W*)?")


@dataclass(frozen=True)
class TimeName:
    """What the name of a column of times says: zero point and unit as a mapping has them, and its rank among others."""

    zero: str
    unit: str
    rank: int


def fold(name: str) -> str:
    """The letters and digits of a name, whatever their case."""
    return re.sub(r"[\W_]+", "", name).casefold()


def _leaf(name: str) -> str:
    """The name of a column inside of its struct: mjd of lightcurve.mjd."""
    return name.rpartition(".")[2]


def find_column(words: Sequence[str], names: Sequence[str], key: str) -> str | None:
    """The column of `names` that is the first of `words`; None where none is.

    BadInput where a word has several spellings and none of them is exact; `key` is the entry that would settle it.
    """
    for word in words:
        if word in names:
            return word
        alike = [name for name in names if fold(name) == fold(word)]
        alike = alike or [name for name in names if fold(_leaf(name)) == fold(word)]
        if len(alike) > 1:
            raise _ambiguous(alike, key)
        if alike:
            return alike[0]
    return None


def is_recognised(name: str) -> bool:
    """True where the name of a column says what is in it, and it is no band."""
    words = (*ID, *RA, *DEC, *LABEL, *PHASE, *MAG, *MAG_ERR, *FLAGS)
    return {fold(name), fold(_leaf(name))} & set(map(fold, words)) != set() or read_time_name(name) is not None


def find_time(names: Sequence[str], key: str) -> str | None:
    """The column of `names` that holds times: dates before plain times, days since a known zero before others."""
    dated = {name: said.rank for name in names if (said := read_time_name(name))}
    best = [name for name, rank in dated.items() if rank == min(dated.values())]
    exact = [name for name in best if name == name.casefold()]
    chosen = best if len(best) == 1 else exact
    if len(best) > 1 and len(exact) != 1:
        raise _ambiguous(best, key)
    return chosen[0] if chosen else None


def read_time_name(name: str) -> TimeName | None:
    """What the name of a column says of the times in it; None where it is no time."""
    plain, leaf = name.strip().casefold(), _leaf(name).strip().casefold()
    if date := DATE.fullmatch(plain) or DATE.fullmatch(leaf):
        zero, rank = ZEROS[date["word"]], list(ZEROS).index(date["word"])
        return TimeName(_minus(zero, date["offset"]), "d", rank)
    if time := TIME.fullmatch(plain) or TIME.fullmatch(leaf):
        return TimeName("arbitrary", UNITS[time["unit"] or "d"], len(ZEROS))
    return None


def _minus(zero: str, offset: str | None) -> str:
    """A zero point with an offset taken off: hjd-2450000, or jd-2450000.5 for MJD - 50000."""
    if not offset:
        return zero
    return f"jd-{float(offset) + MJD_ZERO_JD:.10g}" if zero == "mjd" else f"{zero}-{offset}"


def _ambiguous(alike: Sequence[str], key: str) -> BadInput:
    names = ", ".join(map(repr, alike))
    return BadInput(
        f"{key} may be any of {names}, which differ in case or separators alone: say which in dataset.toml.", key
    )
