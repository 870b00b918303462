"""Every table of every service, and the rows of all of them for one patch."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from tasks.replica.tables import apsis, gaia, neighbours, ps1, tic, vari, ztf
from tasks.replica.tables.held import Held
from tasks.replica.tables.patch import Patch
from tasks.replica.tables.transits import Transits

SERVICES: dict[str, tuple[Held, ...]] = {
    "gaia": (
        gaia.SOURCE, gaia.SOURCE_LITE, *vari.EVERY, apsis.HELD, neighbours.PS1_BEST,
        neighbours.DR2_NEIGHBOURHOOD, neighbours.TMASS_BEST,
    ),
    "ps1": (ps1.OBJECT_HELD, ps1.DETECTION_HELD),
    "tic": (tic.HELD,),
    "irsa": (ztf.OBJECTS_HELD,),
    "vizier": (tic.VIZIER_HELD,),
}  # fmt: skip
EVERY = tuple(held for tables in SERVICES.values() for held in tables)


def gaia_rows(patch: Patch, transits: Transits) -> Iterator[tuple[Held, pa.Table]]:
    """Rows of the Gaia tables, but for the match with Pan-STARRS1."""
    phot = apsis.gspphot(patch)
    yield gaia.SOURCE, gaia.rows(patch, transits, phot)
    yield apsis.HELD, apsis.rows(patch, phot)
    yield from vari.rows(patch, transits)
    yield neighbours.DR2_NEIGHBOURHOOD, neighbours.dr2(patch)
    yield neighbours.TMASS_BEST, neighbours.no_tmass()


def other_rows(patch: Patch) -> Iterator[tuple[Held, pa.Table]]:
    """Rows of the tables of Pan-STARRS1, of Gaia's match with it, and of the TIC."""
    objects, means, detections = ps1.rows(patch)
    yield ps1.OBJECT_HELD, means
    yield ps1.DETECTION_HELD, detections
    yield neighbours.PS1_BEST, neighbours.best_ps1(patch, objects)
    yield tic.HELD, tic.rows(patch)
