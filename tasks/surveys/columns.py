"""The one wide question about sources: what is asked of which Gaia table, and one row per source of the answer.

All tables are joined in one query, so that a sample costs one request per range of ids (or per 1,000 ids), not one per
table. The neighbourhoods of earlier releases are the tables with several rows per source; `one_per_source` chooses
among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas import BadInput
from tasks.archives.adql import literal
from tasks.archives.counts import read_count
from tasks.archives.csv import read_csv
from tasks.archives.question import Question
from tasks.surveys.chain import chain_columns, chain_types, keep_same_stars
from tasks.surveys.data_files import read_rows, read_types
from tasks.surveys.gaia_release import GaiaRelease

# A row for each column of the answer: its name, the alias of its table in GaiaRelease.tables ("g": the sources
# themselves), what that table calls it in DR3, and its type.
_FILE = "gaia_columns.csv"
_TYPES = read_types(_FILE)
SOURCE_COLUMNS = {row["name"]: _TYPES[row["name"]] for row in read_rows(_FILE) if row["alias"] == "g"}
JOINED_COLUMNS = {
    row["name"]: (row["alias"], row["column"], _TYPES[row["name"]]) for row in read_rows(_FILE) if row["alias"] != "g"
}


def list_columns(release: GaiaRelease) -> dict[str, pa.DataType]:
    """Name and type of every column of the wide rows."""
    return _TYPES | chain_types(release.chain)


@dataclass(frozen=True)
class Least:
    """The least statistics of the light curves of the sources asked for, None where they do not matter.

    `stetson` of the index in G, `score` from 0 to 1. A source without the statistic is not among them.
    """

    stetson: float | None = None
    score: float | None = None

    def bounds(self, release: GaiaRelease) -> dict[tuple[str, str], float]:
        """The least value of each column (alias, column); BadInput where the release has no such statistic."""
        wanted = {name: least for name, least in asdict(self).items() if least is not None}
        if lost := [name for name in wanted if name not in release.statistic_columns]:
            raise BadInput(
                f"Sample: {release.name} has no statistic {lost[0]!r} of light curves to narrow a sample by: leave out "
                "sample.min_stetson and sample.min_variable_score, or name its column in a release file."
            )
        return {release.statistic_columns[name]: least for name, least in wanted.items()}


ANY = Least()


def wide_question(
    release: GaiaRelease, condition: str, driver: str = "g", key: str | None = None, least: Least = ANY
) -> Question:
    """The question for every column above of the sources that meet `condition`, ADQL about the aliases of `release`.

    `driver` is the table that the server should go through (its rows must be in the answer); `key` is "source_id"
    where the condition holds ``{items}``, None where it holds ``{lo}`` and ``{hi}``: those are asked one at a time.
    """
    return Question(
        service="gaia_tap",
        text=wide_query(release, condition, driver, least),
        release=release.name,
        read=partial(read_wide, release=release),
        key=key,
        chunk=1 if key is None else 1000,
        expects_all=key is not None,
        is_sync=release.limits.tap_sync,
        hint=release.opens,
        within="source_id",
    )


def wide_query(release: GaiaRelease, condition: str, driver: str = "g", least: Least = ANY) -> str:
    """ADQL of the wide question."""
    asked, bounds = release.asked_columns, least.bounds(release)
    chosen = [
        f"{alias}.{column}" if (alias, column) == ("g", name) else f"{alias}.{column} AS {name}"
        for name, (alias, column) in asked.items()
    ]
    chosen += chain_columns(release.chain)
    lines = [f"SELECT {', '.join(chosen)}", f"FROM {release.tables[driver]} AS {driver}"]
    if driver != "g":
        lines += [f"JOIN {release.tables['g']} AS g ON g.source_id = {driver}.source_id"]
    used = {alias for alias, _ in (*asked.values(), *bounds)} - {"g", driver}
    for alias in (alias for alias in release.tables if alias in used):
        lines += [f"LEFT JOIN {release.tables[alias]} AS {alias} ON {alias}.source_id = g.source_id"]
    link = "g.source_id"
    for step in release.chain:
        lines += [f"LEFT JOIN {release.tables[step.alias]} AS {step.alias} ON {step.alias}.{step.own} = {link}"]
        link = f"{step.alias}.{step.earlier}"
    conditions = [condition, *(f"{alias}.{column} >= {literal(bound)}" for (alias, column), bound in bounds.items())]
    return "\n".join([*lines, f"WHERE {' AND '.join(conditions)}"])


def count_sources(question: Question) -> Question:
    """The question for the number of sources in the answers to a wide one, without the tables that only add columns."""
    _, *lines, condition = question.text.split("\n")
    needed = [line for line in lines if not line.startswith("LEFT JOIN") or f"{line.split()[4]}." in condition]
    text = "\n".join(["SELECT COUNT(*) AS n_row", *needed, condition])
    return replace(question, text=text, read=read_count, expects_all=False, within=None)


def read_wide(body: bytes, release: GaiaRelease) -> pa.Table:
    """The wide rows of an answer: a column that the release lacks is null, words of others are ours."""
    types, asked = list_columns(release), release.asked_columns
    held = {name: kind for name, kind in types.items() if name in asked or name not in _TYPES}
    rows = read_csv(body, held, "Gaia's answer about sources")
    columns = {name: rows[name] if name in held else pa.nulls(rows.num_rows, kind) for name, kind in types.items()}
    for name, words in release.words.items():
        columns[name] = translate(columns[name], words)
    if asked["has_epoch_photometry"][0] != "g":  # a source without a row of flags has none of them
        columns["has_epoch_photometry"] = pc.fill_null(columns["has_epoch_photometry"], False)
    return pa.table(columns)


def translate(words: pa.ChunkedArray, dictionary: Mapping[str, str]) -> pa.ChunkedArray:
    """The words, those of the dictionary replaced by what it says."""
    place = pc.index_in(words, value_set=pa.array(list(dictionary), pa.string()))
    return pc.coalesce(pa.array(list(dictionary.values()), pa.string()).take(place), words)


def one_per_source(rows: pa.Table) -> pa.Table:
    """The wide rows (R,) with one row per source, ascending by source_id.

    Of several classifications the one with the highest score. Of several neighbours in an earlier release the nearest
    that is the same star; where there is none the id there is null, and so is that of the release before it.
    """
    rows, links = keep_same_stars(rows)
    order = [("source_id", "ascending"), ("class_score", "descending"), ("class_name", "ascending")]
    order += [(name, "ascending") for name in links]  # nulls come last
    rows = rows.take(pc.sort_indices(rows, sort_keys=order))
    return rows.filter(pa.array(first_of_each(rows["source_id"].to_numpy())))


def first_of_each(key: NDArray[np.int64]) -> NDArray[np.bool_]:
    """True at the first of each run of equal values of the sorted `key` (N,)."""
    first = np.ones(key.size, bool)
    first[1:] = np.diff(key) != 0
    return first
