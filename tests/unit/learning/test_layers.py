"""Shared layers against what they are said to compute."""

import numpy as np
import pytest
import torch
from torch import nn

from tasks.learning.inputs.matrix import feature_matrix
from tasks.learning.inputs.padding import gather_rows, take_padded
from tasks.learning.layers.dense import dense_relu, last_step, normed_head
from tasks.learning.layers.recurrent import LevelMix, ResidualLSTM
from tasks.learning.layers.scaling import mean_and_spread, no_scaling

X = torch.from_numpy(np.random.default_rng(0).normal(0, 1, (3, 7, 5)).astype(np.float32))


def test_a_level_reads_the_normed_sum_of_the_level_below_and_what_that_read():
    torch.manual_seed(0)
    net = ResidualLSTM(5, 4, 3, bias=True)
    first, second, third = net(X)
    below = net.norm[0](first + net.skip(X))
    assert torch.equal(first, net.lstm[0](X)[0])
    assert torch.equal(second, net.lstm[1](below)[0])
    assert torch.equal(third, net.lstm[2](net.norm[1](second + below))[0])


def test_one_level_is_an_lstm_and_nothing_else():
    net = ResidualLSTM(5, 4, 1, bias=True)
    assert net.skip is None and len(net.norm) == 0
    assert sum(p.numel() for p in net.parameters()) == 4 * (5 * 4 + 4 * 4 + 2 * 4)


def test_states_do_not_read_the_future():
    net = ResidualLSTM(5, 4, 2, bias=False)
    changed = X.clone()
    changed[:, 4:] = 9.0
    for a, b in zip(net(X), net(changed), strict=True):
        assert torch.equal(a[:, :4], b[:, :4]) and not torch.equal(a[:, 4:], b[:, 4:])


def test_a_mix_begins_as_the_mean_and_stays_convex():
    mix = LevelMix(3)
    states = [torch.full((2, 2), value) for value in (1.0, 2.0, 6.0)]
    assert torch.allclose(mix(states), torch.full((2, 2), 3.0))
    with torch.no_grad():
        mix.alpha[:] = torch.tensor([50.0, 0.0, 0.0])
    assert torch.allclose(mix(states), states[0])


def test_a_head_has_no_bias_before_a_norm():
    head = normed_head(5, (4, 3), 2, 0.5)
    assert [type(layer) for layer in head] == [nn.Linear, nn.LayerNorm, nn.ReLU, nn.Dropout] * 2 + [nn.Linear]
    assert head[0].bias is None and head[-1].bias is not None
    assert head(X).shape == (3, 7, 2) and normed_head(5, (), 2, 0.5)(X).shape == (3, 7, 2)
    assert (dense_relu(5, 2)(X) >= 0).all() and dense_relu(5, 0)(X) is X


def test_the_last_step_is_each_objects_own():
    assert torch.equal(last_step(X, torch.tensor([6, 0, 3])), torch.stack([X[0, 6], X[1, 0], X[2, 3]]))


def test_scaling_gives_mean_0_and_spread_1_and_spares_constants():
    rows = np.random.default_rng(1).normal(5, 3, (100, 2)).astype(np.float32)
    rows[:, 1] = 7.0
    mean, spread = mean_and_spread(rows)
    scaled = (torch.from_numpy(rows) - mean) / spread
    assert torch.allclose(scaled.mean(0), torch.zeros(2), atol=1e-5)
    assert scaled[:, 0].std(unbiased=False).item() == pytest.approx(1, abs=1e-5) and (scaled[:, 1] == 0).all()
    mean, spread = no_scaling(3, 4)
    assert (mean == 0).all() and (spread == 1).all() and mean.shape == (3, 4)


def test_rows_of_ragged_slices_are_padded_at_their_end():
    offsets = np.array([0, 3, 3, 5])
    rows, exists = gather_rows(offsets, np.array([2, 0, 1]))
    padded = take_padded(np.arange(1.0, 6.0), rows, exists)
    assert padded.tolist() == [[4, 5, 0], [1, 2, 3], [0, 0, 0]]
    assert take_padded(np.empty((0, 2)), rows, exists).shape == (3, 3, 2)
    assert gather_rows(offsets, np.array([1]))[0].shape == (1, 1)


def test_the_matrix_is_in_the_order_that_is_wanted():
    features = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert feature_matrix(features, ("a", "b", "c"), ("c", "a")).tolist() == [[2, 0], [5, 3]]
    assert feature_matrix(features, ("a", "b", "c"), ()).shape == (2, 0)
    with pytest.raises(ValueError, match=r"1 of the 2 columns .* absent \(first: d\)"):
        feature_matrix(features, ("a", "b", "c"), ("a", "d"))
