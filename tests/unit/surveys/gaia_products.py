"""Gaia epoch photometry made by hand, and written as DataLink and the CDN write it."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

BANDS = ("G", "BP", "RP")
TIME = {"G": "g_transit_time", "BP": "bp_obs_time", "RP": "rp_obs_time"}
PREFIX = {"G": "g_transit", "BP": "bp", "RP": "rp"}
CCDS = ("sm", *(f"af{strip}" for strip in range(1, 10)))
FIRST_ID = 4_611_686_018_427_387_905  # 2**62 + 1: a float would lose the last digit

Transits = list[dict[str, Any]]


def transits(n_source: int = 4, n_transit: int = 6, seed: int = 1) -> Transits:
    """Rows of the wide layout; None is null. One flux in eight is missing, one transit in ten rejected."""
    rng = np.random.default_rng(seed)
    rows = []
    for source in range(n_source):
        for visit in range(n_transit):
            rejected = bool(rng.random() < 0.1)
            row: dict[str, Any] = {
                "solution_id": 369295551293819386,
                "source_id": FIRST_ID + 2 * source,
                "transit_id": 17091923342681275 + 1000 * visit + source,
                "rejected_by_photometry": rejected,
            }
            for k, band in enumerate(BANDS):
                prefix, seen = PREFIX[band], rng.random() > 0.125
                flux, ratio = float(10 ** rng.uniform(2, 5)), float(np.float32(rng.uniform(5, 900)))
                row[TIME[band]] = 1700.0 + 30 * visit + k * 3e-4 + float(rng.random()) if seen else None
                row[f"{prefix}_flux"] = flux if seen else None
                row[f"{prefix}_flux_error"] = flux / ratio if seen else None
                row[f"{prefix}_flux_over_error"] = ratio if seen else None
                row[f"{prefix}_mag"] = 25.7 - 2.5 * float(np.log10(flux)) if seen else None
                row[f"variability_flag_{band.lower()}_reject"] = bool(rng.random() < 0.1)
                row[f"{band.lower()}_other_flags"] = 0
            row["g_other_flags"] = int(rng.choice([0, 1, 4097, 16384, 4194817]))
            rows.append(row)
    return rows


def wide_zip(rows: Transits, columns: Sequence[str] | None = None, newline: str = "\n") -> bytes:
    """One file per source, as DataLink's INDIVIDUAL of today; `columns` chooses and orders."""
    columns = columns or list(rows[0])
    return zip_files({_file(source): _csv(of, columns, newline) for source, of in _by_source(rows).items()})


def long_zip(rows: Transits) -> bytes:
    """One file per source, one row per transit and band: INDIVIDUAL before March 2025."""
    return zip_files({_file(source): _csv(_long(of)) for source, of in _by_source(rows).items()})


def raw_zip(rows: Transits, cell: Callable[[list], str] | None = None) -> bytes:
    """One file, one row per source: RAW."""
    return zip_files({"EPOCH_PHOTOMETRY_RAW.csv": raw_csv(rows, cell or parentheses)})


def cdn_file(rows: Transits) -> bytes:
    """A file of the CDN: ECSV, gzipped, brackets, null and quoted booleans."""
    header = "# %ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n# - {name: solution_id, datatype: int64}\n"
    return gzip.compress(header.encode() + raw_csv(rows, brackets))


def raw_csv(rows: Transits, cell: Callable[[list], str]) -> bytes:
    lines = []
    for source, of in _by_source(rows).items():
        line = {"solution_id": of[0]["solution_id"], "source_id": source, "n_transits": len(of)}
        scalars = [_raw_row(row) for row in of]
        lines.append({**line, **{name: cell([row[name] for row in scalars]) for name in scalars[0]}})
    return _csv(lines)


def parentheses(values: list) -> str:
    """As DataLink's CSV writes arrays."""
    return '"(' + ", ".join("NaN" if value is None else _text(value) for value in values) + ')"'


def brackets(values: list) -> str:
    """As ECSV writes arrays: strings of JSON, their quotes doubled."""
    quoted = [f'""{_text(value)}""' if isinstance(value, bool) else _text(value) for value in values]
    return '"[' + ",".join("null" if text == "" else text for text in quoted) + ']"'


def zip_files(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def _long(rows: Transits) -> Transits:
    found = []
    for band in BANDS:
        short, prefix = band.lower(), PREFIX[band]
        for row in rows:
            if row[f"{prefix}_flux"] is not None:
                found.append(
                    {
                        "source_id": row["source_id"],
                        "transit_id": row["transit_id"],
                        "band": band,
                        "time": row[TIME[band]],
                        **{name: row[f"{prefix}_{name}"] for name in ("mag", "flux", "flux_error", "flux_over_error")},
                        "rejected_by_photometry": row["rejected_by_photometry"],
                        "rejected_by_variability": row[f"variability_flag_{short}_reject"],
                        "other_flags": row[f"{short}_other_flags"],
                        "solution_id": row["solution_id"],
                    }
                )
    return found


def _raw_row(row: dict[str, Any]) -> dict[str, Any]:
    """A transit in the words of the raw layout: no rejected_by_photometry, a flag for every CCD instead."""
    gone = ("solution_id", "source_id", "rejected_by_photometry")
    kept = {name: value for name, value in row.items() if name not in gone and not name.endswith("_other_flags")}
    bits, rejected = row["g_other_flags"], row["rejected_by_photometry"]
    kept["photometry_flag_noisy_data"] = bool(bits & 1 << 12)
    for bit, name in enumerate(CCDS):
        kept[f"photometry_flag_{name}_reject"] = rejected or bool(bits & 1 << bit)
        kept[f"photometry_flag_{name}_unavailable"] = bool(bits & 1 << (13 + bit))
    for band in ("bp", "rp"):
        kept[f"photometry_flag_{band}_reject"] = rejected
        kept[f"photometry_flag_{band}_unavailable"] = row[f"{band}_flux"] is None
    return kept


def _by_source(rows: Transits) -> dict[int, Transits]:
    found: dict[int, Transits] = {}
    for row in rows:
        found.setdefault(row["source_id"], []).append(row)
    return found


def _file(source: int) -> str:
    return f"EPOCH_PHOTOMETRY-Gaia DR3 {source}.csv"


def _csv(rows: Transits, columns: Sequence[str] | None = None, newline: str = "\n") -> bytes:
    columns = columns or list(rows[0])
    lines = [",".join(columns), *(",".join(_text(row[name]) for name in columns) for row in rows)]
    return (newline.join(lines) + newline).encode()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return (
        str(value).lower() if isinstance(value, bool) else str(value) if not isinstance(value, float) else repr(value)
    )
