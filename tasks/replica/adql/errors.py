"""The one way in which a query fails before it runs."""

from schemas import BadInput


class AdqlError(BadInput):
    """The query is not understood: one sentence that names what is unknown, unsupported or wrong."""
