"""Numbers that stand for none although they are in range: a magnitude of 29.999, a time of 0, an error of 99."""

from __future__ import annotations

import duckdb
import numpy as np
from numpy.typing import NDArray

from tasks.folder.rows import Query

# 9, 99 ... 99999, and with one to four nines behind the point; the first that is no error of a magnitude is 9.
NINES = tuple(float("9" * n + "." + "9" * m) for n in range(1, 6) for m in range(5))
TIMES = (0.0, -1.0, *NINES, *(-value for value in NINES))
FIRST_NINE = min(NINES)
MIN_TIME_GAP = 50 * 365.25  # day, beyond the quantiles of the other times: no light curve has such a gap

MIN_MAG_GAP = 3.0  # from every other magnitude of the object in the band
MIN_ROWS = 5  # that hold the value
MIN_OBJECTS = 3  # that hold it, where a star could be so bright
MEASURED = (0.0, 25.0)  # mag, exclusive; beyond, a value that stands alone and is repeated needs no other object
MIN_SHARE = 0.2  # of the rows whose magnitude is as far from the others of their object


def is_no_error(mag_err: NDArray[np.floating]) -> NDArray[np.bool_]:
    """True where an error (N,) is one of NINES."""
    return np.isin(mag_err, np.array(NINES, mag_err.dtype))


def is_no_time(time: NDArray[np.float64], low: float, high: float, day: float) -> NDArray[np.bool_]:
    """True where a time (N,) is one of TIMES, far from where times are, `low` to `high`; `day` is a unit in days."""
    gap = MIN_TIME_GAP / day
    far = (time < low - gap) | (time > high + gap)
    far[far] = np.isin(time[far], TIMES)
    return far


def find_sentinels(con: duckdb.DuckDBPyConnection, suspects: Query, epochs: Query) -> dict[float, int]:
    """Magnitudes that stand for "not measured", and how many rows hold each; `epochs` selects id, band, mag.

    Such a value is the faintest of its object in a band, or the brightest and not above 0, by MIN_MAG_GAP and by the
    spread of the object's other magnitudes, and in less than half of its rows. MIN_ROWS rows and MIN_SHARE of all that
    are so far off hold exactly this value, in MIN_OBJECTS objects or beyond MEASURED, and fewer rows hold it near other
    magnitudes of their object. A saturated or clipped star has magnitudes near the limit, and is no such case.
    `suspects` selects the epochs of those objects in a band that may have such an end.
    """
    query, values = suspects
    far = f"CREATE OR REPLACE TEMP TABLE far AS {_FAR.format(epochs=query)}"
    con.execute(far, [*values, MIN_MAG_GAP, MIN_MAG_GAP])
    found = con.execute(
        """SELECT value FROM (SELECT value, sum(n) AS n_row, count(DISTINCT id) AS n_object,
                                     sum(n) / sum(sum(n)) OVER (PARTITION BY is_faint) AS share
                              FROM far GROUP BY value, is_faint)
           WHERE n_row >= ? AND share >= ? AND (n_object >= ? OR value <= ? OR value >= ?)""",
        [MIN_ROWS, MIN_SHARE, MIN_OBJECTS, *MEASURED],
    ).fetchall()
    return _drop_near(con, epochs, [value for (value,) in found]) if found else {}


def _drop_near(con: duckdb.DuckDBPyConnection, epochs: Query, sentinels: list[float]) -> dict[float, int]:
    """The sentinels that stand near other magnitudes of their object in no more rows than far from them."""
    query, values = epochs
    counted = con.execute(
        f"""WITH epoch AS ({query}), held AS (SELECT id, band, mag AS value, count(*) AS n FROM epoch
                                              WHERE list_contains(?, mag) GROUP BY ALL),
            near AS (SELECT DISTINCT held.id, held.band, held.value FROM held JOIN epoch USING (id, band)
                     WHERE epoch.mag <> held.value AND abs(epoch.mag - held.value) < ?)
            SELECT value, sum(n), coalesce(sum(n) FILTER (near.id IS NOT NULL), 0), any_value(far_n)
            FROM held LEFT JOIN near USING (id, band, value)
            LEFT JOIN (SELECT value, sum(n) AS far_n FROM far GROUP BY value) USING (value)
            GROUP BY value ORDER BY value""",
        [*values, np.array(sentinels, np.float32).tolist(), MIN_MAG_GAP],
    ).fetchall()
    return {float(value): int(n) for value, n, n_near, n_far in counted if n_near <= n_far}


# Ends that are far from every other magnitude of their object in the band, with the number of their rows.
_FAR = """
WITH held AS (SELECT id, band, mag AS value, count(*) AS n FROM ({epochs}) GROUP BY ALL),
object AS (
    SELECT id, band, sum(n) AS n, max(value, 2) AS highest, min(value, 2) AS lowest,
           arg_max(n, value) AS n_high, arg_min(n, value) AS n_low
    FROM held GROUP BY id, band HAVING count(*) > 1)
SELECT id, band, highest[1] AS value, n_high AS n, true AS is_faint FROM object
WHERE n_high * 2 < n AND highest[1] - highest[2] >= greatest(?, highest[2] - lowest[1])
UNION ALL
SELECT id, band, lowest[1], n_low, false FROM object
WHERE n_low * 2 < n AND lowest[1] <= 0 AND lowest[2] - lowest[1] >= greatest(?, highest[1] - lowest[2])
"""
