"""What a file of epochs counts: values that are none, where its times and magnitudes lie, which bands quote errors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from schemas.dataset import MJD_ZERO_JD, DatasetSpec
from tasks.folder.checks import has_instrumental
from tasks.folder.rows import Layout, measured_query
from tasks.folder.sentinels import NINES, TIMES, find_sentinels
from tasks.folder.timescale import JD_FROM, LIKELY_MJD_RANGE
from tasks.lightcurves.photometry import INSTRUMENTAL_RANGE, MAG_RANGE


@dataclass(frozen=True)
class BandFigures:
    """Of each declared band (B,): whether any error is quoted, and the magnitude above which others are."""

    quotes: NDArray[np.bool_]
    mag_low: NDArray[np.float32]


@dataclass(frozen=True)
class Figures:
    """Rows of a file by what is in them, the 1, 50 and 99 per cent quantiles of its raw times, and their step.

    n_below counts magnitudes that are out of the range of their band and would be instrumental ones; n_jd
    counts times that can be no MJD, n_date those that are JD or MJD from 1949 on. `step` is that of
    numbers of 32 bits where all times are such numbers, else 0. Where JD stand among MJD the quantiles are those of
    MJD.
    """

    n_loose: int
    n_time: int
    n_mag: int
    n_mag_out: int
    n_below: int
    n_jd: int
    n_date: int
    n_repeat: int
    low: float
    median: float
    high: float
    step: float


def count_bands(con: duckdb.DuckDBPyConnection, file: Path, form: Layout, spec: DatasetSpec) -> BandFigures:
    """The figures of each declared band, in one pass."""
    query, values = measured_query(file, form, [band.in_file for band in spec.bands])
    below = f"mag > {INSTRUMENTAL_RANGE[0]} AND mag <= {MAG_RANGE[0]}"
    rows = con.execute(
        f"""SELECT band, count(*) FILTER (isfinite(mag)), count(*) FILTER ({below}),
            count(DISTINCT mag) FILTER ({below}),
            count(*) FILTER (isfinite(mag_err) AND mag_err > 0 AND NOT list_contains(?, mag_err))
            FROM ({query}) WHERE band >= 0 GROUP BY band""",
        [np.array(NINES, np.float32).tolist(), *values],
    ).fetchall()
    quotes = np.zeros(len(spec.bands), bool)
    mag_low = np.full(len(spec.bands), MAG_RANGE[0], np.float32)
    for band, n_mag, n_below, n_different, n_err in rows:
        quotes[band] = n_err > 0
        if has_instrumental(n_mag, n_below, n_different) and spec.bands[band].system == "instrumental":
            mag_low[band] = INSTRUMENTAL_RANGE[0]
    return BandFigures(quotes, mag_low)


def count_rows(
    con: duckdb.DuckDBPyConnection, file: Path, form: Layout, spec: DatasetSpec, bands: BandFigures
) -> Figures:
    """The figures of the file, in one pass; times that are words for none are in no quantile."""
    query, values = measured_query(file, form, [band.in_file for band in spec.bands])
    likely = "BETWEEN {} AND {}".format(*LIKELY_MJD_RANGE)
    usual = "isfinite(time) AND NOT list_contains(?, time)"
    mjd = f"CASE WHEN ? AND time > {JD_FROM} THEN time - {MJD_ZERO_JD} ELSE time END"
    cursor = con.execute(
        f"""SELECT count(*) FILTER (id IS NULL) AS n_loose,
            count(*) FILTER (isfinite(time)) AS n_time, count(*) FILTER (isfinite(mag)) AS n_mag,
            count(*) FILTER (isfinite(mag) AND (mag <= mag_low OR mag >= {MAG_RANGE[1]})) AS n_mag_out,
            count(*) FILTER (mag <= mag_low AND mag > {INSTRUMENTAL_RANGE[0]}) AS n_below,
            count(*) FILTER (isfinite(time) AND time > {JD_FROM}) AS n_jd,
            count(*) FILTER (time {likely} OR time - {MJD_ZERO_JD} {likely}) AS n_date,
            count(*) FILTER (isfinite(time) AND time >= ?) AS n_repeat,
            count(*) FILTER (isfinite(time) AND time <> CAST(CAST(time AS FLOAT) AS DOUBLE)) AS n_fine,
            approx_quantile({mjd}, [0.01, 0.5, 0.99]) FILTER ({usual}) AS quantiles
            FROM (SELECT *, coalesce(list_extract(?, band + 1), {MAG_RANGE[0]}) AS mag_low FROM ({query}))""",
        [spec.phase_end, spec.mixed_jd, list(TIMES) if spec.kind == "time" else [], bands.mag_low.tolist(), *values],
    )
    figures = cursor.to_arrow_table().to_pylist()[0]
    at = figures.pop("quantiles") or [0.0, 0.0, 0.0]
    is_coarse = not figures.pop("n_fine") and spec.kind == "time"
    step = _find_step(con, query, values, at[1]) if is_coarse else 0.0
    return Figures(**figures, **dict(zip(("low", "median", "high"), at, strict=True)), step=step)


def _find_step(con: duckdb.DuckDBPyConnection, query: str, values: list[object], median: float) -> float:
    """Step of numbers of 32 bits at `median` if the times take it; 0 where they are rounded, as to whole days."""
    step = float(np.spacing(np.float32(abs(median))))
    taken = f"SELECT count(*) FROM ({query}) WHERE isfinite(time) AND fmod(time, ?) <> 0"
    return step if con.execute(taken, [*values, 2 * step]).fetchall()[0][0] else 0.0


def count_sentinels(
    con: duckdb.DuckDBPyConnection, file: Path, form: Layout, spec: DatasetSpec, bands: BandFigures
) -> dict[float, int]:
    """Magnitudes that stand for none, declared or found, and how many rows in range hold each."""
    query, values = measured_query(file, form, [band.in_file for band in spec.bands])
    epochs = f"SELECT id, band, mag FROM ({query}) WHERE mag > list_extract(?, band + 1) AND mag < {MAG_RANGE[1]}"
    values = [*values, bands.mag_low.tolist()]
    declared = spec.lightcurves.sentinels
    if declared is None:
        return find_sentinels(con, epochs, values)
    counted = f"SELECT mag, count(*) FROM ({epochs}) WHERE list_contains(?, mag) GROUP BY mag ORDER BY mag"
    return dict(con.execute(counted, [*values, np.array(declared, np.float32).tolist()]).fetchall())
