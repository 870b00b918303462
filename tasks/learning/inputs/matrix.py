"""The feature matrix: named columns in the order in which a model learned them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def feature_matrix(features: NDArray[np.float32], present: Sequence[str], wanted: Sequence[str]) -> NDArray[np.float32]:
    """Columns `wanted` (F,) of `features` (S, len(present)), as (S, F) float32; NaN where missing.

    ValueError where a wanted column is absent.
    """
    place = {name: i for i, name in enumerate(present)}
    absent = [name for name in wanted if name not in place]
    if absent:
        raise ValueError(
            f"features: {len(absent)} of the {len(wanted)} columns the model was trained on are absent "
            f"(first: {absent[0]}); compute the features with the settings of the training."
        )
    return np.ascontiguousarray(features[:, [place[name] for name in wanted]], np.float32)
