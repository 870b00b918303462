"""A quantity, such as an effective temperature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from schemas import Column
from schemas.arrays import floats
from schemas.quantities import Quantity, quantity
from schemas.tables.catalogue import OF_QUANTITY
from tasks.learning.bootstrap import PAIRED_DRAWS
from tasks.learning.calibration import Levels
from tasks.learning.coverage import Groups, coverage_metrics
from tasks.learning.interval_calibration import WIDE, IntervalCalibration
from tasks.learning.metrics import Metric, overall, regression_metrics
from tasks.learning.paired import DRAWS, Resamples, resample_values
from tasks.learning.skill import skill_metrics
from tasks.learning.targets.target import Labels, LabelSource, ScoreValues, Target

ENDS = ("Lower", "Upper")
VALUE_STRATA = 10  # a number is stratified by its deciles


@dataclass(frozen=True, eq=False)
class QuantityScores:
    """`value` with the ends `lo` and `hi` of its interval, and of its 95 % interval, (S,) each, in the unit of the
    quantity; NaN where none is promised.
    """

    value: NDArray[np.float64]
    lo: NDArray[np.float64]
    hi: NDArray[np.float64]
    lo95: NDArray[np.float64]
    hi95: NDArray[np.float64]

    @property
    def arrays(self) -> tuple[NDArray[np.float64], ...]:
        """All of them, in the order of the catalogue's columns."""
        return self.value, self.lo, self.hi, self.lo95, self.hi95

    def select(self, index: NDArray[Any]) -> QuantityScores:
        """Those of the objects at `index`."""
        return QuantityScores(*(array[index] for array in self.arrays))


