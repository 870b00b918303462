"""A first look at a file of epochs: is it, as a whole, what its mapping says? One sentence where it is not."""

from __future__ import annotations

from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas import BadInput
from schemas.dataset import DatasetSpec
from schemas.errors import Guard
from schemas.files import unreadable
from schemas.formats.opening import open_table
from schemas.rejections import REJECTED, number_repeats, reject
from tasks.folder.checks import as_text
from tasks.folder.columns import check_numbers
from tasks.folder.figures import BandFigures, Figures, count_bands, count_rows, count_sentinels, judge_bands
from tasks.folder.layout import NUMBERS, Layout, layout
from tasks.folder.notes import describe_bands, describe_surveys, describe_times, describe_values, list_some
from tasks.folder.objects import read_ids
from tasks.folder.rows import cell_query, connect_sorter, epoch_query
from tasks.folder.tally import make_tally
from tasks.folder.timescale import JD_FROM, check_scale, check_step, days
from tasks.lightcurves.photometry import MAG_RANGE

MAX_BAD_MAGS = 0.5  # share of magnitudes out of range above which the column holds something else
MIXED = (0.01, 0.99)  # share of JD among all times between which the column holds two scales


@dataclass(frozen=True)
class Contents:
    """What a file of epochs holds: rows, names of bands in the file (the declared first), what values mean, odd things.

    `quantiles` are those of the raw times at 1, 50 and 99 per cent; `sentinels` (K,) float32 are magnitudes that stand
    for none; `loose` reports the rows that name no object.
    """

    file: Path
    spec: DatasetSpec
    layout: Layout
    n_rows: int
    n_per_band: dict[str, int]
    band_values: tuple[str, ...]
    bands: BandFigures
    quantiles: tuple[float, float, float]
    sentinels: NDArray[np.float32]
    loose: pa.Table
    notes: tuple[str, ...]

    @property
    def median_day(self) -> float:
        """The median time in days as `timescale.days` gives them."""
        return float(days(np.array([self.quantiles[1]]), self.spec)[0])

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
    file = open_table(folder, spec.lightcurves.file)
    form = layout(file, spec, guard)
    with TemporaryDirectory(prefix="argelander-", dir=scratch) as spill, closing(connect_sorter(spill, setting)) as con:
        try:
            return _inspect(con, folder, file, form, spec, guard)
        except duckdb.Error as error:
            raise unreadable(file, error) from None


def _inspect(
    con: duckdb.DuckDBPyConnection, folder: Path, file: Path, form: Layout, spec: DatasetSpec, guard: Guard
) -> Contents:
    numbers = {role: (form.columns[role], form.kinds[role]) for role in NUMBERS if role in form.kinds}
    if form.good_flags is not None:
        numbers.pop("flags", None)
    check_numbers(con, cell_query(file, form), numbers, file, guard)
    make_tally(con, file, form, spec)
    counts = count_bands(con, file, form, spec)
    per_band = {word: counted["n_row"] for word, counted in counts.items()}
    n_rows = sum(per_band.values())
    if n_rows == 0:
        raise BadInput(f"{file} has no rows: there is no light curve to read.")
    declared = tuple(band.in_file for band in spec.bands)
    unknown = tuple(sorted(value for value in per_band if value is not None and value not in declared))
    with guard():
        if not any(per_band.get(value) for value in declared):
            raise BadInput(
                f"{file}: column {spec.lightcurves.band!r} names the bands {list_some(unknown)}, but declared are "
                f"{list_some(declared)}: correct the bands in dataset.toml."
            )
    bands = judge_bands(con, file, form, spec, counts)
    figures = count_rows(con, file, form, spec, counts, bands)
    _check_figures(figures, bands, n_rows, file, spec, guard)
    notes = [*describe_bands(spec, per_band, unknown, file), *describe_surveys(con, file, form, spec)]
    notes += describe_times(figures, spec, file)
    if figures.n_time:
        with guard():
            _check_times(figures, spec, file)
            notes += check_step(spec, figures.step, str(file))
    sentinels = count_sentinels(con, file, form, spec, bands)
    notes += describe_values(spec, per_band, bands, sentinels, file)
    with guard():
        notes += _id_notes(con, folder, file, spec)
    return Contents(
        file,
        spec,
        form,
        n_rows,
        {b.name: per_band.get(b.in_file, 0) for b in spec.bands},
        (*declared, *unknown),
        bands,
        (figures.low, figures.median, figures.high),
        np.array(list(sentinels), np.float32),
        _loose(con, file, form) if figures.n_loose else REJECTED.empty_table(),
        tuple(notes),
    )


def _check_figures(
    figures: Figures, bands: BandFigures, n_rows: int, file: Path, spec: DatasetSpec, guard: Guard
) -> None:
    columns = spec.lightcurves
    for n, name in ((figures.n_time, columns.time), (figures.n_mag, columns.value)):
        with guard():
            if not n:
                raise BadInput(
                    f"{file}: column {name!r} is null or NaN in all {n_rows:,} rows: name another one in dataset.toml."
                )
    with guard():
        if figures.n_mag_out > MAX_BAD_MAGS * n_rows:
            looks = "fluxes, give magnitudes (or name the column as lightcurves.flux, with its zero_point)"
            if columns.flux:
                looks = "fluxes of another zero_point, correct it in dataset.toml"
            elif figures.n_below > MAX_BAD_MAGS * figures.n_mag_out:
                looks = 'instrumental magnitudes, write system = "instrumental" in their [[bands]] in dataset.toml'
            raise BadInput(
                f"{file}: {figures.n_mag_out:,} of {n_rows:,} values of column {columns.value!r} are outside "
                f"{MAG_RANGE[0]:g} to {MAG_RANGE[1]:g} mag: they look like {looks}."
            )
    with guard():
        if spec.has_errors and not bands.quotes.any():
            key = "flux_err" if columns.flux else "snr" if columns.snr else "mag_err"
            raise BadInput(
                f"{file}: no value of column {columns.error!r} is a positive number: where there are no "
                f'errors leave the column out, or set lightcurves.{key} = "" in dataset.toml.'
            )


def _check_times(figures: Figures, spec: DatasetSpec, file: Path) -> None:
    """BadInput where JD and MJD stand side by side and nobody said so, or the times are in another scale."""
    is_mixture = MIXED[0] < figures.n_jd / figures.n_time < MIXED[1] and figures.n_date > MIXED[1] * figures.n_time
    half_lost = spec.zero_mjd is None or (spec.zero_mjd == 0 and figures.median > JD_FROM / 2)
    if is_mixture and half_lost and spec.kind == "time" and spec.time_unit == "d" and not spec.mixed_jd:
        raise BadInput(
            f"{file}: {figures.n_jd:,} of {figures.n_time:,} times in column {spec.lightcurves.time!r} look like JD, "
            'the others like MJD: set time_zero = "mjd" and mixed_jd = true in dataset.toml.'
        )
    check_scale(spec, figures.low, figures.median, figures.high, str(file))


def _id_notes(con: duckdb.DuckDBPyConnection, folder: Path, file: Path, spec: DatasetSpec) -> list[str]:
    """How many objects of the light curves the table of objects does not know; BadInput where it knows none."""
    known = read_ids(folder, spec)
    con.register("known", pa.table({"id": known}))
    query = """SELECT count(*), count(*) FILTER (id IN (SELECT id FROM known WHERE id IS NOT NULL)), min(id)
               FROM (SELECT DISTINCT id FROM tally) WHERE id IS NOT NULL"""
    found, matched, example = con.execute(query).fetchall()[0]
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
