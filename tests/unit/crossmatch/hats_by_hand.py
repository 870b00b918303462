"""A HATS catalogue written by hand from its description, with the freedoms that it leaves."""

from __future__ import annotations

from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.crossmatch.neighbours import cells_of

ORDER = 29


def partition_of(cell: np.ndarray, max_rows: int, highest: int) -> np.ndarray:
    """(N, 2): order and cell of the partition of each position: cells are cut in four until they hold `max_rows`."""
    chosen = np.zeros((cell.size, 2), np.int64)
    left = np.arange(cell.size)
    for order in range(highest + 1):
        coarse = cell[left] >> (2 * (ORDER - order))
        _, at, count = np.unique(coarse, return_inverse=True, return_counts=True)
        fits = (count[at] <= max_rows) | (order == highest)
        chosen[left[fits]] = np.column_stack([np.full(fits.sum(), order), coarse[fits]])
        left = left[~fits]
    return chosen


def write_hats(
    uri: str | Path,
    table: pa.Table,
    max_rows: int = 200,
    highest: int = 8,
    suffix: str = ".parquet",
    has_list: bool = True,
    row_group: int = 64,
    shuffle: np.random.Generator | None = None,
    properties: dict[str, str] | None = None,
    ra: str = "ra",
    dec: str = "dec",
) -> str:
    """Writes `table` (with positions) and returns the URI. Rows are in the order of their cells unless shuffled."""
    filesystem, root = fsspec.core.url_to_fs(str(uri))
    cell = cells_of(table[ra].to_numpy(), table[dec].to_numpy())
    partition = partition_of(cell, max_rows, highest)
    table = table.append_column("_healpix_29", pa.array(cell))
    orders = np.argsort(cell, kind="stable") if shuffle is None else shuffle.permutation(cell.size)
    listed = sorted({(int(order), int(pixel)) for order, pixel in partition})
    for order, pixel in listed:
        rows = orders[(partition[orders] == (order, pixel)).all(axis=1)]
        path = f"{root}/dataset/Norder={order}/Dir={pixel // 10_000 * 10_000}/Npix={pixel}{suffix}"
        parts = np.array_split(rows, 2) if suffix == "/" else [rows]
        for k, part in enumerate(parts):
            file = f"{path}part{k}.parquet" if suffix == "/" else path
            filesystem.makedirs(file.rsplit("/", 1)[0], exist_ok=True)
            with filesystem.open(file, "wb") as sink:
                pq.write_table(table.take(part), sink, row_group_size=row_group)
    lines = {
        "obs_collection": "by_hand",
        "dataproduct_type": "object",
        "hats_col_ra": ra,
        "hats_col_dec": dec,
        "hats_npix_suffix": suffix,
        **({} if shuffle else {"hats_col_healpix": "_healpix_29", "hats_col_healpix_order": "29"}),
        **(properties or {}),
    }
    text = ["#HATS catalog", *(f"{key} = {value}" for key, value in lines.items())]
    filesystem.pipe_file(f"{root}/hats.properties", "\n".join(text).encode())
    if has_list:
        rows = ["Norder,Npix", *(f"{order},{pixel}" for order, pixel in listed)]
        filesystem.pipe_file(f"{root}/partition_info.csv", "\n".join(rows).encode())
    return str(uri)
