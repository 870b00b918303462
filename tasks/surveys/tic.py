"""The TESS Input Catalog 8.2: stellar parameters by Gaia DR2 id, else by position.

Stassun et al. 2019, AJ 158, 138 (TIC-8); Paegert et al. 2021, arXiv:2108.04778 (8.1 and 8.2). Teff, radius, mass and
log g come from broad-band colours and parallaxes, so they are photometric here (a small part is spectroscopic); [M/H]
was taken from spectroscopic catalogues alone (TIC-8 release notes at MAST, known issue 5). It is held as feh_dex,
with Gaia's spectroscopic [M/H] (GSP-Spec), because that is what is learnt; mh_dex is Gaia's photometric one (GSP-Phot).

Dispositions (known issue 4): ARTIFACT, no star; SPLIT, an entry that was replaced by those of its parts; DUPLICATE, a
second entry of the star that duplicate_id names. The first two are set aside, the third leads to its star.

Positions are of epoch 2000. CDS XMatch gives VizieR's copy of the same catalogue (IV/39/tic82), whose names were never
tested against the live service.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import TABLES, BadInput
from schemas.arrays import look_up
from schemas.quantities import QUANTITIES
from schemas.rejections import join_reports, reject
from tasks.archives.csv import read_csv
from tasks.archives.errors import BadQuestion, Retryable
from tasks.archives.question import Question
from tasks.archives.votable import read_votable
from tasks.crossmatch.resolve import resolve
from tasks.surveys.bulk import FileTable, add_positions, drop_repeats, is_bulk, rows_near, rows_of_ids
from tasks.surveys.data_files import read_rows, read_types
from tasks.surveys.objects import (
    candidates_of,
    join_key,
    matches_of,
    neighbours_at,
    positions_at,
    rows_of,
    select_counterparts,
    to_floats,
)
from tasks.surveys.survey import PARAMETER_LABELS, Ask, FileCatalogue, LabelOrigin, Load, Survey, SurveyResult

OPTIONS = {
    "route": "service",  # whom `via` names and CDS XMatch, or "bulk": the catalogue below
    "hats": "",
    "via": "tap",  # the service for entries by id: MAST's TAP, or "portal", which astroquery gives up after 0.4.11
    "radius_arcsec": 1.0,  # a counterpart by position lies no farther from the position at 2000.0
    "search_arcsec": 3.0,  # how far entries are listed around sources that no id leads to
}
EPOCH = 2000.0
RELEASE = "8.2"
BEST, TABLE = "core_tic__source", f"TIC {RELEASE}"
XMATCH = "CDS XMatch's answer about the TIC"

LONG, FLOAT, TEXT = pa.int64(), pa.float64(), pa.string()
# An entry, by MAST's names in lower case (ids of Gaia are texts there), and what VizieR calls the same, spelt without
# signs and case: tools write [M/H] as __M_H_ or M_H.
ENTRY = read_types("tic_columns.csv")
VIZIER = {row["name"]: row["vizier"] for row in read_rows("tic_columns.csv")}
MAY_LACK = ("ebv",)  # of VizieR's columns: a copy without it is read all the same
BY_TAP = f"SELECT {', '.join(ENTRY)} FROM dbo.catalogrecord WHERE {{column}} IN {{items}}"
NO_STAR = ("ARTIFACT", "SPLIT")
# Our quantity: column, column of its error, photometric, reference only.
LABELS = {
    "teff_k": ("teff", "e_teff", True, False),
    "radius_rsun": ("rad", "e_rad", True, False),
    "mass_msun": ("mass", "e_mass", True, True),
    "logg_dex": ("logg", "e_logg", True, True),
    "feh_dex": ("mh", "e_mh", False, False),
}


def fetch(ask: Ask, sources: pa.Table, neighbours: pa.Table, options: Mapping[str, Any]) -> SurveyResult:
    """Counterparts in the TIC, their stellar parameters and their rows of core_tic__source."""
    here, around = positions_at(sources, EPOCH), neighbours_at(neighbours, sources, EPOCH)
    linked = sources.select(["source_id", "dr2_source_id"]).filter(pc.is_valid(sources["dr2_source_id"]))
    by_id, bad = drop_no_stars(fetch_linked(ask, linked, here, options))
    rest = here.filter(pc.invert(pc.is_in(here["source_id"], value_set=by_id["source_id"].combine_chunks())))
    if is_bulk(options):
        near = rows_near(ask, FileTable(options["hats"], RELEASE, ENTRY), rest, options["search_arcsec"])
    else:
        near = rows_of(ask, position_question(options), rest, {"source_id": LONG, **ENTRY})
    by_position, worse = drop_no_stars(near.append_column("method", pa.repeat("position", near.num_rows)))
    entries, lost = follow_duplicates(ask, pa.concat_tables([by_id, by_position]), here, options)

    candidates = candidates_of(
        entries["method"],
        pc.equal(entries["method"], "dr2_source_id"),
        source_id=entries["source_id"],
        objid=entries["id"],
        ra=pa.array(to_floats(entries["ra"]), from_pandas=True),
        dec=pa.array(to_floats(entries["dec"]), from_pandas=True),
    )
    matches = matches_of("tic", resolve(here, candidates, around, options["radius_arcsec"]))
    best = counterparts(entries, matches)
    labels, impossible = parameter_labels(best)
    return SurveyResult(
        matches=matches,
        parameter_labels=labels,
        tables={BEST: tidy(best)},
        rejected=join_reports(bad, worse, lost, impossible),
    )


def id_question(column: str, options: Mapping[str, Any]) -> Question:
    """Entries by `column`, "gaia" (DR2 ids as texts) or "id"; what the other service has answered counts."""
    ways = {"tap": tap_question(column), "portal": portal_question(column)}
    if options["via"] not in ways:
        raise BadInput(f"The TIC is asked via {' or '.join(ways)}, not via {options['via']!r}.")
    own = ways.pop(options["via"])
    return replace(own, same_as=ways.popitem()[1])


def tap_question(column: str) -> Question:
    """Entries by `column` at MAST's TAP."""
    return Question(
        service="mast_tic",
        text=BY_TAP,
        release=RELEASE,
        read=lambda body: read_csv(body, ENTRY, "MAST's answer about the TIC"),
        parameters={"column": column},
        key=column,
        expects_some=column == "gaia",
        hint="MAST's portal has the same entries, as long as it is there: --set source.options.tic.via=portal",
    )


