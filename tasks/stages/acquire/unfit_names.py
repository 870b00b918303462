"""Names of classes become columns, words of a page and of figures: they are words that can be printed."""

from __future__ import annotations

from collections.abc import Iterable

from schemas import BadInput


def refuse_unfit_classes(names: Iterable[str]) -> None:
    """BadInput for a class whose name holds a line break, a NUL or another character that cannot be printed."""
    if unfit := [name for name in names if not name.isprintable()]:
        more = f" and {len(unfit) - 1:,} more" if len(unfit) > 1 else ""
        raise BadInput(
            f"The class {unfit[0]!r}{more} holds a character that cannot be printed: give it another name, in the file "
            "or as rename in the [label] of the dataset.toml."
        )
