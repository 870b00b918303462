"""SIGKILL at random moments: the kill tests, twenty moments at a time, each time with another seed."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

from tests.soak.trial import ANSWERED, FAULT, Verdict

KILLS = {"test_acquisition_kill": 20, "test_kill": 1}  # moments in one trial; of a whole run one in each of six stages


def try_kills(rng: np.random.Generator, test: str) -> Verdict:
    """Run a kill test at new moments; a fault where what comes out differs from a run that nobody killed."""
    seed = int(rng.integers(10**6))
    variables = {**os.environ, "ARGELANDER_KILLS": str(KILLS[test]), "ARGELANDER_KILL_SEED": str(seed)}
    command = [sys.executable, "-m", "pytest", "-q", "-m", "slow", f"tests/integration/{test}.py", "-k", "kill"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    return Verdict(ANSWERED if done.returncode == 0 else FAULT, f"seed {seed}\n{done.stdout[-3000:]}")
