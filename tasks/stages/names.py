"""An archive whose bands differ in more than case from all others of the lake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.column_names import BAND, choose_column_names
from lakehouse.delta.store import Lake
from tasks.stages.archive import Archive, ObjectChunk

PHOTOMETRY = "core_sample__photometry"


def call_bands_apart(lake: Lake, dataset: str, archive: Archive) -> Archive:
    """`archive` with the names that its bands have in the lake, in columns and in rows."""
    endings = {band.name: band.survey for band in archive.bands}
    names = choose_column_names(lake, dataset, BAND, list(endings), endings)
    renamed = {name: column for name, column in names.items() if name != column}
    if not renamed:
        return archive
    bands = tuple(band.model_copy(update={"name": names[band.name]}) for band in archive.bands)
    chunks = (_rename(chunk, renamed) for chunk in archive.object_chunks)
    return replace(archive, bands=bands, object_chunks=chunks, renamed_bands=renamed)


def _rename(chunk: ObjectChunk, renamed: Mapping[str, str]) -> ObjectChunk:
    """A chunk whose light curves and mean magnitudes name their bands as the lake does."""
    epochs = replace(chunk.epochs, bands=tuple(renamed.get(name, name) for name in chunk.epochs.bands))
    beside = dict(chunk.beside)
    if PHOTOMETRY in beside:
        means = beside[PHOTOMETRY]
        place = pc.index_in(means["band"], value_set=pa.array(list(renamed)))
        band = pc.coalesce(pa.array(list(renamed.values())).take(place), means["band"])
        beside[PHOTOMETRY] = means.set_column(means.column_names.index("band"), "band", band)
    return replace(chunk, epochs=epochs, beside=beside)
