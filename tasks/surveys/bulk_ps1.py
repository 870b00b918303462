"""PS1 in bulk: STScI's HATS catalogues otmo (objects with their mean photometry) and detection, joined on objID.

Columns are those of MAST's tables. The detections' own positions scatter about their object's, so they are looked for
around it and told by its id. Untested against the public buckets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tasks.crossmatch.catalogue import RowEpochs
from tasks.surveys.bulk import Columns, FileTable, add_positions, carry_rows, rows_near, rows_of_ids
from tasks.surveys.objects import positions_at
from tasks.surveys.survey import Ask

RELEASE = "dr2"
POSITION = ("ramean", "decmean")
EPOCH = "epochmean"  # MJD of an object's position; -999 where it is not known


def objects(ask: Ask, uri: str, sources: pa.Table, options: Mapping[str, Any], columns: Columns) -> pa.Table:
    """Objects around `sources` (SOURCES), as `ps1.OBJECTS` asks for them: those detected more than once.

    Around where the sources were at the `epoch` of the survey. With `epoch_span` above 0 each object is looked for
    where its source was at the object's own epochMean, at most so many years from there, and its position is then
    carried to `epoch` with the motion of that source.
    """
    own = {name: kind for name, kind in columns.items() if name != "source_id"}
    table = FileTable(uri, RELEASE, own, POSITION)
    radius_arcsec, epoch, span_year = options["search_arcsec"], options["epoch"], options["epoch_span"]
    if span_year > 0:
        timed = replace(table, columns={**own, EPOCH: pa.float64()}, row_epochs=RowEpochs(EPOCH, epoch, span_year))
        found = carry_rows(rows_near(ask, timed, sources, radius_arcsec), sources, epoch, EPOCH, POSITION)
    else:
        found = rows_near(ask, table, positions_at(sources, epoch), radius_arcsec)
    return found.filter(pc.greater(found["ndetections"], 1)).select(list(columns))


def detections(ask: Ask, uri: str, chosen: pa.Table, here: pa.Table, columns: Columns) -> pa.Table:
    """Detections of the `chosen` objects (source_id, objid), which lie near their sources `here`."""
    return rows_of_ids(ask, FileTable(uri, RELEASE, columns), "objid", add_positions(chosen, here))
