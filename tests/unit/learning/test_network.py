"""The multiband LSTM: no leak through padding or batches, the paper's size, the same weights every time."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tasks.learning.data import Examples
from tasks.learning.fit import fit
from tasks.learning.inputs.differences import context_width, difference_rows
from tasks.learning.inputs.epochs import distinct_epochs
from tasks.learning.inputs.padding import PaddedRows, pad_rows
from tasks.learning.inputs.windows import cut_window
from tasks.learning.models.lstm.config import NetworkConfig
from tasks.learning.models.lstm.network import BandNetwork, MultibandLSTM
from tasks.learning.persistence import model_id
from tasks.learning.recipe import Recipe, config_of
from tasks.learning.targets import CLASS
from tasks.learning.training.losses import step_loss
from tasks.lightcurves import LightCurveBatch
from tests.unit.learning.synthetic_stars import stars

SMALL = NetworkConfig(hidden=8, head=(8,), central_head=(8,), batch=32, max_passes=3, max_per_band=20)
RECIPE = Recipe("lstm", (CLASS,), "lstm", SMALL)
EXAMPLES, CLASSES, _ = stars(90, n_epoch=(2, 30))
SELF = Path(__file__)


def wider(batch: PaddedRows, extra: int, fill: float) -> PaddedRows:
    """The same objects with `extra` more steps of padding, and `fill` in all padding."""

    def stretched(values: torch.Tensor, valid: torch.Tensor, value: float) -> torch.Tensor:
        values = values.clone()
        values[~valid] = value
        more = torch.full((values.shape[0], extra, *values.shape[2:]), value, dtype=values.dtype)
        return torch.cat([values, more], 1)

    no = torch.zeros(len(batch.last), extra, dtype=torch.bool)
    band_of = torch.zeros_like(batch.place)
    for width in torch.tensor([x.shape[1] for x in batch.x]).cumsum(0)[:-1]:
        band_of += batch.place >= width
    place = torch.where(batch.place_valid, batch.place + extra * band_of, 1)
    return replace(
        batch,
        x=tuple(stretched(x, valid, fill) for x, valid in zip(batch.x, batch.valid, strict=True)),
        valid=tuple(torch.cat([valid, no], 1) for valid in batch.valid),
        weight=tuple(torch.cat([weight, no.float()], 1) for weight in batch.weight),
        place=torch.cat([place, no.long()], 1),
        place_valid=torch.cat([batch.place_valid, no], 1),
        place_weight=torch.cat([batch.place_weight, no.float()], 1),
        context=stretched(batch.context, batch.place_valid, fill),
    )


def test_padding_changes_no_output_and_no_gradient():
    tokens = difference_rows(cut_window(distinct_epochs(EXAMPLES.batch, ("g", "r")), 20, np.zeros(90)), 2)
    torch.manual_seed(0)
    network = MultibandLSTM(replace(SMALL, dropout=0.0), 2, 3)
    batch = pad_rows(tokens, np.flatnonzero(tokens.length > 0)[:16])
    y, one = torch.arange(16) % 3, torch.ones(16)
    found = []
    for each in (batch, wider(batch, 7, 0.0), wider(batch, 7, 1e3)):
        network.zero_grad()
        logits, states = network.band_outputs(each)
        final = network(each)
        losses = [step_loss(a, y, one, w) for a, w in zip(logits, each.weight, strict=True)]
        loss = sum(losses) + step_loss(network.central_logits(each, states), y, one, each.place_weight)
        loss.backward()
        found.append((final.detach(), loss.detach(), torch.cat([p.grad.flatten() for p in network.parameters()])))
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            assert torch.allclose(a, b, atol=1e-6, rtol=1e-5)


@pytest.fixture(scope="module")
def model():
    """The network that most tests look at, trained once."""
    return fit(RECIPE, EXAMPLES, CLASSES)


def test_prediction_does_not_depend_on_the_order_or_company_of_objects(model):
    whole = model.predict(EXAMPLES)
    order = np.random.default_rng(1).permutation(90)
    assert np.allclose(model.predict(EXAMPLES.select(order)), whole[order], atol=1e-6)
    alone = np.concatenate([model.predict(EXAMPLES.select([i])) for i in range(5)])
    assert np.allclose(alone, whole[:5], atol=1e-6)
    assert np.allclose(whole.sum(1), 1)


def test_training_does_not_depend_on_row_order_or_on_earlier_random_numbers(model):
    first = model_id(model)
    torch.rand(1000)
    state = torch.get_rng_state()
    order = np.random.default_rng(2).permutation(90)
    assert model_id(fit(RECIPE, EXAMPLES.select(order), CLASSES[order])) == first
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.slow  # its histories are compared with recorded ones below
def test_a_new_process_gives_the_same_bits(model):
    code = ("import test_network as t; from tasks.learning.persistence import model_id; "
            "print(model_id(t.fit(t.RECIPE, t.EXAMPLES, t.CLASSES)))")  # fmt: skip
    path = f"import sys; sys.path[:0] = [{str(SELF.parent)!r}, {str(SELF.parents[3])!r}]; "
    run = subprocess.run([sys.executable, "-c", path + code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == model_id(model)


def test_it_learns_shapes_that_only_the_light_curve_shows():
    examples, classes, _ = stars(200, seed=8)
    config = replace(SMALL, hidden=16, max_passes=8, lr=2e-2, central_lr=2e-2)
    model = fit(replace(RECIPE, config=config), examples, classes)
    other, truth, _ = stars(200, seed=9)
    found = np.array(model.target.classes)[model.predict(other).argmax(1)]
    assert (found == truth).mean() > 0.8
    assert 1 <= len(model.bodies[0].history) <= 8


def test_parameters_of_a_band_are_those_of_the_paper():
    # Becker et al. 2025, Gaia: 383,113 with one bias per LSTM gate; torch keeps two, 4 H more per level.
    config = NetworkConfig(hidden=128, levels=3, head=(128, 128, 128))
    assert sum(p.numel() for p in BandNetwork(config, 6).parameters()) == 383_113 + 3 * 4 * 128


@pytest.mark.parametrize(("n_band", "levels", "central"), [(1, 1, 1), (2, 3, 2), (3, 2, 3)])
def test_parameters_of_the_central_network_follow_the_formula(n_band, levels, central):
    h, c, width, dense = 16, 5, 12, 3
    config = NetworkConfig(hidden=h, levels=levels, central_levels=central, central_head=(width,), translation=dense)
    found = sum(p.numel() for p in MultibandLSTM(config, n_band, c).central.parameters())
    bands = n_band * (levels + 2 * h + dense * (h * h + h))
    lstm = 4 * (2 * h * h + h) + 4 * h
    levels_part = central * lstm + (h * h if central > 1 else 0) + 2 * h * (central - 1) + central
    head = (h + context_width(n_band)) * width + 2 * width + width * c + c
    assert found == bands + 2 * h + levels_part + head


def test_an_object_without_rows_gets_the_class_frequencies_and_an_empty_band_is_no_obstacle(model):
    batch = LightCurveBatch.from_epochs([1, 1, 2, 2, 2, 2], np.arange(6), np.arange(6) / 10, None, np.zeros(6), None,
                                        ("g", "r"))  # fmt: skip
    proba = model.predict(Examples(batch.source_id, np.empty((2, 0)), (), batch))
    assert np.allclose(proba[0], [(name == CLASSES).mean() for name in model.target.classes])
    assert not np.allclose(proba[1], proba[0]) and np.isfinite(proba).all()


def test_bands_are_known_by_name(model):
    batch = EXAMPLES.batch
    turned = replace(batch, bands=("x", "r", "g"), band=np.where(batch.band == 0, 2, 1))
    examples = Examples(EXAMPLES.source_id, EXAMPLES.features, EXAMPLES.feature_names, turned)
    assert np.allclose(model.predict(examples), model.predict(EXAMPLES), atol=1e-6)
    with pytest.raises(ValueError, match="it reads the bands"):
        model.predict(replace(examples, batch=replace(batch, bands=("x", "y"))))


def test_few_objects_and_no_errors_still_train():
    batch = replace(EXAMPLES.batch, mag_err=np.full(EXAMPLES.batch.time.size, np.nan))
    examples = replace(EXAMPLES, batch=batch).select(np.arange(4))
    model = fit(RECIPE, examples, ["a", "b", "a", "b"])
    assert np.isfinite(model.predict(examples)).all()
    assert "a (2)" in model.note


RECORDED = {  # of the loop that knew this network alone (commit 06f93a4): validation losses of the passes
    "two levels": (
        SMALL, 0, 90, (2, 30),
        (1.1191484695091651, 1.0970790229473888, 1.081873054428928),
    ),
    "all that can be set": (
        replace(SMALL, levels=3, central_levels=2, central_steps=2, band_passes=2, translation=2, max_passes=6),
        1, 120, (2, 40),
        (1.2317711738989872, 1.2321548129209607, 0.9714519267401934,
         0.7796408196525321, 0.5932335679977839, 0.5346246543633073),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDED)
def test_it_trains_as_it_always_has(name):
    config, seed, n, n_epoch, history = RECORDED[name]
    examples, classes, _ = stars(n, seed=seed, n_epoch=n_epoch)
    model = fit(replace(RECIPE, config=config, seeds=(seed,)), examples, classes)
    assert model.bodies[0].history == pytest.approx(history, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "value"), [("dropout", 1.0), ("hidden", 0), ("lr", 0.0), ("max_per_band", 2), ("device", "tpu")]
)
def test_a_setting_that_cannot_be_is_refused(name, value):
    assert config_of("lstm", {"hidden": 4, "head": [8, 8], "device": "cuda"}).head == (8, 8)
    with pytest.raises(ValueError, match=f"lstm: {name} = "):
        config_of("lstm", {name: value})
