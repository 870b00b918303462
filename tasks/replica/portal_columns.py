"""What the MAST portal says about TIC's columns: their fields, their widgets, and the histograms behind the widgets.

One thing differs from the recorded Mast.Catalogs.All.Tic, which counts ID, HIP, KIC, SDSS, duplicate_id and objID among
the columns that are asked by range: with it astroquery 0.4.11 would refuse ``ID=[...]``, which works on the live
service.
"""

from __future__ import annotations

from typing import Any

import duckdb

from tasks.replica.served import ServedTable

TYPES = {"char": "string", "boolean": "boolean", "double": "float", "float": "float"}  # any other is an "int"
NUMERIC_TEXT = ("ID", "SDSS", "duplicate_id", "objID")
IDS = (*NUMERIC_TEXT, "HIP", "KIC")
DISCRETE = ("lumclass", "objType", "PARflag", "PMflag", "POSflag", "SPFlag", "TESSflag", "typeSrc")


def fields(catalog: ServedTable) -> list[dict[str, str]]:
    """Name and type of every column, as answers list them."""
    return [{"name": column.name, "type": TYPES.get(column.datatype, "int")} for column in catalog.columns]


def widgets(catalog: ServedTable) -> dict[str, dict[str, Any]]:
    """Columns by name with what the portal's page shows of them."""
    return {
        column.name: {"text": column.name} | ({"vot.unit": column.unit} if column.unit else {})
        for column in catalog.columns
    }


def everything(connection: duckdb.DuckDBPyConnection, catalog: ServedTable) -> dict[str, Any]:
    """The answer of Mast.Catalogs.All.Tic: what values columns have, no rows.

    Columns of classes come with the count of each value, columns of numbers with the smallest and largest.
    """
    described = fields(catalog)
    ranged = [field["name"] for field in described if field["type"] in ("float", "int") and field["name"] not in IDS]
    extremes = ", ".join(f'min("{name}"), max("{name}")' for name in ranged)
    with connection.cursor() as cursor:
        (row,) = cursor.execute(f"SELECT {extremes} FROM {catalog.relation}").fetchall()
        counts = {
            name: cursor.execute(
                f"SELECT coalesce(\"{name}\", ''), count(*) FROM {catalog.relation} GROUP BY 1 ORDER BY 1"
            ).fetchall()
            for name in DISCRETE
        }
    continuous = {
        name: {"hist": {"hist": []}, "min": row[2 * index], "max": row[2 * index + 1], "type": "numeric"}
        for index, name in enumerate(ranged)
    }
    discrete = {
        name: {
            "hist": [{"count": count, "key": key} for key, count in values],
            **{key: {"count": count, "key": key} for key, count in values},
        }
        for name, values in counts.items()
    }
    ignored = {"string": "", "float": "NaN"}
    table = {
        "name": "Table",
        "ExtendedProperties": {
            "discreteHistogram": discrete,
            "continuousHistogram": continuous,
            "Paging": dict.fromkeys(("page", "pageSize", "pagesFiltered", "rows", "rowsFiltered", "rowsTotal"), 0),
        },
        "Columns": [
            {"text": field["name"], "dataIndex": field["name"], "ignoreValue": ignored.get(field["type"])}
            for field in described
        ],
        "Fields": described,
        "Rows": [],
    }
    return {"status": "COMPLETE", "msg": "", "data": {"name": "NewDataSet", "Tables": [table]}}
