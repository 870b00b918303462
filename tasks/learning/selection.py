"""Which recipe the catalogue uses: the best out of fold, whichever it is. Baselines can win."""

from __future__ import annotations

from collections.abc import Mapping

from schemas import BadInput


def choose(merit: Mapping[str, float | None], simplicity: Mapping[str, int]) -> str:
    """Name of the recipe to use, from the merit of each by its out-of-fold figures: larger is better.

    At equal merit the simplest is used, 0 being the simplest. BadInput where no merit is defined.
    """
    defined = {recipe: value for recipe, value in merit.items() if value is not None}
    if not defined:
        raise BadInput(f"choose: none of {len(merit)} recipes could be measured out of fold; give more labels.")
    return max(defined, key=lambda recipe: (defined[recipe], -simplicity[recipe], recipe))
