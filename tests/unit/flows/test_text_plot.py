"""A light curve as lines of text."""

import numpy as np

from flows.text_plot import SIGNS, plot_light_curve


def test_brighter_is_higher_later_is_to_the_right_and_bands_have_signs():
    time, mag, band = np.array([0.0, 5.0, 10.0]), np.array([15.0, 14.0, 16.0]), np.array([0, 1, 1])
    lines = plot_light_curve(time, mag, band, ("g", "r"), width=11, height=5)
    assert lines == [
        "  14.000 |     x",
        "         |",
        "         |o",
        "         |",
        "  16.000 |          x",
        "         +-----------",
        "          0        10",
        "          o g  x r",
    ]


def test_a_single_epoch_and_many_bands():
    lines = plot_light_curve(np.array([5.0]), np.array([15.0]), np.array([0]), ("V",))
    assert lines[0].endswith("|o") and len(lines) == 13
    n = len(SIGNS) + 1
    many = plot_light_curve(np.arange(n) * 1.0, np.arange(n) * 1.0, np.arange(n), [f"b{k}" for k in range(n)])
    assert many[-1].split()[-2:] == [SIGNS[0], f"b{n - 1}"]
