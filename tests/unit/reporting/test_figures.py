"""The numbers behind the figures, against independent computations, and figures of awkward data."""

import re
from dataclasses import replace

import numpy as np
import pytest

from tasks.learning.bootstrap import wilson
from tasks.reporting import ClassCounts, ClassPeriods, HeldOutClasses, HeldOutQuantity, SkyPositions, confident_examples
from tasks.reporting.figures.calibration import calibration_curve, reliability
from tasks.reporting.figures.classes import class_counts, confusion_counts, confusion_matrix
from tasks.reporting.figures.folded import folded_pages
from tasks.reporting.figures.periods import period_histogram
from tasks.reporting.figures.quantities import coverage, quantity_figure
from tasks.reporting.figures.sky import field_of, sky_map, to_galactic
from tasks.reporting.palette import class_colours
from tasks.reporting.parts import Drawing, Remark
from tests.unit.reporting.report_sample import CLASSES, folded_curve, make_report, outcomes

COLOURS = class_colours(CLASSES)


def test_galactic_coordinates_agree_with_astropy():
    from astropy.coordinates import SkyCoord

    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(0, 360, 200), np.degrees(np.arcsin(rng.uniform(-1, 1, 200)))
    lon, lat = to_galactic(ra, dec)
    there = SkyCoord(lon, lat, unit="deg", frame="galactic")
    # astropy goes through FK5, which differs from the definition by Hipparcos by 0.025 arcsec
    assert SkyCoord(ra, dec, unit="deg").galactic.separation(there).arcsec.max() < 0.05


@pytest.mark.parametrize(("ra0", "dec0"), [(80.0, -69.0), (359.9, 10.0), (0.0, 89.9)])
def test_field(ra0, dec0):
    rng = np.random.default_rng(1)
    dec = np.clip(dec0 + rng.normal(0, 0.02, 2000), -90, 90)
    ra = (ra0 + rng.normal(0, 0.02, 2000) / np.cos(np.radians(dec0))) % 360
    centre_ra, centre_dec, radius = field_of(ra, dec)
    assert abs((centre_ra - ra0 + 180) % 360 - 180) * np.cos(np.radians(dec0)) < 0.01
    assert abs(centre_dec - dec0) < 0.01
    assert radius < 0.2


def test_all_sky_has_no_small_field():
    rng = np.random.default_rng(2)
    assert field_of(rng.uniform(0, 360, 500), np.degrees(np.arcsin(rng.uniform(-1, 1, 500))))[2] > 90
    assert field_of(np.array([0.0, 180.0]), np.array([0.0, 0.0]))[2] == 180


@pytest.mark.parametrize("radius_deg", [None, 0.3, 6.0])
def test_sky_map(radius_deg):
    drawing = sky_map(make_report(n=300, radius_deg=radius_deg).sky, COLOURS)
    assert ("Right: the field itself" in drawing.caption) == (radius_deg is not None)
    assert "n = 300" in drawing.caption


def test_sky_map_counts_what_it_does_not_draw():
    drawing = sky_map(SkyPositions(np.array([10.0, np.nan, 30.0]), np.array([0.0, 5.0, 9.0])), {})
    assert "1 more have no position" in drawing.caption
    assert isinstance(sky_map(SkyPositions(np.full(3, np.nan), np.full(3, np.nan)), {}), Remark)
    assert isinstance(sky_map(SkyPositions(np.empty(0), np.empty(0)), {}), Remark)


def test_confusion_counts_agree_with_sklearn():
    from sklearn.metrics import confusion_matrix as reference

    rng = np.random.default_rng(3)
    y_true, y_pred = rng.integers(0, 5, (2, 400))
    np.testing.assert_array_equal(confusion_counts(y_true, y_pred, 5), reference(y_true, y_pred, labels=range(5)))


def test_confusion_matrix_leaves_out_the_unusable():
    y_true = np.array([0, 1, 1, -1, 0])
    prob = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.5, 0.5], [np.nan, 0.5]])
    drawing = confusion_matrix(HeldOutClasses(y_true, np.array([0, 1, 0, 0, 0]), prob, ("A", "B")))
    assert "n = 3, 2 on the diagonal. 2 objects without a usable label" in drawing.caption


