"""The small tables of a dataset: validated, committed each whole, and the rows that fail are quarantined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse import column_names, ids
from lakehouse.delta.keys import find_duplicates
from lakehouse.delta.reference import TableRef
from lakehouse.delta.store import Lake
from lakehouse.quantities import OWN as QUANTITY
from lakehouse.quantities import quantity_rows
from lakehouse.quarantine import validate
from lakehouse.run import Run
from schemas import TABLES, BadInput, TableSpec
from schemas.dataset_nodes import Band
from tasks.stages.acquire.receive import SOURCE, ReceivedRows
from tasks.stages.acquire.unfit_names import refuse_unfit_classes
from tasks.stages.archive import Archive, list_tables_beside

BAND, QUARANTINE, CLASS = (
    TABLES[name] for name in ("core_dataset__band", "core_quarantine__row", "label_sample__class")
)


def commit_tables(run: Run, lake: Lake, archive: Archive, received: Sequence[ReceivedRows]) -> list[TableRef]:
    """Validate and commit the tables beside the light curves, each whole; the sample itself comes last.

    BadInput where the archive gave no object that can be used.
    """
    _refuse_nothing(run.dataset, received)
    whole = _gather(received)
    classes = sorted(whole[CLASS]["class"].unique().to_pylist())
    refuse_unfit_classes(classes)
    names = {
        column_names.BAND: archive.renamed_bands,
        column_names.CLASS: column_names.choose_column_names(lake, run.dataset, column_names.CLASS, classes, {}),
    }
    rejected = [rejected_rows(run, rows.rejected, archive.is_gaia) for rows in received if rows.rejected]
    tables = {BAND: _band_rows(run.dataset, archive.bands)}
    if archive.quantities or lake.exists(QUANTITY):
        tables[QUANTITY] = quantity_rows(run.dataset, archive.quantities)
    renamed = column_names.name_rows(run.dataset, names)
    if renamed.num_rows or lake.exists(column_names.NAME):
        tables[column_names.NAME] = renamed
    for spec, rows in whole.items():
        tables[spec], bad = validate(spec, rows, run.dataset, run.run_id)
        rejected.append(bad)
    quarantine = pa.concat_tables(rejected)
    first = pa.array(~find_duplicates(quarantine, QUARANTINE.key))
    tables = {QUARANTINE: quarantine.filter(first), **tables}
    partition, source = {"dataset": run.dataset}, archive.fingerprint
    return [
        lake.overwrite(run.run_id, spec, table, partition, stage="acquire", source=source)
        for spec, table in tables.items()
    ]


def _refuse_nothing(dataset: str, received: Sequence[ReceivedRows]) -> None:
    """BadInput where no object was received, with the checks that refused what was."""
    if any(rows.sources.num_rows for rows in received):
        return
    checks = Counter(check for rows in received if rows.rejected for check in rows.rejected["check"].to_pylist())
    words = ", ".join(f"{check} {n:,}" for check, n in checks.most_common(3))
    refused = f" that can be used; rows refused: {words}" if words else ""
    raise BadInput(f"{dataset}: the archive gave no object{refused}: nothing to do.")


def _gather(received: Sequence[ReceivedRows]) -> dict[TableSpec, pa.Table]:
    """All rows of each table, the sources last; a table that no chunk has rows of is empty."""
    parts = {
        spec: [rows.beside[name] for rows in received if name in rows.beside]
        for name, spec in list_tables_beside().items()
    }
    parts[SOURCE] = [rows.sources for rows in received]
    return {
        spec: pa.concat_tables(tables, promote_options="default") if tables else spec.empty()
        for spec, tables in parts.items()
    }


def _band_rows(dataset: str, bands: Sequence[Band]) -> pa.Table:
    """Rows of core_dataset__band; the place of a band is its code."""
    names = ("name", "survey", "system", "wavelength_nm")
    rows = [
        {"dataset": dataset, "band": code, **{name: getattr(band, name) for name in names}}
        for code, band in enumerate(bands)
    ]
    return pa.Table.from_pylist(rows, schema=BAND.arrow())


def rejected_rows(run: Run, table: pa.Table, is_gaia: bool) -> pa.Table:
    """Rows that a reader refused, by object_id, as rows of the quarantine, by source_id."""
    object_id = table["object_id"]
    if is_gaia:
        source_id = pc.fill_null(object_id, "0").cast(pa.int64()).to_numpy()
    else:
        source_id = ids.source_ids(run.dataset, pc.fill_null(object_id, ""))
    same = {"dataset": pa.repeat(run.dataset, table.num_rows), "run_id": pa.repeat(run.run_id, table.num_rows)}
    columns = {name: table[name] for name in ("table", "key", "column", "check", "value")}
    by_source = pa.array(source_id, mask=np.asarray(object_id.is_null()))
    return pa.table({**same, **columns, "source_id": by_source}).cast(QUARANTINE.arrow())
