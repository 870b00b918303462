"""Fuzzed folders: a small valid folder of light curves, spoiled in one to three ways, and refreshed whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq

from tests.soak.trial import Verdict, run_command

N_STAR, N_EPOCH = 24, 30
SETTINGS = (
    "training.recipes=[majority, median, forest]",
    "training.options.forest.trees=5",
    "training.n_folds=2",
    "training.min_labels=10",
    "features.period.f_max=4",
    "compute.chunk_objects=10",
)
Rng = np.random.Generator


@dataclass
class Folder:
    """A folder in the making: its two tables, the text of its dataset.toml (None: no such file), other files."""

    objects: pa.Table
    epochs: pa.Table
    toml: str | None = None
    file_changes: tuple[Callable[[Path], None], ...] = ()

    def write(self, path: Path) -> None:
        """Write the folder, then spoil its files."""
        path.mkdir(parents=True)
        pq.write_table(self.objects, path / "objects.parquet")
        pq.write_table(self.epochs, path / "lightcurves.parquet")
        if self.toml is not None:
            (path / "dataset.toml").write_text(self.toml)
        for change in self.file_changes:
            change(path)


TOML = """name = "soak"
[objects]
id = "object_id"
ra = "ra"
dec = "dec"
[label]
column = "label"
[lightcurves]
time = "mjd"
mag = "mag"
mag_err = "mag_err"
band = "band"
"""


def valid_folder(rng: Rng) -> Folder:
    """Stars of two classes in two bands, with a Teff, and periods of half a day and three days."""
    star = np.arange(N_STAR)
    ids = np.array([f"star{i:03d}" for i in star])
    period = np.where(star % 2, 0.5123, 3.217)
    row = np.repeat(star, 2 * N_EPOCH)
    time = 58000 + np.sort(rng.uniform(0, 400, row.size))
    phase = time / period[row] % 1
    mag = 15 + 0.4 * np.where(row % 2, phase, np.cos(2 * np.pi * phase)) + 0.02 * rng.normal(size=row.size)
    objects = pa.table({
        "object_id": ids, "ra": rng.uniform(0, 360, N_STAR), "dec": rng.uniform(-90, 90, N_STAR),
        "label": np.where(star % 2, "RRab", "CEP"), "teff": rng.uniform(5000, 7000, N_STAR),
    })  # fmt: skip
    epochs = pa.table({
        "object_id": ids[row], "mjd": time, "mag": mag, "mag_err": np.full(row.size, 0.02),
        "band": np.tile(["g", "r"], row.size // 2),
    })  # fmt: skip
    return Folder(objects, epochs, TOML if rng.random() < 0.5 else None)


ODD_NAMES = (
    "", " ", "MAG", "mag ", "Mag", "select", 'a"b', "a'b", "é", "prob_{class}", "x" * 300, "class", "period_day",
    "run_id", "lightcurve.mjd", "a;b", "mjd", "band", "ra", "label", "*", "%s", "\x00", "a\nb",
)  # fmt: skip
ODD_TEXTS = (
    "", " ", "nan", "None", "N/A", "--", "?", "a b", "a\nb", "\x00", "{x}", "$\\frac{", "é★", "x" * 500, "'; drop",
    "G", "g", "0", "-1", "1e400", "../..", "<b>", "[red]",
)  # fmt: skip
ODD_NUMBERS = (
    0.0, -1.0, 99.0, -99.0, 29.999, 1e30, -1e30, 1e-300, np.nan, np.inf, -np.inf, 2.0**63, 86400.0,
)  # fmt: skip
ODD_TYPES = (
    pa.float32(), pa.float16(), pa.int8(), pa.int64(), pa.uint64(), pa.string(), pa.large_string(), pa.binary(),
    pa.bool_(), pa.date32(), pa.timestamp("us"), pa.decimal128(20, 4), pa.null(),
    pa.dictionary(pa.int32(), pa.string()), pa.list_(pa.float64()), pa.struct([("x", pa.float64())]),
)  # fmt: skip
ODD_TOML = (
    'name = ""', "name = 3", "time_zero = 'never'", "[[bands]]\nname = 'g'", "[[bands]]", "[label]", "x = {",
    "[lightcurves]\ntime = 5", "[lightcurves]\nband = ''", "[objects]\nid = 'nowhere'", "mag_err = ['a']",
    "[[parameters]]\nquantity = 'class'\ncolumn = 'teff'", "[inputs]\nparallax = 'teff'", "time_unit = 'parsec'",
    "[[parameters]]\nquantity = 'teff_k'\ncolumn = 'teff'", "[label]\ncolumn = 'object_id'", "\x00",
)  # fmt: skip


def _pick(rng: Rng, options: Any) -> Any:
    return options[int(rng.integers(len(options)))]


def _set(table: pa.Table, i: int, values: pa.Array | pa.ChunkedArray, name: str | None = None) -> pa.Table:
    return table.set_column(i, table.column_names[i] if name is None else name, values)


def drop_column(table: pa.Table, i: int, rng: Rng) -> pa.Table:
    """One column less."""
    return table.remove_column(i)


def rename_column(table: pa.Table, i: int, rng: Rng) -> pa.Table:
    """A name that is odd, or another column's."""
    return _set(table, i, table.column(i), _pick(rng, ODD_NAMES))


def add_twin(table: pa.Table, i: int, rng: Rng) -> pa.Table:
    """The column once more, with other values, under a name that is equal or differs in case."""
    name, column = table.column_names[i], table.column(i)
    backwards = column.take(pa.array(np.arange(len(column))[::-1]))
    return table.add_column(0, _pick(rng, (name, name.upper(), name.capitalize())), backwards)


