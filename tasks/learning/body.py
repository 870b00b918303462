"""What every trained model can do, whatever is inside it."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tasks.learning.data import Examples


class Body(Protocol):
    """The learned part of a model, in arrays and plain settings so that it can be stored without pickle."""

    def proba(self, examples: Examples) -> NDArray[np.float64]:
        """Class probabilities (S, C); each row sums to 1."""

    def value(self, examples: Examples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean (S,) and its spread (S,) in the space that was learned."""

    def arrays(self) -> dict[str, NDArray]:
        """Everything learned, by name."""

    def settings(self) -> dict[str, Any]:
        """What else `build` needs, as JSON."""


class Classifier:
    """Base of bodies that only classify."""

    def value(self, examples: Examples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """A classifier predicts no number: always ValueError."""
        raise ValueError(f"a {type(self).__name__} of classes predicts no values; ask for predict_proba.")