def portal_question(column: str) -> Question:
    """Entries by `column` at the MAST portal."""
    return Question(
        service="mast_portal",
        text="Mast.Catalogs.Filtered.Tic.Rows",
        release=RELEASE,
        read=read_pages,
        key=column,
        expects_some=column == "gaia",
    )


def position_question(options: Mapping[str, Any]) -> Question:
    """Entries around positions."""
    return Question(
        service="cds_xmatch",
        text="vizier:IV/39/tic82",
        release=RELEASE,
        read=read_xmatch,
        parameters={"radius_arcsec": repr(options["search_arcsec"])},
        key="source_id",
        is_upload=True,
        expects_some=True,
    )


def entries_by_id(ask: Ask, ids: pa.Table, here: pa.Table, options: Mapping[str, Any]) -> pa.Table:
    """Entries by the `ids` in the column "gaia" or "id" beside source_id, whose position in `here` is near them."""
    column = ids.column_names[-1]
    if is_bulk(options):
        return rows_of_ids(ask, FileTable(options["hats"], RELEASE, ENTRY), column, add_positions(ids, here))
    return rows_of(ask, id_question(column, options), drop_repeats(ids, column).select([column]), ENTRY)


def fetch_linked(ask: Ask, linked: pa.Table, here: pa.Table, options: Mapping[str, Any]) -> pa.Table:
    """Entries of the sources' DR2 ids (source_id, dr2_source_id), with source_id and method."""
    named_by = pa.table({"source_id": linked["source_id"], "gaia": linked["dr2_source_id"].cast(TEXT)})
    entries = entries_by_id(ask, named_by, here, options)
    joined = entries.join(named_by, "gaia", join_type="inner").select(["source_id", *ENTRY])
    return joined.append_column("method", pa.repeat("dr2_source_id", joined.num_rows))


