"""What a file of epochs counts: values that are none, where its times and magnitudes lie, which bands quote errors."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from schemas import BadInput
from schemas.dataset import MJD_ZERO_JD, DatasetSpec
from schemas.values import is_nothing
from tasks.folder.checks import has_instrumental
from tasks.folder.layout import Layout
from tasks.folder.rows import epoch_query, value_query
from tasks.folder.sentinels import TIMES, find_sentinels
from tasks.folder.tally import BRIGHT, COUNTS, make_suspects
from tasks.folder.timescale import JD_FROM
from tasks.lightcurves.photometry import INSTRUMENTAL_RANGE, MAG_RANGE

MAX_BAND_VALUES = 1000  # a column with more names no bands
SAMPLE_ROWS = 65_536  # of which quantiles are taken in a larger file: off by less than 0.4 per cent of its rows

BandCounts = dict[str | None, Counter[str]]  # COUNTS of the tally by what the file calls a band, None for no word


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


def count_bands(con: duckdb.DuckDBPyConnection, file: Path, form: Layout, spec: DatasetSpec) -> BandCounts:
    """The tally by band; BadInput where there are too many for bands."""
    sums = ", ".join(f"sum({name})::BIGINT" for name in COUNTS)
    found = con.execute(f"SELECT band, {sums} FROM tally GROUP BY band LIMIT {MAX_BAND_VALUES + 1}").fetchall()
    if len(found) > MAX_BAND_VALUES:
        raise BadInput(
            f"{file}: column {form.columns['band']!r} has more than {MAX_BAND_VALUES:,} values: it "
            f"cannot be the band, set lightcurves.band in dataset.toml."
        )
    declared = {band.in_file for band in spec.bands}
    counts: BandCounts = defaultdict(Counter)
    for word, *n in found:
        key = word if word in declared or not is_nothing(word or "") else None
        counts[key].update(dict(zip(COUNTS, n, strict=True)))
    return dict(counts)


def judge_bands(
    con: duckdb.DuckDBPyConnection, file: Path, form: Layout, spec: DatasetSpec, counts: BandCounts
) -> BandFigures:
    """The figures of each declared band."""
    quotes = np.array([counts.get(band.in_file, Counter())["n_err"] > 0 for band in spec.bands])
    mag_low = np.full(len(spec.bands), MAG_RANGE[0], np.float32)
    for place, band in enumerate(spec.bands):
        own = counts.get(band.in_file)
        if own and own["n_bright"] and band.system == "instrumental":
            n_different = _count_different(con, file, form, spec, place)
            if has_instrumental(own["n_mag"], own["n_bright"], n_different):
                mag_low[place] = INSTRUMENTAL_RANGE[0]
    return BandFigures(quotes, mag_low)


def _count_different(con: duckdb.DuckDBPyConnection, file: Path, form: Layout, spec: DatasetSpec, place: int) -> int:
    """How many different magnitudes a band has that may be instrumental."""
    query, values = epoch_query(file, form, [band.in_file for band in spec.bands])
    different = f"SELECT count(DISTINCT mag) FROM ({query}) WHERE band = ? AND flags >= 0 AND {BRIGHT}"
    return int(con.execute(different, [*values, place]).fetchall()[0][0])


def count_rows(
    con: duckdb.DuckDBPyConnection, file: Path, form: Layout, spec: DatasetSpec, counts: BandCounts, bands: BandFigures
) -> Figures:
    """The figures of the file; times that are words for none are in no quantile."""
    total = sum(counts.values(), Counter())
    instrumental = [band.in_file for band, low in zip(spec.bands, bands.mag_low, strict=True) if low < MAG_RANGE[0]]
    n_good = sum(counts[word]["n_bright"] for word in instrumental)
    low, median, high = _find_quantiles(con, file, form, spec, total["n_time"]) if total["n_time"] else (0.0, 0.0, 0.0)
    is_coarse = not total["n_fine"] and spec.kind == "time"
    return Figures(
        n_loose=con.execute("SELECT coalesce(sum(n_row), 0)::BIGINT FROM tally WHERE id IS NULL").fetchall()[0][0],
        n_mag_out=total["n_out"] - n_good,
        n_below=total["n_bright"] - n_good,
        **{name: total[name] for name in ("n_time", "n_mag", "n_jd", "n_date", "n_repeat")},
        low=low,
        median=median,
        high=high,
        step=_find_step(con, file, form, median) if is_coarse else 0.0,
    )


def _find_quantiles(
    con: duckdb.DuckDBPyConnection, file: Path, form: Layout, spec: DatasetSpec, n_time: int
) -> tuple[float, float, float]:
    """The 1, 50 and 99 per cent quantiles of the times, of a part of the rows that does not depend on their order."""
    query, values = value_query(file, form)
    part = max(1, n_time // SAMPLE_ROWS)
    mjd = f"CASE WHEN ? AND time > {JD_FROM} THEN time - {MJD_ZERO_JD} ELSE time END"
    words = list(TIMES) if spec.kind == "time" else []
    # The words are looked for among the times that are taken: as a condition they would be among all.
    (found,) = con.execute(
        f"""SELECT quantile_cont(CASE WHEN NOT list_contains(?, time) THEN {mjd} END, [0.01, 0.5, 0.99])
            FROM ({query}) WHERE isfinite(time) AND hash(time, mag) % {part} = 0""",
        [words, spec.mixed_jd, *values],
    ).fetchall()[0]
    low, median, high = found or (0.0, 0.0, 0.0)
    return low, median, high


def _find_step(con: duckdb.DuckDBPyConnection, file: Path, form: Layout, median: float) -> float:
    """Step of numbers of 32 bits at `median` if the times take it; 0 where they are rounded, as to whole days."""
    query, values = value_query(file, form)
    step = float(np.spacing(np.float32(abs(median))))
    taken = f"SELECT count(*) FROM ({query}) WHERE isfinite(time) AND fmod(time, ?) <> 0"
    return step if con.execute(taken, [*values, 2 * step]).fetchall()[0][0] else 0.0


def count_sentinels(
    con: duckdb.DuckDBPyConnection, file: Path, form: Layout, spec: DatasetSpec, bands: BandFigures
) -> dict[float, int]:
    """Magnitudes that stand for none, declared or found, and how many rows in range hold each."""
    low = bands.mag_low.tolist()

    def select(among: str = "") -> tuple[str, list[object]]:
        query, values = epoch_query(file, form, [band.in_file for band in spec.bands], among)
        in_range = f"flags >= 0 AND mag > list_extract(?, band + 1) AND mag < {MAG_RANGE[1]}"
        return f"SELECT id, band, mag FROM ({query}) WHERE {in_range}", [*values, low]

    declared = spec.lightcurves.sentinels
    if declared is None:
        make_suspects(con, form)
        return find_sentinels(con, select("suspect"), select())
    epochs, values = select()
    counted = f"SELECT mag, count(*) FROM ({epochs}) WHERE list_contains(?, mag) GROUP BY mag ORDER BY mag"
    return dict(con.execute(counted, [*values, np.array(declared, np.float32).tolist()]).fetchall())
