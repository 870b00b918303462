"""The folded network: a circle in phase, a gate over candidates, masks, and what it learns of folded shapes."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from tasks.features.feature import CANDIDATE_PERIOD_DAY, CANDIDATE_PROB, candidate_names
from tasks.learning.data import Examples
from tasks.learning.fit import fit
from tasks.learning.layers.circular import circular_encoder
from tasks.learning.layers.gate import Gate
from tasks.learning.models.folded.config import FoldedConfig
from tasks.learning.models.folded.learner import turn
from tasks.learning.models.folded.network import FoldedNetwork
from tasks.learning.persistence import model_id
from tasks.learning.recipe import Recipe, config_of
from tasks.learning.spec import Offer
from tasks.learning.targets import CLASS, Joint, Regression
from tasks.learning.training import checkpoint
from tasks.lightcurves import LightCurveBatch

SMALL = FoldedConfig(n_bin=16, channels=(8, 12), width=12, table=(8,), head=(12,), batch=32, max_passes=16, lr=1e-2)
PERIODS, CHANCES = candidate_names(CANDIDATE_PERIOD_DAY), candidate_names(CANDIDATE_PROB)
COLUMNS = (*PERIODS, *CHANCES)
CURVES_ALONE = replace(SMALL, reads_features=False)
RECIPE = Recipe("folded", (CLASS,), "folded", CURVES_ALONE)


def periodic(n: int, seed: int = 0, is_folded: bool = False) -> tuple[Examples, np.ndarray, np.ndarray]:
    """Sines, saws and dips of one amplitude in two bands, with their true periods; class names and skewness (n,).

    Only the folded shape tells them apart. `is_folded`: times are phases, and there is no period.
    """
    rng = np.random.default_rng(seed)
    shape, period, star = rng.integers(0, 3, n), rng.uniform(0.3, 3, n), np.repeat(np.arange(n), 50)
    time, band = rng.uniform(0, 60, star.size), rng.integers(0, 2, star.size)
    phase = time / period[star] % 1
    curves = [np.sin(2 * np.pi * phase) / np.sqrt(2), np.sqrt(12) * (phase - 0.5), 2.5 * (phase < 0.2) - 0.5]
    mag = 15 + 0.3 * np.choose(shape[star], curves) + rng.normal(0, 0.03, star.size)
    batch = LightCurveBatch.from_epochs(star, phase if is_folded else time, mag, None, band, None, ("g", "r"))
    factor = rng.permuted(np.tile([1, 1.37, 2, np.nan], (n, 1)), axis=1)  # which candidate is right is to be seen
    chance = np.where(np.isfinite(factor), 1 / 3, np.nan)
    features = np.concatenate([period[:, None] * factor, chance], axis=1)
    names = np.array(["sine", "saw", "dip"])[shape]
    if is_folded:
        return Examples(batch.source_id, np.empty((n, 0)), (), batch), names, 5000.0 + 1000 * (shape == 2)
    return Examples(batch.source_id, features, COLUMNS, batch), names, 5000.0 + 1000 * (shape == 2)


EXAMPLES, NAMES, TEFF_K = periodic(150)
OTHERS, ANSWERS, OTHER_TEFF_K = periodic(100, seed=1)


def accuracy(model, examples, answers) -> float:
    """Share of the objects whose most probable class is the answer."""
    proba = model.predict(examples)[:, : len(model.target.classes)]
    return float((np.array(model.target.classes)[proba.argmax(1)] == answers).mean())


@pytest.fixture(scope="module")
def model():
    """Of curves alone, trained once."""
    return fit(RECIPE, EXAMPLES, NAMES)


def test_it_learns_shapes_that_only_the_folded_curve_shows(model):
    right = accuracy(model, OTHERS, ANSWERS)
    assert right > 0.9  # the largest class has about a third
    scattered = replace(OTHERS, features=OTHERS.features * np.array([1.234] * 4 + [1] * 4))
    assert accuracy(model, scattered, ANSWERS) < right - 0.05  # at wrong periods magnitudes alone are left


def test_a_later_zero_of_time_changes_no_prediction(model):
    whole = model.predict(OTHERS)
    for shift in (0.123, 1000.5, -57.3):
        later = replace(OTHERS, batch=replace(OTHERS.batch, time=OTHERS.batch.time + shift))
        moved = np.abs(model.predict(later) - whole).max(1)
        assert np.quantile(moved, 0.95) < 1e-5  # of a few, rounding takes an epoch over the edge of a bin


def test_curves_that_are_folded_already_are_read_as_they_are():
    folded, names, _ = periodic(150, is_folded=True)
    others, answers, _ = periodic(100, seed=1, is_folded=True)
    assert accuracy(fit(RECIPE, folded, names), others, answers) > 0.9


def test_which_datasets_feed_it():
    declared = dict.fromkeys(PERIODS, CANDIDATE_PERIOD_DAY) | dict.fromkeys(CHANCES, CANDIDATE_PROB)
    columns = {**declared, "amplitude": None}
    spec, offer = RECIPE.spec, Offer(columns)
    assert spec.lacks(offer) == "" and set(spec.columns(offer)) == set(columns)
    assert CANDIDATE_PERIOD_DAY.name in spec.lacks(Offer({"amplitude": None}))  # times, and no period to fold them with
    phases = Offer({"amplitude": None}, has_time=False)
    assert spec.lacks(phases) == "" and spec.columns(phases) == ("amplitude",)
    assert spec.lacks(replace(offer, has_curves=False)) == "light curves"
    assert RECIPE.complete_for(offer).columns == COLUMNS  # without the features it reads its candidates alone
    assert not RECIPE.lacks(Offer({}, has_time=False))


def test_no_period_no_epochs_and_a_band_that_is_absent_are_no_obstacle(model):
    blank = replace(OTHERS, features=np.full(OTHERS.features.shape, np.nan))
    empty = replace(OTHERS, batch=OTHERS.batch.keep(OTHERS.batch.row != 3))
    one_band = replace(OTHERS, batch=OTHERS.batch.keep(OTHERS.batch.band == 0))
    for each in (blank, empty, one_band):
        raw = model.predict(each)
        assert np.isfinite(raw).all() and np.allclose(raw.sum(1), 1)
    assert accuracy(model, one_band, ANSWERS) > 0.7


def test_bands_are_known_by_name(model):
    batch = OTHERS.batch
    turned = replace(OTHERS, batch=replace(batch, bands=("x", "r", "g"), band=np.where(batch.band == 0, 2, 1)))
    np.testing.assert_allclose(model.predict(turned), model.predict(OTHERS), atol=1e-6)
    with pytest.raises(ValueError, match="it reads the bands"):
        model.predict(replace(OTHERS, batch=replace(batch, bands=("x", "y"))))


def test_a_band_without_an_epoch_in_training_is_never_read():
    once, batch = replace(RECIPE, config=replace(CURVES_ALONE, max_passes=1)), EXAMPLES.batch
    model = fit(once, replace(EXAMPLES, batch=batch.keep(batch.band == 0)), NAMES)
    assert model.bodies[0].bands == ("g",)
    alone = replace(OTHERS, batch=OTHERS.batch.keep(OTHERS.batch.band == 0))
    assert np.array_equal(model.predict(OTHERS), model.predict(alone))
    with pytest.raises(ValueError, match="none of the 150 objects has an epoch in g, r"):
        fit(once, replace(EXAMPLES, batch=batch.keep(batch.band > 1)), NAMES)


def test_features_are_read_where_the_configuration_says_so():
    told = replace(EXAMPLES, features=np.column_stack([EXAMPLES.features, TEFF_K]), feature_names=(*COLUMNS, "hint"))
    reads, ignores = (fit(replace(RECIPE, config=config), told, NAMES) for config in (SMALL, CURVES_ALONE))
    assert reads.bodies[0].columns == (*COLUMNS, "hint") and ignores.bodies[0].columns == ()
    hidden = replace(told, features=np.where(np.arange(9) < 8, told.features, np.nan))
    assert np.array_equal(ignores.predict(hidden), ignores.predict(told))
    assert not np.array_equal(reads.predict(hidden), reads.predict(told))


def test_it_learns_a_quantity_with_its_error():
    model = fit(replace(RECIPE, targets=(Regression.of("teff_k"),)), EXAMPLES, TEFF_K)
    value, sigma = model.predict(OTHERS).T
    assert np.sqrt(np.mean((value - OTHER_TEFF_K) ** 2)) < 0.5 * OTHER_TEFF_K.std()
    assert (sigma > 0).all() and np.median(sigma) < OTHER_TEFF_K.std()


def test_it_learns_several_targets_at_once_each_from_the_objects_that_have_its_label():
    joint = Joint((CLASS, Regression.of("teff_k")))
    which = np.arange(len(NAMES)) % 3
    y = joint.labels_of([np.where(which == 0, "", NAMES), np.where(which == 1, np.nan, TEFF_K)])
    model = fit(replace(RECIPE, targets=joint.targets), EXAMPLES, y)
    raw = model.predict(OTHERS)
    assert raw.shape == (100, 5) and accuracy(model, OTHERS, ANSWERS) > 0.65  # of 100 labels
    assert np.sqrt(np.mean((raw[:, 3] - OTHER_TEFF_K) ** 2)) < 0.6 * OTHER_TEFF_K.std()
    none = joint.labels_of([NAMES, np.full(len(NAMES), np.nan)])
    with pytest.raises(ValueError, match="none of 150 objects has a label of teff_k"):
        fit(replace(RECIPE, targets=joint.targets), EXAMPLES, none)


def test_a_training_that_was_stopped_ends_the_same(tmp_path, monkeypatch, model):
    monkeypatch.setattr(checkpoint, "EVERY_S", 0.0)
    write, n_written = checkpoint.Checkpoint.write, []

    def stop_at_the_fourth(self, *state):
        write(self, *state)
        n_written.append(1)
        if len(n_written) == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(checkpoint.Checkpoint, "write", stop_at_the_fourth)
        fit(RECIPE, EXAMPLES, NAMES, checkpoints=tmp_path)
    assert model_id(fit(RECIPE, EXAMPLES, NAMES, checkpoints=tmp_path)) == model_id(model)


def test_an_encoder_turns_with_its_input_and_the_pooled_curve_stays():
    torch.manual_seed(0)
    encoder = circular_encoder(2, (4, 6, 8), 5)
    x = torch.randn(3, 2, 32)
    y, turned = encoder(x), encoder(torch.roll(x, 8, -1))
    assert y.shape == (3, 8, 8) and torch.allclose(turned, torch.roll(y, 2, -1), atol=1e-6)
    assert torch.allclose(turned.mean(-1), y.mean(-1), atol=1e-6)
    seam = encoder(torch.nn.functional.pad(x[..., 1:], (0, 1)))  # a circle without its first bin: another curve
    assert not torch.allclose(seam.mean(-1), y.mean(-1), atol=1e-3)


def test_bins_are_turned_by_the_shift_of_their_candidate():
    bins = torch.arange(2 * 3 * 2 * 8).view(2, 3, 2, 8).float()
    shift = np.array([[0, 3, 5], [7, 1, 2]])
    turned = turn(bins, shift)
    for i in range(2):
        for k in range(3):
            assert torch.equal(turned[i, k], torch.roll(bins[i, k], int(shift[i, k]), -1))


def test_a_gate_weighs_valid_candidates_by_probability_and_state_in_any_order():
    torch.manual_seed(0)
    gate, h = Gate(4), torch.randn(2, 3, 4)
    log_prob = torch.log(torch.tensor([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]]))
    valid = torch.tensor([[True, True, False], [False, False, False]])
    weights = gate.weights(h, log_prob, valid)
    assert torch.allclose(weights.sum(1), torch.tensor([1.0, 0.0])) and weights[0, 2] == 0
    assert torch.equal(gate(h, log_prob, valid)[1], torch.zeros(4))
    turned = gate(h.flip(1), log_prob.flip(1), valid.flip(1))
    assert torch.allclose(turned, gate(h, log_prob, valid), atol=1e-6)
    torch.nn.init.zeros_(gate.score[-1].weight)  # nothing learned of the states: the probabilities themselves
    assert torch.allclose(gate.weights(h, log_prob, torch.ones(2, 3) > 0), log_prob.exp(), atol=1e-6)


def test_a_gradient_is_finite_where_an_object_has_no_candidate():
    torch.manual_seed(0)
    gate, h = Gate(4), torch.randn(2, 3, 4, requires_grad=True)
    gate(h, torch.zeros(2, 3), torch.tensor([[True] * 3, [False] * 3])).sum().backward()
    assert torch.isfinite(h.grad).all() and (h.grad[1] == 0).all() and h.grad[0].abs().sum() > 0


@pytest.mark.parametrize(("n_band", "n_column", "classes"), [(1, 3, (4,)), (2, 50, (5, 0)), (11, 400, (0,))])
def test_parameters_follow_the_formula(n_band, n_column, classes):
    c = FoldedConfig()
    encoder = sum(c.kernel * i * o + 3 * o for i, o in pairwise((2 * n_band, *c.channels)))
    (table,), width, (head,) = c.table, c.width, c.head
    columns = 2 * n_column * table + table
    state_in = 2 * c.channels[-1] + 2 + table
    state = state_in * width + 2 * width + width * width + width
    gate = width * width + width + width + 1
    last = (width + table) * head + head + sum((head + 1) * (n or 2) for n in classes)
    found = sum(p.numel() for p in FoldedNetwork(c, n_band, n_column, classes).parameters())
    assert found == encoder + columns + state + gate + last


@pytest.mark.parametrize(
    ("name", "value"), [("kernel", 4), ("n_bin", 12), ("channels", []), ("dropout", 1.0), ("precision", "float8")]
)
def test_a_setting_that_cannot_be_is_refused(name, value):
    assert config_of("folded", {"channels": [8, 8], "precision": "bfloat16"}).channels == (8, 8)
    with pytest.raises(ValueError, match=f"folded: {name} = "):
        config_of("folded", {name: value})
