"""What a model needs decides which datasets can feed it, what is read for it, and who is begun first."""

from dataclasses import replace

import numpy as np
import pytest

from tasks.features.feature import CANDIDATE_PERIOD_DAY, CANDIDATE_PROB, COLOUR, candidate_names
from tasks.learning.catalogue import columns_read, reads_curves
from tasks.learning.data import Examples
from tasks.learning.models import MODELS, spec_of
from tasks.learning.recipes import STANDARD, recipes_for
from tasks.learning.spec import Curves, Features, Folded, Offer
from tasks.learning.targets import CLASS, targets_for
from tests.unit.learning.synthetic_stars import recipe

COLUMNS = {"amplitude": None, "colour_mag_G_BP": COLOUR, "colour_mag_BP_RP": COLOUR}
LIGHT_CURVES, FOLDED = Offer(COLUMNS), Offer(COLUMNS, has_time=False)
PHOTOMETRY, NOTHING = Offer(COLUMNS, has_curves=False, has_time=False), Offer(has_curves=False)


def fed(offer: Offer) -> set[str]:
    return {own.model for own in recipes_for(STANDARD, targets_for(["teff_k"])) if not own.spec.lacks(offer)}


def test_a_dataset_feeds_the_models_whose_needs_it_meets():
    every = {own.model for own in recipes_for(STANDARD, targets_for(["teff_k"]))}
    assert fed(LIGHT_CURVES) == every - {"folded"}  # there are no candidate periods
    assert fed(replace(LIGHT_CURVES, columns={**COLUMNS, "a": CANDIDATE_PERIOD_DAY, "b": CANDIDATE_PROB})) == every
    assert fed(FOLDED) == every and every - fed(PHOTOMETRY) == {"folded"}
    needless = {"majority", "median", "mixture"}  # a mixture needs what its members need, which are not chosen yet
    assert fed(NOTHING) == needless
    assert fed(Offer({"amplitude": None}, has_time=False)) == every - {"colour_forest"} > needless


def test_candidate_periods_are_asked_for_by_what_declares_them():
    """Those of the first candidate are of the star; a model says where it reads more."""
    periods, chances = candidate_names(CANDIDATE_PERIOD_DAY), candidate_names(CANDIDATE_PROB)
    offer = Offer({**COLUMNS, **dict.fromkeys(periods, CANDIDATE_PERIOD_DAY), **dict.fromkeys(chances, CANDIDATE_PROB)})
    assert (
        Folded((CANDIDATE_PERIOD_DAY,)).columns(offer) == periods and Folded((CANDIDATE_PERIOD_DAY,)).lacks(offer) == ""
    )
    assert Folded((CANDIDATE_PERIOD_DAY,)).lacks(LIGHT_CURVES) == CANDIDATE_PERIOD_DAY.name
    assert Features().columns(offer) == (*COLUMNS, periods[0], chances[0])
    assert Features(candidates=2).columns(offer) == (*COLUMNS, *periods[:2], *chances[:2])
    assert Features((CANDIDATE_PROB,), candidates=len(chances)).columns(offer) == chances
    examples = Examples([1, 2], np.arange(8.0).reshape(2, 4) + 1, periods[::-1])
    expected = np.arange(8.0).reshape(2, 4)[:, ::-1] + 1
    np.testing.assert_array_equal(Folded((CANDIDATE_PERIOD_DAY,)).candidates(examples), expected)


@pytest.mark.parametrize(
    ("need", "offer", "lacking"),
    [
        (Curves(), PHOTOMETRY, "light curves"),
        (Curves(), FOLDED, "times of the epochs"),
        (Curves(has_time=False), FOLDED, ""),
        (Features(), NOTHING, "features"),
        (Features((COLOUR,)), Offer({"amplitude": None}), "colour_mag_{pair}"),
        (Features((COLOUR,)), PHOTOMETRY, ""),
    ],
)
def test_what_is_lacking_is_named(need, offer, lacking):
    assert need.lacks(offer) == lacking


def test_a_recipe_is_completed_with_the_columns_that_its_model_reads_and_seeds_that_count_from_one():
    assert recipe("forest").complete_for(LIGHT_CURVES).columns == tuple(COLUMNS)
    assert recipe("colour_forest").complete_for(LIGHT_CURVES).columns == ("colour_mag_G_BP", "colour_mag_BP_RP")
    assert all(recipe(name).complete_for(LIGHT_CURVES).columns == () for name in ("majority", "lstm"))
    assert recipe("forest", columns=("amplitude",)).complete_for(LIGHT_CURVES).columns == ("amplitude",)
    assert recipe("forest", seeds=(0, 4)).complete_for(LIGHT_CURVES, 7).seeds == (7, 11)


def test_only_what_models_need_is_read():
    class Scorer:
        def __init__(self, own):
            self.recipe = own.complete_for(LIGHT_CURVES)

    forests, network = [Scorer(recipe("colour_forest")), Scorer(recipe("majority"))], Scorer(recipe("lstm"))
    assert columns_read(forests) == ("colour_mag_BP_RP", "colour_mag_G_BP") and not reads_curves(forests)
    assert columns_read([network]) == () and reads_curves([*forests, network])


def test_the_dearest_is_begun_first_and_the_simplest_wins_ties():
    cost = {name: spec_of(name).cost for name in MODELS}
    assert cost["lstm"] > cost["forest"] > min(cost.values()) == 0
    ranked = sorted((name for name in MODELS if not spec_of(name).quantities), key=lambda n: spec_of(n).simplicity)
    assert ranked[:4] == ["majority", "median", "colour_forest", "forest"] and ranked[-1] == "mixture"
    with pytest.raises(ValueError, match="there is no model 'turbo'; there are majority"):
        spec_of("turbo")


def test_classes_of_a_target_are_those_of_its_labels():
    assert CLASS.classes == () and CLASS.bind(np.array(["b", "a", "b"])).classes == ("a", "b")
