"""How the multiband LSTM learns: which part sees which gradient, and which windows it reads."""

import numpy as np
import pytest
import torch

from tasks.learning.inputs.epochs import distinct_epochs
from tasks.learning.models.lstm.learner import MultibandLearner, final_proba, row_views
from tasks.learning.models.lstm.network import MultibandLSTM
from tests.unit.learning.synthetic_stars import stars
from tests.unit.learning.test_network import SMALL

EXAMPLES, NAMES, _ = stars(40, seed=6, n_epoch=(5, 40))
EPOCHS = distinct_epochs(EXAMPLES.batch, ("g", "r"))
CODE = np.unique(NAMES, return_inverse=True)[1].astype(np.int64)
STOPPING = np.arange(40) % 5 == 0


@pytest.fixture
def learner() -> MultibandLearner:
    torch.manual_seed(0)
    module = MultibandLSTM(SMALL, 2, 3)
    return MultibandLearner(module, SMALL, EPOCHS, CODE, np.ones(40, np.float32), STOPPING)


def touched(learner: MultibandLearner, group: str) -> set[str]:
    """Parts of the module that the loss of `group` has a gradient for."""
    learner.module.zero_grad()
    batch = next(iter(learner.batches(0, np.random.default_rng(0))))
    learner.losses(batch)[group]().backward()
    return {name.split(".")[0] for name, p in learner.module.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("group", ["bands", "central"])
def test_the_loss_of_a_group_reaches_that_group_alone(learner, group):
    assert touched(learner, group) == {group}


def test_the_central_network_begins_after_the_bands(learner):
    groups = {name: config for name, (_, config) in learner.groups.items()}
    assert list(groups) == ["bands", "central"]
    assert groups["bands"].first_pass == 0 and groups["central"].first_pass == SMALL.band_passes == 1


def test_only_learning_objects_are_in_the_batches_each_with_its_own_label(learner):
    batches = list(learner.batches(0, np.random.default_rng(0)))
    code = torch.cat([batch.code for batch in batches])
    assert sorted(code.tolist()) == sorted(CODE[~STOPPING])
    for batch in batches:
        total = sum(weight.sum(1) > 0 for weight in batch.rows.weight)
        assert (total > 0).all()  # every object has a step that counts
    assert learner.checking.tolist() == np.flatnonzero(STOPPING).tolist()


def test_long_curves_are_read_through_another_window_in_each_pass(learner):
    rng = np.random.default_rng(0)
    first = [list(learner.batches(0, rng)), learner.rows.x][1]
    second = [list(learner.batches(1, rng)), learner.rows.x][1]
    assert first.shape == second.shape and not np.array_equal(first, second)
    longest = np.diff(learner.rows.band_offsets).max()
    assert longest == SMALL.max_per_band - 2


def test_without_a_stopping_part_all_objects_decide():
    learner = MultibandLearner(MultibandLSTM(SMALL, 2, 3), SMALL, EPOCHS, CODE, np.ones(40, np.float32),
                               np.zeros(40, bool))  # fmt: skip
    assert learner.checking.tolist() == learner.learning.tolist() == list(range(40))
    assert np.isfinite(learner.validation_loss())


def test_probabilities_are_the_mean_over_views(learner):
    views = row_views(EPOCHS, SMALL)
    assert len(views) == 3
    whole = final_proba(learner.module, views, 40)
    each = [final_proba(learner.module, [view], 40).numpy() for view in views]
    assert np.allclose(whole, np.nanmean(each, axis=0))
    assert np.allclose(whole.sum(1), 1)
