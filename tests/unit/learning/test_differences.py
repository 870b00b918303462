"""Rows of differences against a plain loop over objects, bands and epochs."""

import numpy as np
import pytest

from tasks.learning.inputs.differences import context_width, difference_rows
from tasks.learning.inputs.epochs import distinct_epochs
from tasks.learning.inputs.padding import pad_rows
from tasks.learning.inputs.windows import cut_views, cut_window
from tasks.lightcurves import LightCurveBatch
from tests.unit.learning.synthetic_stars import stars


def rows_in(batch: LightCurveBatch, bands: tuple[str, ...], n_skip: int = 0):
    return difference_rows(distinct_epochs(batch, bands), n_skip)


def one_by_one(batch: LightCurveBatch, n_band: int):
    """Rows in band order, and per object in time order (row, colours, seen): slow and obvious."""
    rows, places = [], []
    for i in range(len(batch)):
        series = slice(batch.offsets[i], batch.offsets[i + 1])
        time, mag, band = batch.time[series], batch.mag[series].astype(float), batch.band[series]
        start = {}
        for b in range(n_band):
            t, m = time[band == b], mag[band == b]
            order = np.argsort(t)
            t, m = t[order], m[order]
            start[b] = len(rows)
            rows += [[np.log10(t[k - 1] - t[k - 2]), np.log10(t[k] - t[k - 1]), m[k - 1] - m[k - 2], m[k] - m[k - 1]]
                     for k in range(2, t.size)]  # fmt: skip
        seen = {b: [] for b in range(n_band)}
        for k in np.lexsort((band, time)):
            seen[band[k]].append(mag[k])
            if len(seen[band[k]]) > 2:
                mean = [np.mean(seen[b]) if seen[b] else np.nan for b in range(n_band)]
                colour = [mean[a] - mean[b] for a in range(n_band) for b in range(a + 1, n_band)]
                places.append((start[band[k]] + len(seen[band[k]]) - 3, colour))
    return np.array(rows).reshape(-1, 4), places


@pytest.mark.parametrize("bands", [("g",), ("g", "r"), ("g", "r", "i")])
def test_rows_places_and_colours_are_those_of_a_plain_loop(bands):
    batch = stars(12, seed=2, bands=bands, n_epoch=(1, 9))[0].batch
    batch = batch.keep(batch.row != 5)  # one object without epochs
    rows = rows_in(batch, bands, 0)
    plain, places = one_by_one(batch, len(bands))
    assert np.allclose(rows.x, plain, atol=2e-6)
    assert rows.merged.tolist() == [row for row, _ in places]
    n_colour = (context_width(len(bands)) - 1) // 2
    colours = np.array([colour for _, colour in places]).reshape(len(places), n_colour)
    seen = np.isfinite(colours)
    assert np.array_equal(rows.context[:, n_colour:-1] > 0, seen)
    assert np.allclose(rows.context[:, :n_colour], np.where(seen, colours, 0), atol=3e-6)


def test_weights_sum_to_one_and_the_first_rows_have_none():
    batch = stars(20, n_epoch=(2, 30))[0].batch
    rows = rows_in(batch, ("g", "r"), 3)
    lengths = np.diff(rows.band_offsets)
    key = np.repeat(np.arange(lengths.size), lengths)
    total = np.bincount(key, rows.band_weight, lengths.size)
    assert np.allclose(total[lengths > 0], 1, atol=1e-5)
    assert (rows.band_weight[(rows.step < 3) & (lengths[key] > 3)] == 0).all()
    owner = np.repeat(np.arange(len(rows)), rows.length)
    assert np.allclose(np.bincount(owner, rows.place_weight), 1, atol=1e-5)


def test_a_better_measured_step_weighs_more_and_no_errors_weigh_alike():
    time, mag = np.arange(6.0), np.zeros(6)
    known = LightCurveBatch.from_epochs(np.ones(6), time, mag, [0.1, 0.1, 0.1, 0.2, 0.1, 0.4], np.zeros(6), None, "g")
    weight = rows_in(known, ("g",), 0).band_weight
    assert weight[0] / weight[1] == pytest.approx(2) and weight[0] / weight[3] == pytest.approx(4)
    unknown = LightCurveBatch.from_epochs(np.ones(6), time, mag, None, np.zeros(6), None, "g")
    assert np.allclose(rows_in(unknown, ("g",), 0).band_weight, 0.25)


def test_equal_times_are_averaged_and_bad_epochs_left_out():
    time = np.array([0, 1, 1, 2, 3, 4.0])
    mag = np.array([10, 10.5, 11.5, 12, np.nan, 14], np.float32)
    batch = LightCurveBatch.from_epochs(np.ones(6), time, mag, None, np.zeros(6), None, ("g",))
    rows = rows_in(batch, ("g",), 0)
    assert np.allclose(rows.x[:, 2:], [[1, 1], [1, 2]])
    assert np.allclose(rows.x[:, :2], np.log10([[1, 1], [1, 2]]))


def test_a_window_holds_successive_epochs_and_three_of_them_the_whole_curve():
    n = np.array([100, 30])
    time = np.concatenate([np.arange(k) for k in n]).astype(float)
    batch = LightCurveBatch.from_epochs(np.repeat([1, 2], n), time, time / 1e3, None, np.zeros(130), None, ("g",))
    epochs = distinct_epochs(batch, ("g",))
    for place, first in ((0.0, 0), (0.5, 30), (1.0, 60)):
        cut = cut_window(epochs, 40, np.array([place, place]))
        assert cut.n_epoch.tolist() == [40, 30]
        assert cut.time[:40].tolist() == list(range(first, first + 40))
    views = cut_views(epochs, 40)
    assert [index.tolist() for index, _ in views] == [[0, 1], [0], [0]]
    assert [view.n_epoch.tolist() for _, view in views] == [[40, 30], [40], [40]]


def test_bands_are_read_by_name_and_absent_ones_stay_empty():
    batch = stars(5, bands=("g", "r"))[0].batch
    rows = rows_in(batch, ("i", "r"), 0)
    assert (np.diff(rows.band_offsets)[::2] == 0).all()
    alone = rows_in(batch, ("r",), 0)
    assert np.array_equal(rows.x, alone.x)


def test_rows_of_an_object_do_not_depend_on_its_neighbours():
    batch = stars(30, seed=5)[0].batch
    whole = rows_in(batch, ("g", "r"), 2)
    one = rows_in(batch.select([17]), ("g", "r"), 2)
    part = slice(whole.offsets[17], whole.offsets[18])
    assert np.array_equal(whole.x[part], one.x) and np.array_equal(whole.context[part], one.context)


def test_padding_is_masked_zero():
    rows = rows_in(stars(9, n_epoch=(2, 30))[0].batch, ("g", "r"), 0)
    batch = pad_rows(rows, np.arange(9))
    for b in range(2):
        assert batch.valid[b].sum() == np.diff(rows.band_offsets)[b::2].sum()
        assert (batch.x[b][~batch.valid[b]] == 0).all() and (batch.weight[b][~batch.valid[b]] == 0).all()
    assert (batch.place_weight[~batch.place_valid] == 0).all()
