"""The layouts in which DataLink has served Gaia epoch photometry: one row per transit, per source, per measurement.

Names, order, types, units, UCDs and words of WIDE are those of the live service in September 2026 (a VOTable and two
CSV heads kept in public repositories); of LONG those of the recorded Gaia DR2 product (ivoa_gaia_multiband.xml); of RAW
the data model of Gaia DR3, `epoch_photometry` (48 columns). The meaning of the bits of `other_flags` is that of the DR2
product, which the values of those samples of DR3 still follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.replica.served import ServedColumn, read_columns

CCDS = ("sm", *(f"af{strip}" for strip in range(1, 10)))
# Bits of g_other_flags: rejected SM, AF1-AF9; a noisy G flux; unavailable SM, AF1-AF9.
REJECT_BIT = {name: 1 << bit for bit, name in enumerate(CCDS)}
NOISY_BIT = 1 << 12
UNAVAILABLE_BIT = {name: 1 << (13 + bit) for bit, name in enumerate(CCDS)}


@dataclass(frozen=True)
class Layout:
    """Columns of a product file in order; `arrays` names those whose cells are arrays, one value per transit; in
    VOTables `parameters` stand once per table, not in its rows."""

    name: str
    columns: tuple[ServedColumn, ...]
    arrays: frozenset[str] = frozenset()
    parameters: tuple[str, ...] = ()


WIDE = Layout("wide", read_columns("datalink_wide"), parameters=("solution_id", "source_id"))
LONG = Layout("long", read_columns("datalink_long"))
_RAW = read_columns("datalink_raw")
RAW = Layout("raw", _RAW, arrays=frozenset(column.name for column in _RAW[3:]))  # after the ids and the number


def starts(source_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """First row of every source of a column sorted by source, and the number of rows: (S + 1,)."""
    if source_id.size == 0:
        return np.zeros(1, np.int64)
    return np.concatenate([[0], np.flatnonzero(np.diff(source_id)) + 1, [source_id.size]])


def wide(transits: pa.Table) -> pa.Table:
    """Transits in today's order of columns."""
    return transits.select([column.name for column in WIDE.columns])


def long(transits: pa.Table) -> pa.Table:
    """One row per measured flux: of every source first G, then BP, then RP, each by time."""
    bands = []
    for rank, band in enumerate(("G", "BP", "RP")):
        short, prefix = band.lower(), "g_transit" if band == "G" else band.lower()
        time = "g_transit_time" if band == "G" else f"{short}_obs_time"
        n = len(transits)
        bands.append(
            pa.table(
                {
                    "source_id": transits["source_id"],
                    "transit_id": transits["transit_id"],
                    "band": pa.repeat(band, n),
                    "time": transits[time],
                    **{name: transits[f"{prefix}_{name}"] for name in ("mag", "flux", "flux_error", "flux_over_error")},
                    "rejected_by_photometry": transits["rejected_by_photometry"],
                    "rejected_by_variability": transits[f"variability_flag_{short}_reject"],
                    "other_flags": transits[f"{short}_other_flags"],
                    "solution_id": transits["solution_id"],
                    "rank": np.full(n, rank),
                }
            ).filter(pc.is_valid(transits[f"{prefix}_flux"]))
        )
    rows = pa.concat_tables(bands)
    order = np.lexsort([rows[name].to_numpy() for name in ("time", "rank", "source_id")])
    return rows.take(pa.array(order)).drop(["rank"])


def raw(transits: pa.Table) -> pa.Table:
    """One row per source, arrays over its transits.

    This layout has no `rejected_by_photometry`: here a transit so rejected has every CCD, BP and RP rejected, a band
    without flux is unavailable, and single CCDs are rejected as `g_other_flags` says.
    """
    rejected = transits["rejected_by_photometry"].to_numpy(zero_copy_only=False).astype(bool)
    bits = transits["g_other_flags"].to_numpy()
    has_flux = {
        band: transits[name].is_valid().to_numpy()
        for band, name in (("g", "g_transit_flux"), ("bp", "bp_flux"), ("rp", "rp_flux"))
    }
    flat = {name: transits[name].combine_chunks() for name in transits.column_names}
    flat["photometry_flag_noisy_data"] = bits & NOISY_BIT != 0
    for part in CCDS:
        flat[f"photometry_flag_{part}_reject"] = rejected | (bits & REJECT_BIT[part] != 0)
        flat[f"photometry_flag_{part}_unavailable"] = ~has_flux["g"] | (bits & UNAVAILABLE_BIT[part] != 0)
    for band in ("bp", "rp"):
        flat[f"photometry_flag_{band}_reject"] = rejected
        flat[f"photometry_flag_{band}_unavailable"] = ~has_flux[band]
    lost = sum(
        (flat[f"photometry_flag_{part}_reject"] | flat[f"photometry_flag_{part}_unavailable"]).astype(np.int16)
        for part in CCDS[1:]
    )
    flat["g_transit_n_obs"] = np.where(has_flux["g"], len(CCDS) - 1 - lost, 0).astype(np.int16)
    first = starts(transits["source_id"].to_numpy())
    offsets, head = pa.array(first, pa.int32()), pa.array(first[:-1])
    table = {"solution_id": flat["solution_id"].take(head), "source_id": flat["source_id"].take(head)}
    table["n_transits"] = pa.array(np.diff(first), pa.int16())
    for column in RAW.columns[3:]:
        values = flat[column.name]
        table[column.name] = pa.ListArray.from_arrays(
            offsets, values if isinstance(values, pa.Array) else pa.array(values)
        )
    return pa.table(table)
