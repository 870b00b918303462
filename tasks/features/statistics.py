"""Statistics of each band's magnitudes, by the Rust extractor of light-curve (Malanchev et al. 2021, MNRAS 502, 5147).

Definitions: documentation of light-curve 0.13; D'Isanto et al. 2016, MNRAS 457, 3119 collects the originals.
"""

from __future__ import annotations

from functools import cache

import light_curve
import numpy as np
import pyarrow as pa

from schemas.column import Column
from tasks.features.feature import Arrays, Curves, Feature
from tasks.lightcurves.fourier import UNQUOTED_ERR


def _column(name: str, doc: str, unit: str = "", ucd: str = "src.var;stat.value") -> Column:
    return Column(name + "_{band}", pa.float32(), doc, unit, ucd, nullable=True)


# light-curve's name -> our column
STATISTIC_COLUMNS = {
    "amplitude": _column("amplitude_mag", "Half of the range from minimum to maximum.", "mag", "src.var.amplitude"),
    "anderson_darling_normal": _column("anderson_darling", "Anderson-Darling statistic against a normal."),
    "beyond_1_std": _column("beyond_1_std", "Fraction of epochs beyond 1 standard deviation from the mean."),
    "beyond_2_std": _column("beyond_2_std", "Fraction of epochs beyond 2 standard deviations from the mean."),
    "cusum": _column("cusum", "Range of the cumulative sum of deviations, in order of time (Kim et al. 2014)."),
    "eta": _column("eta", "Von Neumann ratio of successive differences to variance."),
    "eta_e": _column("eta_e", "Von Neumann ratio for uneven times (Kim et al. 2014)."),
    "excess_variance": _column("excess_variance", "(variance - mean squared error) / squared mean magnitude."),
    "inter_percentile_range_2": _column("range_2_98_mag", "98th minus 2nd percentile.", "mag"),
    "inter_percentile_range_10": _column("range_10_90_mag", "90th minus 10th percentile.", "mag"),
    "inter_percentile_range_25": _column("range_25_75_mag", "75th minus 25th percentile.", "mag"),
    "kurtosis": _column("kurtosis", "Excess kurtosis of the magnitudes."),
    "linear_trend": _column("trend_mag_per_day", "Slope of the least-squares line.", "mag.d-1"),
    "linear_trend_noise": _column("trend_noise_mag", "Standard deviation around the least-squares line.", "mag"),
    "magnitude_percentage_ratio_40_5": _column("ratio_40_60_5_95", "(q60 - q40) / (q95 - q5)."),
    "magnitude_percentage_ratio_20_10": _column("ratio_20_80_10_90", "(q80 - q20) / (q90 - q10)."),
    "maximum_slope": _column("maximum_slope_mag_per_day", "Steepest slope between successive epochs.", "mag.d-1"),
    "median_absolute_deviation": _column("mad_mag", "Median absolute deviation from the median.", "mag"),
    "median_buffer_range_percentage_10": _column(
        "within_tenth", "Fraction within a tenth of half the range of the median."
    ),
    "percent_amplitude": _column("percent_amplitude_mag", "Largest deviation from the median.", "mag"),
    "chi2": _column("reduced_chi2", "Reduced chi2 of a constant."),
    "roms": _column("roms", "Robust median statistic: mean of |m - median| / error (Rose & Hintz 2007)."),
    "skew": _column("skew", "Skewness of the magnitudes; negative where bright excursions dominate."),
    "standard_deviation": _column("std_mag", "Standard deviation of the magnitudes.", "mag", "stat.stdev;phot.mag"),
    "stetson_K": _column("stetson_k", "Stetson's K (Stetson 1996, PASP 108, 851)."),
}
NEEDS_ERRORS = ("excess_variance", "chi2", "roms", "stetson_K")
NEEDS_TIME = ("eta_e", "linear_trend", "linear_trend_noise", "maximum_slope")


@cache
def extractor() -> light_curve.Extractor:
    """The compiled extractor. One feature written in Python would silently turn all of it into Python."""
    return light_curve.Extractor(
        light_curve.Amplitude(),
        light_curve.AndersonDarlingNormal(),
        light_curve.BeyondNStd(1.0),
        light_curve.BeyondNStd(2.0),
        light_curve.Cusum(),
        light_curve.Eta(),
        light_curve.EtaE(),
        light_curve.ExcessVariance(),
        light_curve.InterPercentileRange(0.02),
        light_curve.InterPercentileRange(0.10),
        light_curve.InterPercentileRange(0.25),
        light_curve.Kurtosis(),
        light_curve.LinearTrend(),
        light_curve.MagnitudePercentageRatio(0.40, 0.05),
        light_curve.MagnitudePercentageRatio(0.20, 0.10),
        light_curve.MaximumSlope(),
        light_curve.MedianAbsoluteDeviation(),
        light_curve.MedianBufferRangePercentage(0.10),
        light_curve.PercentAmplitude(),
        light_curve.ReducedChi2(),
        light_curve.Roms(),
        light_curve.Skew(),
        light_curve.StandardDeviation(),
        light_curve.StetsonK(),
    )


def as_arrow_lists(curves: Curves) -> pa.Array:
    """One list of (time, mag, mag_err) structs per object and band: the layout that the extractor reads in place."""
    batch = curves.batch
    # the extractor panics where all times of a list are equal; its statistics of time are not used there
    time = np.where(
        np.repeat(curves.has_spread.ravel(), np.diff(curves.band_offsets)), batch.time, np.arange(batch.time.size)
    )
    err = np.where(np.isfinite(batch.mag_err), batch.mag_err, UNQUOTED_ERR).astype(np.float64)
    epochs = pa.StructArray.from_arrays(
        [pa.array(time), pa.array(batch.mag.astype(np.float64)), pa.array(err)], names=["time", "mag", "mag_err"]
    )
    return pa.ListArray.from_arrays(pa.array(curves.band_offsets.astype(np.int32)), epochs)


def compute_statistics(curves: Curves, earlier: Arrays) -> Arrays:
    """All statistics of every band, (S,B) each; NaN for bands with fewer than `min_epoch` epochs."""
    if len(curves.batch) == 0:
        return {column.name: np.empty((0, len(curves.batch.bands))) for column in STATISTIC_COLUMNS.values()}
    values = extractor().many(
        as_arrow_lists(curves),
        arrow_fields={"t": "time", "m": "mag", "sigma": "mag_err"},
        sorted=True,
        check=False,
        fill_value=np.nan,
        n_jobs=1,
    )
    by_name = dict(zip(extractor().names, np.moveaxis(curves.per_band(values), -1, 0), strict=True))
    enough = curves.n_epoch >= curves.config.min_epoch
    quoted, timed = curves.has_errors, curves.has_spread & curves.config.has_time
    found = {}
    for name, column in STATISTIC_COLUMNS.items():
        known = enough & quoted if name in NEEDS_ERRORS else enough
        known = known & timed if name in NEEDS_TIME else known
        found[column.name] = np.where(known, by_name[name], np.nan)
    return found


STATISTICS = Feature(
    "statistics",
    source="Malanchev et al. 2021, MNRAS 502, 5147 (light-curve); originals in D'Isanto et al. 2016, MNRAS 457, 3119.",
    compute=compute_statistics,
    columns=tuple(STATISTIC_COLUMNS.values()),
    of_zero_point=("excess_variance_{band}",),
    of_errors=tuple(STATISTIC_COLUMNS[name].name for name in NEEDS_ERRORS),
    of_times=tuple(STATISTIC_COLUMNS[name].name for name in NEEDS_TIME),
)
