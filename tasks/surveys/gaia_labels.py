"""What Gaia itself says about the sources: their rows, classes and parameters, from the wide answer.

Classes come from vari_classifier_result, and where the pipelines made for one class looked closer, from those:
- RR becomes vari_rrlyrae's best_classification (RRab, RRc, RRd); CEP becomes vari_cepheid's type (DCEP is our CEP;
  T2CEP, ACEP); LPV is MIRA_SR; DSCT|GDOR|SXPHE is DSCT_SXPHE (gamma Doradus stars are in it: Gaia does not part them);
- a source that the classifier left out gets the class of the table that it is in (RR Lyrae, Cepheids, eclipsing
  binaries, long-period variables, in this order), without a score;
- with none of these, phot_variable_flag CONSTANT is CONST. Other words are kept as Gaia writes them.

Periods: RRab, Cepheids: the fundamental's (pf), the first overtone's where there is none; RRc, RRd: the first
overtone's (p1_o; it is the dominant mode of RRd), the fundamental's where there is none. Second-overtone Cepheids get
none. Eclipsing binaries and long-period variables: 1 / frequency; they get no amplitude, since vari_eclipsing_binary
has none and that of vari_long_period_variable is not the peak-to-peak of the light curve.

Parameters: Teff, radius, log g and [M/H] of GSP-Phot (from BP/RP spectra, so photometric), [Fe/H] from [M/H] of
GSP-Spec (RVS spectra; no calibration and no flags_gspspec applied). A radius that GSP-Phot has not is left out:
FLAME's rests on GSP-Phot's temperature and would mix a second method under the same name. `err` is half of the
published 16-84 % interval. [Fe/H] of RR Lyrae is photometric too (period and phi31: Clementini et al. 2023, A&A 674,
A18).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.arrays import floats
from schemas.quantities import QUANTITIES
from schemas.rejections import join_reports, reject
from tasks.surveys.columns import translate
from tasks.surveys.gaia_release import GaiaRelease
from tasks.surveys.survey import CLASS_LABELS, PARAMETER_LABELS, SOURCES

CLASS_WORDS = {"LPV": "MIRA_SR", "DSCT|GDOR|SXPHE": "DSCT_SXPHE"}
CEPHEID_WORDS = {"DCEP": "CEP"}
FIRST_OVERTONE = ("RRc", "RRd")

SOURCE_QUANTITIES = ("class", "teff_k", "radius_rsun", "logg_dex", "mh_dex", "feh_dex")
VARIABILITY_QUANTITIES = ("period_day", "amplitude_g_mag", "feh_dex")


def sources(rows: pa.Table, release: GaiaRelease) -> pa.Table:
    """The rows with the columns of SOURCES; the ids of the release itself are source_id once more."""
    named = {name: rows[name] for name in rows.column_names} | {f"{release.release}_source_id": rows["source_id"]}
    return pa.table([named[field.name].cast(field.type) for field in SOURCES], schema=SOURCES)


def class_labels(rows: pa.Table, release: GaiaRelease) -> pa.Table:
    """One class of each source that has one; columns of CLASS_LABELS."""
    word = rows["class_name"]
    refined = pc.case_when(
        pc.make_struct(
            pc.equal(word, "RR"),
            pc.equal(word, "CEP"),
            pc.is_valid(word),
            pc.is_valid(rows["rr_class"]),
            pc.is_valid(rows["cep_class"]),
            pc.is_valid(rows["eb_source_id"]),
            pc.is_valid(rows["lpv_source_id"]),
            pc.equal(rows["phot_variable_flag"], "CONSTANT"),
        ),
        pc.coalesce(rows["rr_class"], word),
        pc.coalesce(translate(rows["cep_class"], CEPHEID_WORDS), word),
        translate(word, CLASS_WORDS),
        rows["rr_class"],
        translate(rows["cep_class"], CEPHEID_WORDS),
        "ECL",
        "MIRA_SR",
        "CONST",
    )
    n = rows.num_rows
    table = pa.table(
        [
            rows["source_id"],
            pa.repeat(release.name, n),
            refined,
            pc.if_else(pc.is_valid(word), rows["class_score"], None),
            pa.repeat(True, n),
        ],
        schema=CLASS_LABELS,
    )
    return table.filter(pc.is_valid(refined))


def parameter_labels(rows: pa.Table, release: GaiaRelease) -> tuple[pa.Table, pa.Table]:
    """Parameters, periods and amplitudes, ascending by source; columns of PARAMETER_LABELS. And the values refused."""
    variability = release.variability_origin
    values = [
        _Values("period_day", variability, *_period(rows), is_reference=True),
        _Values("amplitude_g_mag", variability, *_amplitude(rows), is_reference=True),
        _Values("feh_dex", variability, _numbers(rows, "rr_metallicity"), _numbers(rows, "rr_metallicity_error")),
        _interval(rows, "teff_k", "teff_gspphot", release.name),
        _interval(rows, "radius_rsun", "radius_gspphot", release.name),
        _interval(rows, "logg_dex", "logg_gspphot", release.name, is_reference=True),
        _interval(rows, "mh_dex", "mh_gspphot", release.name),
        _interval(rows, "feh_dex", "mh_gspspec", release.name, is_photometric=False),
    ]
    source_id = rows["source_id"].to_numpy()
    tables, refused = zip(*[value.rows(source_id) for value in values], strict=True)
    order = [("source_id", "ascending"), ("quantity", "ascending"), ("origin", "ascending")]
    return pa.concat_tables(tables).sort_by(order), join_reports(*refused)


@dataclass(frozen=True, eq=False)
class _Values:
    """A quantity of all sources, (S,) each, NaN where there is none."""

    quantity: str
    origin: str
    value: NDArray[np.float64]
    err: NDArray[np.float64]
    lo: NDArray[np.float64] | None = None
    hi: NDArray[np.float64] | None = None
    is_photometric: bool = True
    is_reference: bool = False

    def rows(self, source_id: NDArray[np.int64]) -> tuple[pa.Table, pa.Table]:
        """The rows with a value, and those whose value is outside the quantity's range."""
        is_bad = QUANTITIES[self.quantity].is_outside(self.value)
        kept = np.flatnonzero(np.isfinite(self.value) & ~is_bad)
        err = np.where(self.err >= 0, self.err, np.nan)
        columns = [
            source_id[kept],
            pa.repeat(self.origin, kept.size),
            pa.repeat(self.quantity, kept.size),
            self.value[kept],
            *(
                pa.nulls(kept.size, pa.float64()) if part is None else pa.array(part[kept], from_pandas=True)
                for part in (err, self.lo, self.hi)
            ),
            pa.repeat(self.is_photometric, kept.size),
            pa.repeat(self.is_reference, kept.size),
        ]
        table = pa.table([pa.array(column) for column in columns], schema=PARAMETER_LABELS)
        return table, reject(self.origin, source_id[is_bad], self.quantity, "range", pa.array(self.value[is_bad]))


