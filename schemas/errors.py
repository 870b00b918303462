"""The one error a user is meant to read, and the hint that it may end with."""

import difflib


class BadInput(ValueError):
    """Something the user gave is wrong: one sentence that says what, where, how many and what to do."""


def nearest(name: str, names: tuple[str, ...] | list[str]) -> str:
    """ " Did you mean 'x'?" for the closest of `names`, or nothing where none is close."""
    folded = {known.lower(): known for known in names}
    found = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.5)
    return f" Did you mean {folded[found[0]]!r}?" if found else ""
