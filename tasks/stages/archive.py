"""What archives bring in: some whole objects at a time, with everything that is known of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lakehouse.delta.reference import TableRef
from schemas import TABLES, TableSpec
from schemas.dataset_nodes import Band
from schemas.quantities import Quantity
from tasks.lightcurves.batch import LightCurveBatch
from tasks.surveys import SURVEYS

SHARED = (
    "core_sample__photometry",
    "core_sample__input",
    "assn_sample__match",
    "label_sample__class",
    "label_sample__parameter",
    "label_sample__fold",
)


def list_tables_beside() -> dict[str, TableSpec]:
    """The tables that come with the sources, by source_id: those of any archive and those that the surveys declare.

    Each is committed whole.
    """
    return {name: TABLES[name] for name in SHARED} | {t.name: t for s in SURVEYS.values() for t in s.tables}


@dataclass(frozen=True, eq=False)
class ObjectChunk:
    """Some whole objects as an archive gave them.

    `sources` (S rows) has source_id, object_id, ra, dec; `epochs` all their epochs, in the same order; `objid` (N,)
    the survey's own object that each epoch belongs to, None where there are none; `beside` the tables beside them that
    belong to them, by source_id; `rejected` what the reader refused, by object_id.
    """

    sources: pa.Table
    epochs: LightCurveBatch
    beside: dict[str, pa.Table] = field(default_factory=dict)
    rejected: pa.Table | None = None
    objid: NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class Archive:
    """An opened archive: its bands, a fingerprint of all it would give, how many objects, and the chunks of objects.

    `is_asked_again`: what it gives may differ although nothing was set otherwise. `renamed_bands` are the names in the
    lake of bands that the archive calls otherwise, by the archive's names. `close` ends what the archive holds open,
    however the reading went, and names the tables it wrote by itself.
    """

    bands: tuple[Band, ...]
    fingerprint: str
    n_objects: int
    object_chunks: Iterator[ObjectChunk]
    is_gaia: bool = False
    has_epochs: bool = True
    quantities: tuple[Quantity, ...] = ()
    notes: Sequence[str] = ()
    is_asked_again: bool = False
    renamed_bands: Mapping[str, str] = field(default_factory=dict)
    close: Callable[[], tuple[TableRef, ...]] = tuple