def _interval(
    rows: pa.Table, quantity: str, column: str, origin: str, is_photometric: bool = True, is_reference: bool = False
) -> _Values:
    lo, hi = _numbers(rows, f"{column}_lower"), _numbers(rows, f"{column}_upper")
    half = (hi - lo) / 2
    return _Values(quantity, origin, _numbers(rows, column), half, lo, hi, is_photometric, is_reference)


def _period(rows: pa.Table) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Period and error (day), of the first table that has one: RR Lyrae, Cepheids, binaries, long-period variables."""
    is_overtone = pc.fill_null(pc.is_in(rows["rr_class"], pa.array(FIRST_OVERTONE)), False).to_numpy()
    ab, c = _pair(rows, "rr_pf"), _pair(rows, "rr_p1_o")
    lyrae = np.where(is_overtone, _either(c, ab), _either(ab, c))
    cepheid = _either(_pair(rows, "cep_pf"), _pair(rows, "cep_p1_o"))
    binary, slow = _inverse(_pair(rows, "eb_frequency")), _inverse(_pair(rows, "lpv_frequency"))
    period = _either(_either(lyrae, cepheid), _either(binary, slow))
    return period[0], period[1]


def _amplitude(rows: pa.Table) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    pair = _either(_pair(rows, "rr_peak_to_peak_g"), _pair(rows, "cep_peak_to_peak_g"))
    return pair[0], pair[1]


def _pair(rows: pa.Table, column: str) -> NDArray[np.float64]:
    """A value and its error, (2, S)."""
    return np.stack([_numbers(rows, column), _numbers(rows, f"{column}_error")])


def _either(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """`first` (2, S) where it has a value, else `second`."""
    return np.where(np.isfinite(first[0]), first, second)


def _inverse(frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    """Period and error of a frequency and its error, (2, S); a frequency that is not above 0 has none."""
    value = np.where(frequency[0] > 0, frequency[0], np.nan)
    return np.stack([1 / value, frequency[1] / value**2])


def _numbers(rows: pa.Table, column: str) -> NDArray[np.float64]:
    return floats(rows[column])
