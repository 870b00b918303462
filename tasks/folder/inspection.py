"""A first look at a file of epochs: is it, as a whole, what its mapping says? One sentence where it is not."""

from __future__ import annotations

from collections import Counter
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from schemas import BadInput
from schemas.dataset import DatasetSpec
from schemas.errors import Guard
from schemas.files import unreadable
from schemas.rejections import REJECTED, number_repeats, reject
from schemas.sql import match_only
from schemas.values import is_nothing
from tasks.folder.checks import as_text
from tasks.folder.columns import check_numbers
from tasks.folder.objects import read_ids
from tasks.folder.rows import NUMBERS, Layout, cell_query, connect, epoch_query, layout, row_query
from tasks.folder.timescale import JD_FROM, check_scale, days
from tasks.lightcurves.photometry import MAG_RANGE

MAX_BAND_VALUES = 1000  # a column with more names no bands
MAX_BAD_MAGS = 0.5  # share of magnitudes out of range above which the column holds something else


@dataclass(frozen=True)
class Contents:
    """What a file of epochs holds: rows, names of bands in the file (the declared first), median time, odd things.

    median_day is in days as `timescale.days` gives them; `loose` reports the rows that name no object.
    """

    file: Path
    spec: DatasetSpec
    layout: Layout
    n_rows: int
    n_per_band: dict[str, int]
    band_values: tuple[str, ...]
    median_day: float
    loose: pa.Table
    notes: tuple[str, ...]

    def column(self, role: str) -> str:
        """The file's name of the column with a role, for reports."""
        return self.layout.columns.get(role, role)


def inspect(
    folder: Path,
    spec: DatasetSpec,
    setting: dict[str, Any],
    scratch: Path | str | None = None,
    guard: Guard = nullcontext,
) -> Contents:
    """Look through the light curves of `folder`; raises BadInput where they cannot be what `spec` declares.

    `setting` configures DuckDB; what does not fit its memory goes into a folder under `scratch`. Every check behind
    which others still make sense is inside `guard`.
    """
    file = folder / spec.lightcurves.file
    form = layout(file, spec, guard)
    with TemporaryDirectory(prefix="argelander-", dir=scratch) as spill, closing(connect(spill, setting)) as con:
        try:
            return _inspect(con, folder, file, form, spec, guard)
        except duckdb.Error as error:
            raise unreadable(file, error) from None


def _inspect(
    con: duckdb.DuckDBPyConnection, folder: Path, file: Path, form: Layout, spec: DatasetSpec, guard: Guard
) -> Contents:
    numbers = {role: (form.columns[role], form.kinds[role]) for role in NUMBERS if role in form.kinds}
    check_numbers(con, cell_query(file, form), numbers, file, guard)
    per_band = _bands(con, file, form, spec)
    n_rows = sum(per_band.values())
    if n_rows == 0:
        raise BadInput(f"{file} has no rows: there is no light curve to read.")
    declared = tuple(band.in_file for band in spec.bands)
    unknown = tuple(sorted(value for value in per_band if value is not None and value not in declared))
    with guard():
        if not any(per_band.get(value) for value in declared):
            raise BadInput(
                f"{file}: column {spec.lightcurves.band!r} names the bands {_some(unknown)}, but declared are "
                f"{_some(declared)}: correct the bands in dataset.toml."
            )
    figures = _figures(con, file, form, spec)
    _check_figures(figures, n_rows, file, spec, guard)
    if figures["n_time"]:
        with guard():
            check_scale(spec, figures["low"], figures["median"], figures["high"], str(file))
    notes = [*_band_notes(spec, per_band, unknown, file), *_time_notes(figures, spec, file)]
    with guard():
        notes += _id_notes(con, folder, file, form, spec)
    return Contents(
        file,
        spec,
        form,
        n_rows,
        {b.name: per_band.get(b.in_file, 0) for b in spec.bands},
        (*declared, *unknown),
        float(days(np.array([figures["median"]]), spec)[0]),
        _loose(con, file, form) if figures["n_loose"] else REJECTED.empty_table(),
        tuple(notes),
    )


def _bands(con: duckdb.DuckDBPyConnection, file: Path, form: Layout, spec: DatasetSpec) -> dict[str | None, int]:
    """Rows per name of a band in the file; without a band column all are in the one that is declared."""
    source, values = row_query(file, form)
    if "band" not in form.columns:
        found = con.execute(f"SELECT count(*) FROM ({source})", values).fetchall()
        return {spec.bands[0].in_file: found[0][0]}
    query = f"SELECT band, count(*) FROM ({source}) GROUP BY 1 LIMIT {MAX_BAND_VALUES + 1}"
    found = con.execute(query, values).fetchall()
    if len(found) > MAX_BAND_VALUES:
        raise BadInput(
            f"{file}: column {form.columns['band']!r} has more than {MAX_BAND_VALUES:,} values: it "
            f"cannot be the band, set lightcurves.band in dataset.toml."
        )
    declared = {band.in_file for band in spec.bands}
    counts: Counter[str | None] = Counter()
    for value, n in found:
        counts[value if value in declared or not is_nothing(value or "") else None] += n
    return dict(counts)


