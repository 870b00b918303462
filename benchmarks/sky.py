"""How fast is the embedded sky? Prints objects per second per core for all three surveys, against the floor of 5,000.

OMP_NUM_THREADS=1 python -m benchmarks.sky [n_objects]
"""

from __future__ import annotations

import sys
import time

from tasks.sky import generate

FLOOR = 5000.0  # objects/s/core: a million objects in 200 s


def main(n: int = 20_480, chunk: int = 4096) -> float:
    """Generates `n` objects chunk by chunk on one core; returns and prints objects/s of processor time."""
    generate(1024, seed=0)  # imports and first allocations are not the generator's speed
    began, wall, epochs = time.process_time(), time.perf_counter(), 0
    for start in range(0, n, chunk):
        sky = generate(n, seed=1, start=start, stop=min(start + chunk, n))
        epochs += sum(int(batch.offsets[-1]) for batch in sky.epochs.values())
    spent, elapsed = time.process_time() - began, time.perf_counter() - wall
    print(f"{n:,} objects, {epochs:,} epochs of gaia, ps1 and ztf in {elapsed:.2f} s ({spent:.2f} s of processor time)")
    print(
        f"{n / spent:,.0f} objects/s/core, {epochs / spent / 1e6:.2f} million epochs/s/core; "
        f"ratio to the floor of {FLOOR:,.0f} objects/s/core: {n / spent / FLOOR:.2f}"
    )
    return n / spent


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
