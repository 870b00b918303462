"""The interface of a target: its labels, folds, calibration, metrics and catalogue columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas import Column
from tasks.learning.bootstrap import PAIRED_DRAWS
from tasks.learning.calibration import Levels
from tasks.learning.coverage import Groups
from tasks.learning.metrics import Metric
from tasks.learning.paired import DRAWS, Resamples


@dataclass(frozen=True, eq=False)
class Labels:
    """What S objects are, as a model learns it: `values` (S,), and which of them are known, `is_known` (S,).

    Codes int64 of the target's classes, -1 where unknown; or float64 in the space that is learnt, NaN where unknown.
    """

    values: NDArray[Any]
    is_known: NDArray[np.bool_]

    @classmethod
    def of(cls, values: NDArray[Any]) -> Labels:
        """Labels of which all are known."""
        return cls(values, np.ones(values.size, bool))


class Calibration(Protocol):
    """Turns raw predictions into calibrated scores."""

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for a card."""


class Scores(Protocol):
    """Calibrated predictions of S objects."""

    def select(self, index: NDArray[Any]) -> Scores:
        """Those of the objects at `index`: integers, or an (S,) mask."""


@dataclass(frozen=True, eq=False)
class ScoreValues:
    """Scores as score__value holds them: `value` (S, N) of the N `names`; `lo` and `hi` alike, or None."""

    target: str
    names: tuple[str, ...]
    value: NDArray[np.float64]
    lo: NDArray[np.float64] | None = None
    hi: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class LabelSource:
    """Where the lake has the labels of a target: in `column` of `table`, in the rows with the values of `where`.

    `is_derived`: they were derived from values of catalogues, which no model of the target may read.
    """

    table: str
    column: str
    where: Mapping[str, Any] = field(default_factory=dict)
    is_derived: bool = False


OwnCalibration = TypeVar("OwnCalibration", bound=Calibration)
OwnScores = TypeVar("OwnScores", bound=Scores)


