"""A catalogue in the layout of Rubin's Data Preview 1 about given stars: objects, with forced photometry nested."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tasks.surveys import rubin
from tasks.surveys.objects import positions_at

N_EPOCH = 24  # four in each band
FIRST_MJD = 60_638.5
FLAGS = tuple(rubin.OPTIONS[name] for name in ("bad_flags", "saturated_flags"))


def mag_of(objid: np.ndarray, epoch: np.ndarray) -> np.ndarray:
    """AB magnitude of the epochs of an object, by their places in its light curve."""
    return 17 + 0.01 * (objid % 100) + 0.3 * np.sin(epoch)


def rubin_catalogue(sources: pa.Table, **columns: np.ndarray) -> pa.Table:
    """One object for each of `sources` (SOURCES), at the epoch of its own position; object k has the id 1000 + k.

    `columns` (N, N_EPOCH) replace values of the nested photometry. Otherwise every epoch is a good one.
    """
    n = sources.num_rows
    objid, place = np.arange(1000, 1000 + n), np.tile(np.arange(N_EPOCH), (n, 1))
    year = 2024.9 + 0.1 * (np.arange(n) % 3)
    there = positions_at(sources, year)
    flux = 3631e9 * 10 ** (-0.4 * mag_of(objid[:, None], place))
    values = {
        "band": np.array(list("ugrizy"))[place % 6],
        "midpointMjdTai": FIRST_MJD + 1.37 * place,
        "psfFlux": flux.astype(np.float32),
        "psfFluxErr": (0.01 * flux).astype(np.float32),
        "psfDiffFlux": np.ones(place.shape, np.float32),
        **{name: np.zeros(place.shape, bool) for name in ",".join(FLAGS).split(",")},
        **columns,
    }
    offsets = pa.array(np.arange(n + 1) * N_EPOCH, pa.int32())
    lists = [pa.ListArray.from_arrays(offsets, pa.array(each.ravel())) for each in values.values()]
    return pa.table({
        "diaObjectId": objid, "ra": there["ra"], "dec": there["dec"],
        "radecMjdTai": 51_544.5 + 365.25 * (year - 2000), "nDiaSources": np.full(n, N_EPOCH),
        "diaObjectForcedSource": pa.StructArray.from_arrays(lists, list(values)),
    })  # fmt: skip
