"""What DataLink writes of DR4: epoch photometry, of single CCDs too, and the flags of the variability processing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.replica.dr4.epochs import Epochs
from tasks.replica.dr4.sources import SOLUTION_ID
from tasks.replica.layouts import Layout
from tasks.replica.served import ARROW, ServedColumn, read_columns
from tasks.replica.switches import BANDS, FlagColumn, Switches, datatype_of

DAY_NS = 86_400 * 10**9
RAISED = -(2**15)  # bit 15 of a short
PARTS = ("sm", "af")  # fields of CCDs that epoch_photometry_ccd has columns of
_WIDE = read_columns("datalink_wide")
_OLD = {"g_obs_time": "g_transit_time", **{f"g_{name}": f"g_transit_{name}" for name in ("flux", "flux_error",
        "flux_over_error", "mag")}}  # fmt: skip
MEASURED = ("flux", "flux_error", "flux_over_error", "mag")
IDS = ("solution_id", "source_id", "transit_id")
NAMES = (
    *IDS,
    *(f"g_{name}" for name in ("obs_time", *MEASURED, "n_obs")),
    *(f"{band}_{name}" for band in ("bp", "rp") for name in ("obs_time", *MEASURED)),
)


def _columns(names: tuple[str, ...], switches: Switches, flags: tuple[FlagColumn, ...]) -> tuple[ServedColumn, ...]:
    is_ns = switches.time_unit == "ns"
    described = {column.name: column for column in _WIDE}
    columns = []
    for name in names:
        of = described.get(_OLD.get(name, name))
        datatype = of.datatype if of else "short" if name == "g_n_obs" else "double"
        unit = of.unit if of else None
        if name.endswith("obs_time") and is_ns:
            datatype, unit = "long", "ns"
        columns.append(ServedColumn(name, datatype, unit, of.ucd if of else None, of.doc if of else ""))
    return (*columns, *(ServedColumn(flag.name, datatype_of(flag), None, "meta.code.status") for flag in flags))


def photometry(epochs: Epochs, switches: Switches) -> tuple[Layout, pa.Table]:
    """Epoch photometry, a row for each transit: 19 columns and the flags that are switched on."""
    values = _ids(epochs) | {"g_n_obs": epochs.record["n"].astype(np.int16)}
    for index, band in enumerate(BANDS):
        values |= _measured(epochs, index, band) | {f"{band}_obs_time": _time(epochs.time(index), switches)}
    values |= {flag.name: _flag(flag, epochs.is_rejected) for flag in switches.flags}
    return _table("dr4", _columns(NAMES, switches, switches.flags), values)


def ccd(epochs: Epochs, switches: Switches) -> tuple[Layout, pa.Table]:
    """Photometry of the CCDs, here no more than that of G for either field."""
    values = _ids(epochs)
    for part in PARTS:
        values |= _measured(epochs, 0, part) | {f"{part}_obs_time": _time(epochs.time(0), switches)}
    names = (*IDS, *(f"{part}_{name}" for part in PARTS for name in ("obs_time", *MEASURED)))
    return _table("dr4 ccd", _columns(names, switches, ()), values)


def variability(epochs: Epochs, switches: Switches) -> tuple[Layout, pa.Table]:
    """Flags of the variability processing, a row for each transit."""
    values = _ids(epochs)
    for flag in switches.vari_flags:
        bands = range(3) if flag.band == "all" else (BANDS.index(flag.band),)
        values[flag.name] = _flag(flag, np.logical_or.reduce([epochs.is_doubtful(band) for band in bands]))
    return _table("dr4 flags", _columns(IDS, switches, switches.vari_flags), values)


def _ids(epochs: Epochs) -> dict[str, NDArray]:
    n = epochs.source_id.size
    ids = (np.full(n, SOLUTION_ID), epochs.source_id, epochs.record["transit_id"])
    return dict(zip(IDS, ids, strict=True))


def _measured(epochs: Epochs, index: int, prefix: str) -> dict[str, NDArray]:
    flux, error = epochs.flux(index)
    with np.errstate(invalid="ignore"):
        ratio = (flux / error).astype(np.float32)
    values = (flux, error, ratio, epochs.mag(index))
    return {f"{prefix}_{name}": value for name, value in zip(MEASURED, values, strict=True)}


def _time(day: NDArray[np.float64], switches: Switches) -> NDArray | pa.Array:
    if switches.time_unit == "day":
        return day
    is_missing = np.isnan(day)
    return pa.array(np.round(np.where(is_missing, 0.0, day) * DAY_NS).astype(np.int64), mask=is_missing)


def _flag(flag: FlagColumn, is_rejected: NDArray[np.bool_]) -> NDArray:
    if flag.sense == "bits":
        return np.where(is_rejected, RAISED, 0).astype(np.int16)
    return is_rejected if flag.sense == "reject" else ~is_rejected


def _table(
    name: str, columns: tuple[ServedColumn, ...], values: dict[str, NDArray | pa.Array]
) -> tuple[Layout, pa.Table]:
    arrays = [
        value if isinstance(value := values[column.name], pa.Array) else pa.array(
            value, ARROW[column.datatype], from_pandas=True)
        for column in columns
    ]  # fmt: skip
    return Layout(name, columns), pa.Table.from_arrays(arrays, names=[column.name for column in columns])
