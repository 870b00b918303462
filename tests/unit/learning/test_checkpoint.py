"""A training that is stopped at any moment and called again ends with the same bits."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open

from schemas import BadInput
from tasks.learning.models.lstm.body import fit_network
from tasks.learning.models.lstm.config import NetworkConfig
from tasks.learning.training.checkpoint import Checkpoint
from tasks.learning.training.devices import reproducible
from tasks.learning.training.loop import train
from tasks.learning.training.options import LoopConfig
from tests.unit.learning.small_learners import FoldedCNN, PretrainedRegressor, folded_examples
from tests.unit.learning.synthetic_stars import stars

X, CODE = folded_examples(60)
LOOP = LoopConfig(max_passes=5, patience=5)
SMALL = NetworkConfig(hidden=4, head=(4,), central_head=(4,), batch=16, max_passes=5)


class Interrupted(Exception):
    """Stands for the end of the process."""


def interrupt(learner, after_batches):
    """The same learner, which stops at its batch number `after_batches`."""
    losses, count = learner.losses, iter(range(10_000))

    def counted(batch):
        if next(count) == after_batches:
            raise Interrupted
        return losses(batch)

    learner.losses = counted
    return learner


def run(make, checkpoint=None, after_batches=None):
    with reproducible(0, "cpu"):
        learner = make()
        if after_batches is not None:
            interrupt(learner, after_batches)
        history = train(learner, LOOP, checkpoint)
    return history, {name: value.numpy().copy() for name, value in learner.module.state_dict().items()}


def same(one, other):
    return one[0] == other[0] and all(np.array_equal(one[1][name], other[1][name]) for name in one[1])


LEARNERS = {
    "one group": lambda: FoldedCNN(X, CODE, decay=0.9),
    "two groups": lambda: PretrainedRegressor(X, np.linspace(0, 1, 60)),
}


@pytest.mark.parametrize("kind", LEARNERS)
@pytest.mark.parametrize("stops", [(0,), (5, 3), (8, 0, 1)])
def test_an_interrupted_training_goes_on_to_the_same_bits(tmp_path, kind, stops):
    whole = run(LEARNERS[kind])
    checkpoint = Checkpoint(tmp_path / "state.safetensors", "k")
    for after in stops:
        with pytest.raises(Interrupted):
            run(LEARNERS[kind], checkpoint, after)
        torch.rand(10)
    assert same(run(LEARNERS[kind], checkpoint), whole)
    assert same(run(LEARNERS[kind], checkpoint), whole)  # what has ended is only read


@pytest.mark.parametrize("max_per_band", [8, 100])
def test_a_killed_process_of_the_lstm_leaves_a_training_that_ends_the_same(tmp_path, max_per_band):
    examples, names, _ = stars(40, n_epoch=(5, 14))
    code = np.unique(names, return_inverse=True)[1]
    config = replace(SMALL, max_per_band=max_per_band)

    def fit(checkpoint):
        return fit_network(config, 3, examples, code, None, 0, checkpoint)

    class KillsInPass3(Checkpoint):
        def write(self, tensors, values):
            super().write(tensors, values)
            if len(values["history"]) == 3:
                os.kill(os.getpid(), signal.SIGKILL)

    path = tmp_path / "lstm.safetensors"
    child = os.fork()
    if child == 0:
        fit(KillsInPass3(path, "k"))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    with safe_open(path, framework="np") as file:
        assert '"history"' in file.metadata()["state"]
    continued, whole = fit(Checkpoint(path, "k")), fit(None)
    assert continued.history == whole.history and len(whole.history) == 5
    assert all(np.array_equal(value, whole.arrays()[name]) for name, value in continued.arrays().items())


def test_a_checkpoint_of_another_training_or_a_damaged_one_is_refused(tmp_path):
    checkpoint = Checkpoint(tmp_path / "deep" / "state.safetensors", "k")
    assert checkpoint.read() is None
    tied = torch.ones(3)
    checkpoint.write({"a": tied, "b": tied}, {"n": 1, "loss": float("nan")})
    tensors, values = checkpoint.read()
    assert torch.equal(tensors["b"], tied) and values["n"] == 1 and np.isnan(values["loss"])
    assert [path.name for path in checkpoint.path.parent.iterdir()] == ["state.safetensors"]
    with pytest.raises(BadInput, match="of another training: remove it and run again"):
        Checkpoint(checkpoint.path, "other").read()
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:20])
    with pytest.raises(BadInput, match=r"cannot be read \(.*\): remove it and run again"):
        checkpoint.read()


def test_the_state_is_stored_no_more_often_than_asked(tmp_path):
    seldom = Checkpoint(tmp_path / "state.safetensors", "k", every_s=3600)
    assert same(run(LEARNERS["one group"], seldom), run(LEARNERS["one group"])) and not seldom.path.exists()
    run(LEARNERS["one group"], replace(seldom, every_s=0))
    assert seldom.path.exists()
