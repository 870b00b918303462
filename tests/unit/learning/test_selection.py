"""The catalogue uses the simplest recipe within the spread of the best, and none that is below the forest."""

import numpy as np
import pytest

from schemas import BadInput
from tasks.learning.calibration import Levels
from tasks.learning.models import spec_of
from tasks.learning.selection import Choice, Merit, choose
from tasks.learning.targets import CLASS, Joint, Regression
from tests.unit.learning.synthetic_stars import recipe

RECIPES = [recipe(name) for name in ("majority", "colour_forest", "forest", "lstm")]
NOISE = np.random.default_rng(0).normal(0, 0.05, 400)  # common to all: hard and easy objects


def merits(spread: float = 0.01, **values) -> dict[str, Merit]:
    """Merits with these values, whose differences have a standard error of `spread` times the square root of two."""
    own = {name: np.random.default_rng(i).normal(0, spread, 400) for i, name in enumerate(values)}
    return {n: Merit(v, (np.nan if v is None else v) + NOISE + own[n]) for n, v in values.items()}


def chosen(**more) -> str:
    found = merits(**more)
    return choose([own for own in RECIPES if own.name in found], found).recipe


def test_the_best_recipe_wins_only_by_more_than_the_spread():
    assert chosen(majority=0.2, forest=0.80, lstm=0.83) == "lstm"
    assert chosen(majority=0.2, forest=0.80, lstm=0.81) == "forest"
    assert chosen(majority=0.2, forest=0.80, lstm=0.81, spread=0.001) == "lstm"  # paired: the common noise cancels
    assert chosen(lstm=0.82, forest=0.82) == "forest" and chosen(majority=0.5, forest=0.45) == "majority"


def test_nothing_below_the_forest_is_chosen_although_it_is_simpler():
    assert spec_of("forest").is_floor and not spec_of("colour_forest").is_floor
    assert chosen(colour_forest=0.795, forest=0.80, lstm=0.79) == "forest"
    assert chosen(colour_forest=0.805, forest=0.80, lstm=0.81) == "colour_forest"


def test_the_choice_names_the_runner_up_and_the_margin():
    found = merits(majority=0.2, forest=0.80, lstm=0.81)
    choice = choose([RECIPES[0], *RECIPES[2:]], found)
    assert (choice.recipe, choice.runner_up) == ("forest", "lstm") and choice.margin == pytest.approx(-0.01)
    assert choice.spread == pytest.approx(0.01 * np.sqrt(2), rel=0.2)
    assert choose(RECIPES[2:3], found) == Choice("forest")


def test_what_could_not_be_measured_is_not_chosen():
    assert chosen(forest=0.5, lstm=None) == "forest"
    with pytest.raises(BadInput, match="none of 1 recipes could be measured"):
        chosen(lstm=None)


def test_the_draws_of_merits_are_paired_and_spread_as_the_interval_of_the_metric_says():
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 3, 600)
    y, target = np.array(["a", "b", "c"])[codes], CLASS.bind(np.array(["a", "b", "c"]))
    proba = 0.5 * rng.dirichlet(np.ones(3), 600) + 0.5 * np.eye(3)[codes]
    temperature = Regression.of("teff_k")
    both, value = Joint((target, temperature)), rng.normal(6000, 500, 600)
    raw = np.column_stack([proba, value + rng.normal(0, 100, 600), np.full(600, 90.0)])
    labels = both.labels_of([y, value])
    scores = both.scores(both.calibrate(raw, labels, Levels()), raw)
    for part, own in ((target, scores.of_part[0]), (temperature, scores.of_part[1])):
        truth = y if part is target else value
        (own_merit, *rest), metrics = part.merits(own, truth), part.measure(own, truth)
        draws = np.array(rest)
        (row,) = (each for each in metrics[part.name] if (each.metric, each.name) == (part.decides, "all"))
        assert own_merit == pytest.approx(part.merit(metrics)) and part.merits(own, truth, 0).tolist() == [own_merit]
        assert np.array_equal(draws, part.merits(own, truth)[1:])
        assert draws.mean() == pytest.approx(part.merit(metrics), rel=0.02)
        assert draws.std() == pytest.approx((row.hi - row.lo) / (2 * 1.96), rel=0.2)
    assert np.array_equal(both.merits(scores, labels), target.merits(scores.of_part[0], y))
