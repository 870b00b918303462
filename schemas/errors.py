"""The one error a user is meant to read, the hint that it may end with, and how several of them are gathered."""

import difflib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager


class BadInput(ValueError):
    """Something the user gave is wrong: one sentence that says what, where, how many and what to do.

    `key` is the entry of dataset.toml that settles it, as "lightcurves.band", where there is one.
    """

    def __init__(self, sentence: str, key: str = "") -> None:
        super().__init__(sentence)
        self.key = key


Guard = Callable[[], AbstractContextManager[object]]  # around each check: nullcontext lets the first that fails end all


class Problems(list[str]):
    """The sentences of checks that failed, each once, where all are to be told and not the first alone.

    `keys` are the entries of dataset.toml that settle them, where there are such.
    """

    def __init__(self) -> None:
        super().__init__()
        self.keys: set[str] = set()

    @contextmanager
    def collect(self) -> Iterator[None]:
        """A `Guard`: what is wrong inside is kept, and the work goes on behind it."""
        try:
            yield
        except BadInput as error:
            if str(error) not in self:
                self.append(str(error))
            self.keys |= {error.key} - {""}

    def raise_each(self, guard: Guard) -> None:
        """Raise each as BadInput inside `guard`, then the first: the end of several checks that all must hold."""
        for sentence in self:
            with guard():
                raise BadInput(sentence)
        if self:
            raise BadInput(self[0])


@contextmanager
def settled_by(key: str) -> Iterator[None]:
    """Gives a BadInput from inside the entry of dataset.toml that settles it."""
    try:
        yield
    except BadInput as error:
        error.key = key
        raise


def nearest(name: str, names: tuple[str, ...] | list[str]) -> str:
    """ " Did you mean 'x'?" for the closest of `names`, or nothing where none is close."""
    folded = {known.lower(): known for known in names}
    found = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.5)
    return f" Did you mean {folded[found[0]]!r}?" if found else ""