def add_mask(table: pa.Table, i: int, rng: Rng) -> pa.Table:
    """What astropy writes of a masked column."""
    return table.append_column(f"{table.column_names[i]}.mask", pa.array(rng.random(table.num_rows) < 0.3))


def retype(table: pa.Table, i: int, rng: Rng) -> pa.Table:
    """Another type, values as they are where they fit."""
    kind, column = _pick(rng, ODD_TYPES), table.column(i)
    try:
        values = column.cast(kind, safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        values = pa.nulls(table.num_rows, kind)
    return _set(table, i, values)


def spoil_values(table: pa.Table, i: int, rng: Rng) -> pa.Table:
    """One odd value in some rows, or in all."""
    column = table.column(i)
    is_odd = pa.array(rng.random(table.num_rows) < _pick(rng, (0.02, 0.3, 1.0)))
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    odd = _pick(rng, (*ODD_TEXTS, None)) if is_text else _pick(rng, (*ODD_NUMBERS, None))
    try:
        return _set(table, i, pc.if_else(is_odd, pa.scalar(odd, column.type), column))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, TypeError, OverflowError):
        return table


def scale_values(table: pa.Table, i: int, rng: Rng) -> pa.Table:
    """Another unit or zero point."""
    column = table.column(i)
    if not pa.types.is_floating(column.type):
        return table
    factor, zero = _pick(rng, ((86400.0, 0.0), (1.0, 2400000.5), (1.0, -57000.0), (1e9, 0.0), (-1.0, 0.0), (0.0, 1.0)))
    return _set(table, i, pc.add(pc.multiply(column, factor), zero))


def vary_texts(table: pa.Table, i: int, rng: Rng) -> pa.Table:
    """Texts of several odd kinds, a blank behind some, or one for each row."""
    values = np.array([str(value) for value in table.column(i).to_pylist()], object)
    way = int(rng.integers(3))
    some = rng.random(values.size) < 0.4
    odd = [_pick(rng, ODD_TEXTS) for _ in range(values.size)]
    new = {0: [v + "  " * bool(s) for v, s in zip(values, some, strict=True)],
           1: [o if s else v for v, s, o in zip(values, some, odd, strict=True)],
           2: [f"{v}-{j}" for j, v in enumerate(values)]}[way]  # fmt: skip
    return _set(table, i, pa.array(new, pa.string()))


def keep_rows(table: pa.Table, i: int, rng: Rng) -> pa.Table:
    """No row, one, each twice, or in another order."""
    order = np.arange(table.num_rows)
    return table.take(_pick(rng, (order[:0], order[:1], np.repeat(order, 2), rng.permutation(order), order[::3])))


TABLE_CHANGES = (
    drop_column, rename_column, add_twin, add_mask, retype, spoil_values, spoil_values, scale_values, vary_texts,
    keep_rows,
)  # fmt: skip


def _spoil_file(rng: Rng) -> Callable[[Path], None]:
    """One of the files cut, emptied, garbled, removed, made a folder, or written as another format."""
    name = _pick(rng, ("objects.parquet", "lightcurves.parquet", "dataset.toml"))
    way, share, bytes_ = int(rng.integers(8)), rng.random(), rng.bytes(200)

    def change(folder: Path) -> None:
        path = folder / name
        old = path.read_bytes() if path.exists() else b""
        path.unlink(missing_ok=True)
        if way == 0:
            path.write_bytes(old[: int(share * len(old))])
        elif way == 1:
            path.write_bytes(b"")
        elif way == 2:
            at = int(share * max(len(old) - 200, 1))
            path.write_bytes(old[:at] + bytes_ + old[at + 200 :])
        elif way == 3:
            path.mkdir()
        elif way == 4:
            path.symlink_to(path)
        elif way == 5:
            path.with_suffix(".csv").write_bytes(old)
        elif way == 6 and path.suffix == ".parquet":
            _rewrite(old, path)

    return change


def _rewrite(old: bytes, path: Path) -> None:
    """The table as CSV, as far as CSV can hold it."""
    table = pq.read_table(pa.BufferReader(old))
    try:
        pa.csv.write_csv(table, path.with_suffix(".csv"))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pa.feather.write_feather(table, path.with_suffix(".feather"))


def make_folder(rng: Rng) -> Folder:
    """A valid folder with one to three changes."""
    folder = valid_folder(rng)
    for _ in range(int(rng.integers(1, 4))):
        what = rng.random()
        if what < 0.4 and folder.objects.num_columns:
            change, i = _pick(rng, TABLE_CHANGES), int(rng.integers(folder.objects.num_columns))
            folder.objects = change(folder.objects, i, rng)
        elif what < 0.8 and folder.epochs.num_columns:
            change, i = _pick(rng, TABLE_CHANGES), int(rng.integers(folder.epochs.num_columns))
            folder.epochs = change(folder.epochs, i, rng)
        elif what < 0.9:
            lines = (folder.toml or TOML).splitlines()
            lines.insert(int(rng.integers(len(lines) + 1)), _pick(rng, ODD_TOML))
            folder.toml = "\n".join(lines)
        else:
            folder.file_changes += (_spoil_file(rng),)
    return folder


def try_folder(rng: Rng, place: Path, scheduler: str) -> Verdict:
    """Refresh a fuzzed folder; `scheduler` is the address of a cluster that all trials share."""
    make_folder(rng).write(place / "data")
    settings = [word for each in (*SETTINGS, f"compute.scheduler={scheduler}") for word in ("--set", each)]
    return run_command(["refresh", "folder", "--data", place / "data", "--lake", place / "lake",
                        "--release", place / "release", *settings])  # fmt: skip
