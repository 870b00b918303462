"""The one wide question about sources: what is asked of which Gaia table, and one row per source of the answer.

All tables are joined in one query, so that a sample costs one request per range of ids (or per 1,000 ids), not one per
table. `dr2_neighbourhood` is the only table with several rows per source; `one_per_source` chooses among them.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.archives.csv import read_csv
from tasks.archives.question import Question
from tasks.surveys.data_files import read_rows, read_types
from tasks.surveys.gaia_releases import GaiaRelease

# Largest |G(DR3) - G(DR2)| of one star. The two releases differ by a few hundredths of a magnitude in calibration, and
# the mean of a large-amplitude variable moves by tenths between 22 and 34 months of data (Miras most). A neighbour
# within dr2_neighbourhood's reach that is not the star is, as a rule, one or more magnitudes off; the table itself says
# nothing about which of its rows is the same star.
SAME_STAR_MAG = 0.5

# A row for each column of the answer: its name, the alias of its table in GaiaRelease.tables ("g": the sources
# themselves), what that table calls it, and its type.
_FILE = "gaia_columns.csv"
_TYPES = read_types(_FILE)
SOURCE_COLUMNS = {row["name"]: _TYPES[row["name"]] for row in read_rows(_FILE) if row["alias"] == "g"}
JOINED_COLUMNS = {
    row["name"]: (row["alias"], row["column"], _TYPES[row["name"]]) for row in read_rows(_FILE) if row["alias"] != "g"
}
COLUMNS = {**_TYPES, "dr2_source_id": pa.int64()}
# Order of the rows of a source, the chosen one first. Nulls come last: a row without a score, or without a DR2 id of
# the same star, is chosen last.
PREFERENCE = [
    ("source_id", "ascending"),
    ("class_score", "descending"),
    ("class_name", "ascending"),
    ("dr2_distance_mas", "ascending"),
    ("dr2_source_id", "ascending"),
]
JOIN_ORDER = ("vc", "rr", "cep", "eb", "lpv", "ap", "ps", "dr")


def wide_question(release: GaiaRelease, condition: str, driver: str = "g", key: str | None = None) -> Question:
    """The question for every column above of the sources that meet `condition`, ADQL about the aliases of `release`.

    `driver` is the table that the server should go through (its rows must be in the answer); `key` is "source_id"
    where the condition holds ``{items}``, None where it holds ``{lo}`` and ``{hi}``: those are asked one at a time.
    """
    return Question(
        service="gaia_tap",
        text=wide_query(release, condition, driver),
        release=release.name,
        read=partial(read_csv, schema=COLUMNS, what="Gaia's answer about sources"),
        key=key,
        chunk=1 if key is None else 1000,
        expects_all=key is not None,
    )


def wide_query(release: GaiaRelease, condition: str, driver: str = "g") -> str:
    """ADQL of the wide question."""
    chosen = [f"g.{name}" for name in SOURCE_COLUMNS]
    chosen += [f"{alias}.{column} AS {name}" for name, (alias, column, _) in JOINED_COLUMNS.items()]
    chosen += [f"dr.{release.earlier_id} AS dr2_source_id"]
    lines = [f"SELECT {', '.join(chosen)}", f"FROM {release.tables[driver]} AS {driver}"]
    if driver != "g":
        lines += [f"JOIN {release.tables['g']} AS g ON g.source_id = {driver}.source_id"]
    for alias in JOIN_ORDER:
        if alias != driver:
            own = release.own_id if alias == "dr" else "source_id"
            lines += [f"LEFT JOIN {release.tables[alias]} AS {alias} ON {alias}.{own} = g.source_id"]
    return "\n".join([*lines, f"WHERE {condition}"])


def one_per_source(rows: pa.Table) -> pa.Table:
    """The wide rows (R,) with one row per source, ascending by source_id.

    Of several classifications the one with the highest score. Of several DR2 neighbours the nearest whose magnitude
    differs by at most SAME_STAR_MAG; where there is none, or the difference is not known, dr2_source_id is null.
    """
    is_same = pc.fill_null(pc.less_equal(pc.abs(rows["dr2_delta_mag"]), SAME_STAR_MAG), False)
    kept = {name: pc.if_else(is_same, rows[name], None) for name in ("dr2_source_id", "dr2_distance_mas")}
    rows = rows.drop_columns(list(kept)).append_column("dr2_source_id", kept["dr2_source_id"])
    keys = {
        "source_id": rows["source_id"],
        "class_score": rows["class_score"],
        "class_name": rows["class_name"],
        **kept,
    }
    rows = rows.take(pc.sort_indices(pa.table(keys), sort_keys=PREFERENCE))
    return rows.filter(pa.array(first_of_each(rows["source_id"].to_numpy())))


def first_of_each(key: NDArray[np.int64]) -> NDArray[np.bool_]:
    """True at the first of each run of equal values of the sorted `key` (N,)."""
    first = np.ones(key.size, bool)
    first[1:] = np.diff(key) != 0
    return first
