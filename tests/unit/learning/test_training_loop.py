"""The training loop on learners of several kinds: who learns when, when it ends, and what it leaves behind."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tasks.learning.training.devices import reproducible, to_device, torch_device
from tasks.learning.training.groups import ParameterGroup
from tasks.learning.training.loop import train
from tasks.learning.training.options import GroupConfig, LoopConfig
from tasks.learning.training.progress import Progress, copy_weights
from tests.unit.learning.small_learners import FoldedCNN, PretrainedRegressor, folded_examples

X, CODE = folded_examples(90)
LOOP = LoopConfig(max_passes=4, patience=4)


def trained(make, loop=LOOP, seed=0):
    with reproducible(seed, loop.device):
        learner = make()
        history = train(learner, loop)
    return learner, history


def test_a_plain_network_learns_shapes_from_folded_curves():
    learner, history = trained(lambda: FoldedCNN(X, CODE, lr=3e-2), LoopConfig(25, 25))
    other, truth = folded_examples(200, seed=5)
    with torch.inference_mode():
        accuracy = (learner.module.train(False)(other).argmax(1).numpy() == truth).mean()
    assert accuracy > 0.6 and min(history) < 0.8 * history[0]  # 1/3 by chance


def test_groups_begin_in_their_pass_and_take_their_steps_in_their_order():
    learner, _ = trained(lambda: PretrainedRegressor(X[:32], np.linspace(0, 1, 32)), LoopConfig(3, 9))
    begun = ["pretext"] * 2 + ["head"]  # two batches, then the validation
    assert learner.calls == begun * 2 + ["pretext", "head", "head", "head"] * 2 + ["head"]


def test_a_part_that_has_not_begun_or_has_no_group_stays_as_it_is():
    with reproducible(0, "cpu"):
        learner = PretrainedRegressor(X, np.zeros(90))
        before = copy_weights(learner.module)
        train(learner, LoopConfig(2, 9))
    changed = {name.split(".")[0] for name, value in copy_weights(learner.module).items()
               if not torch.equal(value, before[name])}  # fmt: skip
    assert changed == {"encoder", "decoder"}


def test_missing_labels_have_no_gradient():
    half = np.where(np.arange(90) % 2 == 0, np.linspace(-1, 1, 90), np.nan)
    first, history = trained(lambda: PretrainedRegressor(X, half))
    assert np.isfinite(history).all()
    head = first.module["head"].weight
    with reproducible(0, "cpu"):
        learner = PretrainedRegressor(X, np.full(90, np.nan))
        start = learner.module["head"].weight.clone()
        train(learner, LOOP)
    assert torch.equal(learner.module["head"].weight, start) and not torch.equal(head, start)


def test_the_same_seed_gives_the_same_weights_and_another_others():
    first, history = trained(lambda: FoldedCNN(X, CODE))
    torch.rand(100)
    again, same = trained(lambda: FoldedCNN(X, CODE))
    assert history == same
    assert all(torch.equal(a, b) for a, b in zip(first.module.parameters(), again.module.parameters(), strict=True))
    assert trained(lambda: FoldedCNN(X, CODE), replace(LOOP, seed=1))[1] != history
    assert trained(lambda: FoldedCNN(X, CODE), seed=1)[1] != history


def test_random_numbers_outside_do_not_notice():
    torch.manual_seed(3)
    expected = torch.rand(5)
    torch.manual_seed(3)
    trained(lambda: FoldedCNN(X, CODE))
    assert torch.equal(torch.rand(5), expected)


def test_rates_decay_by_pass():
    parameters = torch.nn.Linear(1, 1)
    group = ParameterGroup("one", parameters, GroupConfig(lr=0.1, decay=0.5))
    group.lr *= group.config.decay
    assert group.optimiser.param_groups[0]["lr"] == group.lr == 0.05
    slow = trained(lambda: FoldedCNN(X, CODE, decay=0.0))[1]  # the rate is 0 after the first pass
    assert slow[1] == slow[2] == slow[3] and slow[0] == trained(lambda: FoldedCNN(X, CODE))[1][0]


def test_large_gradients_are_clipped_to_the_norm():
    module = torch.nn.Linear(1, 1, bias=False)
    group = ParameterGroup("one", module, GroupConfig(lr=1e-3, clip=0.5))
    group.descend(1e6 * module(torch.ones(1, 1)).sum())
    assert module.weight.grad.norm() == pytest.approx(0.5, rel=1e-4)


class Scripted(FoldedCNN):
    """A learner whose validation losses are given; it notes the weights of each pass."""

    def __init__(self, losses):
        super().__init__(X, CODE)
        self.script, self.seen = list(losses), []

    def validation_loss(self):
        self.seen.append(copy_weights(self.module))
        return self.script[len(self.seen) - 1]


@pytest.mark.parametrize(
    ("losses", "passes", "best"),
    [
        ([3, 2, 4, 4, 4, 4, 4], 5, 1),  # patience 3 after the best
        ([3, 2, 1, 0], 4, 3),  # every pass
        ([3, 2, 2, 4, 4, 4, 4], 5, 2),  # of equal ones the latest weights, patience from the first
        ([3, np.nan, np.nan, np.nan, 1], 4, 0),  # a loss that is not a number is never the best
    ],
)
def test_it_stops_after_its_patience_and_returns_to_the_best_pass(losses, passes, best):
    learner, history = trained(lambda: Scripted(losses), LoopConfig(len(losses), 3))
    assert len(history) == passes
    weights = learner.module.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in learner.seen[best].items())


def test_no_pass_leaves_the_first_weights():
    learner, history = trained(lambda: Scripted([]), LoopConfig(0, 3))
    assert history == [] and learner.seen == []
    assert not Progress({}).is_over(1, 0) and Progress({}, [1.0]).is_over(5, 0)


def test_tensors_of_a_batch_go_to_the_device():
    batch = to_device((torch.ones(2), [torch.zeros(1)], "text"), torch.device("meta"))
    assert batch[0].device.type == batch[1][0].device.type == "meta" and batch[2] == "text"


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match='device "cuda": torch finds no GPU'):
        torch_device("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_learns_the_same():
    on_cpu, on_gpu = (
        trained(lambda: FoldedCNN(X, CODE), replace(LOOP, device=name))[1][-1] for name in ("cpu", "cuda")
    )
    assert on_gpu == pytest.approx(on_cpu, abs=0.1)
