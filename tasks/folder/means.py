"""Mean photometry of a folder without light curves, by object and band, and what of it is refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas import BadInput
from schemas.dataset import DatasetSpec
from schemas.dataset_nodes import Band
from schemas.rejections import reject
from tasks.folder.checks import as_text, has_instrumental
from tasks.folder.columns import as_floats
from tasks.folder.sentinels import is_no_error
from tasks.lightcurves.photometry import INSTRUMENTAL_RANGE, MAG_RANGE

PHOTOMETRY = pa.schema([
    ("object_id", pa.string()), ("band", pa.string()), ("mag", pa.float32()), ("mag_err", pa.float32()),
])  # fmt: skip


def read_means(
    raw: pa.Table, ids: pa.Array, spec: DatasetSpec, table: str
) -> tuple[pa.Table, list[pa.Table], list[str]]:
    """Mean magnitudes in long form (PHOTOMETRY), reports of unusable ones and of objects without any, and notes.

    `raw` has a column for each role, a row for each of the (S,) objects `ids`; `table` names the file in the reports.
    BadInput where no magnitude is usable.
    """
    measured, refused, notes = [], [], []
    has_any = np.zeros(len(ids), bool)
    for band in spec.bands:
        mag, err, bad, good = _band(raw, band)
        has_any |= good
        if not good.any():
            notes.append(f"Band {band.name} (column {band.mag}) has no usable magnitude in {table}.")
        n = int(good.sum())
        measured.append(
            pa.table(
                [
                    ids.filter(pa.array(good)),
                    pa.repeat(pa.scalar(band.name), n),
                    pa.array(mag[good]),
                    pa.array(err[good], mask=np.isnan(err[good])),
                ],
                schema=PHOTOMETRY,
            )
        )
        for column, check, mask, value in bad:
            refused.append(reject(table, ids.filter(pa.array(mask)), column, check, as_text(value[mask])))
    refused.append(reject(table, ids.filter(pa.array(~has_any)), "bands", "no_photometry", "0"))
    if not has_any.any():
        raise BadInput(
            f"{table}: none of {len(ids):,} objects has a usable magnitude in any of the "
            f"{len(spec.bands)} bands: name other columns as bands.mag."
        )
    return pa.concat_tables(measured).combine_chunks(), refused, notes


Failure = tuple[str, str, NDArray[np.bool_], NDArray]


def _band(raw: pa.Table, band: Band) -> tuple[NDArray, NDArray, list[Failure], NDArray[np.bool_]]:
    """Magnitudes and errors of one band as float32, what failed (column, check, mask, values), and what is good.

    A missing magnitude is a star not seen in the band, which is no failure; a magnitude without its error is one,
    unless the band quotes none.
    """
    mag = as_floats(raw[f"bands.{band.name}.mag"]).astype(np.float32)
    low, high = _range_of(mag, band)
    seen, in_range = ~np.isnan(mag), (mag > low) & (mag < high)
    failures: list[Failure] = [(band.mag or "", "range", seen & ~in_range, mag)]
    good = seen & in_range
    nothing = np.full(mag.size, np.nan, np.float32)
    err = as_floats(raw[f"bands.{band.name}.mag_err"]).astype(np.float32) if band.mag_err else nothing
    is_quoted = np.isfinite(err) & (err > 0) & ~is_no_error(err)
    if not is_quoted.any():
        return mag, nothing, failures, good
    wrong = {"finite": ~np.isfinite(err), "positive": np.isfinite(err) & (err <= 0), "sentinel": is_no_error(err)}
    failures += [(band.mag_err or "", check, good & fails, err) for check, fails in wrong.items()]
    return mag, err, failures, good & is_quoted


def _range_of(mag: NDArray[np.float32], band: Band) -> tuple[float, float]:
    """Between which magnitudes (exclusive) those of the band lie."""
    below = mag[(mag > INSTRUMENTAL_RANGE[0]) & (mag <= MAG_RANGE[0])]
    is_bright = has_instrumental(int(np.count_nonzero(~np.isnan(mag))), below.size, np.unique(below).size)
    return INSTRUMENTAL_RANGE if is_bright and band.system == "instrumental" else MAG_RANGE
