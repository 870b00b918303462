"""A training on disk between two passes: one safetensors file, its plain values as JSON in the header. No pickle."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from schemas import BadInput

ENTRY = "state"
EVERY_S = 10.0  # a kill costs at most so much of a training, and a pass of less is not slowed down by the disk
Value = TypeVar("Value")


@dataclass(frozen=True)
class Checkpoint:
    """Where a training keeps its state; `key` names the training: a hash of its recipe and its objects.

    The state is stored after a pass if the last time was `every_s` seconds ago.
    """

    path: Path
    key: str
    every_s: float = 0.0

    def write(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Replace the file in one step: a process killed at any moment leaves the old state or the new one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(f"{self.path.name}.{os.getpid()}.partial")
        # clones: tensors that share memory, as tied weights do, cannot be stored
        save_file(
            {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()},
            partial,
            metadata={ENTRY: json.dumps({"key": self.key, **values})},
        )
        os.replace(partial, self.path)

    def read(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """What `write` has stored, on the CPU; None without a file. BadInput if damaged or of another key."""
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                values = json.loads((file.metadata() or {})[ENTRY])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, json.JSONDecodeError) as error:
            raise BadInput(f"The checkpoint {self.path} cannot be read ({error}): remove it and run again.") from None
        if values.pop("key") != self.key:
            raise BadInput(f"The checkpoint {self.path} is of another training: remove it and run again.")
        return tensors, values


def checkpoint_of(path: Path | None, *training: Any) -> Checkpoint | None:
    """Checkpoint at `path` of the training that these arrays, settings and numbers make up; None without a path."""
    if path is None:
        return None
    digest = hashlib.sha256()
    for part in training:
        digest.update(part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
    return Checkpoint(path, digest.hexdigest(), EVERY_S)


def add_prefix(prefix: str, tensors: dict[str, Value]) -> dict[str, Value]:
    """The same tensors under `prefix`.name."""
    return {f"{prefix}.{name}": value for name, value in tensors.items()}


def take_prefix(prefix: str, tensors: dict[str, Value]) -> dict[str, Value]:
    """The tensors that `add_prefix` named with `prefix`, under their own names."""
    start = f"{prefix}."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
