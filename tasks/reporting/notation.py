"""How the report writes numbers and names."""

import math
from numbers import Real
from typing import Any, TypeGuard

from schemas.quantities import QUANTITIES, quantity

ABSENT = "–"
MINUS = "\N{MINUS SIGN}"

METRICS = {
    "accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy", "macro_f1": "Macro F1", "f1": "F1",
    "f1_macro": "Macro F1", "precision": "Precision", "recall": "Recall", "log_loss": "Log loss", "brier": "Brier",
    "ece": "ECE", "roc_auc": "ROC AUC", "auc": "AUC", "rmse": "RMSE", "mae": "MAE", "bias": "Bias",
    "median_bias": "Median bias", "r2": "R²",
    "nmad": "NMAD", "scatter": "Scatter", "coverage": "Coverage", "coverage_90": "Coverage of 90 % intervals",
    "coverage_68": "Coverage of 68 % intervals", "coverage_95": "Coverage of 95 % intervals",
    "set_coverage": "Coverage of class sets", "set_size": "Classes in a set", "empty_sets": "Empty sets",
    "accuracy_area": "Area under accuracy", "macro_f1_area": "Area under macro F1", "error_auc": "ROC AUC of errors",
    "pinball": "Pinball loss", "crps": "CRPS", "skill": "Skill",
    "n_outlier": "Outliers", "outlier_fraction": "Outlier fraction", "width": "Interval width",
}  # fmt: skip
HIGHER_IS_BETTER = frozenset(
    {"accuracy", "balanced_accuracy", "macro_f1", "f1_macro", "f1", "precision", "recall", "roc_auc", "auc", "r2",
     "accuracy_area", "macro_f1_area", "error_auc"}
)  # fmt: skip
LOWER_IS_BETTER = frozenset(
    {"log_loss", "brier", "ece", "rmse", "mae", "nmad", "scatter", "pinball", "crps", "outlier_fraction"}
)
# Metrics in the unit of their target.
IN_UNITS = frozenset({"rmse", "mae", "bias", "median_bias", "nmad", "scatter", "width", "crps", "pinball"})
SPLITS = {"oof": "out of fold", "test": "held-out test", "truth": "against the truth"}


def is_number(value: Any) -> TypeGuard[float]:
    """True where `value` is a finite number, of Python or NumPy (booleans are not numbers here)."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def count(value: Any) -> str:
    """A whole number with thousands separators."""
    return f"{int(value):,}".replace("-", MINUS) if is_number(value) else ABSENT


def decimal(value: Any, places: int) -> str:
    """A number with fixed decimals, thousands separators and a true minus sign."""
    return f"{value:,.{places}f}".replace("-", MINUS) if is_number(value) else ABSENT


def number(value: Any) -> str:
    """A number with about three significant digits, never in exponent notation unless it is tiny or huge."""
    if not is_number(value):
        return ABSENT
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if not -4 <= magnitude <= 8:
        return f"{value:.2e}".replace("-", MINUS)
    return decimal(value, max(0, min(3, 2 - magnitude) if magnitude >= 0 else 2 - magnitude))


def interval(value: Any, lo: Any = None, hi: Any = None) -> str:
    """`0.912 [0.88, 0.94]`: bounds as fine as the interval deserves, the value one digit finer.

    Without an interval only the value is written, with three decimals below 10.
    """
    if not is_number(value):
        return ABSENT
    if not (is_number(lo) and is_number(hi)):
        return decimal(value, 3) if abs(value) < 10 else number(value)
    places, finer = _places((hi - lo) / 2)
    return f"{decimal(value, finer)} [{decimal(lo, places)}, {decimal(hi, places)}]"


def _places(half: float) -> tuple[int, int]:
    """Decimals of the bounds and of the value, for an interval of this half width."""
    if half <= 0:
        return 3, 3
    if half >= 5:
        return 0, 0
    if half >= 0.1:  # one decimal would leave a bound no better than a guess
        return (1, 1) if half >= 1 else (2, 2)
    places = min(5, math.ceil(-math.log10(half)))
    return places, places + 1


def share(part: Any, whole: Any) -> str:
    """A part of a whole in per cent."""
    if not (is_number(part) and is_number(whole) and whole > 0):
        return ABSENT
    percent = 100 * part / whole
    return f"{percent:.1f} %" if percent >= 0.1 or percent == 0 else "< 0.1 %"


def duration(seconds: Any) -> str:
    """A time span that a person reads at once: `0.42 s`, `12 s`, `3 min 05 s`, `2 h 10 min`."""
    if not is_number(seconds):
        return ABSENT
    if seconds < 10:
        return f"{seconds:.2f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def short(text: str, length: int) -> str:
    """`text`, cut to `length` characters with an ellipsis; line breaks become spaces."""
    line = " ".join(str(text).split())
    return line if len(line) <= length else line[: length - 1] + "…"


def plural(n: int, noun: str) -> str:
    """`1 object`, `2 objects`, `2 classes`."""
    ending = "" if n == 1 else "es" if noun.endswith("s") else "s"
    return f"{count(n)} {noun}{ending}"


def metric_label(metric: str) -> str:
    """A metric's name for a reader, with an arrow that shows which way is better."""
    arrow = " ↑" if metric in HIGHER_IS_BETTER else " ↓" if metric in LOWER_IS_BETTER else ""
    return METRICS.get(metric, metric.replace("_", " ")) + arrow


def target_label(target: str) -> str:
    """A target's name for a reader: `teff_k` is the effective temperature; what is no declared quantity, its own."""
    return quantity(target).label if target in QUANTITIES else target.replace("_", " ").capitalize()


def unit_of(target: str) -> str:
    """Unit of a target as a reader sees it; empty where it has none."""
    return quantity(target).shown_unit


def split_label(split: str) -> str:
    """How objects were held out, in words."""
    return SPLITS.get(split, split)
