"""A first look at a whole folder: everything that is wrong with it, what it counts, and one light curve to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from schemas.dataset import DatasetSpec
from schemas.errors import Problems
from schemas.sniff import BAND_KEY
from tasks.folder.epochs import EpochReader, read_epochs
from tasks.folder.objects import Objects, read_objects
from tasks.lightcurves.batch import LightCurveBatch

FEW = 100  # objects among which the one with the most epochs is shown


@dataclass(frozen=True, eq=False)
class Overview:
    """What a folder counts.

    n_object; n_class: objects of each class, most first; n_epoch: rows of each band in the file of epochs; notes;
    refused: rows that the readers refuse of the table of objects, by check. `example` is the light curve of the object
    `example_id`, None where there is none to show.
    """

    n_object: int
    n_class: dict[str, int]
    n_epoch: dict[str, int]
    notes: tuple[str, ...]
    refused: dict[str, int]
    example_id: str
    example: LightCurveBatch | None


def look_over(folder: Path, spec: DatasetSpec, problems: Problems) -> Overview:
    """Read the objects of `folder` and look through its light curves; what is wrong goes into `problems`.

    A table is left out of which `problems` already say that it, or a column that it needs, is not there.
    """
    open_tables = {key.partition(".")[0] for key in problems.keys - {BAND_KEY}}
    objects: Objects | None = None
    reader: EpochReader | None = None
    if "objects" not in open_tables:
        with problems.collect():
            objects = read_objects(folder, spec, guard=problems.collect)
    if spec.has_light_curves and not {"objects", "lightcurves"} & open_tables:
        with problems.collect():
            reader = read_epochs(folder, spec, _list_first(objects), FEW, guard=problems.collect)
    return Overview(
        objects.table.num_rows if objects else 0,
        _count(objects.class_labels["class"]) if objects else {},
        _count_bands(objects, reader),
        (*(objects.notes if objects else ()), *(reader.notes if reader else ())),
        _count(objects.rejected["check"]) if objects else {},
        *(_choose_example(reader) if reader and not problems else ("", None)),
    )


def _list_first(objects: Objects | None) -> list[str]:
    return objects.table["object_id"].slice(0, FEW).to_pylist() if objects else []


def _count_bands(objects: Objects | None, reader: EpochReader | None) -> dict[str, int]:
    """Rows of each band in the file of epochs, or mean magnitudes."""
    if reader is not None:
        return reader.contents.n_per_band
    means = objects.photometry if objects else None
    return _count(means["band"]) if means is not None else {}


def _count(values: pa.ChunkedArray) -> dict[str, int]:
    """How often each value occurs, the most frequent first."""
    counted = pc.value_counts(values).to_pylist()
    return {each["values"]: each["counts"] for each in sorted(counted, key=lambda c: (-c["counts"], c["values"]))}


def _choose_example(reader: EpochReader) -> tuple[str, LightCurveBatch | None]:
    """Of the first objects the one with the most epochs, and its light curve."""
    for chunk in reader:
        if len(chunk.batch):
            place = int(chunk.batch.n_epoch.argmax())
            return chunk.object_ids[place], chunk.batch.select([place])
    return "", None
