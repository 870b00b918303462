"""The parts of the campaign, and what their trials share: a server, a cluster, and one finished lake."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.soak.folders import SETTINGS, try_folder, valid_folder
from tests.soak.kills import try_kills
from tests.soak.lakes import try_lake
from tests.soak.questions import try_query, try_setting
from tests.soak.trial import ANSWERED, Verdict, generator, run_command


@dataclass(frozen=True)
class Campaign:
    """Where trials work, the address of the cluster that they share, and a folder with a finished lake beside it."""

    place: Path
    seed: int
    scheduler: str
    finished: Path

    def run(self, part: str, number: int) -> Verdict:
        """One trial, in a folder of its own that goes afterwards."""
        own = self.place / f"{part}-{number}"
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir(parents=True)
        try:
            return PARTS[part].run(self, generator(part, number, self.seed), own)
        finally:
            shutil.rmtree(own, ignore_errors=True)


@dataclass(frozen=True)
class Part:
    """How many trials there are, and what one does with its random numbers and its folder."""

    n_trial: int
    run: Callable[[Campaign, np.random.Generator, Path], Verdict]


PARTS = {
    "folders": Part(600, lambda campaign, rng, own: try_folder(rng, own, campaign.scheduler)),
    "settings": Part(80, lambda campaign, rng, own: try_setting(rng)),
    "queries": Part(80, lambda campaign, rng, own: try_query(rng, str(campaign.finished / "lake"))),
    "lakes": Part(60, lambda campaign, rng, own: try_lake(rng, campaign.finished, own, campaign.scheduler)),
    "acquisition_kills": Part(12, lambda campaign, rng, own: try_kills(rng, "test_acquisition_kill")),
    "refresh_kills": Part(10, lambda campaign, rng, own: try_kills(rng, "test_kill")),
}


@contextmanager
def prepare(place: Path, seed: int) -> Iterator[Campaign]:
    """What the trials share, for as long as the block lasts, a Prefect server included."""
    from flows import environment

    place.mkdir(parents=True, exist_ok=True)
    environment.quiet()
    os.environ.setdefault("PREFECT_HOME", str(place.resolve() / ".prefect"))
    from flows.server import own_server
    from tasks.stages.fanout import open_cluster

    with own_server() as wait_for_server, open_cluster(1) as scheduler:
        wait_for_server()
        finished = place / "finished"
        if not (finished / "done").exists():
            _finish(finished, scheduler)
        yield Campaign(place, seed, scheduler, finished)


def _finish(finished: Path, scheduler: str) -> None:
    """A lake refreshed from a valid folder."""
    shutil.rmtree(finished, ignore_errors=True)
    valid_folder(np.random.default_rng(0)).write(finished / "data")
    settings = [word for each in (*SETTINGS, f"compute.scheduler={scheduler}") for word in ("--set", each)]
    verdict = run_command(["refresh", "folder", "--data", finished / "data", "--lake", finished / "lake",
                           "--release", finished / "release", *settings])  # fmt: skip
    if verdict.outcome != ANSWERED:
        raise RuntimeError(f"a valid folder was not refreshed: {verdict.words}")
    (finished / "done").touch()