def test_reliability_agrees_with_one_by_one():
    rng = np.random.default_rng(4)
    prob, y_true = outcomes(rng, 900, np.full(4, 0.25))
    curve = reliability(y_true, prob)
    top, correct = prob.max(axis=1), prob.argmax(axis=1) == y_true
    ece = 0.0
    for k in range(10):
        mine = (top >= k / 10) & ((top < (k + 1) / 10) | (k == 9))
        assert curve.n[k] == mine.sum()
        if mine.any():
            np.testing.assert_allclose(curve.accuracy[k], correct[mine].mean())
            np.testing.assert_allclose(curve.confidence[k], top[mine].mean())
            assert curve.lo[k] <= curve.accuracy[k] <= curve.hi[k]
            ece += mine.mean() * abs(correct[mine].mean() - top[mine].mean())
    np.testing.assert_allclose(curve.ece, ece)
    assert curve.ece_lo < curve.ece_hi


def test_calibration_error_agrees_with_the_metric_table():
    from tasks.learning.calibration import expected_calibration_error

    prob, y_true = outcomes(np.random.default_rng(12), 500, np.full(4, 0.25))
    top, correct = prob.max(axis=1)[None], (prob.argmax(axis=1) == y_true)[None].astype(float)
    np.testing.assert_allclose(reliability(y_true, prob).ece, expected_calibration_error(top, correct)[0])


def test_reliability_sees_overconfidence():
    rng = np.random.default_rng(5)
    prob, y_true = outcomes(rng, 4000, np.full(4, 0.25))
    boasting = prob**4 / (prob**4).sum(axis=1, keepdims=True)
    honest, proud = reliability(y_true, prob), reliability(y_true, boasting)
    assert honest.ece < 0.03
    assert proud.ece_lo > honest.ece_hi


def test_coverage_of_gaussian_intervals_is_as_stated():
    rng = np.random.default_rng(6)
    y = rng.normal(0, 1, 20_000)
    held_out = HeldOutQuantity("x", "", y, 0 * y, 0 * y - 1.644854, 0 * y + 1.644854, 0.9)
    levels = np.array([0.3, 0.68, 0.9, 0.99])
    np.testing.assert_allclose(coverage(held_out, levels), levels, atol=0.012)
    narrow = replace(held_out, lo=held_out.lo / 2, hi=held_out.hi / 2)
    assert coverage(narrow, np.array([0.9]))[0] < 0.65


def test_wilson_interval():
    # Newcombe 1998, Statist. Med. 17, 857, table I: 81 of 263.
    np.testing.assert_allclose(wilson(81, 263), (0.2553, 0.3662), atol=1e-4)


@pytest.mark.parametrize("n_each", [1, 3])
def test_confident_examples(n_each):
    rng = np.random.default_rng(7)
    prob, _ = outcomes(rng, 400, np.full(3, 1 / 3))
    prob[5] = np.nan
    chosen = confident_examples(prob, n_each)
    assert 5 not in chosen
    assert len(np.unique(chosen)) == len(chosen) == 3 * 2 * n_each
    pred, top = np.nan_to_num(prob).argmax(axis=1), prob.max(axis=1)
    for k in range(3):
        members = np.flatnonzero((pred == k) & np.isfinite(top))
        by_top = members[np.argsort(top[members])]
        assert set(by_top[:n_each]) | set(by_top[-n_each:]) == {i for i in chosen if pred[i] == k}


def test_confident_examples_of_few_or_none():
    assert list(confident_examples(np.array([[0.2, 0.8], [0.9, 0.1]]))) == [0, 1]
    assert confident_examples(np.empty((0, 3))).size == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "P 0.547 d"),
        ({"period_day": None}, "phase as supplied"),
        ({"period_day": float("nan"), "phase": np.full(4, np.nan)}, "no period found"),
        ({"mag": np.full(4, np.nan)}, "no epochs"),
        ({"mag_err": None}, "P 0.547 d"),
        ({"mag_err": np.array([np.nan, 0.1, -1.0, 0.0])}, "P 0.547 d"),
        ({"prob": float("nan")}, "no score"),
        ({"class_label": None}, "no label"),
        ({"phase": np.empty(0), "mag": np.empty(0), "mag_err": None, "band": np.empty(0, np.int8)}, "no epochs"),
        ({"mag": np.full(4, 15.0)}, "P 0.547 d"),
        ({"object_id": "<b>&$\\frac$"}, "&lt;b&gt;&amp;$\\frac$"),
    ],
)
def test_folded_panel(change, words):
    rng = np.random.default_rng(8)
    curve = folded_curve(rng, "star-1", "RRab", "RRc", 0.97, 0.547)
    curve = replace(curve, phase=curve.phase[:4], mag=curve.mag[:4], mag_err=curve.mag_err[:4], band=curve.band[:4])
    (drawing,) = folded_pages([replace(curve, **change)], COLOURS)
    assert words in drawing.svg
    assert "n = 1 object" in drawing.caption


