"""Other Gaia sources near those of the sample: whose light may stand in a survey's measurement of which star."""

from __future__ import annotations

from functools import partial

import pyarrow as pa

from schemas import BadInput
from tasks.archives.adql import literal
from tasks.archives.csv import read_csv
from tasks.archives.question import Question
from tasks.surveys import bulk_gaia
from tasks.surveys.gaia_release import GaiaRelease
from tasks.surveys.survey import GAIA_NEIGHBOURS, Ask

RADIUS_ARCSEC = 5.0  # twice the widest match radius: what it holds can be confused with the star, also after 10 years
LARGEST_ARCSEC = 60.0  # a join that collects fields of the Galactic plane is no question about neighbours


def gaia_neighbours(
    ask: Ask, sources: pa.Table, release: GaiaRelease, radius_arcsec: float = RADIUS_ARCSEC, uri: str = ""
) -> pa.Table:
    """Sources of Gaia within `radius_arcsec` of those of `sources` (SOURCES), both at the release's epoch.

    From Gaia's TAP, or from the catalogue of gaia_source at `uri` where that is given. Columns of GAIA_NEIGHBOURS,
    ascending by source_id and neighbour_source_id; the sources themselves may be each other's neighbours. Raises
    BadInput for a radius outside 0 to 60 arcsec.
    """
    if not 0 < radius_arcsec <= LARGEST_ARCSEC:
        raise BadInput(f"Neighbours are looked for within 0 to {LARGEST_ARCSEC:g} arcsec, not {radius_arcsec}.")
    if not sources.num_rows:
        return GAIA_NEIGHBOURS.empty_table()
    if uri:
        found = bulk_gaia.neighbours(ask, uri, release, sources, radius_arcsec)
    else:
        found = ask(neighbours_question(release, radius_arcsec), sources.select(["source_id"]))
    found = found.select(GAIA_NEIGHBOURS.names).cast(GAIA_NEIGHBOURS)
    return found.sort_by([("source_id", "ascending"), ("neighbour_source_id", "ascending")])


def neighbours_question(release: GaiaRelease, radius_arcsec: float) -> Question:
    """The question for the neighbours of sources by their ids: a join of the table with itself, nothing uploaded.

    Where a release has a table with few columns it is used: joins by position are faster there (docs/archives.md).
    """
    where = release.neighbours
    table, g_mag = release.tables[where.table], GAIA_NEIGHBOURS.names[-1]
    mag = f"n.{g_mag}" if where.g_mag == g_mag else f"n.{where.g_mag} AS {g_mag}"
    text = (
        f"SELECT s.source_id, n.source_id AS neighbour_source_id, n.ra, n.dec, n.pmra, n.pmdec, {mag}\n"
        f"FROM {table} AS s\nJOIN {table} AS n ON 1 = CONTAINS(POINT('ICRS', n.ra, n.dec), "
        f"CIRCLE('ICRS', s.ra, s.dec, {literal(radius_arcsec / 3600)}))\n"
        "WHERE s.source_id IN {items} AND n.source_id <> s.source_id"
    ) + (f" AND n.{where.zero} = 0" if where.zero else "")
    return Question(
        service="gaia_tap",
        text=text,
        release=release.name,
        read=partial(
            read_csv,
            schema=dict(zip(GAIA_NEIGHBOURS.names, GAIA_NEIGHBOURS.types, strict=True)),
            what="Gaia's answer about neighbours",
        ),
        key="source_id",
        chunk=1000,
        is_sync=release.limits.tap_sync,
        hint=release.opens,
    )
