"""Makes the holdings of DR4 from those of DR3 and from the transits since, when they are first asked for."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.replica.dr4 import sources
from tasks.replica.dr4.declared import MADE, NEIGHBOURHOOD, Made
from tasks.replica.dr4.epochs import Epochs, flux_table, make_epochs
from tasks.replica.served import DUCKDB
from tasks.replica.tables.making import PATCH
from tasks.replica.tables.patch import make_patch
from tasks.replica.tables.records import Records, RecordsWriter
from tasks.sky import generate

RECORDS, SOURCES = "dr4_transits", "dr4_source"
BANDS = ("g", "bp", "rp")


def make(folder: Path, n: int, seed: int, before: Records, dr3: duckdb.DuckDBPyConnection) -> None:
    """Write the holdings of DR4 into the empty `folder`; `before` are the transits of DR3, `dr3` has its views."""
    moved, statistics = [], []
    with RecordsWriter(folder, RECORDS) as writer:
        for start in range(0, n, PATCH):
            sky = generate(n, seed, start, min(start + PATCH, n), surveys=("gaia_later",))
            patch = make_patch(sky, seed, start)
            epochs = make_epochs(patch, before)
            has_epochs = np.isin(patch.sources.source_id, epochs.source_id)
            moved.append(sources.rows(patch.sources, seed, has_epochs))
            ids = sources.new_ids(epochs.source_id, seed)
            writer.append(ids, epochs.record)
            statistics.append(_statistics(dr3, epochs, ids))
    found = pa.concat_tables(moved)
    pq.write_table(found, folder / f"{SOURCES}.parquet")
    pq.write_table(sources.neighbourhood(found, seed), folder / f"{NEIGHBOURHOOD.relation}.parquet")
    with dr3.cursor() as cursor:
        cursor.register("moved", found)
        cursor.register("statistics", pa.concat_tables(statistics))
        for made in MADE:
            pq.write_table(cursor.execute(_select(cursor, made)).to_arrow_table(), folder / f"{made.file}.parquet")


def _select(cursor: duckdb.DuckDBPyConnection, made: Made) -> str:
    """SQL of the rows of a table, ascending by source_id."""
    has = {name: _columns(cursor, name) for name in ("moved", made.relation, "statistics")}
    aliases = {"moved": "m", made.relation: "o", **({"statistics": "s"} if " AS s " in made.joined else {})}
    columns = ", ".join(
        f"CAST({made.given.get(column.name) or _first(column.name, aliases, has)} AS {DUCKDB[column.datatype]})"
        f' AS "{column.name}"'
        for column in made.table.columns
    )
    where = f"WHERE {made.where}" if made.where else ""
    return (
        f"SELECT {columns} FROM {made.relation} AS o JOIN moved AS m ON m.dr3_source_id = o.source_id {made.joined} "
        f"{where} ORDER BY m.source_id"
    )


def _columns(cursor: duckdb.DuckDBPyConnection, relation: str) -> set[str]:
    return {row[0] for row in cursor.execute(f"DESCRIBE {relation}").fetchall()}


def _first(name: str, aliases: dict[str, str], has: dict[str, set[str]]) -> str:
    return next((f'{alias}."{name}"' for table, alias in aliases.items() if name in has[table]), "NULL")


def _statistics(connection: duckdb.DuckDBPyConnection, epochs: Epochs, ids: np.ndarray) -> pa.Table:
    """Statistics of the fluxes of each source and band, by the names that all_source_photometry has for them."""
    with connection.cursor() as cursor:
        cursor.register("epochs", flux_table(epochs, ids))
        parts = " ".join(f"LEFT JOIN ({_of_band(band)}) AS {band} USING (source_id)" for band in BANDS)
        query = f"SELECT * FROM (SELECT DISTINCT source_id FROM epochs) {parts} ORDER BY source_id"
        return cursor.execute(query).to_arrow_table()


def _of_band(band: str) -> str:
    """SQL of the statistics of one band: moments and quantiles of the fluxes; Abbe's value (von Neumann 1941); and
    Stetson's J of successive transits (Stetson 1996, PASP 108, 851), in units of the errors."""
    x = f"{band}_flux"
    series = (
        f"SELECT source_id, time, {x} AS x, {band}_error AS e, is_bad, avg({x}) OVER star AS mean, "
        f"{x} - lag({x}) OVER later AS step, "
        f"sqrt(count({x}) OVER star / greatest(count({x}) OVER star - 1, 1)) AS scale "
        f"FROM epochs WHERE {x} IS NOT NULL "
        "WINDOW star AS (PARTITION BY source_id), later AS (PARTITION BY source_id ORDER BY time)"
    )
    pairs = (
        "SELECT *, scale * (x - mean) / e AS d, "
        "scale * (x - mean) / e * lag(scale * (x - mean) / e) OVER (PARTITION BY source_id ORDER BY time) AS p "
        f"FROM ({series})"
    )
    columns = {
        "n_cal": "count(x)",
        "n_outlier": "count(*) FILTER (is_bad)",
        "n_uncal": "0",
        "flux_standard_deviation": "stddev_samp(x)",
        "flux_skewness": "CASE WHEN count(x) > 3 AND stddev_pop(x) > 0 THEN skewness(x) END",
        "flux_kurtosis": "CASE WHEN count(x) > 3 AND stddev_pop(x) > 0 THEN kurtosis(x) END",
        "flux_median": "median(x)",
        "flux_mad": "mad(x)",
        "flux_min": "min(x)",
        "flux_max": "max(x)",
        "flux_first_quartile": "quantile_cont(x, 0.25)",
        "flux_third_quartile": "quantile_cont(x, 0.75)",
        "pc05": "quantile_cont(x, 0.05)",
        "pc95": "quantile_cont(x, 0.95)",
        "abbe_value": "sum(step * step) * count(x) / nullif(2 * (count(x) - 1) * sum((x - mean) * (x - mean)), 0)",
        "stetson_index": "sum(sign(p) * sqrt(abs(p))) / nullif(count(p), 0)",
    }
    chosen = ", ".join(f"{sql} AS phot_{band}_{name}" for name, sql in columns.items())
    return f"SELECT source_id, {chosen} FROM ({pairs}) GROUP BY source_id"
