"""A small sky by hand behind the interface of the replica's holdings: stars at the poles, at RA 0 and everywhere."""

from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from tasks.replica.served import ServedColumn, ServedTable


def columns(text: str) -> tuple[ServedColumn, ...]:
    """Columns written one a line as ``name | datatype | unit | ucd | doc``."""
    lines = [[part.strip() for part in line.split("|")] for line in text.splitlines()]
    return tuple(ServedColumn(name, kind, unit or None, ucd or None, doc) for name, kind, unit, ucd, doc in lines)


GAIA_SOURCE = columns(
    """\
source_id | long | | meta.id;meta.main | Unique source identifier
designation | char | | meta.id | Designation
random_index | long | | | Random index
ra | double | deg | pos.eq.ra;meta.main | Right ascension
dec | double | deg | pos.eq.dec;meta.main | Declination
parallax | double | mas | pos.parallax.trig | Parallax
phot_g_mean_mag | float | mag | phot.mag;em.opt | G
phot_g_n_obs | short | | meta.number | Number of observations
phot_variable_flag | char | | meta.code | Variability flag
has_epoch_photometry | boolean | | meta.code | Epoch photometry
"""
)
RRLYRAE = columns(
    """\
source_id | long | | meta.id | Source
pf | double | d | time.period | Period
best_classification | char | | | Class
"""
)
OBJECTS = columns(
    """\
objID | long | | meta.id | Object
raMean | double | deg | pos.eq.ra | Mean RA
decMean | double | deg | pos.eq.dec | Mean Dec
nDetections | short | | | Detections
gMeanPSFMag | float | mag | phot.mag | g
"""
)
TIC = columns(
    """\
ID | char | | meta.id | TIC
GAIA | char | | meta.id | Gaia DR2
Teff | double | K | phys.temperature | Teff
"""
)
ZTF = columns(
    """\
oid | long | | meta.id | Object
ra | double | deg | pos.eq.ra | RA
dec | double | deg | pos.eq.dec | Dec
filtercode | char | | | Filter
field | int | | | Field
"""
)


class HandMade:
    """`n` stars, of which 3 in 8 crowd at the poles and across RA 0 if `is_crowded`; the interface of `Holdings`."""

    def __init__(self, n: int = 2000, seed: int = 3, is_crowded: bool = True) -> None:
        rng = np.random.default_rng(seed)
        self.n, self.seed = n, seed
        ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
        k = n // 8 if is_crowded else 0
        dec[:k], dec[k : 2 * k] = 90 - rng.exponential(0.002, k), -90 + rng.exponential(0.002, k)
        ra[2 * k : 3 * k] = rng.normal(0, 2e-3, k) % 360
        dec[2 * k : 3 * k] = rng.uniform(-0.01, 0.01, k)
        source_id = rng.permutation(n) * 2**35 + 4_583_627_001_381_815_936
        has = rng.random(n) < 0.5
        mag = rng.uniform(8, 21, n).astype("f4")
        classes = np.array(["VARIABLE", "NOT_AVAILABLE", 'A&B <x>, "y"'])[rng.integers(0, 3, n)]
        gaia = {
            "source_id": source_id,
            "designation": [f"Gaia DR3 {one}" for one in source_id],
            "random_index": rng.permutation(n),
            "ra": ra,
            "dec": dec,
            "parallax": pa.array(rng.normal(1, 1, n), mask=rng.random(n) < 0.2),
            "phot_g_mean_mag": mag,
            "phot_g_n_obs": pa.array(rng.integers(5, 400, n), mask=rng.random(n) < 0.1),
            "phot_variable_flag": classes,
            "has_epoch_photometry": has,
        }
        some = rng.permutation(n)[: n // 4]
        kinds = np.array(["RRab", "RRc"])[rng.integers(0, 2, len(some))]
        stars = {"source_id": source_id[some], "pf": rng.uniform(0.2, 0.9, len(some)), "best_classification": kinds}
        seen = rng.permutation(n)[: n // 2]
        objects = {
            "objID": np.sort(rng.integers(10**15, 2 * 10**15, len(seen))),
            "raMean": ra[seen],
            "decMean": dec[seen] + rng.normal(0, 3e-5, len(seen)),
            "nDetections": rng.integers(1, 60, len(seen)),
            "gMeanPSFMag": np.where(rng.random(len(seen)) < 0.1, -999, mag[seen] + 0.2),
        }
        tic = {
            "ID": [str(one) for one in range(len(seen))],
            "GAIA": [str(one) for one in source_id[seen]],
            "Teff": rng.normal(6000, 500, len(seen)),
        }
        ztf = {
            "oid": np.arange(len(seen)),
            "ra": ra[seen],
            "dec": dec[seen],
            "filtercode": np.array(["zg", "zr", "zi"])[np.arange(len(seen)) % 3],
            "field": np.arange(len(seen)) % 900,
        }
        self._tables: dict[str, dict[str, ServedTable]] = {}
        self.data: dict[str, pa.Table] = {}
        self._connection = duckdb.connect()
        self._add("gaia", "gaiadr3.gaia_source", GAIA_SOURCE, gaia)
        self._add("gaia", "gaiadr3.vari_rrlyrae", RRLYRAE, stars)
        self._add("ps1", "dbo.MeanObjectView", OBJECTS, objects)
        self._add("tic", "dbo.CatalogRecord", TIC, tic)
        self._add("irsa", "ztf_objects_dr24", ZTF, ztf)

    def _add(self, service: str, name: str, served: Any, values: dict[str, Any]) -> None:
        relation = f"{service}_{name.rpartition('.')[2].lower()}"
        table = ServedTable(name, relation, f"Table {name}", served)
        data = pa.table({key: pa.array(value) for key, value in values.items()}).cast(table.schema)
        self._tables.setdefault(service, {})[name.lower()] = table
        self.data[name.lower()] = data
        self._connection.register("incoming", data)
        self._connection.execute(f"CREATE TABLE {relation} AS SELECT * FROM incoming")
        self._connection.unregister("incoming")

    def connect(self) -> duckdb.DuckDBPyConnection:
        return self._connection

    def tables(self, service: str) -> Mapping[str, ServedTable]:
        return self._tables[service]

    def columns(self, table: str) -> dict[str, np.ndarray]:
        """A table's columns as NumPy arrays; nulls of numbers are NaN."""
        return {name: self.data[table].column(name).to_numpy() for name in self.data[table].column_names}


def angles(ra1: Any, dec1: Any, ra2: Any, dec2: Any) -> np.ndarray:
    """Angle between directions in degrees, by the vectors' cross and dot products (Vincenty's formula)."""
    ra1, dec1, ra2, dec2 = (np.radians(np.asarray(one, float)) for one in (ra1, dec1, ra2, dec2))
    d = ra2 - ra1
    across = np.hypot(np.cos(dec2) * np.sin(d), np.cos(dec1) * np.sin(dec2) - np.sin(dec1) * np.cos(dec2) * np.cos(d))
    along = np.sin(dec1) * np.sin(dec2) + np.cos(dec1) * np.cos(dec2) * np.cos(d)
    return np.degrees(np.arctan2(across, along))
