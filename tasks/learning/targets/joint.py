"""Several targets that one model learns at once, each from the objects that have a label of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas import Column
from tasks.learning.bootstrap import PAIRED_DRAWS
from tasks.learning.calibration import JointCalibration, Levels
from tasks.learning.coverage import Groups
from tasks.learning.metrics import Metric
from tasks.learning.paired import DRAWS, Resamples
from tasks.learning.targets.target import Labels, LabelSource, Scores, ScoreValues, Target


@dataclass(frozen=True, eq=False)
class JointScores:
    """Scores of each part, in the order of the target's parts."""

    of_part: tuple[Scores, ...]

    def select(self, index: NDArray[Any]) -> JointScores:
        """Those of the objects at `index`."""
        return JointScores(tuple(scores.select(index) for scores in self.of_part))


@dataclass(frozen=True)
class Joint(Target[JointCalibration, JointScores]):
    """The `targets` as one: y (S,) is a structured array with a field for each, in which labels may be missing.

    The first decides: by it the recipe is chosen, and by it, where it is known, the folds are stratified.
    """

    targets: tuple[Target, ...]

    @property
    def name(self) -> str:  # type: ignore[override]
        """Names of the parts with a plus between them."""
        return "+".join(part.name for part in self.targets)

    @property
    def parts(self) -> tuple[Target, ...]:
        """The targets."""
        return self.targets

    @property
    def classes(self) -> tuple[str, ...]:  # type: ignore[override]
        """Those of all parts."""
        return tuple(name for part in self.parts for name in part.classes)

    @property
    def decides(self) -> str:  # type: ignore[override]
        """As of the first part."""
        return self.parts[0].decides

    @property
    def width(self) -> int:
        """Raw predictions stand side by side."""
        return sum(part.width for part in self.parts)

    @property
    def label_source(self) -> LabelSource:
        """That of the first part; the others have their own."""
        return self.parts[0].label_source

    def labels_of(self, labels: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """The structured array of labels (S,) from those of each part, `missing` of the part where it has none."""
        y = np.empty(labels[0].size, [(part.name, own.dtype) for part, own in zip(self.parts, labels, strict=True)])
        for part, own in zip(self.parts, labels, strict=True):
            y[part.name] = own
        return y

    def bind(self, y: NDArray[Any]) -> Joint:
        """With the parts bound to the labels that they have."""
        return Joint(tuple(part.bind(y[part.name][part.is_usable(y[part.name])]) for part in self.parts))

    def name_columns(self, names: Mapping[str, str]) -> Joint:
        """With the columns of every part named."""
        return Joint(tuple(part.name_columns(names) for part in self.parts))

    def encode(self, y: NDArray[Any]) -> tuple[Labels, ...]:
        """Labels of each part and where they are known."""
        return tuple(_mask_missing(part, y[part.name]) for part in self.parts)

    def to_columns(self, y: NDArray[Any]) -> dict[str, pa.Array]:
        """Labels of each part."""
        return {name: column for part in self.parts for name, column in part.to_columns(y[part.name]).items()}

    def from_columns(self, table: pa.Table) -> NDArray[Any]:
        """Labels of each part."""
        return self.labels_of([part.from_columns(table) for part in self.parts])

    def is_usable(self, y: NDArray[Any]) -> NDArray[np.bool_]:
        """True where one part has a label."""
        return np.any([part.is_usable(y[part.name]) for part in self.parts], axis=0)

    def is_learnable(self, y: NDArray[Any]) -> bool:
        """All parts must be."""
        return all(part.is_learnable(y[part.name][part.is_usable(y[part.name])]) for part in self.parts)

    def strata(self, y: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Strata of the first part that has a label."""
        stratum, names = np.full(y.size, -1, np.int64), np.empty(0, str)
        for part in self.parts:
            rows = np.flatnonzero(part.is_usable(y[part.name]) & (stratum < 0))
            codes, own = part.strata(y[part.name][rows])
            stratum[rows] = codes + names.size
            names = np.concatenate([names, [f"{part.name} {name}" for name in own]]) if rows.size else names
        if (stratum < 0).any():
            stratum[stratum < 0], names = names.size, np.append(names, "without a label")
        return stratum, names

    def note(self, y: NDArray[Any]) -> str:
        """Notes of all parts."""
        notes = (part.note(y[part.name][part.is_usable(y[part.name])]) for part in self.parts)
        return " ".join(filter(None, notes))

    def align_to(self, raw: NDArray[np.float64], own: Target) -> NDArray[np.float64]:
        """Those of each part, side by side."""
        of_own = zip(self.parts, own.parts, _columns(raw, own.parts), strict=True)
        return np.hstack([part.align_to(values, theirs) for part, theirs, values in of_own])

    def _mix(self, raws: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """That of each part, side by side."""
        of_part = zip(*(_columns(raw, self.parts) for raw in raws), strict=True)
        return np.hstack([part.mix(own) for part, own in zip(self.parts, of_part, strict=True)])

    def calibrate(self, raw: NDArray[np.float64], y: NDArray[Any], levels: Levels) -> JointCalibration:
        """Each part on the objects that have its label."""
        found = []
        for part, values in zip(self.parts, _columns(raw, self.parts), strict=True):
            known = part.is_usable(y[part.name])
            found.append(part.calibrate(values[known], y[part.name][known], levels))
        return JointCalibration(tuple(found))

    def calibration_from_json(self, card: Mapping[str, Any]) -> JointCalibration:
        """Inverse of `JointCalibration.to_json`."""
        pairs = zip(self.parts, card["parts"], strict=True)
        return JointCalibration(tuple(part.calibration_from_json(each) for part, each in pairs))

    def scores(
        self, calibration: JointCalibration, raw: NDArray[np.float64], entropy: NDArray[np.float64] | None = None
    ) -> JointScores:
        """Scores of each part."""
        of_part = [None] * len(self.parts) if entropy is None else np.split(entropy, len(self.parts), axis=1)
        each = zip(self.parts, calibration.parts, _columns(raw, self.parts), of_part, strict=True)
        return JointScores(tuple(part.scores(own, values, spread) for part, own, values, spread in each))

    def entropy(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of each part."""
        each = zip(self.parts, _columns(raw, self.parts), strict=True)
        return np.hstack([part.entropy(values) for part, values in each])

    def measure(
        self, scores: JointScores, y: NDArray[Any], note: str = "", groups: Groups | None = None
    ) -> dict[str, list[Metric]]:
        """Metrics of each part over the objects that have its label."""
        found: dict[str, list[Metric]] = {}
        for part, own, own_scores in self.of_parts(y, scores):
            known = part.is_usable(y[part.name])
            found |= part.measure(own_scores, own, note, groups.select(known) if groups else None)
        return found

    def resample(self, scores: JointScores, y: NDArray[Any], draws: int = DRAWS) -> dict[str, Resamples]:
        """Those of each part over the objects that have its label."""
        found: dict[str, Resamples] = {}
        for part, own_y, own_scores in self.of_parts(y, scores):
            found |= part.resample(own_scores, own_y, draws)
        return found

    def measure_catalogue(self, rows: pa.Table, truth: pa.Table, note: str = "") -> dict[str, list[Metric]]:
        """Metrics of each part."""
        found: dict[str, list[Metric]] = {}
        for part in self.parts:
            found |= part.measure_catalogue(rows, truth, note)
        return found

    def merit(self, metrics: Mapping[str, list[Metric]]) -> float | None:
        """That of the first part."""
        return self.parts[0].merit(metrics)

    def merits(self, scores: JointScores, y: NDArray[Any], draws: int = PAIRED_DRAWS) -> NDArray[np.float64]:
        """That of the first part, over the objects that have its label."""
        first, own_y, own = next(self.of_parts(y, scores))
        return first.merits(own, own_y, draws)

    def columns(self, calibration: JointCalibration) -> list[Column]:
        """Columns of all parts."""
        pairs = zip(self.parts, calibration.parts, strict=True)
        return [column for part, own in pairs for column in part.columns(own)]

    def catalogue_values(self, scores: JointScores) -> dict[str, Any]:
        """Values of all parts."""
        found: dict[str, Any] = {}
        for part, own in zip(self.parts, scores.of_part, strict=True):
            found |= part.catalogue_values(own)
        return found

    def score_values(self, scores: JointScores) -> tuple[ScoreValues, ...]:
        """An entry for each part."""
        pairs = zip(self.parts, scores.of_part, strict=True)
        return tuple(values for part, own in pairs for values in part.score_values(own))

    def of_parts(self, y: NDArray[Any], scores: JointScores) -> Iterator[tuple[Target, NDArray[Any], Scores]]:
        """Each part with its labels, where it has one, and the scores of the same objects."""
        for part, own in zip(self.parts, scores.of_part, strict=True):
            known = part.is_usable(y[part.name])
            yield part, y[part.name][known], own.select(known)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for a card."""
        return {"kind": type(self).__name__, "targets": [part.to_json() for part in self.parts]}


def _mask_missing(part: Target, y: NDArray[Any]) -> Labels:
    known = part.is_usable(y)
    (labels,) = part.encode(y[known])
    values = np.full(y.size, part.unknown, labels.values.dtype)
    values[known] = labels.values
    return Labels(values, known)


def _columns(raw: NDArray[np.float64], parts: tuple[Target, ...]) -> list[NDArray[np.float64]]:
    """Raw predictions of each part."""
    return np.split(raw, np.cumsum([part.width for part in parts])[:-1], axis=1)