class Target(ABC, Generic[OwnCalibration, OwnScores]):
    """What is learnt. y (S,) are labels as people write them: class names, numbers, or a structured array of both.

    "Raw" predictions are (S, `width`), as a model's body gives them. `bind` gives a target the
    classes that occur in its labels; a model is trained on a target that is bound. Nothing here reads files.
    """

    name: str
    decides: str  # the metric by which a recipe is chosen
    classes: tuple[str, ...] = ()  # among which it decides; none for a quantity
    missing: Any  # what stands in y where there is no label
    unknown: Any  # what stands in the encoded labels there

    @property
    @abstractmethod
    def width(self) -> int:
        """Columns of a raw prediction."""

    @property
    def parts(self) -> tuple[Target, ...]:
        """The targets learnt together: only itself."""
        return (self,)

    @property
    @abstractmethod
    def label_source(self) -> LabelSource:
        """Where its labels are; of several targets, each part has its own."""

    def labels_of(self, labels: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """y (S,) from the labels (S,) of each part, `missing` where a part has none."""
        (own,) = labels
        return own

    @abstractmethod
    def bind(self, y: NDArray[Any]) -> Target:
        """This target with the classes that occur in the labels y (S,)."""

    def name_columns(self, names: Mapping[str, str]) -> Target:
        """This bound target with other names for the columns of some of its classes."""
        return self

    @abstractmethod
    def encode(self, y: NDArray[Any]) -> tuple[Labels, ...]:
        """Labels of each part; ValueError where one cannot be learnt."""

    @abstractmethod
    def to_columns(self, y: NDArray[Any]) -> dict[str, pa.Array]:
        """Labels as columns of a table, null where missing."""

    @abstractmethod
    def from_columns(self, table: pa.Table) -> NDArray[Any]:
        """Labels (S,) of a table that has them as `to_columns` wrote them."""

    @abstractmethod
    def is_usable(self, y: NDArray[Any]) -> NDArray[np.bool_]:
        """(S,) true for labels that can be learnt."""

    @abstractmethod
    def is_learnable(self, y: NDArray[Any]) -> bool:
        """Whether every training fold will hold two classes, or two values."""

    @abstractmethod
    def strata(self, y: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Stratum of each object (S,), from which folds are dealt, and the names of the strata."""

    def note(self, y: NDArray[Any]) -> str:
        """A sentence that stands beside every figure of a model trained on these labels; "" for none."""
        return ""

    def align_to(self, raw: NDArray[np.float64], own: Target) -> NDArray[np.float64]:
        """Raw predictions (S, width) from those of a model whose target is `own`, which may have fewer classes."""
        return raw

    def mix(self, raws: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """The raw predictions (S, W) of a mean of models from those of each."""
        return self._mix(raws) if len(raws) > 1 else raws[0]

    def _mix(self, raws: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Of probabilities their mean."""
        return np.mean(raws, axis=0)

    @abstractmethod
    def calibrate(self, raw: NDArray[np.float64], y: NDArray[Any], levels: Levels) -> OwnCalibration:
        """Calibration from out-of-fold raw predictions; `levels` are how often intervals and sets hold the truth."""

    @abstractmethod
    def calibration_from_json(self, card: Mapping[str, Any]) -> OwnCalibration:
        """Inverse of the calibration's `to_json`."""

    @abstractmethod
    def scores(
        self, calibration: OwnCalibration, raw: NDArray[np.float64], entropy: NDArray[np.float64] | None = None
    ) -> OwnScores:
        """Calibrated scores of raw predictions; `entropy` (S, P) is the mean of `entropy` over those that gave them."""

    @abstractmethod
    def entropy(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Entropy of the raw predictions of each part (S, P), in nats; NaN for a part that is no class."""

    @abstractmethod
    def measure(
        self, scores: OwnScores, y: NDArray[Any], note: str = "", groups: Groups | None = None
    ) -> dict[str, list[Metric]]:
        """Metrics of scores against labels, by the name of the part; of `groups` the coverage is measured too."""

    @abstractmethod
    def resample(self, scores: OwnScores, y: NDArray[Any], draws: int = DRAWS) -> dict[str, Resamples]:
        """The figures by which recipes are compared, of the objects and of resamples of them, by the name of the part.

        The resamples are the same for all scores of the same objects: two recipes differ, draw by draw, by what they
        predict and not by chance.
        """

    @abstractmethod
    def measure_catalogue(self, rows: pa.Table, truth: pa.Table, note: str = "") -> dict[str, list[Metric]]:
        """Metrics of catalogue rows against the rows of a table of true values, by the name of the part."""

    @abstractmethod
    def merit(self, metrics: Mapping[str, list[Metric]]) -> float | None:
        """What decides the choice of a recipe, from its out-of-fold metrics: larger is better; None where undefined."""

    @abstractmethod
    def merits(self, scores: OwnScores, y: NDArray[Any], draws: int = PAIRED_DRAWS) -> NDArray[np.float64]:
        """The merit of the S objects, then of resamples of them, (1 + draws,): the same ones whatever the scores."""

    @abstractmethod
    def columns(self, calibration: OwnCalibration) -> list[Column]:
        """Columns of the catalogue, in the order of `catalogue_values`."""

    @abstractmethod
    def catalogue_values(self, scores: OwnScores) -> dict[str, Any]:
        """Values (S,) of the catalogue's columns, by name."""

    @abstractmethod
    def score_values(self, scores: OwnScores) -> tuple[ScoreValues, ...]:
        """Values of score__value, one entry for each part."""

    def of_parts(self, y: NDArray[Any], scores: OwnScores) -> Iterator[tuple[Target, NDArray[Any], Scores]]:
        """Each part with the labels that it has and the scores of the same objects."""
        yield self, y, scores

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for a card; `target_from_json` reads it back."""
        return {"kind": type(self).__name__, **asdict(self)}  # type: ignore[call-overload]
