"""Heads of several targets: missing labels have no gradient, quantities come back in their own unit."""

import numpy as np
import torch

from tasks.learning.layers.heads import TargetHeads, count_classes
from tasks.learning.targets import CLASS, Labels, Regression

CODES = Labels(np.array([0, 1, -1, 2]), np.array([True, True, False, True]))
VALUES = Labels(np.array([5000.0, np.nan, 6000.0, 7000.0]), np.array([True, False, True, True]))
TARGETS = (CLASS.bind(np.array(["a", "b", "c"])), Regression.of("teff_k"))
ONE = torch.ones(4, 2)


def heads() -> TargetHeads:
    torch.manual_seed(0)
    made = TargetHeads(5, count_classes(TARGETS))
    made.set_scale((CODES, VALUES))
    return made


def test_labels_are_codes_and_standardised_values_and_keep_what_is_unknown():
    assert count_classes(TARGETS) == (3, 0)
    code, value = heads().encode((CODES, VALUES))
    assert code.tolist() == [0, 1, -1, 2] and code.dtype == torch.int64
    np.testing.assert_allclose(value.numpy(), np.array([-1, np.nan, 0, 1]) * np.sqrt(1.5), rtol=1e-6)


def test_an_object_without_a_label_has_no_gradient_and_counts_for_nothing():
    made = heads()
    h = torch.randn(4, 5, requires_grad=True)
    encoded = made.encode((CODES, VALUES))
    loss = made.loss(made(h), encoded, ONE)
    loss.backward()
    assert torch.isfinite(h.grad).all() and (h.grad.abs().sum(1) > 0).all()  # each has one of the two
    only_class = made.loss(made(h), (encoded[0], torch.full((4,), torch.nan)), ONE)
    some = [0, 1, 3]
    alone = torch.nn.functional.cross_entropy(made(h)[0][some], encoded[0][some])
    assert torch.allclose(only_class, alone)
    h.grad = None
    only_class.backward()
    assert h.grad[2].abs().sum() == 0


def test_raw_predictions_are_probabilities_then_mean_and_spread_within_the_labels():
    made = heads()
    raw = made.raw(made(torch.randn(200, 5) * 20))
    assert raw.shape == (200, 5) and np.allclose(raw[:, :3].sum(1), 1)
    assert raw[:, 3].min() == 5000 and raw[:, 3].max() == 7000 and (raw[:, 4] > 0).all()


def test_labels_that_are_all_equal_are_predicted_as_they_are():
    made = TargetHeads(5, (0,))
    made.set_scale((Labels.of(np.full(6, 3.0)),))
    raw = made.raw(made(torch.randn(6, 5)))
    assert np.allclose(raw[:, 0], 3.0) and np.isfinite(raw).all()
