"""Where a network is trained, and with which random numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from tasks.learning.training.options import Device, Precision


def torch_device(name: Device) -> torch.device:
    """The device of this name; ValueError for "cuda" on a machine without one."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError('device "cuda": torch finds no GPU on this machine; set device to "cpu".')
    return torch.device(name)


def to_device(batch: Any, device: torch.device) -> Any:
    """The tensors of a dataclass, tuple or list on `device`; anything else as it is."""
    if isinstance(batch, Tensor):
        return batch.to(device)
    if isinstance(batch, tuple | list):
        return type(batch)(to_device(each, device) for each in batch)
    if is_dataclass(batch) and not isinstance(batch, type):
        return replace(batch, **{each.name: to_device(getattr(batch, each.name), device) for each in fields(batch)})
    return batch


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """A context in which matrix products are computed in `precision`; sums, norms and losses stay in float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


@contextmanager
def one_thread() -> Iterator[None]:
    """One torch thread inside: sums in a fixed order, and no fight with other workers on the same machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def reproducible(seed: int, device: Device) -> Iterator[None]:
    """One thread and torch's random numbers from `seed` inside; those outside go on as if nothing had been drawn.

    The same inputs give the same bits on a CPU; on a GPU some sums have no fixed order.
    """
    place = torch_device(device)
    used = [torch.cuda.current_device()] if place.type == "cuda" else []
    with one_thread(), torch.random.fork_rng(devices=used):
        torch.manual_seed(seed)
        yield


def random_state(device: torch.device) -> dict[str, Tensor]:
    """States of torch's random numbers, of the CPU and of the device."""
    state = {"cpu": torch.get_rng_state()}
    return state if device.type == "cpu" else {**state, "cuda": torch.cuda.get_rng_state(device)}


def set_random_state(state: dict[str, Tensor], device: torch.device) -> None:
    """Continue the random numbers from `random_state`."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)


def device_of(module: nn.Module) -> torch.device:
    """Where the parameters of `module` are."""
    return next(module.parameters()).device
