"""Names that become columns must differ in more than case."""

from __future__ import annotations

from collections.abc import Iterable

from lakehouse.delta.store import Lake
from schemas import BadInput, TableSpec


def refuse_case_clashes(lake: Lake, names: Iterable[str], spec: TableSpec, column: str, what: str) -> None:
    """BadInput where two names, here or of another dataset in the lake, differ only in case: so would their columns."""
    stored = lake.read(spec, columns=[column])[column].unique().to_pylist() if lake.exists(spec) else []
    first: dict[str, str] = {}
    for name in [*stored, *names]:
        other = first.setdefault(name.casefold(), name)
        if other != name:
            raise BadInput(
                f"The {what} names {other!r} and {name!r} differ only in case, and so would their columns: "
                "rename one in the dataset.toml, or use a lake of its own (--lake)."
            )
