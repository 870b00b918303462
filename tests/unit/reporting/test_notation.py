"""How numbers are written."""

import numpy as np
import pytest

from tasks.reporting import notation


@pytest.mark.parametrize(
    ("value", "lo", "hi", "text"),
    [
        (0.912, 0.88, 0.94, "0.912 [0.88, 0.94]"),
        (0.91234, 0.9001, 0.9239, "0.912 [0.90, 0.92]"),
        (153.2, 140.1, 170.4, "153 [140, 170]"),
        (0.78, 0.66, 0.9, "0.78 [0.66, 0.90]"),
        (-0.0213, -0.0305, -0.0121, "−0.0213 [−0.030, −0.012]"),
        (12.34, 11.1, 13.6, "12.3 [11.1, 13.6]"),
        (1.0, 1.0, 1.0, "1.000 [1.000, 1.000]"),
        (0.5, None, None, "0.500"),
        (np.float32(0.5), np.float64(0.4), np.float32(0.6), "0.50 [0.40, 0.60]"),
        (float("nan"), 0.1, 0.2, "–"),
        (None, None, None, "–"),
        (6512.0, float("nan"), 6600.0, "6,512"),
    ],
)
def test_interval(value, lo, hi, text):
    assert notation.interval(value, lo, hi) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.5471, "0.547"), (218.4, "218"), (1234567, "1,234,567"), (-3.14159, "−3.14"), (1e-9, "1.00e−09"),
     (0.00123, "0.00123"), (None, "–"), (float("inf"), "–")],
)  # fmt: skip
def test_number(value, text):
    assert notation.number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.417, "0.42 s"), (12.4, "12 s"), (59.7, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min"), (None, "–")],
)
def test_duration(seconds, text):
    assert notation.duration(seconds) == text


def test_counts_and_shares():
    assert notation.count(np.int64(1_234_567)) == "1,234,567"
    assert notation.count(-3) == "−3"
    assert notation.share(1, 3) == "33.3 %"
    assert notation.share(1, 100_000) == "< 0.1 %"
    assert notation.share(0, 5) == "0.0 %"
    assert notation.share(1, 0) == "–"
    assert [notation.plural(n, "class") for n in (0, 1, 2)] == ["0 classes", "1 class", "2 classes"]


def test_names():
    assert notation.metric_label("macro_f1") == "Macro F1 ↑"
    assert notation.metric_label("rmse") == "RMSE ↓"
    assert notation.metric_label("my_own") == "my own"
    assert notation.unit_of("teff_k") == "K"
    assert notation.unit_of("class") == ""
    assert [notation.target_label(name) for name in ("class", "finer_class", "logg_dex")] == [
        "Class",
        "Finer class",
        "log g",
    ]
    assert notation.short("a\nb" + "c" * 20, 6) == "a bcc…"
