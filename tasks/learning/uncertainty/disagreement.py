"""What the members that predict a class disagree about: BALD, from their probabilities.

Members are the models of the folds, and of each its seeds. Where all are unsure alike, the light curve does not tell
the classes apart; where each is sure of another class, the training stars did not settle it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr


def entropy(proba: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entropy (S,) in nats of probabilities (S, C)."""
    return np.asarray(entr(proba).sum(axis=1))


def bald(mean: NDArray[np.float64], entropy_of_members: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entropy of the members' mean probabilities (S, C) less the mean of their entropies (S,), in nats: (S,).

    The information that the true class would give about which member is right (Houlsby et al. 2011, arXiv:1112.5745,
    eq. 2). 0 where the members agree, ln C at the most; NaN where the mean entropy is, as of a single member.
    """
    return np.maximum(entropy(mean) - entropy_of_members, 0.0)
