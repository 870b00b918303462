"""Reading the archives' VOTables: by column name, as they type their fields."""

from __future__ import annotations

import io

import pyarrow as pa

from schemas.formats.votable import read
from tasks.archives.errors import Retryable


def read_votable(body: bytes, what: str) -> pa.Table:
    """All columns of the first table of a VOTable, null where a cell holds nothing or NaN.

    `what` names the answer in messages. Raises Retryable where the document is none, or is broken.
    """
    try:
        return read(io.BytesIO(body)).read_all()
    except Exception as error:  # whatever a broken document makes astropy raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise Retryable(f"{what} is no VOTable that can be read ({reason[:200]}).") from None
