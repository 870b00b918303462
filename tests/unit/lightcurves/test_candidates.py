"""Distinct candidate periods by hand, and against a plain loop over trials."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.candidates import LEAST, N_CANDIDATE, pick_candidates
from tasks.lightcurves.choice import SAME, SEEN, network
from tasks.lightcurves.periodogram import find_period


def near(period):
    return np.abs(period[:, None, :] / period[:, :, None] - 1) < SAME


def by_loop(period, chance, possible):
    """(trial, probability) of each candidate of one star."""
    left = set(np.flatnonzero(possible).tolist())
    found: list[tuple[int, float]] = []
    while left and len(found) < N_CANDIDATE:
        close = {i: [j for j in left if abs(period[j] / period[i] - 1) < SAME] for i in left}
        head = max(sorted(left), key=lambda i: sum(chance[j] for j in close[i]))
        best = max(sorted(close[head]), key=lambda j: chance[j])
        found.append((best, sum(chance[j] for j in close[best])))
        left -= set(close[best])
    return [each for k, each in enumerate(found) if k == 0 or each[1] >= LEAST]


def test_probabilities_of_one_period_are_added_and_the_most_probable_stands_for_it():
    period = np.array([[1.0, 1.004, 2.0, 5.0]])
    chance = np.array([[0.2, 0.25, 0.4, 0.0001]])
    place, mass = pick_candidates(near(period), chance, np.ones((1, 4), bool))
    assert place.tolist() == [[1, 2, -1, -1]]
    np.testing.assert_allclose(mass[0, :2], [0.45, 0.4])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_candidates_are_those_of_a_plain_loop(seed):
    rng = np.random.default_rng(seed)
    period = rng.choice([0.5, 1.0, 2.0, 3.0, 7.0], (6, 9)) * (1 + rng.uniform(-0.004, 0.004, (6, 9)))
    possible = rng.random((6, 9)) < 0.8
    chance = np.where(possible, rng.dirichlet(np.full(9, 0.3), 6), 0.0)
    place, mass = pick_candidates(near(period), chance, possible)
    for s in np.flatnonzero(possible.any(axis=1)):
        expected = by_loop(period[s], chance[s], possible[s])
        exists = place[s] >= 0
        assert place[s][exists].tolist() == [trial for trial, _ in expected]
        np.testing.assert_allclose(mass[s][exists], [own for _, own in expected], atol=1e-12)
        assert mass[s].sum() <= 1 + 1e-9


def test_the_first_candidate_is_the_chosen_period_and_what_is_seen_is_of_it():
    rng = np.random.default_rng(3)
    time, row = rng.uniform(0, 60, 180), np.repeat([0, 1], [90, 90])
    mag = 15 + 0.4 * np.cos(2 * np.pi * time / np.where(row, 0.61, 3.7)) + rng.normal(0, 0.05, 180)
    batch = LightCurveBatch.from_epochs(row, time, mag, np.full(180, 0.05), np.zeros(180), None, ("g",))
    choice = find_period(batch).choice
    found = choice.candidates
    assert len(SEEN) == network().centre.size and found.seen.shape == (2, N_CANDIDATE, len(SEEN))
    np.testing.assert_array_equal(found.period[:, 0], choice.period)
    np.testing.assert_allclose(found.probability[:, 0], choice.probability)
    np.testing.assert_allclose(found.seen[..., SEEN.index("log_period")], np.log10(found.period))
    np.testing.assert_allclose(found.seen[:, 0, SEEN.index("log_n")], np.log10([90, 90]))
    known = np.isfinite(found.period)
    assert np.array_equal(known, np.isfinite(found.seen).all(axis=-1)) and known[:, 0].all()
    assert np.all(np.isin(found.seen[known][:, SEEN.index("multiple")], (1, 2)))
