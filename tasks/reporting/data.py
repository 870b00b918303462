"""What a report is made of: plain arrays, tables and words. Nothing here knows where they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

# A table of the report: an Arrow table, or its rows as dictionaries.
Rows: TypeAlias = pa.Table | Sequence[Mapping[str, Any]]


def _require(owner: str, length: int, **arrays: Any) -> None:
    """Raise ValueError where one of `arrays` (None: absent) has another length than `length`."""
    for name, array in arrays.items():
        if array is not None and len(array) != length:
            raise ValueError(
                f"{owner}.{name} has {len(array):,} entries, but {length:,} were expected. "
                "Pass arrays that describe the same objects in the same order."
            )


@dataclass(frozen=True)
class SkyPositions:
    """Where the objects are: `ra`, `dec` (S,) deg, ICRS, NaN where unknown; `class_pred` (S,) strings or None."""

    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    class_pred: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        _require("SkyPositions", len(self.ra), dec=self.dec, class_pred=self.class_pred)


@dataclass(frozen=True)
class ClassCounts:
    """Objects per class: `predicted` (C,) as published, `labelled` (C,) as the label tables say, or None."""

    classes: tuple[str, ...]
    predicted: NDArray[np.int64]
    labelled: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        _require("ClassCounts", len(self.classes), predicted=self.predicted, labelled=self.labelled)


@dataclass(frozen=True)
class HeldOutClasses:
    """Predictions of the chosen classifier for labelled objects that it did not see.

    `y_true` (S,) is the index of the label in `classes`, -1 where the label is none of them (such objects are
    left out of the figures and counted in their captions); `y_pred` (S,) is that of the predicted class. `prob` (S, C)
    are probabilities, a row with a NaN is left out too. `recipe` names the classifier, `split` how the objects were
    held out ("oof", "test").
    """

    y_true: NDArray[np.int64]
    y_pred: NDArray[np.int64]
    prob: NDArray[np.float64]
    classes: tuple[str, ...]
    recipe: str = ""
    split: str = "oof"

    def __post_init__(self) -> None:
        _require("HeldOutClasses", len(self.y_true), y_pred=self.y_pred, prob=self.prob)
        if np.ndim(self.prob) != 2 or np.shape(self.prob)[1] != len(self.classes):
            raise ValueError(
                f"HeldOutClasses.prob has shape {np.shape(self.prob)}, but {len(self.classes)} classes are named. "
                "Pass one column for each class."
            )


@dataclass(frozen=True)
class HeldOutQuantity:
    """Predictions of the chosen regressor for labelled objects that it did not see.

    `y` label, `mean` prediction, `lo` and `hi` interval ends: (S,) in `unit`. The interval is stated to hold the
    label with probability `level`. `quantity` is the column name ("teff_k"), `origin` says whose label `y` is.
    """

    quantity: str
    unit: str
    y: NDArray[np.float64]
    mean: NDArray[np.float64]
    lo: NDArray[np.float64]
    hi: NDArray[np.float64]
    level: float = 0.9
    recipe: str = ""
    origin: str = ""

    def __post_init__(self) -> None:
        _require(f"HeldOutQuantity({self.quantity})", len(self.y), mean=self.mean, lo=self.lo, hi=self.hi)
        if not 0.0 < self.level < 1.0:
            raise ValueError(f"HeldOutQuantity({self.quantity}).level is {self.level}; it must lie between 0 and 1.")

    def select(self, keep: NDArray[np.bool_]) -> HeldOutQuantity:
        """The objects where `keep` (S,) is True."""
        arrays = {name: getattr(self, name)[keep] for name in ("y", "mean", "lo", "hi")}
        return replace(self, **arrays)


@dataclass(frozen=True)
class FoldedCurve:
    """One object's light curve, folded at its period.

    `phase` (N,) in periods, taken modulo 1; an all-NaN phase means that no period was found, and the panel says so.
    `period_day` is None where the dataset gives phases without a period. `mag` and `mag_err` (N,) mag; `mag_err`
    None or NaN where none is quoted. `band` (N,) indexes `bands`. `prob` is the probability of `class_pred`.
    `note` is a short remark, such as "out of fold".
    """

    object_id: str
    class_pred: str
    prob: float
    class_label: str | None
    period_day: float | None
    phase: NDArray[np.float64]
    mag: NDArray[np.float32]
    mag_err: NDArray[np.float32] | None
    band: NDArray[np.int8]
    bands: tuple[str, ...]
    note: str = ""

    def __post_init__(self) -> None:
        owner = f"FoldedCurve({self.object_id})"
        _require(owner, len(self.phase), mag=self.mag, mag_err=self.mag_err, band=self.band)


@dataclass(frozen=True)
class ClassPeriods:
    """Periods found: `period_day` (S,) day, NaN where none; `class_pred` (S,) strings."""

    period_day: NDArray[np.float64]
    class_pred: NDArray[Any]

    def __post_init__(self) -> None:
        _require("ClassPeriods", len(self.period_day), class_pred=self.class_pred)


@dataclass(frozen=True)
class Command:
    """A command that a reader can type, and what it does."""

    text: str
    what: str


@dataclass(frozen=True)
class ReportData:
    """Everything the report shows. Of a piece that is None or empty the report says that it does not apply.

    Tables (Arrow, or rows as dictionaries) and the columns that are read:
    `metrics`     as `score_model__metric`: target, recipe, split ("oof", "test", "truth"), metric, class ("all" or
                  one), value, lo, hi (95 % interval, nullable), n, note (nullable), is_chosen
    `cuts`        cut, survey, n_removed, n_before (epochs), in the order in which the cuts apply
    `quarantine`  as `core_quarantine__row`: table, column, check, key, value; the report counts them by reason
    `timings`     stage, seconds, rows, and rate (rows per second; computed where absent)
    `inputs`      any columns, such as name, fingerprint, rows; `tables` such as table, version, rows;
    `models`      such as target, recipe, model_id
    `settings` and `hardware` are nested mappings of plain values. `notes` are sentences a reader must not miss.
    """

    title: str
    dataset: str
    run_id: str
    created: datetime
    code_version: str
    n_objects: int
    n_epochs: int
    bands: tuple[str, ...]
    n_quarantined: int = 0
    about: str = ""
    notes: tuple[str, ...] = ()
    sky: SkyPositions | None = None
    counts: ClassCounts | None = None
    held_out: HeldOutClasses | None = None
    quantities: tuple[HeldOutQuantity, ...] = ()
    metrics: Rows | None = None
    curves: tuple[FoldedCurve, ...] = ()
    periods: ClassPeriods | None = None
    cuts: Rows | None = None
    quarantine: Rows | None = None
    timings: Rows | None = None
    inputs: Rows | None = None
    tables: Rows | None = None
    models: Rows | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    hardware: Mapping[str, Any] = field(default_factory=dict)
    commands: tuple[Command, ...] = ()


def as_records(rows: Rows | None) -> list[dict[str, Any]]:
    """Rows of a report table as dictionaries; an absent table has none."""
    if rows is None:
        return []
    return rows.to_pylist() if isinstance(rows, pa.Table) else [dict(row) for row in rows]
