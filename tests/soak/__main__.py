"""`python -m tests.soak [PART ...] [--seed N] [--share X]`: go on with the campaign, and print what it has found.

Every verdict is a line of soak/PART.jsonl, so that a campaign that was stopped goes on where it was. `--share 0.1`
does the first tenth of every part.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from tests.soak.campaign import PARTS, Campaign, prepare
from tests.soak.trial import FAULT, Verdict

PLACE = Path("soak")


def main() -> int:
    """Exit code 1 where a trial ended in a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=1.0)
    chosen = parser.parse_args()
    PLACE.mkdir(exist_ok=True)
    with prepare(PLACE / "work", chosen.seed) as campaign:
        for part in chosen.parts:
            go_on(campaign, part, round(PARTS[part].n_trial * chosen.share))
    faults = 0
    for part in chosen.parts:
        verdicts = _read(part, chosen.seed)
        counts = Counter(verdict.outcome for verdict in verdicts.values())
        faults += counts[FAULT]
        print(
            f"{part}: {len(verdicts)} of {PARTS[part].n_trial} trials, "
            + ", ".join(f"{n} {k}" for k, n in counts.items())
        )
    return 1 if faults else 0


def go_on(campaign: Campaign, part: str, n: int) -> None:
    """Do the trials below `n` that have no verdict yet."""
    done = _read(part, campaign.seed)
    for number in range(n):
        if number in done:
            continue
        with _silence():
            verdict = campaign.run(part, number)
        with _file(part, campaign.seed).open("a") as stream:
            stream.write(json.dumps({"number": number, **asdict(verdict)}) + "\n")
        if verdict.outcome == FAULT:
            print(f"{part} {number}: {verdict.words[-400:]}", flush=True)


def _file(part: str, seed: int) -> Path:
    return PLACE / f"{part}-{seed}.jsonl"


def _read(part: str, seed: int) -> dict[int, Verdict]:
    """Verdicts so far, by the number of the trial."""
    path = _file(part, seed)
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    return {row["number"]: Verdict(row["outcome"], row["words"]) for row in rows}


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """What libraries write to the terminal during a trial goes nowhere."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere), contextlib.redirect_stdout(nowhere):
        yield


if __name__ == "__main__":
    sys.exit(main())
