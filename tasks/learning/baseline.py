"""The body of models that read no input: the same prediction for every object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.learning.data import Examples


@dataclass(frozen=True, eq=False)
class Constant:
    """One raw prediction (W,) for every object."""

    answer: NDArray[np.float64]

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """The answer for each object, (S, W)."""
        return np.tile(self.answer, (len(examples), 1))

    def arrays(self) -> dict[str, NDArray]:
        """The answer."""
        return {"answer": self.answer}

    def settings(self) -> dict[str, Any]:
        """Nothing more."""
        return {}


def build(config: object, settings: dict[str, Any], arrays: dict[str, NDArray]) -> Constant:
    """Constant of stored arrays."""
    del config, settings
    return Constant(arrays["answer"])
