"""What is said of a file of epochs that is read, where it is odd but no error."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np

from schemas.dataset import DatasetSpec
from schemas.files import parquet_schema
from schemas.recognition import SURVEY, fold
from schemas.sql import match_only
from schemas.values import is_list, word
from tasks.folder.columns import name_place
from tasks.folder.figures import BandFigures, Figures
from tasks.folder.layout import Layout
from tasks.folder.timescale import JD_FROM
from tasks.lightcurves.photometry import MAG_RANGE


def describe_bands(
    spec: DatasetSpec, per_band: dict[str | None, int], unknown: tuple[str, ...], file: Path
) -> list[str]:
    """What to say of bands without rows, and of rows in bands that are not declared."""
    empty = [b.name for b in spec.bands if not per_band.get(b.in_file)]
    notes = [f"Band {name} is declared, but no row of {file.name} is in it." for name in empty]
    if unknown or per_band.get(None):
        n = sum(per_band[value] for value in unknown) + per_band.get(None, 0)
        notes.append(f"{n:,} rows of {file.name} are in bands that are not declared ({list_some(unknown) or 'null'}).")
    return notes


def describe_surveys(con: duckdb.DuckDBPyConnection, file: Path, form: Layout, spec: DatasetSpec) -> list[str]:
    """What to say of bands that are of several surveys, by a column which says so and is not read."""
    column = next((name for name in form.names if fold(name) in SURVEY), None)
    if column is None or "band" not in form.columns or form.columns["band"] in form.lists:
        return []
    kind = parquet_schema(file).field(column).type
    if is_list(kind):
        return []
    band, survey = form.words["band"], word("survey", kind)
    query = f"""SELECT {band}, list_sort(list(DISTINCT {survey})) AS surveys
                FROM (SELECT {form.sql("band")} AS band, {name_place(column, form.names)} AS survey FROM {form.table})
                GROUP BY 1 HAVING len(surveys) > 1"""
    found = dict(con.execute(query, [match_only(file)]).fetchall())
    return [
        f"Rows of band {each.name} are of {len(surveys)} kinds in column {column!r} ({', '.join(surveys[:8])}) and are "
        f"read as one band: to keep them apart, write a column that joins both ({surveys[-1]}_{each.name}) and name "
        "it as lightcurves.band in dataset.toml."
        for each in spec.bands
        if (surveys := found.get(each.in_file))
    ]


def describe_values(
    spec: DatasetSpec, per_band: dict[str | None, int], bands: BandFigures, sentinels: dict[float, int], file: Path
) -> list[str]:
    """How magnitudes and errors are read where that is not evident."""
    mag, err = spec.lightcurves.value, spec.lightcurves.error
    notes = []
    for value, n in sentinels.items():
        notes.append(
            f"{n:,} rows of {file.name} hold {mag} {np.float32(value)!s}, far from all others: it stands for none and "
            "is left out (where it is measured write lightcurves.sentinels = [])."
        )
    for band, quotes, low in zip(spec.bands, bands.quotes, bands.mag_low, strict=True):
        if err and bands.quotes.any() and not quotes and per_band.get(band.in_file):
            notes.append(f"Band {band.name} quotes no errors: none of its rows in {file.name} has a positive {err}.")
        if low < MAG_RANGE[0]:
            notes.append(f"Magnitudes of band {band.name} are instrumental: they reach below {MAG_RANGE[0]:g}.")
    return notes


def describe_times(figures: Figures, spec: DatasetSpec, file: Path) -> list[str]:
    """What to say of times of two scales, and of phases that repeat."""
    if spec.kind == "phase":
        n = figures.n_repeat
        return [f"{n:,} rows of {file.name} at phases from {spec.phase_end:g} on repeat earlier ones."] if n else []
    if spec.zero_mjd is None or not figures.n_jd or figures.median > JD_FROM or spec.time_unit != "d":
        return []
    treated = "were read as such" if spec.mixed_jd else "are refused; set mixed_jd = true to read them"
    return [f"{figures.n_jd:,} times of {file.name} look like JD among MJD: they {treated}."]


def list_some(values: tuple[str, ...]) -> str:
    """The first eight values, quoted, and how many more there are."""
    return ", ".join(repr(value) for value in values[:8]) + (f" and {len(values) - 8} more" if len(values) > 8 else "")
