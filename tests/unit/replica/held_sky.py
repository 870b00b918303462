"""A sky of a few thousand objects, and its holdings, made once per test process."""

import tempfile
from functools import cache
from pathlib import Path

import pandas as pd

from tasks.replica.holdings import Holdings, build
from tasks.sky import Sky, generate

N, SEED = 3000, 11


@cache
def sky() -> Sky:
    """What the holdings were made of."""
    return generate(N, SEED)


@cache
def truth() -> pd.DataFrame:
    """The truth of the sky by source_id; duplicate_of is 0 where there is none (a float could not hold the ids)."""
    table = sky().truth
    first = table["duplicate_of"].fill_null(0).to_numpy()
    return table.to_pandas().set_index("source_id").assign(duplicate_of=first)


@cache
def holdings() -> Holdings:
    """The holdings of the sky."""
    folder = tempfile.TemporaryDirectory(prefix="holdings-")
    holdings.folder = folder  # type: ignore[attr-defined]  # removed when the process ends
    return Holdings(build(Path(folder.name), N, SEED))


def query(sql: str) -> pd.DataFrame:
    """Rows of the views."""
    with holdings().connect() as connection:
        return connection.execute(sql).to_arrow_table().to_pandas()
