"""Tests of rows: the wide question at two sizes, words of classes, counts, ids, positions, parameters, links."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrays import floats
from schemas.quantities import QUANTITIES
from tasks.archives.adql import literal
from tasks.archives.errors import ArchiveError
from tasks.surveys.chain import keep_same_stars
from tasks.surveys.columns import one_per_source, read_wide, wide_query, wide_question
from tasks.surveys.gaia_check.asking import adql_question, word_counts
from tasks.surveys.gaia_check.findings import Findings, Line, Status
from tasks.surveys.neighbours import RADIUS_ARCSEC, neighbours_question

FEW, MANY, SOME, STARS = 10, 10_000, 2000, 200
INDICES = 100_000  # of random_index, in which words of flags are counted: the tables of all sources are long
CELL_SHARE = 0.01  # of ids that may name another cell than the position does: ids are older than positions
# Words that labels are made of, by our column; the last ones are no class of a preset.
CLASS_WORDS = {
    "class_name": ("RR", "CEP", "ECL", "LPV", "DSCT|GDOR|SXPHE"),
    "rr_class": ("RRab", "RRc", "RRd"),
    "cep_class": ("DCEP", "T2CEP"),
    "phot_variable_flag": ("VARIABLE", "CONSTANT", "NOT_AVAILABLE"),
}
COUNTED = {"eb": "eb_source_id", "lpv": "lpv_source_id"}
PARAMETERS = {
    "teff_k": "teff_gspphot", "radius_rsun": "radius_gspphot", "logg_dex": "logg_gspphot", "mh_dex": "mh_gspphot",
    "feh_dex": "mh_gspspec",
}  # fmt: skip
REACH_PS1_ARCSEC = 1.5


def ask_few(found: Findings) -> Iterator[Line]:
    """The wide question about a few sources, as a run asks it."""
    question = wide_question(found.release, f"g.random_index BETWEEN 0 AND {FEW - 1}")
    rows = read_wide(found.ask.put(question), found.release)
    n = len(pc.unique(rows["source_id"]))
    if not n:
        yield Line(Status.MISSING, f"no source has a random_index below {FEW}", "", True)
        return
    yield Line(Status.OK, f"{n} sources in {rows.num_rows} rows, {found.ask.seconds:.1f} s")


def ask_many(found: Findings) -> Iterator[Line]:
    """The same about many: its time, rows a source, and the share with epoch photometry."""
    if found.ask.is_sync:
        yield Line(Status.SKIPPED, f"{MANY:,} sources are too many for an answer without the queue")
        return
    question = wide_question(found.release, f"g.random_index BETWEEN 0 AND {MANY - 1}")
    rows = read_wide(found.ask.put(question), found.release)
    every = one_per_source(rows)
    has = pc.fill_null(every["has_epoch_photometry"], False).to_numpy()
    seconds = found.ask.seconds
    yield Line(
        Status.OK,
        f"{every.num_rows:,} sources in {rows.num_rows:,} rows, {np.mean(has):.1%} with epoch photometry; "
        f"{seconds:.0f} s, so {1e5 / max(every.num_rows, 1) * seconds:,.0f} s for 100,000",
    )


def count_words(found: Findings) -> Iterator[Line]:
    """The words of classes, and how many sources have each."""
    for name, wanted in CLASS_WORDS.items():
        path = found.release.asked_columns.get(name)
        if path is None:
            yield Line(Status.SKIPPED, f"{name} is not asked for")
            continue
        alias, column = path
        among = f" WHERE random_index < {INDICES}" if alias == "g" else ""
        counts = word_counts(
            found.ask.rows(
                f"SELECT {column} AS word, COUNT(*) AS n FROM {found.release.tables[alias]}{among} GROUP BY {column}"
            )
        )
        yield from compare_words(found, name, wanted, {word: n for word, n in counts.items() if n})


def compare_words(found: Findings, name: str, wanted: tuple[str, ...], counts: dict[str, int]) -> Iterator[Line]:
    """The words that a column has (with counts) beside those that labels are made of; spellings may differ."""
    seen = f"{name}: " + (", ".join(f"{word} {n:,}" for word, n in counts.items()) or "no word")
    known = {**{word: word for word in counts}, **found.release.words.get(name, {})}
    lost = [word for word in wanted if word not in {known[each] for each in counts}]
    spelled = {_plain(word): word for word in counts if known[word] not in wanted}
    other = {spelled[_plain(word)]: word for word in lost if _plain(word) in spelled}
    if other and found.change(("words", name), other, f"{', '.join(other)} is how the archive spells it"):
        yield Line(Status.DIFFERENT, seen, f"words.{name}")
    rest = [word for word in lost if word not in other.values()]
    if rest and name != "phot_variable_flag":
        yield Line(Status.MISSING, f"{seen}: nothing is {', '.join(rest)}", f"words.{name}")
    elif not other:
        yield Line(Status.OK, seen)


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())


def count_tables(found: Findings) -> Iterator[Line]:
    """How many sources the tables have whose classes are not counted above."""
    counts = []
    for alias in COUNTED:
        if table := found.release.tables.get(alias):
            n = found.ask.rows(f"SELECT COUNT(*) AS n FROM {table}")["n"][0].as_py()
            counts.append(f"{table} {n:,}")
    yield Line(Status.OK if counts else Status.SKIPPED, ", ".join(counts) or "no table to count")


def look_at_sources(found: Findings) -> Iterator[Line]:
    """Ids against positions, the epoch of positions, and parameters, of some sources."""
    rows = read_wide(
        found.ask.put(wide_question(found.release, f"g.random_index BETWEEN 0 AND {SOME - 1}")), found.release
    )
    rows = one_per_source(rows)
    if not rows.num_rows:
        yield Line(Status.UNKNOWN, "no source to look at")
        return
    yield from _look_at_ids(found, rows)
    epochs = pc.unique(rows["ref_epoch"]).to_pylist()
    is_expected = epochs == [found.release.ref_epoch]
    advice = "" if is_expected else "motions are reckoned by the column: nothing to set"
    yield Line(Status.OK if is_expected else Status.DIFFERENT, f"ref_epoch {', '.join(map(str, epochs))}", advice)
    yield from _look_at_parameters(found, rows)


def _look_at_ids(found: Findings, rows: pa.Table) -> Iterator[Line]:
    ids = rows["source_id"].to_numpy()
    seen = f"ids from {ids.min()} to {ids.max()}, {np.count_nonzero(ids > 12 * 4**12 * 2**35 - 1)} beyond HEALPix"
    if "healpix29" not in found.release.asked_columns:
        yield Line(Status.UNKNOWN, f"{seen}; there is no healpix29 to compare with")
        return
    cell = rows["healpix29"].fill_null(-1).to_numpy()
    share = float(np.mean(cell >> 34 != ids >> 35))
    seen = f"{seen}; {share:.1%} name another cell than their position does"
    if share <= CELL_SHARE or found.release.healpix == "healpix29":
        yield Line(Status.OK, seen)
        return
    found.change(("healpix",), "healpix29", f"{share:.1%} of the ids name another cell than the position")
    yield Line(Status.DIFFERENT, seen, 'healpix = "healpix29"')


def _look_at_parameters(found: Findings, rows: pa.Table) -> Iterator[Line]:
    parts, n_bad = [], 0
    for quantity, name in PARAMETERS.items():
        value = floats(rows[name])
        is_bad = QUANTITIES[quantity].is_outside(value)
        n_bad += int(np.count_nonzero(is_bad))
        parts.append(f"{name} {np.mean(np.isfinite(value)):.1%}")
    share = n_bad / max(rows.num_rows, 1)
    status = Status.OK if share < 0.05 else Status.DIFFERENT
    yield Line(status, f"with {', '.join(parts)}; {n_bad} values out of range, which a run refuses")


def follow_links(found: Findings) -> Iterator[Line]:
    """From RR Lyrae stars, or any where there is no such table, to earlier releases."""
    driver = "rr" if "rr" in found.release.tables else "g"
    condition = f"{driver}.source_id > 0" if driver == "rr" else f"g.random_index BETWEEN 0 AND {STARS - 1}"
    text = wide_query(found.release, condition, driver).replace("SELECT ", f"SELECT TOP {2 * STARS} ", 1)
    rows = read_wide(found.ask.put(adql_question(text, "gaia_tap")), found.release)
    found.rows = one_per_source(rows)
    n, chain = max(found.rows.num_rows, 1), found.release.chain
    parts = [f"{found.rows.num_rows} sources in {rows.num_rows} rows"]
    for step in chain:
        column = (
            keep_same_stars(rows)[0][step.name] if step.name not in found.rows.column_names else found.rows[step.name]
        )
        parts.append(f"{step.name} for {(len(column) - column.null_count) / n:.0%}")
    if chain and chain[0].name in found.rows.column_names:
        same = pc.sum(pc.equal(found.rows["source_id"], found.rows[chain[0].name])).as_py() or 0
        parts.append(f"{same / n:.0%} with the same number")
    probable = f"{chain[0].leads_to}_is_probable" if chain and chain[0].probable else ""
    if probable in rows.column_names:
        parts.append(f"{rows[probable].null_count / max(rows.num_rows, 1):.0%} of probable_match null")
    last = found.rows[chain[-1].name] if chain else pa.chunked_array([[None]])
    is_lost = len(last) - last.null_count < 0.5 * n
    yield Line(Status.MISSING if is_lost else Status.OK, "; ".join(parts), "chain" if is_lost else "")


def look_at_matches(found: Findings) -> Iterator[Line]:
    """Gaia's own match with Pan-STARRS1: ids as MAST knows them, at separations that can be."""
    if found.rows is None or "ps1_objid" not in found.release.asked_columns:
        yield Line(Status.SKIPPED, "no match with Pan-STARRS1 is asked for")
        return
    ids = found.rows["ps1_objid"].drop_null().to_pylist()
    if not ids:
        yield Line(
            Status.MISSING, "none of the stars has a match: all are matched by position", 'columns.ps1_objid = ""'
        )
        return
    far = pc.max(found.rows["ps1_sep_arcsec"]).as_py()
    is_right = all(17 <= len(str(one)) <= 18 for one in ids) and (far is None or far < REACH_PS1_ARCSEC)
    try:
        known = found.ask.rows(
            f"SELECT TOP 1 objID FROM dbo.MeanObjectView WHERE objID = {literal(ids[0])}", "mast_ps1"
        )
        told = f"MAST knows {ids[0]}" if known.num_rows else f"MAST does not know {ids[0]}"
    except ArchiveError as error:
        told = str(error)
    status = Status.OK if is_right else Status.DIFFERENT
    yield Line(status, f"{len(ids)} matches, the farthest at {far or np.nan:.2f} arcsec; {told}")


def ask_neighbours(found: Findings) -> Iterator[Line]:
    """Sources near some stars, as a run asks for them."""
    if found.rows is None or not found.rows.num_rows:
        yield Line(Status.SKIPPED, "no stars to look around")
        return
    question = neighbours_question(found.release, RADIUS_ARCSEC)
    near = question.read(found.ask.put(question, found.rows.select(["source_id"]).slice(0, FEW)))
    yield Line(Status.OK, f"{near.num_rows} neighbours of {FEW} stars, {found.ask.seconds:.1f} s")
