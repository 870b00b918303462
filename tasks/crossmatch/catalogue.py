"""Catalogues of positions on disk or on a server: HATS, or any Parquet files.

HATS (Hierarchical Adaptive Tiling Scheme; IVOA note "HATS: A Standard for the Hierarchical Adaptive Tiling Scheme in
the Virtual Observatory"): `hats.properties` (older: `properties`), `partition_info.csv`, and one Parquet file for each
nested HEALPix cell, dataset/Norder=<order>/Dir=<cell // 10000 * 10000>/Npix=<cell><hats_npix_suffix>, or a folder of
files where the suffix is "/". A collection's `collection.properties` points to its primary table. What is used of it is
text and paths, so it is read here with pyarrow and fsspec alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem
from numpy.typing import NDArray

from schemas import BadInput
from tasks.crossmatch.cells import ORDER

WHOLE_SKY = 12 * 4**ORDER
_PARQUET = (".parquet", ".parq", ".pq")
_CELL = re.compile(r"Norder=(\d+)/(?:.*/)?Npix=(\d+)")


class HealpixColumn(NamedTuple):
    """A column of the catalogue that holds the nested cell of each row."""

    name: str
    order: int


@dataclass(frozen=True)
class RowEpochs:
    """Rows that have an epoch each: `column` holds it as MJD, at most `span_year` from `epoch` (Julian year)."""

    column: str
    epoch: float
    span_year: float


@dataclass(frozen=True, eq=False)
class Catalogue:
    """A catalogue in partitions, each one cell of the sky: paths (P,) of files or folders, and the cells of order 29
    from start (P,) to stop (P,) that each holds, ascending. Plain Parquet files are one partition: the whole sky.

    `ra` and `dec` name the columns of the positions, ICRS deg; `epoch` is theirs, Julian year, None where unknown.
    """

    name: str
    filesystem: Any
    paths: tuple[str, ...]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    ra: str
    dec: str
    epoch: float | None = None
    healpix: HealpixColumn | None = None

    def files(self, partition: int) -> list[str]:
        """Paths of the Parquet files of a partition."""
        path = self.paths[partition]
        if path.endswith(_PARQUET):
            return [path]
        files = [file for file in self.filesystem.find(path) if file.endswith(_PARQUET)]
        files = sorted(file for file in files if not file.rsplit("/", 1)[-1].startswith(("_", ".")))
        if not files:
            raise BadInput(f"{self.name}: no Parquet file in {path}.")
        return files

    def parquet(self, path: str) -> pq.ParquetFile:
        """A Parquet file, opened. Those of a server by fsspec: pyarrow would call each of its faults a missing file."""
        if isinstance(self.filesystem, LocalFileSystem):
            return pq.ParquetFile(path, filesystem=self.filesystem, pre_buffer=True)
        return pq.ParquetFile(self.filesystem.open(path), pre_buffer=True)

    def schema(self) -> pa.Schema:
        """Columns of the catalogue, read from its first file, once."""
        return self._schema

    @cached_property
    def _schema(self) -> pa.Schema:
        with self.parquet(self.files(0)[0]) as file:
            return file.schema_arrow

    def check_columns(self, columns: Sequence[str]) -> list[str]:
        """`columns`, which may name parts of a nested one ("lightcurve.mag"). Raises BadInput for unknown ones."""
        names = self.schema().names
        unknown = [name for name in columns if name not in names and name.split(".")[0] not in names]
        if unknown:
            raise BadInput(
                f"{self.name} has no column {', '.join(map(repr, unknown))}; it has {', '.join(sorted(names))}."
            )
        return list(dict.fromkeys(columns))


def open_catalogue(
    uri: str,
    ra: str | None = None,
    dec: str | None = None,
    epoch: float | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> Catalogue:
    """The catalogue at a path or fsspec URI: a HATS catalogue or collection, a Parquet file, or a folder of those.

    `ra`, `dec` name the positions of plain Parquet, in any case; HATS names them itself. `epoch` replaces that of a
    HATS catalogue; `storage_options` go to fsspec ({"anon": True} for public S3). Raises BadInput for what is not a
    catalogue.
    """
    filesystem, root = fsspec.core.url_to_fs(uri, **(storage_options or {}))
    root = root.rstrip("/")
    if not root.endswith(_PARQUET):
        collection = _properties(filesystem, root, "collection.properties")
        if collection:
            table = collection["hats_primary_table_url"]
            if "://" in table or table.startswith("/"):
                return open_catalogue(table, ra, dec, epoch, storage_options)
            root = f"{root}/{table}".rstrip("/")
        properties = _properties(filesystem, root, "hats.properties", "properties")
        if properties:
            return _hats(uri, filesystem, root, properties, epoch)
    if ra is None or dec is None:
        raise BadInput(f"{uri} is no HATS catalogue: say which columns hold right ascension and declination.")
    if not filesystem.exists(root):
        raise BadInput(f"{uri}: there is no such file or folder.")
    everything = Catalogue(
        uri, filesystem, (root,), np.zeros(1, np.int64), np.full(1, WHOLE_SKY, np.int64), ra, dec, epoch
    )
    spelt = {name.lower(): name for name in everything.schema().names}
    ra, dec = everything.check_columns([spelt.get(name.lower(), name) for name in (ra, dec)])
    return replace(everything, ra=ra, dec=dec)


def _hats(uri: str, filesystem: Any, root: str, properties: Mapping[str, str], epoch: float | None) -> Catalogue:
    kind, frame = properties.get("dataproduct_type", "object"), properties.get("hats_frame", "equatorial")
    ra, dec = properties.get("hats_col_ra"), properties.get("hats_col_dec")
    if kind not in ("object", "source", "nested") or ra is None or dec is None:
        raise BadInput(f"{uri} is a HATS table of type {kind!r} without positions of its own; give its object table.")
    if frame not in ("equatorial", "icrs"):
        raise BadInput(f"{uri} has its positions in the frame {frame!r}; only equatorial ones (ICRS) can be matched.")
    if epoch is None and "hats_coordinate_epoch" in properties:
        epoch = float(properties["hats_coordinate_epoch"].lstrip("Jj"))
    name = properties.get("hats_col_healpix")
    healpix = HealpixColumn(name, int(properties.get("hats_col_healpix_order", ORDER))) if name else None
    order, cell = _partitions(filesystem, root)
    if not order.size:
        raise BadInput(f"{uri}: the HATS catalogue has no partitions.")
    shift = 2 * (ORDER - order)
    start, stop = cell << shift, (cell + 1) << shift
    ascending = np.argsort(start)
    suffix = properties.get("hats_npix_suffix", ".parquet").rstrip("/")
    paths = tuple(
        f"{root}/dataset/Norder={order[i]}/Dir={cell[i] // 10_000 * 10_000}/Npix={cell[i]}{suffix}" for i in ascending
    )
    if np.any(stop[ascending][:-1] > start[ascending][1:]):
        raise BadInput(f"{uri}: partitions overlap on the sky, so this is no HATS catalogue of objects.")
    return Catalogue(uri, filesystem, paths, start[ascending], stop[ascending], ra, dec, epoch, healpix)


def _partitions(filesystem: Any, root: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Orders and cells of the partitions: from partition_info.csv, else from the names of the files."""
    listed = _read(filesystem, f"{root}/partition_info.csv")
    if listed is not None:
        table = pa.csv.read_csv(pa.BufferReader(listed))
        return tuple(table[name].cast(pa.int64()).to_numpy() for name in ("Norder", "Npix"))
    named = (_CELL.search(path) for path in filesystem.find(f"{root}/dataset"))
    cells = sorted({(int(match[1]), int(match[2])) for match in named if match})
    order, cell = np.array(cells, np.int64).reshape(-1, 2).T
    return order, cell


def _properties(filesystem: Any, root: str, *names: str) -> dict[str, str]:
    """Keys and values of the first of some Java properties files that exists, else nothing."""
    text = next(filter(None, (_read(filesystem, f"{root}/{name}") for name in names)), b"").decode()
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith(("#", "!")))
    return {key.strip(): re.sub(r"\\(.)", r"\1", value.strip()) for key, value in pairs}


def _read(filesystem: Any, path: str) -> bytes | None:
    """Content of a small file, None where there is none."""
    try:
        return filesystem.cat_file(path)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError):
        return None
    except Exception as error:
        if getattr(error, "status", None) != 403:  # S3 over HTTP says so of files that are not there
            raise
        return None
