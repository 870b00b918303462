"""One pass over a file of epochs: what its rows hold, counted for each object and band."""

from __future__ import annotations

from pathlib import Path

import duckdb

from schemas.dataset import MJD_ZERO_JD, DatasetSpec
from schemas.sql import quote_text
from tasks.folder.layout import Layout
from tasks.folder.rows import value_query
from tasks.folder.sentinels import FIRST_NINE, MIN_MAG_GAP
from tasks.folder.timescale import JD_FROM, LIKELY_MJD_RANGE
from tasks.lightcurves.photometry import INSTRUMENTAL_RANGE, MAG_RANGE

BRIGHT = f"mag > {INSTRUMENTAL_RANGE[0]} AND mag <= {MAG_RANGE[0]}"
ENDS = f"FILTER (mag > {INSTRUMENTAL_RANGE[0]} AND mag < {INSTRUMENTAL_RANGE[1]})"
LIKELY = "BETWEEN {} AND {}".format(*LIKELY_MJD_RANGE)
COUNTS = {  # what a column of the tally counts
    "n_row": "true",
    "n_time": "isfinite(time)",
    "n_jd": f"isfinite(time) AND time > {JD_FROM}",
    "n_repeat": "isfinite(time) AND time >= ?",
    "n_fine": "isfinite(time) AND time <> CAST(CAST(time AS FLOAT) AS DOUBLE)",  # no number of 32 bits
    "n_date": f"time {LIKELY} OR time - {MJD_ZERO_JD} {LIKELY}",
    "n_mag": "isfinite(mag)",
    "n_out": f"isfinite(mag) AND (mag <= {MAG_RANGE[0]} OR mag >= {MAG_RANGE[1]})",
    "n_bright": BRIGHT,  # as instrumental magnitudes are
    "n_err": f"mag_err > 0 AND mag_err < {FIRST_NINE}",
}


def make_tally(con: duckdb.DuckDBPyConnection, file: Path, form: Layout, spec: DatasetSpec) -> None:
    """Make the table `tally`: id and band, the cells that say so, COUNTS, and the ends and sum of magnitudes.

    There is a row for each two cells, so an object that is written in two ways has two.
    """
    query, values = value_query(file, form)
    counted = COUNTS if "mag_err" in form.columns else {**COUNTS, "n_err": "false"}
    counts = ", ".join(f"count(*) FILTER ({what}) AS {name}" for name, what in counted.items())
    ends = f"min(mag) {ENDS} AS low, max(mag) {ENDS} AS high, sum(mag) {ENDS} AS total, count(mag) {ENDS} AS n_total"
    keys = ", ".join(form.keys)
    words = {"band": quote_text(spec.bands[0].in_file), **form.words}
    named = [*(f"{word} AS {key}" for key, word in words.items()), *(f"{key} AS cell_{key}" for key in form.keys)]
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE tally AS SELECT {", ".join(named)}, * EXCLUDE ({keys})
            FROM (SELECT {keys}, {counts}, {ends} FROM ({query}) GROUP BY {keys})""",
        [spec.phase_end, *values],
    )


def make_suspects(con: duckdb.DuckDBPyConnection, form: Layout) -> None:
    """Make the table `suspect`: the cells of objects in a band one of whose ends may be a sentinel, of the `tally`.

    No other object can hold one: an end that is MIN_MAG_GAP from all other magnitudes, and less than half of them, is
    half of that from their mean. Objects with magnitudes that may be instrumental are among them whatever their ends.
    """
    cells = ", ".join(f"cell_{key} AS {key}" for key in form.keys)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE suspect AS WITH object AS (
                SELECT id, band, min(low) AS bottom, max(high) AS top, sum(total) / sum(n_total) AS mean,
                       sum(n_bright) AS n_bright
                FROM tally GROUP BY id, band)
            SELECT {cells} FROM tally SEMI JOIN (
                SELECT * FROM object WHERE top - mean >= ? OR (bottom <= 0 AND mean - bottom >= ?) OR n_bright > 0
            ) USING (id, band)""",
        [MIN_MAG_GAP / 2] * 2,
    )
