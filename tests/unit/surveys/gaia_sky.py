"""A few hundred Gaia sources in NumPy, and an `ask` that really evaluates the ADQL about them (DuckDB)."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
from astropy.coordinates import Latitude, Longitude
from cdshealpix.nested import lonlat_to_healpix

from tasks.archives import adql
from tasks.archives.question import Question
from tasks.surveys.columns import JOINED_COLUMNS, SOURCE_COLUMNS
from tasks.surveys.gaia_release import GaiaRelease
from tasks.surveys.gaia_releases import RELEASES

RELEASE = RELEASES["dr3"]
CLASSES = ("RR", "CEP", "ECL", "LPV", "DSCT|GDOR|SXPHE", "RS")
GEOMETRY = """
CREATE MACRO point(frame, lon, lat) AS struct_pack(lon := lon, lat := lat);
CREATE MACRO circle(frame, lon, lat, r) AS struct_pack(lon := lon, lat := lat, r := r);
CREATE MACRO contains(p, c) AS CASE WHEN degrees(2 * asin(sqrt(
    sin(radians(p.lat - c.lat) / 2) ** 2
    + cos(radians(p.lat)) * cos(radians(c.lat)) * sin(radians(p.lon - c.lon) / 2) ** 2))) <= c.r THEN 1 ELSE 0 END;
"""


@dataclass
class GaiaSky:
    """Tables by alias; `asked` remembers every request: the question and its items."""

    tables: dict[str, pd.DataFrame]
    release: GaiaRelease = RELEASE
    asked: list[tuple[Question, pa.Table]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._answers: dict[str, bytes] = {}
        self.connection = duckdb.connect()
        self.connection.execute(GEOMETRY)
        for release in RELEASES.values():
            self.connection.execute(f"CREATE SCHEMA {release.schema_name}")
        for alias, table in {"lite": self.tables["g"], **self.tables}.items():
            if alias in self.release.tables:
                self.connection.register("held", table)
                self.connection.execute(f"CREATE TABLE {self.release.tables[alias]} AS SELECT * FROM held")

    def ask(self, question: Question, items: pa.Table) -> pa.Table:
        """As the exchange does: the items in requests of `chunk`, and the rows of those asked for."""
        assert question.service == "gaia_tap" and question.chunk is not None
        assert items.num_rows, "nothing is asked about nothing"
        parts = []
        for start in range(0, items.num_rows, question.chunk):
            chunk = items.slice(start, question.chunk)
            self.asked.append((question, chunk))
            text = adql.render(question.text, chunk, question.key, question.parameters)
            parts.append(question.read(self._answer(text)))
        return pa.concat_tables(parts)

    def _answer(self, text: str) -> bytes:
        if text not in self._answers:
            body = io.BytesIO()
            pacsv.write_csv(self.connection.execute(text).to_arrow_table(), body)
            self._answers[text] = body.getvalue()
        return self._answers[text]


def gaia_sky(n: int = 400, seed: int = 3) -> GaiaSky:
    """`n` sources all over the sky: a class for most, tables of variables for some, PS1 and DR2 neighbours."""
    rng = np.random.default_rng(seed)
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    cell = lonlat_to_healpix(Longitude(ra, "deg"), Latitude(dec, "deg"), 12).astype(np.int64)
    source_id = cell * 2**35 + np.arange(n) * 7 + 1
    word = rng.choice(CLASSES, n)
    has_class = rng.random(n) < 0.8
    score = rng.uniform(0, 1, n).astype(np.float32)
    g = pd.DataFrame({name: np.zeros(n, np.float32) for name in SOURCE_COLUMNS})
    g = g.assign(
        source_id=source_id, ra=ra, dec=dec, ref_epoch=2016.0, random_index=rng.permutation(n),
        has_epoch_photometry=rng.random(n) < 0.7, parallax=np.where(rng.random(n) < 0.1, np.nan, rng.normal(1, 1, n)),
        phot_g_mean_mag=rng.uniform(10, 20, n).astype(np.float32),
        phot_variable_flag=np.where(has_class, "VARIABLE", rng.choice(["CONSTANT", "NOT_AVAILABLE"], n)),
    )  # fmt: skip
    g = g.astype({"parallax": object}).where(g.notna(), None).astype({"parallax": "Float64"})
    tables = {"g": g, "vc": pd.DataFrame({"source_id": source_id, "best_class_name": word, "best_class_score": score})}
    tables["vc"] = tables["vc"][has_class]
    for alias in ("rr", "cep", "eb", "lpv", "ap", "ps"):
        names = {column for of, column, _ in JOINED_COLUMNS.values() if of == alias} - {"source_id"}
        held = rng.random(n) < (0.9 if alias in ("ap", "ps") else 0.25)
        values = {name: rng.uniform(0.1, 2, n) for name in sorted(names)}
        tables[alias] = pd.DataFrame({"source_id": source_id, **values})[held]
    tables["rr"]["best_classification"] = rng.choice(["RRab", "RRc", "RRd"], len(tables["rr"]))
    tables["cep"]["type_best_classification"] = rng.choice(["DCEP", "T2CEP", "ACEP"], len(tables["cep"]))
    tables["cep"]["mode_best_classification"] = "FUNDAMENTAL"
    for name in ("original_ext_source_id", "number_of_neighbours", "number_of_mates"):
        tables["ps"][name] = rng.integers(1, 10**15 if name.startswith("orig") else 4, len(tables["ps"]))
    near = np.repeat(source_id, rng.integers(0, 4, n))
    tables["dr"] = pd.DataFrame(
        {
            "dr3_source_id": near,
            "dr2_source_id": near + rng.integers(0, 3, near.size) * 2**20 + np.arange(near.size) % 2,
            "angular_distance": rng.uniform(0, 900, near.size).astype(np.float32),
            "magnitude_difference": rng.normal(0, 0.5, near.size).astype(np.float32),
        }
    ).drop_duplicates(["dr3_source_id", "dr2_source_id"])
    return GaiaSky(tables)
