"""Independent random streams: one counter-based generator per seed, block of objects, and purpose."""

from __future__ import annotations

import zlib

import numpy as np

BLOCK = 1024  # objects that share one set of streams; changing it changes every sky


def stream(seed: int, block: int, purpose: str) -> np.random.Generator:
    """The generator of one `purpose` in one block.

    Philox (Salmon et al. 2011) keyed by (seed, block), its counter started at a number made from `purpose`: what one
    part of the sky draws never moves another part, and a block is the same whichever blocks are computed around it.
    """
    if not 0 <= seed < 2**63:
        raise ValueError(f"sky: the seed must lie between 0 and 2^63 - 1, got {seed}.")
    counter = np.array([0, 0, 0, zlib.crc32(purpose.encode())], np.uint64)
    return np.random.Generator(np.random.Philox(key=np.array([seed, block], np.uint64), counter=counter))
