"""Colours: distinct, also to colour-blind eyes, and readable on both papers."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from tasks.reporting import palette
from tasks.reporting.palette import CLASS_COLOURS, N_FARTHEST, band_style, class_colours
from tests.unit.reporting.report_sample import CLASSES, SIXTEEN

STYLE = (Path(palette.__file__).parent / "report.css").read_text()
PAPERS = re.findall(r"--paper: (#\w{3,6});", STYLE)  # of the light page and of the dark one
# Machado, Oliveira & Fernandes 2009, IEEE TVCG 15, 1291, severity 1.0, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
}  # fmt: skip
SRGB_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    xyz = SRGB_TO_XYZ @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(a, b):
    """WCAG 2 contrast ratio."""
    light, dark = sorted((float(linear(c) @ SRGB_TO_XYZ[1]) for c in (a, b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(("n", "least"), [(N_FARTHEST, 17.0), (16, 8.0)])
def test_class_colours_differ(vision, n, least):
    seen = [lab(VISION[vision] @ linear(c)) for c in CLASS_COLOURS[:n]]
    closest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))
    assert closest > least


@pytest.mark.parametrize("paper", PAPERS)
def test_class_colours_stand_out(paper):
    assert min(contrast(colour, paper) for colour in CLASS_COLOURS) > 2.0


@pytest.mark.parametrize("names", [CLASSES, SIXTEEN, ("RRL", "RRab", "RR Lyr"), tuple("abcdefgh")])
def test_one_colour_per_class(names):
    colours = class_colours(names)
    assert list(colours) == list(names)
    assert len(set(colours.values())) == len(names)


def test_colours_depend_on_the_names_and_not_on_their_order():
    for names in (CLASSES, SIXTEEN):
        assert class_colours(reversed(names)) == class_colours(names)
    assert set(class_colours(CLASSES).values()) == set(CLASS_COLOURS[:N_FARTHEST])  # nine classes have the nine best


def test_most_classes_keep_their_colour_when_others_are_gone():
    whole = class_colours(CLASSES)
    fewer = [class_colours(set(CLASSES) - {gone}) for gone in CLASSES]
    kept = [colour == whole[name] for colours in fewer for name, colour in colours.items()]
    assert np.mean(kept) > 0.7
    assert len({class_colours([name])[name] for name in CLASSES}) > 3


def test_more_classes_than_colours():
    assert len(class_colours(f"c{i}" for i in range(40))) == 40


def test_bands():
    assert band_style("g_ps1")[0] == band_style("g_ztf")[0]
    assert band_style("g_ps1")[1] != band_style("g_ztf")[1]
    assert band_style("strange")[0].startswith("#")
