"""Gaia's data server: epoch photometry through DataLink, in every structure and layout that it has had.

Offered are GET and POST /data-server/data and /data-server/datalink/links. `state.limits.structures` says which names
of DATA_STRUCTURE the server takes and `state.limits.layout` what a file of one source looks like. The fault
"wrong_structure" is the renaming itself: from then on the server takes the other names.
"""

from __future__ import annotations

import re
from html import escape

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tasks.replica import layouts
from tasks.replica.disturb import disturb
from tasks.replica.dr4 import products
from tasks.replica.forms import Form, read_form
from tasks.replica.holdings import Holdings
from tasks.replica.product_files import SUFFIX, product_files, zip_files
from tasks.replica.served import ARROW, read_columns
from tasks.replica.state import Fault, State
from tasks.replica.votable import MEDIA as VOTABLE
from tasks.replica.votable import Dialect, field, info, tabledata, tabledata_rows

OLD_NAMES, NEW_NAMES = ("RAW", "INDIVIDUAL"), ("DATAMODEL_GAIA", "DATAMODEL_STANDARD")
RAW_NAMES = (OLD_NAMES[0], NEW_NAMES[0])
PRODUCT = "EPOCH_PHOTOMETRY"
# Retrieval types of DR3 (astroquery 0.4.11, `load_data`); of all but PRODUCT the replica holds nothing.
RETRIEVAL_TYPES = ("ALL", PRODUCT, "RVS", "XP_CONTINUOUS", "XP_SAMPLED", "MCMC_GSPPHOT", "MCMC_MSC")
RELEASE, LATER = "Gaia DR3", products.RELEASE
MEDIA = {"csv": "text/csv", "ecsv": "text/plain", "fits": "application/fits", "json": "application/json"}
FAULTS = ("wrong_structure", "empty_product", "sentinel", "duplicate_ids", "missing_ids")
MEASURED = tuple(
    f"{band}_{what}" for band in ("g_transit", "bp", "rp") for what in ("flux", "flux_error", "flux_over_error", "mag")
)
LINK = {  # what every row of DataLink's own table says
    "linking_parameter": "SOURCE_ID",
    "semantics": "#this",
    "description": "Epoch photometry",
    "content_type": VOTABLE,
}
LINKS = Dialect("1.4", {}, {}, {})


class Refusal(Exception):
    """The server does not do what is asked; the text is its sentence."""


def routes(holdings: Holdings, state: State) -> list[Route]:
    """The data server's routes."""

    async def data(request: Request) -> Response:
        return await run_in_threadpool(_data, holdings, state, request, await read_form(request))

    async def links(request: Request) -> Response:
        return await run_in_threadpool(_links, holdings, state, request, await read_form(request))

    return [
        Route("/data-server/data", data, methods=["GET", "POST"]),
        Route("/data-server/datalink/links", links, methods=["GET", "POST"]),
    ]


def read_ids(text: str | None) -> NDArray[np.int64]:
    """Source ids of a list like "Gaia DR3 12, 13"; `Refusal` names what is none."""
    if not text:
        raise Refusal("Missing mandatory parameter ID")
    parts = [re.sub(r"(?i)^\s*gaia\s+e?dr\d\s+", "", part).strip() for part in text.split(",")]
    wrong = [part for part in parts if not re.fullmatch(r"\d{1,19}", part)]
    if wrong:
        raise Refusal(f"Invalid identifier '{wrong[0]}': ranges and other names are not served here")
    return np.array(parts, np.int64)


def _data(holdings: Holdings, state: State, request: Request, question: Form) -> Response:
    try:
        return _products(holdings, state, request, question)
    except Refusal as refusal:
        return _refuse(str(refusal))


def _products(holdings: Holdings, state: State, request: Request, question: Form) -> Response:
    ids = read_ids(question.get("ID"))
    state.note(request, n_items=ids.size)
    fault = state.take(request, *FAULTS)
    if fault is not None and fault.kind == "wrong_structure":
        state.limits.structures = NEW_NAMES if set(state.limits.structures) & set(OLD_NAMES) else OLD_NAMES
        fault = None
    release, kind, structure, form = _check_product(question, state)
    if ids.size > state.limits.max_datalink_ids:
        raise Refusal(f"Maximum number of Source Ids reached (max: {state.limits.max_datalink_ids}, found: {ids.size})")
    if release == LATER:
        wanted = np.unique(ids), (question.get("VALID_DATA") or "false").lower() == "true"
        files = products.files(holdings.dr4, state.limits.dr4, kind, structure, form, *wanted, fault)
    else:
        files = _earlier(holdings, state, question, ids, structure, form, fault)
    if len(files) == 1 and (question.get("USE_ZIP_ALWAYS") or "false").lower() != "true":
        return Response(files[0][1], media_type=MEDIA.get(form, VOTABLE))
    disposition = {"Content-Disposition": 'attachment; filename="products.zip"'}
    return Response(zip_files(files), media_type="application/zip", headers=disposition)


