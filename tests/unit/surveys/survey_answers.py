"""Sources and answers made by hand, and an asker that reads them as the exchange would."""

import csv
import io
from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc
from astropy.coordinates import EarthLocation, SkyCoord
from astropy.time import Time

from tasks.archives.adql import render
from tasks.archives.question import Question
from tasks.surveys.survey import GAIA_NEIGHBOURS, SOURCES

SECOND = 1 / 86_400


class Asked:
    """Answers by (service, key), each a function of the items that gives the verbatim answer; keeps what was asked."""

    def __init__(self, answers: Mapping[tuple[str, str], Callable[[pa.Table], bytes]]) -> None:
        self.answers = answers
        self.log: list[tuple[Question, pa.Table]] = []

    def __call__(self, question: Question, items: pa.Table) -> pa.Table:
        self.log.append((question, items))
        assert items.num_rows and not items[question.key].null_count
        if question.service in ("mast_ps1", "mast_tic", "irsa_tap"):
            render(question.text, items, question.key, question.parameters)  # raises where it is no query
        table = question.read(self.answers[question.service, question.key](items))
        assert table[question.key].type == items[question.key].type
        return table.filter(pc.is_in(table[question.key], value_set=items[question.key].combine_chunks()))

    def items(self, service: str, key: str) -> list:
        """Keys of the items of all questions of a kind, as they were asked."""
        return [k for question, items in self.log if (question.service, question.key) == (service, key)
                for k in items[key].to_pylist()]  # fmt: skip


def as_csv(rows: list[dict], names: list[str] | None = None) -> bytes:
    """A CSV document; None is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names or list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def sources(*rows: dict) -> pa.Table:
    """Rows of SOURCES; positions are of 2016.0 unless they say otherwise, the rest is null."""
    full = [{"ref_epoch": 2016.0, **row} for row in rows]
    return pa.table([pa.array([r.get(f.name) for r in full], f.type) for f in SOURCES], schema=SOURCES)


def neighbours(*rows: dict) -> pa.Table:
    """Rows of GAIA_NEIGHBOURS."""
    arrays = [pa.array([r.get(f.name) for r in rows], f.type) for f in GAIA_NEIGHBOURS]
    return pa.table(arrays, schema=GAIA_NEIGHBOURS)


def by_objid(table: pa.Table) -> dict[tuple[int, int], dict]:
    """Matches by (source_id, objid)."""
    return {(row["source_id"], row["objid"]): row for row in table.to_pylist()}


def light_travel(mjd_utc, ra: float, dec: float, kind: str):
    """astropy's light travel time, days, from the geocentre to the "barycentric" or "heliocentric" origin."""
    time = at_geocentre(mjd_utc, "utc")
    return time.light_travel_time(SkyCoord(ra, dec, unit="deg"), kind).to_value("d")


def at_geocentre(mjd, scale: str) -> Time:
    return Time(mjd, format="mjd", scale=scale, location=EarthLocation.from_geocentric(0, 0, 0, unit="m"))
