"""Losses against their formulas on plain numbers; missing labels and padding leave no gradient."""

import numpy as np
import pytest
import torch

from tasks.learning.training.losses import class_loss, gaussian_loss, log_loss, squared_loss, step_loss

RNG = np.random.default_rng(0)
LOGITS = torch.from_numpy(RNG.normal(0, 1, (6, 4, 3)))
CODE = torch.tensor([0, 1, 2, 2, 1, 0])
WEIGHT = torch.from_numpy(RNG.uniform(0.5, 2, 6))
LOG_P = np.log(np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)).numpy()


def test_step_loss_is_the_sum_over_steps_and_the_mean_over_objects():
    step = torch.from_numpy(RNG.dirichlet(np.ones(4), 6))
    expected = np.mean([WEIGHT[i] * sum(-step[i, t] * LOG_P[i, t, CODE[i]] for t in range(4)) for i in range(6)])
    assert step_loss(LOGITS, CODE, WEIGHT, step).item() == pytest.approx(float(expected))


def test_class_loss_is_a_weighted_mean_over_the_labelled():
    code = torch.tensor([0, -1, 2, 2, -1, 0])
    labelled = [0, 2, 3, 5]
    expected = sum(-WEIGHT[i] * LOG_P[i, 0, code[i]] for i in labelled) / WEIGHT[labelled].sum()
    logits = LOGITS[:, 0].clone().requires_grad_()
    loss = class_loss(logits, code, WEIGHT)
    loss.backward()
    assert loss.item() == pytest.approx(float(expected))
    assert (logits.grad[[1, 4]] == 0).all() and (logits.grad[labelled] != 0).all()


def test_losses_of_numbers_leave_missing_labels_out():
    label = torch.tensor([1.0, np.nan, 3.0, 0.0], dtype=torch.double)
    mean = torch.tensor([0.5, 2.0, 1.0, 1.0], dtype=torch.double, requires_grad=True)
    log_var = torch.tensor([0.0, 1.0, -1.0, 2.0], dtype=torch.double, requires_grad=True)
    weight = torch.tensor([1.0, 5.0, 2.0, 0.0], dtype=torch.double)
    assert squared_loss(mean, label, weight).item() == pytest.approx((0.25 + 2 * 4) / 3)
    loss = gaussian_loss(mean, log_var, label, weight)
    assert loss.item() == pytest.approx((0.5 * 0.25 + 2 * 0.5 * (-1 + 4 * np.e)) / 3)
    loss.backward()
    for gradient in (mean.grad, log_var.grad):
        assert (gradient[[1, 3]] == 0).all() and gradient.isfinite().all() and gradient[0] != 0


@pytest.mark.parametrize("loss", [squared_loss, lambda m, y, w: gaussian_loss(m, 0 * m, y, w)])
def test_no_label_at_all_is_a_loss_of_zero(loss):
    value = torch.ones(3, requires_grad=True)
    total = loss(value, torch.full((3,), float("nan")), torch.ones(3))
    total.backward()
    assert total.item() == 0 and (value.grad == 0).all()


def test_a_gaussian_is_best_at_the_true_spread():
    residual = torch.from_numpy(RNG.normal(0, 2, 5000))
    losses = [gaussian_loss(residual * 0, torch.full_like(residual, np.log(s**2)), residual, torch.ones(5000)).item()
              for s in (1.0, 1.5, 2.0, 3.0)]  # fmt: skip
    assert np.argmin(losses) == 2


def test_log_loss_leaves_out_objects_without_a_prediction():
    proba = torch.tensor([[0.5, 0.5], [np.nan, np.nan], [0.1, 0.9], [1.0, 0.0]], dtype=torch.double)
    code, weight = torch.tensor([0, 0, 1, 1]), torch.tensor([1.0, 9.0, 3.0, 1.0])
    expected = (-np.log(0.5) - 3 * np.log(0.9) - np.log(1e-12)) / 5
    assert log_loss(proba, code, weight) == pytest.approx(expected)
    assert log_loss(proba[1:2], code[1:2], weight[1:2]) == 0