def test_folded_page_shows_the_ends():
    rng = np.random.default_rng(9)
    curves = [folded_curve(rng, f"star-{i:02d}", "ECL", None, i / 20, 1.0) for i in range(20)]
    (drawing,) = folded_pages(curves, COLOURS)
    assert sorted(re.findall(r"star-\d\d", drawing.svg)) == [f"star-{i:02d}" for i in (0, 1, 2, 17, 18, 19)]
    assert [key.label for key in drawing.keys] == list(curves[0].bands)


def test_magnitudes_grow_downwards():
    """A faint point must lie below a bright one: SVG y grows downwards."""
    from matplotlib.figure import Figure

    from tasks.reporting.figures.folded import _panel

    rng = np.random.default_rng(10)
    axes = Figure().add_subplot()
    _panel(axes, folded_curve(rng, "s", "RRab", None, 0.9, 0.5))
    bottom, top = axes.get_ylim()
    assert bottom > top
    assert axes.get_xlim() == (0, 2)


@pytest.mark.parametrize("periods", [[0.5], [0.5, np.nan, -1.0], [0.5, 0.500001, 0.52], [0.03, 900.0]])
def test_period_histogram(periods):
    drawing = period_histogram(ClassPeriods(np.array(periods), np.full(len(periods), "RRab", object)), COLOURS)
    assert f"n = {sum(np.nan_to_num(p) > 0 for p in periods)}" in drawing.caption


def test_nothing_to_draw_is_said():
    empty = np.empty(0)
    nothing = (
        period_histogram(None, {}),
        period_histogram(ClassPeriods(np.full(2, np.nan), np.full(2, "A", object)), {"A": "#000000"}),
        class_counts(None, {}),
        class_counts(ClassCounts(("A",), np.array([0])), {"A": "#000000"}),
        confusion_matrix(None),
        confusion_matrix(HeldOutClasses(np.array([-1]), np.array([0]), np.array([[1.0]]), ("A",))),
        calibration_curve(None),
        calibration_curve(HeldOutClasses(np.empty(0, int), np.empty(0, int), np.empty((0, 2)), ("A", "B"))),
        quantity_figure(HeldOutQuantity("teff_k", "K", empty, empty, empty, empty)),
    )
    assert all(isinstance(part, Remark) and part.text.endswith(".") for part in nothing)


@pytest.mark.parametrize("n", [1, 20, 400])
@pytest.mark.parametrize("scale", ["linear", "log", "constant"])
def test_quantity_figure(n, scale):
    rng = np.random.default_rng(11)
    y = {"linear": rng.normal(6000, 500, n), "log": 10 ** rng.uniform(-1, 2, n), "constant": np.full(n, 5.0)}[scale]
    mean = y * 10 ** rng.normal(0, 0.02, n) if scale != "constant" else y.copy()
    drawing = quantity_figure(HeldOutQuantity("radius_rsun", "R☉", y, mean, 0.9 * mean, 1.1 * mean, 0.9))
    assert isinstance(drawing, Drawing)
    assert f"n = {n}" in drawing.caption


def test_quantity_without_intervals_says_so():
    y = np.linspace(1, 2, 50)
    drawing = quantity_figure(HeldOutQuantity("feh_dex", "dex", y, y + 0.1, y * np.nan, y * np.nan))
    assert "No interval is stated" in drawing.caption


def test_drawing_leaves_matplotlib_settings_alone():
    import matplotlib

    before = dict(matplotlib.rcParams)
    sky_map(make_report(n=20).sky, COLOURS)
    assert dict(matplotlib.rcParams) == before
