"""The folds in which a folder was published."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from schemas import BadInput
from tasks.folder.columns import as_floats

MOST_FOLDS = 100  # one model is trained without each
FOLDS = pa.schema([("object_id", pa.string()), ("fold", pa.int32())])


def read_folds(raw: pa.Table, ids: pa.Array, table: str) -> pa.Table:
    """FOLDS of the objects that have one; `raw` has the role objects.fold, a row for each of the (S,) objects `ids`.

    BadInput where a fold is no whole number, or there are fewer than 2 or more than MOST_FOLDS.
    """
    value = as_floats(raw["objects.fold"])
    has_one = np.isfinite(value)
    fold, n = value[has_one], np.unique(value[has_one]).size
    if broken := int(np.count_nonzero((fold != np.rint(fold)) | (np.abs(fold) >= 2**31))):
        raise BadInput(
            f"{table}: {broken:,} of {fold.size:,} folds are no whole numbers: name another column as objects.fold."
        )
    if not 2 <= n <= MOST_FOLDS:
        raise BadInput(
            f"{table}: the column objects.fold has {n:,} folds, but 2 to {MOST_FOLDS} can be trained: name another."
        )
    return pa.table([ids.filter(pa.array(has_one)), pa.array(fold.astype(np.int32))], schema=FOLDS)
