"""IRSA's ZTF light-curve service: GET and POST /irsa/cgi-bin/ZTF/nph_light_curves.

Parameters and their meaning after IRSA's page "ZTF Lightcurve Queries": objects by ID (repeated), or by POS with
BANDNAME, NOBS_MIN and MAG; epochs by TIME and BAD_CATFLAGS_MASK. Columns, types and UCDs are those of the recorded
ivoa_TimeSeriesZTF.xml, where the small integers ccdid and qid are written as 0x3 (csv answers kept in public
repositories have them so too).
"""

from __future__ import annotations

import math
import re

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tasks.replica.constants import ZTF_UNUSABLE
from tasks.replica.disturb import disturb
from tasks.replica.forms import Form, read_form
from tasks.replica.holdings import Holdings
from tasks.replica.lightcurves_ztf_formats import MEDIA, format_rows, usage_fault
from tasks.replica.separation import separation
from tasks.replica.state import State
from tasks.replica.votable import MEDIA as VOTABLE

COLLECTION = "ztf_dr24"
OBJECTS = "ztf_objects_dr24"
LARGEST_RADIUS_DEG = 0.1667
KNOWN = (
    "ID",
    "POS",
    "CIRCLE",
    "BAND",
    "BANDNAME",
    "NOBS_MIN",
    "MAG",
    "TIME",
    "BAD_CATFLAGS_MASK",
    "COLLECTION",
    "FORMAT",
)
BY_POSITION = ("BAND", "BANDNAME", "NOBS_MIN", "MAG")  # none of these goes with ID
FAULTS = ("sentinel", "duplicate_ids", "missing_ids", "empty_product", "capped")


class Usage(Exception):
    """A combination of parameters that the service does not take."""


def routes(holdings: Holdings, state: State) -> list[Route]:
    """The service's one route."""
    connection = holdings.connect()

    async def light_curves(request: Request) -> Response:
        form = await read_form(request)
        return await run_in_threadpool(_light_curves, holdings, connection, state, request, form)

    return [Route("/irsa/cgi-bin/ZTF/nph_light_curves", light_curves, methods=["GET", "POST"])]


def _light_curves(
    holdings: Holdings, connection: duckdb.DuckDBPyConnection, state: State, request: Request, form: Form
) -> Response:
    try:
        style, mask, period = _check_query(form)
        oids = _oids(form) if form.get("ID") else _near(holdings, connection, form)
    except Usage as usage:
        return Response(usage_fault(str(usage)), 400, media_type=VOTABLE)
    state.note(request, n_items=oids.size)
    rows = holdings.ztf_epochs(oids)
    rows = rows.filter(pc.equal(pc.bit_wise_and(rows["catflags"], pa.scalar(mask, rows["catflags"].type)), 0))
    if period is not None:
        rows = rows.filter(pc.and_(pc.greater_equal(rows["mjd"], period[0]), pc.less_equal(rows["mjd"], period[1])))
    rows = disturb(rows, "oid", state.take(request, *FAULTS), ("mag", "magerr"))
    return Response(format_rows(rows, style), media_type=MEDIA[style])


def _check_query(form: Form) -> tuple[str, int, tuple[float, float] | None]:
    """Format, mask of catflags and time range; `Usage` for what does not go together or is unknown."""
    sent = {name.upper() for name, _ in form.items}
    if unknown := sent - set(KNOWN):
        raise Usage(f"unknown parameter {sorted(unknown)[0]}")
    if "ID" in sent and sent & {"POS", "CIRCLE", *BY_POSITION}:
        raise Usage(f"{sorted(sent & {'POS', 'CIRCLE', *BY_POSITION})[0]} cannot be combined with ID")
    if not sent & {"ID", "POS", "CIRCLE"}:
        raise Usage("ID or POS must be specified")
    if "BAND" in sent:
        raise Usage("BAND is not served by this replica, use BANDNAME")
    if (collection := form.get("COLLECTION") or COLLECTION).lower() != COLLECTION:
        raise Usage(f"unknown COLLECTION {collection}, known is {COLLECTION}")
    style = (form.get("FORMAT") or "VOTABLE").upper()
    if style not in MEDIA:
        raise Usage(f"unknown FORMAT {style}, known are {', '.join(MEDIA)}")
    mask = _numbers(form.get("BAD_CATFLAGS_MASK") or str(ZTF_UNUSABLE), "BAD_CATFLAGS_MASK", 1)
    period = _numbers(form.get("TIME") or "-Inf Inf", "TIME", 2)
    return style, int(mask[0]), (period[0], period[1]) if "TIME" in sent else None


def _numbers(text: str, name: str, n: int) -> list[float]:
    try:
        numbers = [float(part) for part in text.split()]
    except ValueError:
        numbers = []
    if len(numbers) != n or any(math.isnan(number) for number in numbers):
        raise Usage(f"{name} must be {n} number{'s' * (n > 1)}, not {text!r}")
    return numbers


def _oids(form: Form) -> NDArray[np.int64]:
    texts = [part.strip() for value in form.all("ID") for part in value.split(",")]
    if wrong := [text for text in texts if not re.fullmatch(r"\d{1,18}", text)]:
        raise Usage(f"ID {wrong[0]!r} is not a ZTF object identifier")
    return np.array(texts, np.int64)


def _near(holdings: Holdings, connection: duckdb.DuckDBPyConnection, form: Form) -> NDArray[np.int64]:
    """Objects within a circle, in the bands and limits asked for."""
    circle = re.sub(r"(?i)^\s*circle\s+", "", form.get("POS") or form.get("CIRCLE") or "")
    ra, dec, radius = _numbers(circle, "POS", 3)
    if not 0 < radius <= LARGEST_RADIUS_DEG:
        raise Usage(f"the radius of POS must be in (0, {LARGEST_RADIUS_DEG}] deg, not {radius}")
    bands = [f"z{band.strip().lower()}" for band in (form.get("BANDNAME") or "g,r,i").split(",")]
    if wrong := [band for band in bands if band not in ("zg", "zr", "zi")]:
        raise Usage(f"unknown BANDNAME {wrong[0][1:]!r}, known are g, r, i")
    least = _numbers(form.get("NOBS_MIN") or "0", "NOBS_MIN", 1)
    bright, faint = _numbers(form.get("MAG") or "-Inf Inf", "MAG", 2)
    query = f"SELECT oid FROM {holdings.tables('irsa')[OBJECTS].relation} WHERE dec BETWEEN ? AND ?"
    query += f" AND {separation('ra', 'dec')} <= ? AND list_contains(?, filtercode) AND nobs >= ?"
    query += " AND medianmag BETWEEN ? AND ? ORDER BY oid"
    values = [dec - radius, dec + radius, dec, dec, ra, radius, bands, *least, bright, faint]
    with connection.cursor() as cursor:
        return cursor.execute(query, values).fetchnumpy()["oid"].astype(np.int64)
