"""Is the learning code as fast as it can be? Ragged LSTM training against naive padding, scoring, and loading a forest.

Run: OMP_NUM_THREADS=1 python -m benchmarks.learning
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from tasks.learning.data import Examples
from tasks.learning.fit import fit
from tasks.learning.forests import ForestConfig
from tasks.learning.inputs.buckets import length_buckets
from tasks.learning.inputs.differences import DifferenceRows, difference_rows
from tasks.learning.inputs.epochs import distinct_epochs
from tasks.learning.inputs.padding import pad_rows
from tasks.learning.models.lstm.body import Network
from tasks.learning.models.lstm.config import NetworkConfig
from tasks.learning.models.lstm.network import MultibandLSTM
from tasks.learning.persistence import load, save
from tasks.learning.recipe import Recipe
from tasks.learning.targets import CLASS
from tasks.learning.training.losses import step_loss
from tasks.lightcurves import LightCurveBatch

N_OBJECT, MEAN_LENGTH, MAX_LENGTH = 1_024, 68, 300  # a ragged set as of a real survey: most curves are short
CONFIG = NetworkConfig(hidden=32, levels=2, max_per_band=MAX_LENGTH)


def ragged(n: int, seed: int = 0) -> LightCurveBatch:
    """One band, lengths exponential with mean 68, at most 300."""
    rng = np.random.default_rng(seed)
    length = np.clip(rng.exponential(MEAN_LENGTH, n), 5, MAX_LENGTH).astype(int)
    length[0] = MAX_LENGTH
    star = np.repeat(np.arange(n), length)
    time_day, mag = rng.uniform(0, 1000, star.size), rng.normal(15, 0.3, star.size)
    return LightCurveBatch.from_epochs(star, time_day, mag, None, np.zeros(star.size), None, ("g",))


def best_of(run: Callable[[], object], n: int = 3) -> float:
    """Least seconds of `n` runs: the machine's other work only adds."""
    found = []
    for _ in range(n):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return min(found)


def epoch(network: MultibandLSTM, tokens: DifferenceRows, batches: list[np.ndarray], length: int | None) -> None:
    """One pass of forward and backward; `length` pads every batch to that many rows, None to its own longest."""
    for index in batches:
        batch = pad_rows(tokens, index)
        x, weight = batch.x[0], batch.weight[0]
        if length is not None:
            x = torch.nn.functional.pad(x, (0, 0, 0, length - x.shape[1]))
            weight = torch.nn.functional.pad(weight, (0, length - weight.shape[1]))
        logits, _ = network.bands[0](x)
        step_loss(logits, torch.zeros(len(index), dtype=torch.long), torch.ones(len(index)), weight).backward()


def training() -> dict[str, float]:
    """Ratio of pad-to-longest-of-all and of unsorted batches to length-bucketed batches, for one band network."""
    tokens = difference_rows(distinct_epochs(ragged(N_OBJECT), ("g",)), 0)
    network = MultibandLSTM(CONFIG, 1, 6)
    shuffled = np.array_split(np.random.default_rng(0).permutation(N_OBJECT), N_OBJECT // CONFIG.batch)
    bucketed = length_buckets(tokens.length, CONFIG.batch)
    seconds = {
        "pad_to_max": best_of(lambda: epoch(network, tokens, shuffled, MAX_LENGTH)),
        "pad_to_batch": best_of(lambda: epoch(network, tokens, shuffled, None)),
        "bucketed": best_of(lambda: epoch(network, tokens, bucketed, None)),
    }
    return {"train_seq_per_s": N_OBJECT / seconds["bucketed"],
            "bucketed_over_pad_to_max": seconds["pad_to_max"] / seconds["bucketed"],
            "bucketed_over_pad_to_batch": seconds["pad_to_batch"] / seconds["bucketed"]}  # fmt: skip


def scoring() -> dict[str, float]:
    """Objects per second through tokeniser and network, light curve to probabilities; and of the tokeniser alone."""
    batch = ragged(4 * N_OBJECT, 1)
    examples = Examples(batch.source_id, np.empty((len(batch), 0), np.float32), (), batch)
    network = Network(CONFIG, ("g",), np.full(6, 1 / 6), MultibandLSTM(CONFIG, 1, 6))
    alone = best_of(lambda: difference_rows(distinct_epochs(batch, ("g",)), 0))
    return {"score_seq_per_s": len(batch) / best_of(lambda: network.predict(examples)),
            "tokenise_epochs_per_s": batch.time.size / alone}  # fmt: skip


def forest() -> dict[str, float]:
    """A forest of 300 trees on 2,000 objects with 100 features: loading from disk, and scoring."""
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (2_000, 100)).astype(np.float32)
    examples = Examples(np.arange(2_000), features, tuple(f"f{i}" for i in range(100)))
    y = (features[:, :4] + rng.normal(0, 1, (2_000, 4))).argmax(1).astype(str)
    model = fit(Recipe("forest", (CLASS,), "forest", ForestConfig()), examples, y)
    with tempfile.TemporaryDirectory() as folder:
        save(model, folder)
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        seconds = best_of(lambda: load(folder).bodies[0].compiled)  # type: ignore[attr-defined]
    return {"forest_load_s": seconds, "forest_mb": size / 1e6,
            "forest_score_rows_per_s": 2_000 / best_of(lambda: model.predict(examples))}  # fmt: skip


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps({name: round(value, 3) for run in (training, scoring, forest) for name, value in run().items()},
                     indent=1))  # fmt: skip
