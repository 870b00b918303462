"""What the replica's archives hold: the embedded sky as each of them would keep it, on disk, made once."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock
from numpy.typing import NDArray

from schemas.sql import match_only
from tasks.replica.dr4.holdings import Dr4Holdings
from tasks.replica.served import ServedTable
from tasks.replica.tables import lightcurves, registry, transits, truth, ztf
from tasks.replica.tables.held import sql_text
from tasks.replica.tables.making import GAIA_RECORDS, ZTF_RECORDS, make
from tasks.replica.tables.records import Records

HOLDINGS_VERSION = 2  # raise it when the same sky is held otherwise than before
MANIFEST = "holdings.json"  # written last: a folder without it is not complete


def build(folder: Path | str, n: int, seed: int) -> Path:
    """The holdings of the sky of `n` objects with `seed`, below `folder`: found complete, or made now.

    Made beside its place and moved there when complete; a second builder of the same sky waits for the first.
    ValueError for n < 1 or a bad seed.
    """
    if n < 1:
        raise ValueError(f"holdings: a sky of {n} objects cannot be held; ask for at least one.")
    folder = Path(folder).absolute()
    place = folder / f"sky-{n}-{seed}-v{HOLDINGS_VERSION}"
    if (place / MANIFEST).exists():
        return place
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{place.name}.lock"):
        if (place / MANIFEST).exists():
            return place
        for left in folder.glob(f".{place.name}.*"):  # of a builder that was killed: the lock says that none is at work
            shutil.rmtree(left, ignore_errors=True)
        making = Path(mkdtemp(prefix=f".{place.name}.", dir=folder))
        try:
            make(making, n, seed)
            (making / MANIFEST).write_text(json.dumps({"n": n, "seed": seed, "version": HOLDINGS_VERSION}))
            shutil.rmtree(place, ignore_errors=True)
            making.rename(place)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    return place


class Holdings:
    """The holdings at `path`, as `build` left them: read-only, safe to share between threads."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).absolute()
        if not (self.path / MANIFEST).exists():
            raise ValueError(
                f"holdings: {self.path} holds no complete sky; make one with tasks.replica.holdings.build."
            )
        manifest = json.loads((self.path / MANIFEST).read_text())
        self.n: int = manifest["n"]
        self.seed: int = manifest["seed"]

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A connection with a view for every served table; take a `.cursor()` of it for each request.

        It reads files below `path` and nothing else; temporary tables and registered Arrow tables may be added.
        """
        connection = duckdb.connect()
        connection.execute("SET parquet_metadata_cache = true")
        connection.execute(f"SET allowed_directories = [{sql_text(f'{self.path}{os.sep}')}]")
        connection.execute("SET enable_external_access = false")
        for held in registry.EVERY:
            file = self.path / f"{held.file}.parquet"
            connection.execute(held.view(sql_text(match_only(file)), set(pq.read_schema(file).names)))
        return connection

    def tables(self, service: str) -> Mapping[str, ServedTable]:
        """Tables of a service ("gaia", "ps1", "tic", "irsa", "vizier") by lower-case qualified name
        ("gaiadr3.gaia_source", "dbo.detection", "ztf_objects_dr24", "iv/39/tic82"). KeyError for another service."""
        return {held.table.name.lower().strip('"'): held.table for held in registry.SERVICES[service]}

    def epoch_photometry(self, source_ids: NDArray[np.int64]) -> pa.Table:
        """Gaia epoch photometry, one row per transit, sorted by source_id and g_transit_time; the 25 columns of
        `tables.transits.SCHEMA`, in its order and types.

        Ids without a product have no rows; ids may come in any order, twice, or be unknown. A band without a
        measurement has nulls, but for its flags (false and 0), and a transit without G has its time all the same.
        """
        return transits.epoch_photometry(self.transits, source_ids)

    def ztf_epochs(self, oids: NDArray[np.int64]) -> pa.Table:
        """ZTF light curves, sorted by oid and hjd, as `tables.lightcurves.SCHEMA` has them. Unknown ids: no rows."""
        return lightcurves.light_curves(self._ztf, self._ztf_objects, oids)

    def truth(self, source_ids: NDArray[np.int64]) -> pa.Table:
        """Truth of the sky's own sources among the ids, sorted by source_id: source_id, class, subclass, period_day,
        teff_k, radius_rsun, feh_dex, distance_pc, ebv_mag, amplitude_g_mag, phi31, is_blended, is_wrong_match_ps1,
        is_wrong_match_ztf, duplicate_of. Field stars and unknown ids: no rows."""
        wanted = np.isin(self._truth["source_id"].to_numpy(), np.asarray(source_ids, np.int64))
        return self._truth.filter(pa.array(wanted))

    @cached_property
    def dr4(self) -> Dr4Holdings:
        """Gaia DR4 of the same sky, made when something of it is first asked for."""
        return Dr4Holdings(self)

    @cached_property
    def transits(self) -> Records:
        """Gaia's transits in DR3, by source."""
        return Records.open(self.path, GAIA_RECORDS, transits.RECORD)

    @cached_property
    def _ztf(self) -> Records:
        return Records.open(self.path, ZTF_RECORDS, ztf.RECORD)

    @cached_property
    def _ztf_objects(self) -> pa.Table:
        path = self.path / f"{ztf.OBJECTS_HELD.file}.parquet"
        return pq.read_table(path, columns=["oid", *lightcurves.OF_OBJECT]).combine_chunks()

    @cached_property
    def _truth(self) -> pa.Table:
        return pq.read_table(self.path / f"{truth.HELD.file}.parquet").combine_chunks()