def _earlier(
    holdings: Holdings,
    state: State,
    question: Form,
    ids: NDArray[np.int64],
    structure: str,
    form: str,
    fault: Fault | None,
) -> list[tuple[str, bytes]]:
    """The files of an answer about DR3."""
    before, after = (None, fault) if fault is not None and fault.kind == "duplicate_ids" else (fault, None)
    rows = disturb(_transits(holdings, question, ids), "source_id", before, MEASURED)
    layout, rows = _laid_out(rows, structure, state)
    return _files(disturb(rows, "source_id", after), layout, form)


def _check_product(question: Form, state: State) -> tuple[str, str, str, str]:
    """Release, retrieval type, structure and format asked for; `Refusal` for what the server does not know or the
    replica not serve."""
    release = question.get("RELEASE") or RELEASE
    if release != RELEASE and (release != LATER or not state.limits.dr4.is_released):
        raise Refusal(f"Unknown release: '{release}'")
    structures = state.limits.structures if release == RELEASE else state.limits.dr4.structures
    structure = (question.get("DATA_STRUCTURE") or structures[-1]).upper()
    kind = (question.get("RETRIEVAL_TYPE") or "ALL").upper()
    refused = (
        _find_fault_in(kind, structure, structures)
        if release == RELEASE
        else products.find_fault_in(kind, structure, state.limits.dr4)
    )
    if refused is not None:
        raise Refusal(refused)
    form = (question.get("FORMAT") or "votable").lower()
    if form not in SUFFIX:
        raise Refusal(f"Invalid Format parameter: '{form}', valid ones are: {', '.join(SUFFIX)}")
    if (linked := question.get("LINKING_PARAMETER") or "SOURCE_ID") != "SOURCE_ID":
        raise Refusal(f"Invalid Linking parameter: '{linked}', valid ones are: SOURCE_ID")
    return release, kind, structure, form


def _find_fault_in(kind: str, structure: str, structures: tuple[str, ...]) -> str | None:
    if kind not in RETRIEVAL_TYPES:
        return f"Unknown retrieval type: '{kind}'"
    if structure not in structures:
        return f"Invalid Data Structure parameter: '{structure}', valid ones are: {', '.join(structures)}"
    return None


def _transits(holdings: Holdings, question: Form, ids: NDArray[np.int64]) -> pa.Table:
    """Transits of the ids; with VALID_DATA only those that are not rejected and have a flux."""
    if (question.get("RETRIEVAL_TYPE") or "ALL").upper() not in ("ALL", PRODUCT):
        ids = ids[:0]
    rows = holdings.epoch_photometry(np.unique(ids))
    if (question.get("VALID_DATA") or "false").lower() == "true":
        measured = [pc.is_valid(rows[name]) for name in ("g_transit_flux", "bp_flux", "rp_flux")]
        has_flux = pc.or_(pc.or_(measured[0], measured[1]), measured[2])
        rows = rows.filter(pc.and_(has_flux, pc.invert(rows["rejected_by_photometry"])))
    return rows


def _laid_out(rows: pa.Table, structure: str, state: State) -> tuple[layouts.Layout, pa.Table]:
    if structure in RAW_NAMES:
        return layouts.RAW, layouts.raw(rows)
    if state.limits.layout == "long":
        return layouts.LONG, layouts.long(rows)
    return layouts.WIDE, layouts.wide(rows)


def _files(rows: pa.Table, layout: layouts.Layout, form: str) -> list[tuple[str, bytes]]:
    """All sources in one file where cells are arrays, else a file for each; no rows, no files."""
    if len(rows) == 0:
        return []
    if layout.arrays:
        return product_files(rows, layout, np.array([0, len(rows)]), [f"{PRODUCT}_RAW"], form)
    source_id = rows["source_id"].to_numpy()
    first = layouts.starts(source_id)
    return product_files(rows, layout, first, [f"{PRODUCT}-{RELEASE} {id}" for id in source_id[first[:-1]]], form)


def _links(holdings: Holdings, state: State, request: Request, question: Form) -> Response:
    try:
        ids = read_ids(question.get("ID"))
    except Refusal as refusal:
        return _refuse(str(refusal))
    state.note(request, n_items=ids.size)
    held = set(holdings.epoch_photometry(np.unique(ids))["source_id"].unique().to_pylist())
    url = str(request.url).partition("/data-server/")[0] + "/data-server/data"
    columns = read_columns("datalink_links")
    linked = [
        {"ID": f"{RELEASE} {id}", "access_url": _access_url(url, id), **LINK} for id in ids.tolist() if id in held
    ]
    rows = pa.Table.from_pylist(linked, pa.schema([(column.name, ARROW[column.datatype]) for column in columns]))
    fields = [field(column, id=column.name) for column in columns]
    document = LINKS.document(fields, tabledata(tabledata_rows(rows)), info("QUERY_STATUS", "OK"))
    return Response(document, media_type=VOTABLE)


def _access_url(server: str, id: int) -> str:
    """Where the epoch photometry of one source is."""
    release = RELEASE.replace(" ", "+")
    return f"{server}?ID={release}+{id}&RETRIEVAL_TYPE={PRODUCT}&USE_ZIP_ALWAYS=true"


def _refuse(sentence: str) -> Response:
    """HTTP 500 with the sentence where astroquery looks for it."""
    page = f"<html><body><h1>Error</h1><ul><li><b>Message: </b>{escape(sentence, quote=False)}</li></ul></body></html>"
    return Response(page, 500, media_type="text/html")
