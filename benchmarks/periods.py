"""How many catalogue periods come back? Prints, per real set and class, the fraction within 1 % and at P/2 or 2P.

    OMP_NUM_THREADS=1 python -m benchmarks.periods [folder of the sets, default ARGELANDER_DATA] [objects per set]

One configuration for all sets. A catalogue period may itself be an alias: read the figures as agreement.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.cuts import CutConfig, apply_cuts
from tasks.lightcurves.periodogram import find_period

DATA = Path(os.environ.get("ARGELANDER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@dataclass(frozen=True)
class RealSet:
    """Where a set keeps its times and catalogue periods, and its bands."""

    folder: str
    time: str
    period: str
    bands: tuple[str, ...]


SETS = (
    RealSet("eros_br", "time_days", "period_true", ("B", "R")),
    RealSet("ztf_vsx", "mjd", "period_vsx", ("g", "r", "i")),
    RealSet("ogle_cepheids_vi", "hjd_minus_2450000", "period", ("V", "I")),
    RealSet("css_north", "mjd", "period", ("V_CSS",)),
)


def read(root: Path, real: RealSet, n: int) -> tuple[LightCurveBatch, pd.DataFrame]:
    """Clean light curves and catalogue rows of about n objects with a period, drawn from the classes in proportion."""
    objects = pd.read_parquet(root / real.folder / "objects.parquet")
    objects = objects[objects[real.period] > 0]
    share = min(1.0, n / len(objects))
    objects = objects.groupby("label").sample(frac=share, random_state=1).reset_index(drop=True)
    epochs = pd.read_parquet(
        root / real.folder / "lightcurves.parquet", filters=[("object_id", "in", objects.object_id.tolist())]
    )
    # a few rows of css_north carry the full Julian date
    times = np.where(epochs[real.time] > 2_400_000, epochs[real.time] - 2_400_000.5, epochs[real.time])
    batch = LightCurveBatch.from_epochs(
        pd.Index(objects.object_id).get_indexer(epochs.object_id.astype(str)),
        times,
        epochs.mag,
        epochs.mag_err,
        pd.Index(real.bands).get_indexer(epochs.band.astype(str)),
        None,
        real.bands,
    )
    return apply_cuts(batch, CutConfig(has_error=True))[0], objects.iloc[batch.source_id]


def main(root: str | Path = DATA, n: int = 300) -> None:
    """Prints a Markdown table."""
    if not Path(root).is_dir():
        raise SystemExit(f"periods: skipped, there is no {root}; set ARGELANDER_DATA to the folder of the real sets.")
    print("| set | class | n | within 1 % | at P/2 | at 2P | any of these | CPU ms per object |")
    print("|---" * 8 + "|")
    for real in SETS:
        batch, objects = read(Path(root), real, int(n))
        began = time.process_time()
        ratio = find_period(batch).period / objects[real.period].to_numpy()
        spent = (time.process_time() - began) * 1e3 / len(batch)
        right = np.stack([np.abs(ratio * factor - 1) < 0.01 for factor in (1.0, 2.0, 0.5)])
        label = objects.label.to_numpy()
        for name in ("all", *np.unique(label)):
            rows = right[:, (label == name) | (name == "all")]
            exact, half, double = rows.mean(axis=1)
            print(
                f"| {real.folder} | {name} | {rows.shape[1]} | {exact:.3f} | {half:.3f} | {double:.3f} | "
                f"{rows.any(axis=0).mean():.3f} | {spent:.1f} |"
            )


if __name__ == "__main__":
    main(*sys.argv[1:3])
