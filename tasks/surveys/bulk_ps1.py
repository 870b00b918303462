"""PS1 in bulk: STScI's HATS catalogues otmo (objects with their mean photometry) and detection, joined on objID.

Columns are those of MAST's tables. The detections' own positions scatter about their object's, so they are looked for
around it and told by its id. Untested against the public buckets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrays import align_all
from tasks.crossmatch.catalogue import RowEpochs
from tasks.crossmatch.propagate import julian_year
from tasks.surveys.bulk import Columns, FileTable, add_positions, rows_near, rows_of_ids
from tasks.surveys.objects import positions_at
from tasks.surveys.survey import Ask

RELEASE = "dr2"
EPOCH = "epochmean"  # MJD of an object's position; -999 where it is not known


def objects(ask: Ask, uri: str, sources: pa.Table, options: Mapping[str, Any], columns: Columns) -> pa.Table:
    """Objects around `sources` (SOURCES), as `ps1.OBJECTS` asks for them: those detected more than once.

    Around where the sources were at the `epoch` of the survey. With `epoch_span` above 0 each object is looked for
    where its source was at the object's own epochMean, at most so many years from there, and its position is then
    carried to `epoch` with the motion of that source.
    """
    own = {name: kind for name, kind in columns.items() if name != "source_id"}
    table = FileTable(uri, RELEASE, own, ("ramean", "decmean"))
    radius_arcsec, epoch, span_year = options["search_arcsec"], options["epoch"], options["epoch_span"]
    if span_year > 0:
        timed = replace(table, columns={**own, EPOCH: pa.float64()}, row_epochs=RowEpochs(EPOCH, epoch, span_year))
        found = _carry(rows_near(ask, timed, sources, radius_arcsec), sources, epoch)
    else:
        found = rows_near(ask, table, positions_at(sources, epoch), radius_arcsec)
    return found.filter(pc.greater(found["ndetections"], 1)).select(list(columns))


def _carry(near: pa.Table, sources: pa.Table, epoch: float) -> pa.Table:
    """Objects with their positions moved from their own epochs to `epoch` as the source moves that each is near to."""
    mjd = near[EPOCH].fill_null(0.0).to_numpy()
    place = align_all(near["source_id"].to_numpy(), sources["source_id"].to_numpy(), "the sources")
    own = sources.take(pa.array(place))
    then, there = positions_at(own, np.where(mjd > 0, julian_year(mjd), epoch)), positions_at(own, epoch)
    for name, angle in (("ramean", "ra"), ("decmean", "dec")):
        moved = pc.add(near[name], pc.subtract(there[angle], then[angle]))
        near = near.set_column(near.column_names.index(name), name, moved)
    return near


def detections(ask: Ask, uri: str, chosen: pa.Table, here: pa.Table, columns: Columns) -> pa.Table:
    """Detections of the `chosen` objects (source_id, objid), which lie near their sources `here`."""
    return rows_of_ids(ask, FileTable(uri, RELEASE, columns), "objid", add_positions(chosen, here))