@dataclass(frozen=True)
class Regression(Target[IntervalCalibration, QuantityScores]):
    """A number. With `is_log` it is learnt as log10: labels must be positive, and so is what is predicted.

    `unit` (VOUnit) and `ucd` are those of its columns; a model's card keeps them beside the name.
    Raw predictions are a mean and its spread in the space that is learnt; the spread is relative, and made an interval
    by the calibration. Missing labels are NaN.
    """

    name: str
    is_log: bool = False
    unit: str = ""
    ucd: str = "stat.value"
    decides = "rmse"
    missing = np.nan
    unknown = np.nan

    @classmethod
    def of(cls, about: Quantity | str) -> Regression:
        """The quantity; a name alone stands for the one that is declared."""
        about = quantity(about) if isinstance(about, str) else about
        return cls(about.name, about.is_log, about.unit, about.ucd)

    @property
    def about(self) -> Quantity:
        """The quantity, with the words that a reader sees."""
        return replace(quantity(self.name), is_log=self.is_log, unit=self.unit, ucd=self.ucd)

    @property
    def width(self) -> int:
        """Mean and spread."""
        return 2

    @property
    def label_source(self) -> LabelSource:
        """The values of the quantity that count as labels, not those that are kept for reference."""
        return LabelSource(
            "label_sample__parameter", "value", {"quantity": self.name, "is_reference": False}, is_derived=True
        )

    def bind(self, y: NDArray[Any]) -> Regression:
        """Itself: a number is not bound to what occurs."""
        return self

    def to_learned(self, y: ArrayLike) -> NDArray[np.float64]:
        """Values in the space that is learnt; ValueError where that is not finite."""
        y = np.asarray(y, np.float64)
        wrong = ~self.is_usable(y)
        if wrong.any():
            kind = "finite and positive" if self.is_log else "finite"
            raise ValueError(f"{self.name}: {int(wrong.sum())} of {y.size} labels are not {kind}; leave them out.")
        return np.log10(y) if self.is_log else y

    def to_physical(self, value: ArrayLike) -> NDArray[np.float64]:
        """Inverse of `to_learned`; positive for a log quantity whatever the value."""
        value = np.asarray(value, np.float64)
        return 10.0**value if self.is_log else value

    def encode(self, y: NDArray[Any]) -> tuple[Labels]:
        """Values in the space that is learnt."""
        return (Labels.of(self.to_learned(y)),)

    def to_columns(self, y: NDArray[Any]) -> dict[str, pa.Array]:
        """Numbers."""
        return {self.name: pa.array(y, pa.float64(), from_pandas=True)}

    def from_columns(self, table: pa.Table) -> NDArray[Any]:
        """Numbers, NaN for null."""
        return floats(table[self.name])

    def is_usable(self, y: NDArray[Any]) -> NDArray[np.bool_]:
        """True where finite, and positive for a log quantity."""
        return np.isfinite(y) & ((y > 0) | (not self.is_log))

    def is_learnable(self, y: NDArray[Any]) -> bool:
        """Two different values."""
        return np.unique(y).size > 1

    def strata(self, y: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """The deciles."""
        edges = np.quantile(y, np.linspace(0, 1, VALUE_STRATA + 1)[1:-1]) if y.size else np.empty(0)
        stratum = np.unique(np.searchsorted(edges, y, side="right"), return_inverse=True)[1].astype(np.int64)
        return stratum, np.arange(stratum.max(initial=-1) + 1).astype(str)

    def _mix(self, raws: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Mean and spread of the mixture of their distributions (Lakshminarayanan et al. 2017, NIPS, section 2.4)."""
        mean, spread = np.moveaxis(np.asarray(raws), -1, 0)
        variance = (spread**2).mean(axis=0) + mean.var(axis=0)
        return np.stack([mean.mean(axis=0), np.sqrt(variance)], axis=1)

    def calibrate(self, raw: NDArray[np.float64], y: NDArray[Any], levels: Levels) -> IntervalCalibration:
        """Intervals that hold the label with the probability `levels.interval`, and with 95 %."""
        return IntervalCalibration.fit(self.to_learned(y), raw[:, 0], raw[:, 1], levels.interval)

    def calibration_from_json(self, card: Mapping[str, Any]) -> IntervalCalibration:
        """Inverse of `IntervalCalibration.to_json`."""
        return IntervalCalibration.from_json(card)

    def scores(
        self, calibration: IntervalCalibration, raw: NDArray[np.float64], entropy: NDArray[np.float64] | None = None
    ) -> QuantityScores:
        """Value and intervals in the unit of the quantity."""
        ends = calibration.intervals(raw[:, 0], raw[:, 1])
        return QuantityScores(*map(self.to_physical, (raw[:, 0], *ends)))

    def entropy(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """None, (S, 1)."""
        return np.full((len(raw), 1), np.nan)

    def measure(
        self, scores: QuantityScores, y: NDArray[Any], note: str = "", groups: Groups | None = None
    ) -> dict[str, list[Metric]]:
        """RMSE, R2, ...; the coverage of both intervals, by class and magnitude too; by class the skill."""
        inside, inside95 = (
            np.where(np.isfinite(lo) & np.isfinite(hi), (y >= lo) & (y <= hi), np.nan)
            for lo, hi in ((scores.lo, scores.hi), (scores.lo95, scores.hi95))
        )
        rows = regression_metrics(y, scores.value, note=note)
        rows += skill_metrics(y, scores.value, groups.label, note) if groups else []
        rows += coverage_metrics("coverage", inside, groups, note)
        return {self.name: rows + coverage_metrics("coverage_95", inside95, groups, note)}

    def resample(self, scores: QuantityScores, y: NDArray[Any], draws: int = DRAWS) -> dict[str, Resamples]:
        """RMSE and MAE."""
        return {self.name: resample_values(y, scores.value, draws)}

    def measure_catalogue(self, rows: pa.Table, truth: pa.Table, note: str = "") -> dict[str, list[Metric]]:
        """The same, of the published values, where there is a true one."""
        if self.name not in truth.column_names:
            return {}
        absent = np.full(rows.num_rows, np.nan)  # of catalogues of older programs
        given = (floats(rows[name]) if name in rows.column_names else absent for name in self._names())
        y, scores = floats(truth[self.name]), QuantityScores(*given)
        both = np.isfinite(y) & np.isfinite(scores.value)
        label = truth["class"].fill_null("").to_numpy() if "class" in truth.column_names else np.full(y.size, "")
        return self.measure(scores.select(both), y[both], note, Groups.of(label).select(both))

    def merit(self, metrics: Mapping[str, list[Metric]]) -> float | None:
        """Minus the RMSE."""
        value = overall(metrics[self.name], self.decides)
        return None if value is None else -value

    def merits(self, scores: QuantityScores, y: NDArray[Any], draws: int = PAIRED_DRAWS) -> NDArray[np.float64]:
        """Minus the RMSE."""
        return -self.resample(scores, y, draws)[self.name][self.decides]

    def columns(self, calibration: IntervalCalibration) -> list[Column]:
        """The value and the ends of its intervals."""
        docs = [f"Predicted {self.name}."]
        docs += [f"{end} end of its {level:.0%} interval." for level in (calibration.level, WIDE) for end in ENDS]
        marks = ("", ";stat.min", ";stat.max", ";stat.min", ";stat.max")
        each = zip(OF_QUANTITY, self._names(), docs, marks, strict=True)
        return [
            replace(column.rename(name, doc), unit=self.unit, ucd=self.ucd + mark) for column, name, doc, mark in each
        ]

    def catalogue_values(self, scores: QuantityScores) -> dict[str, Any]:
        """The value and the ends of its intervals, null where undefined."""
        pairs = zip(self._names(), scores.arrays, strict=True)
        return {name: pa.array(array, pa.float32(), from_pandas=True) for name, array in pairs}

    def score_values(self, scores: QuantityScores) -> tuple[ScoreValues, ...]:
        """The value and both ends of its interval."""
        value, lo, hi = (array[:, None] for array in (scores.value, scores.lo, scores.hi))
        return (ScoreValues(self.name, (self.name,), value, lo, hi),)

    def _names(self) -> tuple[str, ...]:
        return tuple(column.name.format(quantity=self.name) for column in OF_QUANTITY)
