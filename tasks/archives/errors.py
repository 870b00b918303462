"""What can go wrong with an archive, by what is to be done about it."""

from schemas import BadInput


class ArchiveError(BadInput):
    """An archive cannot be used now: the run stops with this sentence, and resumes with the same command."""


class Refused(ArchiveError):
    """The archive refuses all requests (403): asking again makes it worse."""


class BadQuestion(ArchiveError):
    """The archive does not understand the question: asking again gives the same."""


class Retryable(ArchiveError):
    """A fault that passes: a timeout, 429 or 5xx, a dropped connection, a page instead of data, a lost job."""

    def __init__(self, reason: str, after_s: float | None = None, is_load: bool = False) -> None:
        super().__init__(reason)
        self.after_s = after_s  # the pause that the archive asks for (Retry-After)
        self.is_load = is_load  # the archive broke down over the request, or ran out of time: less may be answered


class TooMuch(ArchiveError):
    """The answer is cut off at the service's cap: the request must be split."""
