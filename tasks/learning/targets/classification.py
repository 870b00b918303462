"""The class of a variable star."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas import Column
from schemas.tables.catalogue import PROBABILITY, SET_SEPARATOR
from tasks.learning.abstention import abstention_metrics
from tasks.learning.bootstrap import PAIRED_DRAWS
from tasks.learning.calibration import Levels
from tasks.learning.class_calibration import ClassCalibration
from tasks.learning.coverage import Groups, coverage_metrics, set_size_metrics
from tasks.learning.metrics import Metric, classification_metrics, overall
from tasks.learning.paired import DRAWS, Resamples, resample_classes
from tasks.learning.targets.target import Labels, LabelSource, ScoreValues, Target
from tasks.learning.uncertainty.disagreement import bald, entropy

SMALL_CLASS = 5


@dataclass(frozen=True, eq=False)
class ClassScores:
    """Calibrated probabilities `proba` (S, C), each row sums to 1, and the codes of the predicted classes `decided`
    (S,), which are not always the most probable ones.

    `in_set` (S, C) is true for the classes of an object's set, None of a model without sets. `bald` (S,) is what those
    that gave the probabilities disagree about, NaN where unknown; None: of all.
    """

    proba: NDArray[np.float64]
    decided: NDArray[np.int64]
    in_set: NDArray[np.bool_] | None = None
    bald: NDArray[np.float64] | None = None

    def select(self, index: NDArray[Any]) -> ClassScores:
        """Those of the objects at `index`."""
        arrays = (self.proba, self.decided, self.in_set, self.bald)
        return ClassScores(*(None if array is None else array[index] for array in arrays))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Classification(Target[ClassCalibration, ClassScores]):
    """One of `classes` (C,), () until it is bound to labels: sorted names. Missing labels are "".

    Its labels are in the column of its own name of label_sample__class. `column_names` (C,) are what the columns of the
    classes are called, () where it is as they are.
    """

    name: str
    classes: tuple[str, ...] = ()
    column_names: tuple[str, ...] = ()
    decides = "macro_f1"
    missing = ""
    unknown = -1

    @property
    def width(self) -> int:
        """A probability for each class."""
        return len(self.classes)

    @property
    def label_source(self) -> LabelSource:
        """The names that catalogues or a folder give."""
        return LabelSource("label_sample__class", self.name)

    def bind(self, y: NDArray[Any]) -> Classification:
        """With the classes that occur in y."""
        return replace(self, classes=tuple(np.unique(y.astype(str)).tolist()))

    def name_columns(self, names: Mapping[str, str]) -> Classification:
        """With these names for the columns of some classes."""
        columns = tuple(names.get(label, label) for label in self.classes)
        return replace(self, column_names=() if columns == self.classes else columns)

    @property
    def probabilities(self) -> dict[str, str]:
        """Name of the column with the probability of each class."""
        return {
            label: f"prob_{column}"
            for label, column in zip(self.classes, self.column_names or self.classes, strict=True)
        }

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for a card; without names of columns that are those of the classes, as cards always were."""
        card = super().to_json()
        return card if self.column_names else {key: value for key, value in card.items() if key != "column_names"}

    def encode(self, y: NDArray[Any]) -> tuple[Labels]:
        """Codes of the bound classes."""
        return (Labels.of(self._codes(y)),)

    def to_columns(self, y: NDArray[Any]) -> dict[str, pa.Array]:
        """Class names."""
        return {self.name: pa.array(y.astype(str), mask=~self.is_usable(y))}

    def from_columns(self, table: pa.Table) -> NDArray[Any]:
        """Class names, "" for null."""
        return np.array([name or self.missing for name in table[self.name].to_pylist()], dtype=str)

    def is_usable(self, y: NDArray[Any]) -> NDArray[np.bool_]:
        """True for labels that are there."""
        return np.asarray(y != self.missing)

    def is_learnable(self, y: NDArray[Any]) -> bool:
        """Two classes of two members each."""
        return int((np.unique(y, return_counts=True)[1] > 1).sum()) > 1

    def strata(self, y: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """The classes."""
        names, stratum = np.unique(y.astype(str), return_inverse=True)
        return stratum.astype(np.int64), names

    def note(self, y: NDArray[Any]) -> str:
        """Names the classes with few members."""
        names, count = np.unique(y.astype(str), return_counts=True)
        small = count < SMALL_CLASS
        if not small.any():
            return ""
        listed = ", ".join(f"{name} ({n})" for name, n in zip(names[small], count[small], strict=True))
        return f"Trained on fewer than {SMALL_CLASS} members: {listed}."

    def align_to(self, raw: NDArray[np.float64], own: Target) -> NDArray[np.float64]:
        """In the columns of these classes; 0 for a class that the model has not learned."""
        assert isinstance(own, Classification)
        absent = sorted(set(own.classes) - set(self.classes))
        if absent:
            raise ValueError(
                f"{self.name}: the model has the classes {', '.join(absent)}, for which there is no column."
            )
        proba = np.zeros((len(raw), self.width))
        proba[:, [self.classes.index(name) for name in own.classes]] = raw
        return proba

    def calibrate(self, raw: NDArray[np.float64], y: NDArray[Any], levels: Levels) -> ClassCalibration:
        """One temperature for all classes, the rule that decides for one, and the sets."""
        return ClassCalibration.fit(raw, self._codes(y), levels.class_set)

    def calibration_from_json(self, card: Mapping[str, Any]) -> ClassCalibration:
        """Inverse of `ClassCalibration.to_json`."""
        return ClassCalibration.from_json(card)

    def scores(
        self, calibration: ClassCalibration, raw: NDArray[np.float64], entropy: NDArray[np.float64] | None = None
    ) -> ClassScores:
        """Calibrated probabilities, what is decided from them, the sets, and the disagreement about raw ones."""
        proba = calibration.temperature.apply(raw)
        in_set = calibration.sets.contain(proba) if calibration.sets else None
        return ClassScores(
            proba, calibration.decision.decide(proba), in_set, None if entropy is None else bald(raw, entropy[:, 0])
        )

    def entropy(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of the probabilities, (S, 1)."""
        return entropy(raw)[:, None]

    def measure(
        self, scores: ClassScores, y: NDArray[Any], note: str = "", groups: Groups | None = None
    ) -> dict[str, list[Metric]]:
        """Accuracy, F1, ..., overall and by class; the abstention curve; how often and how closely the sets hold."""
        rows = classification_metrics(y, scores.proba, self.classes, note, decided=scores.decided)
        truth = np.where(np.isin(y, self.classes), self._codes(y), self.width)  # what it has not learnt is a class more
        rows += abstention_metrics(truth, scores.decided, scores.proba.max(1), note)
        if scores.in_set is not None and y.size:
            inside = np.pad(scores.in_set, ((0, 0), (0, 1)))[np.arange(y.size), truth].astype(np.float64)
            own = Groups.of(y) if groups is None else replace(groups, label=y.astype(str))
            rows += coverage_metrics("set_coverage", inside, own, note)
            rows += set_size_metrics(scores.in_set.sum(1), note)
        return {self.name: rows}

    def resample(self, scores: ClassScores, y: NDArray[Any], draws: int = DRAWS) -> dict[str, Resamples]:
        """Accuracy and macro F1."""
        return {self.name: resample_classes(self._codes(y), scores.decided, self.width, draws)}

    def measure_catalogue(self, rows: pa.Table, truth: pa.Table, note: str = "") -> dict[str, list[Metric]]:
        """The same, of the published classes and probabilities."""
        if self.name not in truth.column_names:
            return {}
        proba = np.stack([rows[column].to_numpy() for column in self.probabilities.values()], axis=1)
        decided = self._codes(rows[f"{self.name}_pred"].to_numpy(zero_copy_only=False))
        scores = ClassScores(proba, decided, self._parse_sets(rows))
        return self.measure(scores, truth[self.name].to_numpy(), note)

    def merit(self, metrics: Mapping[str, list[Metric]]) -> float | None:
        """Macro F1."""
        return overall(metrics[self.name], self.decides)

    def merits(self, scores: ClassScores, y: NDArray[Any], draws: int = PAIRED_DRAWS) -> NDArray[np.float64]:
        """Macro F1."""
        return self.resample(scores, y, draws)[self.name][self.decides]

    def columns(self, calibration: ClassCalibration) -> list[Column]:
        """A probability for each class."""
        return [
            PROBABILITY.rename(column, f"Calibrated probability of class {label}.")
            for label, column in self.probabilities.items()
        ]

    def catalogue_values(self, scores: ClassScores) -> dict[str, Any]:
        """The predicted class, how sure it is, and the probability of each."""
        decided = pa.array(self.classes).take(pa.array(scores.decided))
        columns = self.probabilities.values()
        each = {column: scores.proba[:, i].astype(np.float32) for i, column in enumerate(columns)}
        return {f"{self.name}_pred": decided, **self._doubts(scores), **each}

    def _doubts(self, scores: ClassScores) -> dict[str, Any]:
        """The set of each object with its size, 1 - the largest probability, and BALD; null where unknown."""
        n = len(scores.proba)
        smp = (1 - scores.proba.max(axis=1)).astype(np.float32)
        bald = (
            pa.nulls(n, pa.float32()) if scores.bald is None else pa.array(scores.bald, pa.float32(), from_pandas=True)
        )
        sets, size = pa.nulls(n, pa.string()), pa.nulls(n, pa.int16())
        if scores.in_set is not None:
            sets, size = self._write_sets(scores.proba, scores.in_set), pa.array(scores.in_set.sum(1), pa.int16())
        return {
            f"{self.name}_set": sets, f"{self.name}_set_size": size, f"{self.name}_smp": smp, f"{self.name}_bald": bald,
        }  # fmt: skip

    def _write_sets(self, proba: NDArray[np.float64], in_set: NDArray[np.bool_]) -> pa.Array:
        """Names of the classes in each set, the most probable first, as one text."""
        order = np.argsort(-proba, axis=1, kind="stable")
        row, rank = np.nonzero(np.take_along_axis(in_set, order, axis=1))
        names = pa.array(_without_separator(self.classes)).take(pa.array(order[row, rank]))
        offsets = np.concatenate([[0], np.cumsum(in_set.sum(1))]).astype(np.int32)
        return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), names), SET_SEPARATOR)

    def _parse_sets(self, rows: pa.Table) -> NDArray[np.bool_] | None:
        """Inverse of `_write_sets`, (S, C), of the rows of a catalogue; None where one has no set."""
        column = f"{self.name}_set"
        if column not in rows.column_names or rows[column].null_count:
            return None
        sets = pc.split_pattern(rows[column].combine_chunks(), SET_SEPARATOR)
        code = pc.index_in(sets.flatten(), value_set=pa.array(_without_separator(self.classes)))
        parent = pc.list_parent_indices(sets).filter(code.is_valid())  # the empty set is split into one empty name
        in_set = np.zeros((rows.num_rows, self.width), bool)
        in_set[parent.to_numpy(), code.drop_null().to_numpy()] = True
        return in_set

    def score_values(self, scores: ClassScores) -> tuple[ScoreValues, ...]:
        """The probability of each class."""
        return (ScoreValues(self.name, self.classes, scores.proba),)

    def _codes(self, y: NDArray[Any]) -> NDArray[np.int64]:
        return np.searchsorted(self.classes, y.astype(str)).astype(np.int64)


def _without_separator(classes: tuple[str, ...]) -> list[str]:
    """Names as sets of them are written: a separator within a name would end it."""
    return [name.replace(SET_SEPARATOR, ",") for name in classes]
