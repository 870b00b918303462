"""Settings of the folded network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from tasks.learning.training.options import Device, Precision

Count = Annotated[int, Field(ge=1)]
CountOrNone = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]


def _check_odd(value: int) -> int:
    """An odd number: a window then has a middle."""
    if value % 2 == 0:
        raise ValueError("give an odd number")
    return value


@dataclass(frozen=True)
class FoldedConfig:
    """Sizes and training of the folded network (decision 17).

    A curve is folded into `n_bin` bins and read by convolutions of `channels` with windows of `kernel` bins; a
    candidate has a state of `width`. Columns of numbers are read by layers of the widths `table`: those of the bands,
    and, with `reads_features`, the features. `head` are the widths of the layers before the answers. In training a
    share `hidden_bins` of the bins and `hidden_columns` of the columns are left out at random, `dropout` of the states.
    `batch` is the most objects in a step. The learning rate falls from `lr` to 0 as half a cosine over `max_passes`
    passes; training ends before, `patience` passes after the least loss on a part of the training objects,
    `validation_fraction`, and the weights of that pass are kept. An object weighs as its class's frequency to the power
    -`class_balance`. `bands` are the names of the bands that it reads, () for all of the training batch. It is trained
    on `device` with the matrix products in `precision`, and predicts on the CPU in float32.
    """

    n_bin: Annotated[int, Field(ge=8, multiple_of=8)] = 32
    channels: Annotated[tuple[Count, ...], Field(min_length=1, max_length=4)] = (24, 32, 48)
    kernel: Annotated[int, Field(ge=1, le=15), AfterValidator(_check_odd)] = 5
    width: Count = 64
    table: Annotated[tuple[Count, ...], Field(min_length=1)] = (64,)
    head: Annotated[tuple[Count, ...], Field(min_length=1)] = (64,)
    reads_features: bool = True
    hidden_bins: Share = 0.1
    hidden_columns: Share = 0.2
    dropout: Share = 0.2
    batch: Count = 64
    lr: Rate = 3e-3
    weight_decay: Annotated[float, Field(ge=0)] = 1e-2
    clip: Rate = 1.0
    max_passes: CountOrNone = 40
    patience: CountOrNone = 12
    validation_fraction: Share = 0.15
    class_balance: Annotated[float, Field(ge=0)] = 0.5
    bands: tuple[str, ...] = ()
    device: Device = "cpu"
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        least = self.n_bin >> (len(self.channels) - 1)  # bins of the last level
        if self.kernel // 2 > least:
            raise ValueError(f"a kernel of {self.kernel} goes more than once around the {least} bins of the last level")

    def effort(self, n: float) -> float:
        """The time that n objects take is proportional to it, roughly: passes, and numbers in the convolutions."""
        return self.max_passes * self.n_bin * sum(self.channels) * n
