"""A model from outside that declares folded curves: which datasets feed it, what it reads, and that it learns."""

from dataclasses import replace

import numpy as np
import pytest

from tasks.features.feature import COLOUR, PERIOD_DAY
from tasks.learning.data import Examples
from tasks.learning.fit import fit
from tasks.learning.inputs.folded import fold_to_points
from tasks.learning.models import MODELS
from tasks.learning.persistence import load, model_id, save
from tasks.learning.recipes import recipes_for
from tasks.learning.spec import Folded, Offer
from tasks.learning.targets import CLASS
from tasks.learning.training import checkpoint
from tasks.lightcurves import LightCurveBatch
from tests.unit.learning import folded_network

NAME = folded_network.SPEC.name
FULL = Offer({"amplitude": None, "period_day": PERIOD_DAY, "colour_mag_g_r": COLOUR})


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """The model, by the one line of its registry."""
    monkeypatch.setitem(MODELS, NAME, folded_network.__name__)


def periodic(n: int, seed: int = 0) -> tuple[Examples, np.ndarray]:
    """Sines, saws and dips with their true periods as the feature, and the class names (n,)."""
    rng = np.random.default_rng(seed)
    shape, period, star = rng.integers(0, 3, n), rng.uniform(0.3, 3, n), np.repeat(np.arange(n), 30)
    time = rng.uniform(0, 60, star.size)
    phase = time / period[star] % 1
    curves = [0.5 * np.sin(2 * np.pi * phase), phase, (phase < 0.2).astype(float)]
    mag = 15 + np.choose(shape[star], curves) + rng.normal(0, 0.03, star.size)
    batch = LightCurveBatch.from_epochs(star, time, mag, None, star % 1, None, ("g",))
    return Examples(batch.source_id, period[:, None], ("period_day",), batch), np.array(["dip", "saw", "sine"])[shape]


def test_it_reads_the_period_and_curves_and_is_refused_where_one_is_absent():
    (recipe,) = recipes_for([NAME], [CLASS])
    assert recipe.complete_for(FULL).columns == ("period_day",)
    assert recipe.spec.reads_curves and recipe.spec.lacks(FULL) == ""
    assert recipe.spec.lacks(Offer({"amplitude": None})) == "period_day"
    phases = replace(FULL, has_time=False)  # folded already: the one candidate has period 1
    assert recipe.spec.lacks(phases) == "" and recipe.spec.columns(phases) == ()
    assert recipe.spec.lacks(replace(FULL, has_curves=False)) == "light curves"


def test_candidates_are_every_factor_of_every_column():
    second = replace(PERIOD_DAY, name="other_period_day")
    examples, _ = periodic(5)
    features = np.column_stack([examples.features[:, 0], 1 + np.arange(5)])
    both = replace(examples, features=features, feature_names=("period_day", "other_period_day"))
    need = Folded((second, PERIOD_DAY), factors=(1.0, 2.0, 0.5))
    other, period = both.features[:, 1:].astype(float), both.features[:, :1].astype(float)
    expected = np.hstack([other, 2 * other, other / 2, period, 2 * period, period / 2])
    np.testing.assert_array_equal(need.candidates(both), expected)
    assert fold_to_points(both.batch.by_band()[0], need.candidates(both)).mag.shape[:2] == (5, 6)


def test_it_learns_classes_that_it_has_not_seen_and_is_stored(tmp_path):
    (examples, names), (others, answers) = periodic(120), periodic(60, seed=5)
    recipe = recipes_for([NAME], [CLASS])[0].complete_for(FULL)
    model = fit(recipe, examples, names)
    best = np.array(model.target.classes)[model.predict(others).argmax(1)]
    assert np.mean(best == answers) > 0.8  # the largest class has about a third
    save(model, tmp_path)
    assert np.array_equal(load(tmp_path).predict(others), model.predict(others))


def test_checkpoints_change_no_bit_and_every_seed_has_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY_S", 0.0)
    examples, names = periodic(40)
    recipe = replace(recipes_for([NAME], [CLASS])[0].complete_for(FULL), seeds=(3, 4))
    kept = fit(recipe, examples, names, checkpoints=tmp_path / "kept")
    assert model_id(kept) == model_id(fit(recipe, examples, names))
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["seed-3.safetensors", "seed-4.safetensors"]
    again = fit(recipe, examples, names, checkpoints=tmp_path / "kept")  # what has ended is only read
    assert model_id(again) == model_id(kept)
    with pytest.raises(ValueError, match="of another training: remove it"):
        fit(recipe, examples.select(np.arange(39)), names[:39], checkpoints=tmp_path / "kept")
