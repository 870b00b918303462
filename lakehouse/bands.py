"""What every stage asks of a dataset: its bands, and the surveys that observe in them."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.delta.store import Lake
from schemas import TABLES


@dataclass(frozen=True)
class Bands:
    """Names of a dataset's bands in the order of their codes, and the survey of each."""

    names: tuple[str, ...]
    surveys: tuple[str, ...]

    @property
    def groups(self) -> tuple[int, ...]:
        """Index of each band's survey among the dataset's surveys."""
        order = list(dict.fromkeys(self.surveys))
        return tuple(order.index(survey) for survey in self.surveys)

    def of(self, survey: str) -> tuple[str, ...]:
        """Names of the bands of `survey`, or of all for "all"."""
        return tuple(n for n, s in zip(self.names, self.surveys, strict=True) if survey in ("all", s))


def read_bands(lake: Lake, dataset: str) -> Bands:
    """The bands of `dataset` as the lake knows them."""
    spec = TABLES["core_dataset__band"]
    rows = lake.read(spec, columns=["band", "name", "survey"], where={"dataset": dataset}).sort_by("band")
    return Bands(tuple(rows["name"].to_pylist()), tuple(rows["survey"].to_pylist()))
