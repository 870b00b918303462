"""The one error a user is meant to read."""


class BadInput(ValueError):
    """Something the user gave is wrong: one sentence that says what, where, how many and what to do."""
