"""How many second periods come back? RRd and other pulsators of the embedded sky, at the cadences of Gaia and ZTF.

    argelander bench second_period [objects of the sky, default 6000]

Of RRd, the fraction whose two periods are the true ones within 1 %, in either order, and the fraction whose second
period stands out (false alarm probability below 1e-3); of RRab and RRc, which have one period, how often one stands
out all the same (some are modulated). 95 % intervals (Wilson 1927, JASA 22, 209). Beside it what the second unrelated
peak of the first search would give, without prewhitening. Processor time is that of both searches.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from benchmarks.periods import SKY_SEED, interval
from tasks.lightcurves.choice import SAME
from tasks.lightcurves.cuts import apply_cuts
from tasks.lightcurves.periodogram import find_period
from tasks.lightcurves.prewhiten import find_second_period
from tasks.lightcurves.series import PeriodConfig
from tasks.sky import generate
from tasks.surveys.cuts import CutConfig

STANDS_OUT = -3.0  # log10 of the false alarm probability


def main(n: int = 6000) -> None:
    """Prints a Markdown table."""
    sky = generate(n, SKY_SEED)
    truth = sky.truth.select(["source_id", "class", "period_day", "period2_day"]).to_pandas().set_index("source_id")
    print("| survey | class | n | both periods | stands out | without prewhitening | ms |\n" + "|---" * 7 + "|")
    for survey in ("gaia", "ztf"):
        batch = apply_cuts(sky.epochs[survey], CutConfig())[0]
        batch = batch.keep(np.isfinite(batch.mag))
        batch = batch.select(truth.loc[batch.source_id, "class"].isin(["RRab", "RRc", "RRd"]).to_numpy())
        batch, offsets = batch.by_band()
        own = truth.loc[batch.source_id]
        began = time.process_time()
        first = find_period(batch)
        second = find_second_period(batch, offsets, first.period, PeriodConfig())
        spent = (time.process_time() - began) * 1e3 / len(batch)
        wanted = np.sort(own[["period_day", "period2_day"]].to_numpy(), axis=1)
        both, rival = (
            (np.abs(np.sort(np.stack([first.period, other], axis=1), axis=1) / wanted - 1) < SAME).all(axis=1)
            for other in (second.period, first.choice.rival)
        )
        for name in ("RRd", "RRc", "RRab"):
            some = (own["class"] == name).to_numpy()
            right = (interval(both[some]), interval(rival[some])) if name == "RRd" else ("", "")
            print(f"| {survey} | {name} | {some.sum()} | {right[0]} | {interval(second.log_fap[some] < STANDS_OUT)} | "
                  f"{right[1]} | {spent:.1f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
