"""DR4's part of DataLink: which products there are, refusals in the live server's words, and the files of an answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.replica.disturb import disturb
from tasks.replica.dr4 import layout
from tasks.replica.dr4.epochs import Epochs
from tasks.replica.dr4.holdings import Dr4Holdings
from tasks.replica.layouts import Layout, starts
from tasks.replica.product_files import product_files
from tasks.replica.state import Fault
from tasks.replica.switches import Switches

RELEASE = "Gaia DR4"
PHOTOMETRY, CCD, FLAGS = "EPOCH_PHOTOMETRY", "EPOCH_PHOTOMETRY_CCD", "EPOCH_FLAGS_VARI"
Write = Callable[[Epochs, Switches], tuple[Layout, pa.Table]]
WRITERS: dict[str, Write] = {PHOTOMETRY: layout.photometry, CCD: layout.ccd, FLAGS: layout.variability}
# Retrieval types that astroquery's main branch knows (August 2026); of the others the replica holds nothing.
OTHERS = ("ALL", "EPOCH_PHOTOMETRY_CROWDED_FIELD", "EPOCH_FLAGS_NSS", "MEAN_SPECTRUM_XP")


def find_fault_in(kind: str, structure: str, switches: Switches) -> str | None:
    """The server's sentence where it does not serve a retrieval type in a structure."""
    known = [name for name in (*WRITERS, *OTHERS) if name != FLAGS or switches.vari_flags]
    if not switches.has_products or kind not in known:
        return f"Unknown retrieval type: '{kind}'"
    if structure not in switches.structures:
        return f"Invalid Data Structure parameter: '{structure}', valid ones are: {', '.join(switches.structures)}"
    return None


def files(
    held: Dr4Holdings,
    switches: Switches,
    kind: str,
    structure: str,
    form: str,
    ids: NDArray[np.int64],
    is_valid_only: bool,
    fault: Fault | None,
) -> list[tuple[str, bytes]]:
    """The files of an answer: one for each source and product, or one a product for all sources.

    "ALL" and, where it is switched on, EPOCH_PHOTOMETRY bring files of other products too.
    """
    kinds = tuple(WRITERS) if kind == "ALL" else (kind,) if kind in WRITERS else ()
    if kind == PHOTOMETRY and switches.with_ccd:
        kinds = (PHOTOMETRY, CCD)
    found: list[tuple[str, bytes]] = []
    for one in kinds:
        epochs = held.epochs(held.published(ids) if one == FLAGS else ids)
        epochs = epochs.valid() if is_valid_only else epochs
        laid_out, rows = WRITERS[one](epochs, switches)
        found += _files(one, laid_out, disturb(rows, "source_id", fault, _measured(rows)), structure, switches, form)
    return found


def _measured(rows: pa.Table) -> list[str]:
    ends = ("_flux", "_flux_error", "_flux_over_error", "_mag")
    return [name for name in rows.column_names if name.endswith(ends)]


def _files(
    kind: str, laid_out: Layout, rows: pa.Table, structure: str, switches: Switches, form: str
) -> list[tuple[str, bytes]]:
    if not len(rows):
        return []
    if structure == switches.structures[0]:
        return product_files(rows, laid_out, np.array([0, len(rows)]), [f"{kind}_RAW"], form)
    source_id = rows["source_id"].to_numpy()
    first = starts(source_id)
    return product_files(rows, laid_out, first, [f"{kind}-{RELEASE} {id}" for id in source_id[first[:-1]]], form)
