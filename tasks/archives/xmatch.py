"""Client of the CDS cross-match service, through astroquery's XMatch."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
from astropy import units
from astropy.coordinates import Latitude, Longitude
from cdshealpix.nested import lonlat_to_healpix
from pyarrow.csv import write_csv

from tasks.archives.errors import BadQuestion
from tasks.archives.libraries import XMatchClass
from tasks.archives.limits import ServiceLimits
from tasks.archives.question import Job, Question
from tasks.archives.replies import votable_answer
from tasks.archives.transport import PerThread, prepare, wire

ORDER = 12  # nested HEALPix: tables sorted by it are matched fastest (the service's developer, astroquery #1900)
FARTHEST_ARCSEC = 180.0


class CdsXmatch:
    """The service at `url`.

    The items, with columns ra and dec (deg), are matched with the catalogue that the question's text names
    (vizier:IV/39/tic82), within its parameter radius_arcsec. The answer is a VOTable: angDist (arcsec), the columns of
    the items, those of the catalogue; a row for each pair. It says where rows were cut off, which CSV cannot
    (http://cdsxmatch.u-strasbg.fr/xmatch/doc/overflows.html).
    """

    def __init__(self, service: str, url: str, limits: ServiceLimits) -> None:
        self._service = service
        self._url = url
        self._limits = limits
        self._matcher = PerThread(self._open)

    def send(self, question: Question, items: pa.Table, job: Job) -> bytes:
        """The verbatim answer of the service to one request."""
        if missing := [name for name in ("ra", "dec") if name not in items.column_names]:
            raise BadQuestion(f"{self._service} is asked about positions, but the items have no column {missing[0]!r}.")
        try:
            radius = float(question.parameters.get("radius_arcsec", "nan"))
        except ValueError:
            radius = float("nan")
        if not 0 < radius <= FARTHEST_ARCSEC:
            raise BadQuestion(
                f"{self._service} needs a radius_arcsec above 0 and up to 180, not {question.parameters}."
            )
        table = io.BytesIO()
        write_csv(_by_place(self._service, items), table)
        with wire(self._service, self._limits.timeout_s):
            reply = self._matcher().query_async(
                io.BytesIO(table.getvalue()),
                question.text,
                radius * units.arcsec,
                colRA1="ra",
                colDec1="dec",
                cache=False,
            )
            return votable_answer(self._service, reply.content)

    def _open(self) -> _XMatch:
        service = _XMatch()
        service.URL = self._url
        service.TIMEOUT = self._limits.timeout_s
        prepare(service._session, self._limits)
        return service


class _XMatch(XMatchClass):
    """Does not download the list of all VizieR tables (and keep it on disk) to look up ours: the service knows it."""

    def is_table_available(self, table_id: Any) -> bool:
        return isinstance(table_id, str)


def _by_place(service: str, items: pa.Table) -> pa.Table:
    """The items ordered along the sky."""
    ra, dec = (np.asarray(items[name].to_numpy(), np.float64) for name in ("ra", "dec"))
    if not (np.isfinite(ra).all() and np.isfinite(dec).all() and (np.abs(dec) <= 90).all()):
        raise BadQuestion(f"{service} is asked about positions, but some of {items.num_rows} items have none.")
    cells = lonlat_to_healpix(Longitude(ra, "deg"), Latitude(dec, "deg"), ORDER)
    return items.take(pa.array(np.argsort(cells, kind="stable")))