def _figures(con: duckdb.DuckDBPyConnection, file: Path, form: Layout, spec: DatasetSpec) -> dict[str, float]:
    """Counts of unusable values, and quantiles of the usable times, in one pass."""
    query, values = epoch_query(file, form, ())
    low, high = MAG_RANGE
    relation = con.execute(
        f"""SELECT count(*) FILTER (id IS NULL) AS n_loose,
            count(*) FILTER (isfinite(time)) AS n_time, count(*) FILTER (isfinite(mag)) AS n_mag,
            count(*) FILTER (isfinite(mag) AND (mag <= ? OR mag >= ?)) AS n_mag_out,
            count(*) FILTER (isfinite(mag_err) AND mag_err > 0) AS n_err,
            count(*) FILTER (isfinite(time) AND time > ?) AS n_jd,
            count(*) FILTER (isfinite(time) AND time >= ?) AS n_repeat,
            approx_quantile(time, [0.01, 0.5, 0.99]) FILTER (isfinite(time)) AS quantiles
            FROM ({query})""",
        [low, high, JD_FROM, spec.phase_end, *values],
    )
    figures = relation.to_arrow_table().to_pylist()[0]
    at = figures.pop("quantiles") or [0.0, 0.0, 0.0]
    return figures | dict(zip(("low", "median", "high"), at, strict=True))


def _check_figures(figures: dict[str, float], n_rows: int, file: Path, spec: DatasetSpec, guard: Guard) -> None:
    columns = spec.lightcurves
    for key, name in (("n_time", columns.time), ("n_mag", columns.mag)):
        with guard():
            if not figures[key]:
                raise BadInput(
                    f"{file}: column {name!r} is null or NaN in all {n_rows:,} rows: name another one in dataset.toml."
                )
    with guard():
        if figures["n_mag_out"] > MAX_BAD_MAGS * n_rows:
            raise BadInput(
                f"{file}: {figures['n_mag_out']:,} of {n_rows:,} values of column {columns.mag!r} are outside "
                f"{MAG_RANGE[0]:g} to {MAG_RANGE[1]:g} mag: they look like fluxes, give magnitudes."
            )
    with guard():
        if spec.has_errors and not figures["n_err"]:
            raise BadInput(
                f"{file}: no value of column {columns.mag_err!r} is a positive number: where there are no "
                f'errors leave the column out, or set lightcurves.mag_err = "" in dataset.toml.'
            )


def _band_notes(spec: DatasetSpec, per_band: dict[str | None, int], unknown: tuple[str, ...], file: Path) -> list[str]:
    empty = [b.name for b in spec.bands if not per_band.get(b.in_file)]
    notes = [f"Band {name} is declared, but no row of {file.name} is in it." for name in empty]
    if unknown or per_band.get(None):
        n = sum(per_band[value] for value in unknown) + per_band.get(None, 0)
        notes.append(f"{n:,} rows of {file.name} are in bands that are not declared ({_some(unknown) or 'null'}).")
    return notes


def _time_notes(figures: dict[str, float], spec: DatasetSpec, file: Path) -> list[str]:
    if spec.kind == "phase":
        n = figures["n_repeat"]
        return [f"{n:,} rows of {file.name} at phases from {spec.phase_end:g} on repeat earlier ones."] if n else []
    if spec.zero_mjd is None or not figures["n_jd"] or figures["median"] > JD_FROM or spec.time_unit != "d":
        return []
    treated = "were read as such" if spec.mixed_jd else "are refused; set mixed_jd = true to read them"
    return [f"{figures['n_jd']:,} times of {file.name} look like JD among MJD: they {treated}."]


def _id_notes(con: duckdb.DuckDBPyConnection, folder: Path, file: Path, form: Layout, spec: DatasetSpec) -> list[str]:
    """How many objects of the light curves the table of objects does not know; BadInput where it knows none."""
    known = read_ids(folder, spec)
    con.register("known", pa.table({"id": known}))
    names = f"SELECT DISTINCT {form.id} AS id FROM {form.table}"
    query = f"""SELECT count(*), count(*) FILTER (id IN (SELECT id FROM known WHERE id IS NOT NULL)), min(id)
                FROM ({names}) WHERE id IS NOT NULL"""
    found, matched, example = con.execute(query, [match_only(file)]).fetchall()[0]
    if found and not matched:
        raise BadInput(
            f"{file}: none of its {found:,} objects is in {spec.objects.file}: ids look like {example!r} "
            f"here and {known.drop_null()[0].as_py()!r} there, they must be written alike."
        )
    stray = found - matched
    return [f"{stray:,} of {found:,} objects of {file.name} are not in {spec.objects.file}."] if stray else []


def _loose(con: duckdb.DuckDBPyConnection, file: Path, form: Layout) -> pa.Table:
    """Reports of the rows without an object id; their keys are their times."""
    query, values = epoch_query(file, form, ())
    rows = con.execute(f"SELECT time FROM ({query}) WHERE id IS NULL ORDER BY time", values).to_arrow_table()
    nobody = pa.nulls(rows.num_rows, pa.string())
    key = number_repeats(as_text(rows["time"].to_numpy()))
    return reject(file.name, nobody, form.columns["id"], "null_id", None, key)


def _some(values: tuple[str, ...]) -> str:
    return ", ".join(repr(value) for value in values[:8]) + (f" and {len(values) - 8} more" if len(values) > 8 else "")
