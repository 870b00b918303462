"""Learns which trial period is the period, from stars whose period is known; prints how well on others.

    OMP_NUM_THREADS=1 python -m benchmarks.fit_choice [folder of the real sets, default ARGELANDER_DATA] [write]

Learns on the halves of the real sets that `benchmarks.periods` leaves alone and on an embedded sky of a seed of its
own, survey by survey; the weight of a set grows with the root of its size. With `write` the network goes into the
package. Also prints the agreement on each set of a network that never saw the set.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.periods import DATA, SETS, SKY_SEED, SURVEYS, read, read_sky
from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.choice import LARGEST, NETWORK, SAME, Network, describe, is_possible, probabilities
from tasks.lightcurves.periodogram import try_periods
from tasks.lightcurves.series import PeriodConfig

N_REAL, N_SKY, LEARNING_SEED = 3000, 3000, 20_251
N_NETWORK, N_HIDDEN, N_EPOCH, BATCH, RATE, DECAY, DROPOUT = 4, 32, 60, 128, 1e-2, 1e-2, 0.1


@dataclass(frozen=True, eq=False)
class Examples:
    """What the network sees of T trials of S stars (S,T,F), which are possible, which are right (S,T), stars (S,G)."""

    seen: NDArray[np.float32]
    possible: NDArray[np.bool_]
    right: NDArray[np.bool_]
    star: NDArray[np.float32]


def examples(batch: LightCurveBatch, period: NDArray) -> Examples:
    """Examples of light curves with known periods (S,) day; NaN: no period is right."""
    parts = []
    for start in range(0, len(batch), 500):
        rows = np.arange(start, min(start + 500, len(batch)))
        series, *_, trials = try_periods(batch.select(rows), PeriodConfig())
        seen, star = describe(series, trials)
        possible = is_possible(series, trials)
        right = possible & (np.abs(trials.period / period[rows, None, None] - 1) < SAME)
        flat = (seen.reshape(rows.size, -1, seen.shape[-1]), possible.reshape(rows.size, -1),
                right.reshape(rows.size, -1), star)  # fmt: skip
        some = possible.any(axis=(1, 2))
        parts.append([value[some] for value in flat])
    seen, possible, right, star = (np.concatenate(values) for values in zip(*parts, strict=True))
    return Examples(seen.astype(np.float32), possible, right, star.astype(np.float32))


def real_examples(root: Path, folder: str, learning: bool) -> Examples:
    """Examples of one half of a real set."""
    real = next(real for real in SETS if real.folder == folder)
    batch, objects = read(root, real, N_REAL, learning)
    return examples(batch, objects[real.period].to_numpy())


def sky_examples(survey: str, seed: int) -> Examples:
    """Examples of one survey of an embedded sky."""
    batch, truth = read_sky(survey, N_SKY, seed)
    return examples(batch, truth.period.to_numpy())


def learn(sets: Iterable[Examples], seed: int = 0) -> Network:
    """Networks that give the right trials, or none where none is, the highest likelihood."""
    torch.manual_seed(seed)
    parts = list(sets)
    seen = np.concatenate([part.seen for part in parts])
    possible, right, star = (
        torch.tensor(np.concatenate([getattr(part, name) for part in parts])) for name in ("possible", "right", "star")
    )
    centre, deviation = seen[possible.numpy()].mean(axis=0), seen[possible.numpy()].std(axis=0) + 1e-6
    scaled = torch.tensor(np.clip((seen - centre) / deviation, -LARGEST, LARGEST))
    n_star = star.shape[1]
    of_star = ((star - torch.tensor(centre[-n_star:])) / torch.tensor(deviation[-n_star:])).clamp(-LARGEST, LARGEST)
    weight = torch.cat([torch.full((len(part.seen),), 1 / len(part.seen) ** 0.5) for part in parts])
    weight /= weight.mean()
    target = torch.cat([right, ~right.any(dim=1, keepdim=True)], dim=1)
    members = []
    for _ in range(N_NETWORK):
        score = torch.nn.Sequential(
            torch.nn.Linear(seen.shape[-1], N_HIDDEN), torch.nn.ReLU(), torch.nn.Dropout(DROPOUT),
            torch.nn.Linear(N_HIDDEN, N_HIDDEN), torch.nn.ReLU(), torch.nn.Dropout(DROPOUT),
            torch.nn.Linear(N_HIDDEN, 1, bias=False),
        )  # fmt: skip
        none = torch.nn.Linear(n_star, 1)
        optimizer = torch.optim.AdamW([*score.parameters(), *none.parameters()], weight_decay=DECAY)
        n_step = N_EPOCH * -(-len(seen) // BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=n_step)
        for _ in range(N_EPOCH):
            for i in torch.randperm(len(seen)).split(BATCH):
                each = score(scaled[i])[..., 0].masked_fill(~possible[i], -torch.inf)
                chance = torch.cat([each, none(of_star[i])], dim=1).log_softmax(dim=1)
                loss = -(torch.logsumexp(chance.masked_fill(~target[i], -torch.inf), dim=1) * weight[i]).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        weights = [score[0].weight.T, score[0].bias, score[3].weight.T, score[3].bias, score[6].weight[0],
                   none.weight[0], none.bias[0]]  # fmt: skip
        members.append([value.detach().numpy() for value in weights])
    return Network(centre, deviation, *(np.stack(values) for values in zip(*members, strict=True)))


def agreement(part: Examples, net: Network) -> tuple[float, float, float]:
    """Fraction of stars whose most probable trial is right, its mean probability, and the fraction that have one."""
    chance = probabilities(part.seen, part.possible, part.star, net)[:, :-1]
    best, row = chance.argmax(axis=1), np.arange(len(chance))
    return float(part.right[row, best].mean()), float(chance[row, best].mean()), float(part.right.any(axis=1).mean())


def tell(name: str, part: Examples, net: Network, without: Network) -> None:
    """Prints a line of the table."""
    right, expected, possible = agreement(part, net)
    elsewhere, _, _ = agreement(part, without)
    print(
        f"| {name} | {len(part.seen)} | {right:.3f} | {expected:.3f} | {elsewhere:.3f} | {possible:.3f} |", flush=True
    )


def main(root: str | Path = DATA, write: str = "") -> None:
    """Prints a Markdown table; see above."""
    if not Path(root).is_dir():
        print(f"fit_choice: skipped, there is no {root}; set ARGELANDER_DATA to the folder of the real sets.")
        return
    learning, test = gather(Path(root), True), gather(Path(root), False)
    net = learn(learning.values())
    if write == "write":
        np.savez(NETWORK, **asdict(net))
    print("| set | stars | right | mean probability | right, set never seen | a trial is right |\n" + "|---" * 6 + "|")
    for name, part in test.items():
        tell(name, part, net, learn([other for key, other in learning.items() if key != name]))


def gather(root: Path, learning: bool) -> Mapping[str, Examples]:
    """All sets, of one half."""
    real = {each.folder: real_examples(root, each.folder, learning) for each in SETS}
    seed = LEARNING_SEED if learning else SKY_SEED
    return real | {f"sky, {survey}": sky_examples(survey, seed) for survey in SURVEYS}


if __name__ == "__main__":
    main(*sys.argv[1:3])
