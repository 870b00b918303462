"""The truth of the replica's sky, which no archive has: POST /truth with source_id (ids, comma separated) gives CSV."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tasks.replica.datalink import Refusal, read_ids
from tasks.replica.forms import Form, read_form
from tasks.replica.holdings import Holdings
from tasks.replica.product_text import rows_text
from tasks.replica.state import State


def routes(holdings: Holdings, state: State) -> list[Route]:
    """The one route of the truth."""

    async def truth(request: Request) -> Response:
        return await run_in_threadpool(_truth, holdings, state, request, await read_form(request))

    return [Route("/truth", truth, methods=["GET", "POST"])]


def _truth(holdings: Holdings, state: State, request: Request, form: Form) -> Response:
    try:
        ids = read_ids(form.get("source_id"))
    except Refusal as refusal:
        return PlainTextResponse(str(refusal), 400)
    state.note(request, n_items=ids.size)
    rows = holdings.truth(np.unique(ids))
    if holdings.dr4.is_made:
        rows = pa.concat_tables([rows, holdings.dr4.truth(ids)])
    return Response(",".join(rows.column_names).encode() + b"\n" + rows_text(rows), media_type="text/csv")