def drop_no_stars(entries: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The entries that stand for a star, duplicates included, and a report of the others."""
    is_none = pc.is_in(entries["disposition"], value_set=pa.array(NO_STAR))
    return entries.filter(pc.invert(is_none)), _reject(entries.filter(is_none), "disposition", "no_star")


def follow_duplicates(
    ask: Ask, entries: pa.Table, here: pa.Table, options: Mapping[str, Any]
) -> tuple[pa.Table, pa.Table]:
    """`entries` with those that each DUPLICATE names in its place, and a report of duplicates that lead to no star."""
    is_duplicate = pc.fill_null(pc.equal(entries["disposition"], "DUPLICATE"), False)
    duplicates = entries.filter(is_duplicate)
    meant = duplicates.filter(pc.is_valid(duplicates["duplicate_id"]))
    targets = meant["duplicate_id"].combine_chunks()
    came = entries.filter(pc.is_in(entries["id"], value_set=targets)).select(list(ENTRY))
    wanted = pa.table({"source_id": meant["source_id"], "id": targets})
    wanted = wanted.filter(pc.invert(pc.is_in(targets, value_set=came["id"].combine_chunks())))
    both = pa.concat_tables([came, entries_by_id(ask, wanted, here, options)])
    once = both.take(pa.array(np.unique(both["id"].to_numpy(), return_index=True)[1]))
    stars = once.filter(pc.invert(pc.is_in(once["disposition"], value_set=pa.array([*NO_STAR, "DUPLICATE"]))))
    links = pa.table({"source_id": meant["source_id"], "method": meant["method"], "id": meant["duplicate_id"]})
    found = stars.join(links, "id", join_type="inner").select(entries.column_names)
    leads = pc.fill_null(pc.is_in(duplicates["duplicate_id"], value_set=stars["id"].combine_chunks()), False)
    lost = duplicates.filter(pc.invert(leads))
    return pa.concat_tables([entries.filter(pc.invert(is_duplicate)), found]), _reject(lost, "duplicate_id", "no_star")


def counterparts(entries: pa.Table, matches: pa.Table) -> pa.Table:
    """The one entry of each source that has one, by source."""
    mine = select_counterparts(matches)
    chosen = look_up(entries["source_id"], mine["source_id"], mine["objid"])
    is_mine = pc.fill_null(pc.equal(chosen, entries["id"]), False)
    own = entries.filter(is_mine)
    first = np.unique(own["source_id"].to_numpy(), return_index=True)[1]
    return own.take(pa.array(first))


def tidy(best: pa.Table) -> pa.Table:
    """Rows of core_tic__source, by source_id; a value that cannot be is null."""
    ratio, count, reddening = (to_floats(best[name]) for name in ("contratio", "numcont", "ebv"))
    columns = {
        "source_id": best["source_id"],
        "tic_id": best["id"],
        "tmag": pa.array(to_floats(best["tmag"]), from_pandas=True),
        "lumclass": best["lumclass"],
        "contratio": pa.array(np.where(ratio >= 0, ratio, np.nan), from_pandas=True),
        "numcont": pa.array(np.where((count >= 0) & (count % 1 == 0), count, np.nan), from_pandas=True),
        "disposition": best["disposition"],
        "ebv": pa.array(np.where(reddening >= 0, reddening, np.nan), from_pandas=True),
    }
    spec = TABLES[BEST].arrow()
    return pa.table(columns).cast(pa.schema([spec.field(name) for name in columns]))


def parameter_labels(best: pa.Table) -> tuple[pa.Table, pa.Table]:
    """PARAMETER_LABELS of the counterparts, and a report of values that cannot be. Missing: null, or -999."""
    labels, reports = [PARAMETER_LABELS.empty_table()], []
    for quantity, (column, error, is_photometric, is_reference) in LABELS.items():
        value, err = to_floats(best[column]), to_floats(best[error])
        impossible = QUANTITIES[quantity].is_outside(value)
        reports.append(_reject(best.filter(pa.array(impossible)), column, "range"))
        kept = np.isfinite(value) & ~impossible
        n = int(np.count_nonzero(kept))
        label = {
            "source_id": best["source_id"].filter(pa.array(kept)),
            "origin": pa.repeat("tic", n),
            "quantity": pa.repeat(quantity, n),
            "value": value[kept],
            "err": pa.array(np.where(err >= 0, err, np.nan)[kept], from_pandas=True),
            "lo": pa.nulls(n, FLOAT),
            "hi": pa.nulls(n, FLOAT),
            "is_photometric": pa.repeat(is_photometric, n),
            "is_reference": pa.repeat(is_reference, n),
        }
        labels.append(pa.table(label).cast(PARAMETER_LABELS))
    return pa.concat_tables(labels), join_reports(*reports)


def read_pages(body: bytes) -> pa.Table:
    """ENTRY rows of the portal's JSON: one page, or a list of pages, each with its rows as objects in `data`."""
    try:
        pages = json.loads(body)
    except ValueError as error:
        raise Retryable(f"The portal's answer about the TIC is broken: {error}.") from None
    rows = [row for page in (pages if isinstance(pages, list) else [pages]) for row in page["data"]]
    if not rows:
        return pa.schema(list(ENTRY.items())).empty_table()
    spelt = {name.lower(): name for name in rows[0]}
    _require(ENTRY, spelt, "The portal's answer about the TIC")
    columns = [_column([row[spelt[name]] for row in rows], kind) for name, kind in ENTRY.items()]
    return pa.table(columns, names=list(ENTRY))


def read_xmatch(body: bytes) -> pa.Table:
    """source_id and ENTRY rows of CDS XMatch's VOTable with VizieR's names; or of its CSV, which older lakes hold."""
    whole = read_votable(body, XMATCH) if body.lstrip().startswith(b"<") else None
    names = whole.column_names if whole is not None else body.split(b"\n", 1)[0].decode(errors="replace").split(",")
    spelt = {re.sub("[^a-z0-9]", "", name.lower()): name.replace('"', "").strip() for name in names}
    if any(spelt):
        _require([VIZIER[name] for name in ENTRY if name not in MAY_LACK], spelt, XMATCH)
    held = {name: kind for name, kind in ENTRY.items() if name not in MAY_LACK or VIZIER[name] in spelt}
    columns = {"source_id": LONG} | {spelt.get(VIZIER[name], name): kind for name, kind in held.items()}
    table = read_csv(body, columns, XMATCH) if whole is None else _typed(whole, columns)
    table = table.rename_columns(["source_id", *held])
    for name in ENTRY.keys() - held.keys():
        table = table.append_column(name, pa.nulls(table.num_rows, ENTRY[name]))
    return table.select(["source_id", *ENTRY])


def _typed(table: pa.Table, columns: Mapping[str, pa.DataType]) -> pa.Table:
    """The `columns` of a VOTable, as the types that they should have; NaN is null."""
    typed = []
    for name, kind in columns.items():
        values = table[name]
        if pa.types.is_floating(values.type):
            if name == "source_id":
                raise BadQuestion(f"{XMATCH} gives {name} as {values.type}: its last digits are lost.")
            values = pc.if_else(pc.is_nan(values), None, values)
        try:
            typed.append(values.cast(kind))
        except pa.ArrowInvalid as error:
            raise BadQuestion(f"{XMATCH} has other values in column {name!r} than it should: {error}.") from None
    return pa.table(typed, names=list(columns))


def _column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Values of JSON as `kind`: empty texts and "None" are null, numbers may be texts."""
    texts = pa.array([None if value is None else str(value) for value in values], TEXT)
    empty = pc.is_in(texts, value_set=pa.array(["", "None", "NaN", "nan"]))
    return pc.if_else(empty, pa.scalar(None, TEXT), texts).cast(kind)


def _require(names: Any, spelt: Mapping[str, str], what: str) -> None:
    missing = [name for name in names if name not in spelt]
    if missing:
        raise BadQuestion(
            f"{what} lacks {len(missing)} columns, first {missing[0]!r}; it has {', '.join(spelt.values())}."
        )


def _reject(entries: pa.Table, column: str, check: str) -> pa.Table:
    key = join_key(entries["source_id"], entries["id"])
    return reject(TABLE, entries["source_id"], column, check, entries[column], key)


# Its labels count first: Becker et al. 2025, A&A 694, A183, 2.4.
# Teff and radius were dereddened with the TIC's own E(B-V): Stassun et al. 2019, AJ 158, 138.
SURVEY = Survey(
    "tic",
    fetch,
    options=OPTIONS,
    label_origins=(LabelOrigin("tic", (TABLES[BEST].path_of("ebv"),), tuple(LABELS), rank=10),),
    catalogues=(FileCatalogue("hats", "s3://stpubdata/tess/public/hats/tic"),),
    tables=(TABLES[BEST],),
    loads=(Load("mast_tic", 1.0, 0.15), Load("cds_xmatch", 0.2, 0.06)),
)
