"""Gaia's tables of a small sky, whole, and questions about them: asked of the replica, and answered in plain NumPy.

What an answer's column is made of is written down here again, by table, and not taken from the code that asks.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.archives.adql import render
from tasks.archives.question import Question
from tasks.replica.holdings import Holdings, build
from tasks.replica.query import Asked, answer
from tasks.replica.tap import SITES

N, SEED = 700, 3
ADQL_SITES = {site.service: site for site in SITES}
GSPPHOT = [f"{name}_gspphot{end}" for name in ("teff", "logg", "mh", "radius") for end in ("", "_lower", "_upper")]
OF_SOURCE = (
    "source_id", "ra", "dec", "ref_epoch", "parallax", "parallax_error", "pmra", "pmra_error", "pmdec", "pmdec_error",
    "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "ruwe", "has_epoch_photometry", "phot_variable_flag",
)  # fmt: skip


def _prefixed(prefix: str, names: str) -> dict[str, str]:
    return {f"{prefix}_{name}": name for name in names.split()}


# Table: column of the wide answer -> column of the table.
WIDE = {
    "gaia_source": {name: name for name in OF_SOURCE},
    "vari_classifier_result": {"class_name": "best_class_name", "class_score": "best_class_score"},
    "vari_rrlyrae": {"rr_class": "best_classification"} | _prefixed(
        "rr", "pf pf_error p1_o p1_o_error peak_to_peak_g peak_to_peak_g_error metallicity metallicity_error"),
    "vari_cepheid": {"cep_class": "type_best_classification", "cep_mode": "mode_best_classification"} | _prefixed(
        "cep", "pf pf_error p1_o p1_o_error peak_to_peak_g peak_to_peak_g_error"),
    "vari_eclipsing_binary": _prefixed("eb", "source_id frequency frequency_error"),
    "vari_long_period_variable": _prefixed("lpv", "source_id frequency frequency_error"),
    "astrophysical_parameters": {name: name for name in
                                 (*GSPPHOT, "mh_gspspec", "mh_gspspec_lower", "mh_gspspec_upper")},
    "panstarrs1_best_neighbour": {"ps1_objid": "original_ext_source_id", "ps1_sep_arcsec": "angular_distance",
                                  "ps1_n_neighbour": "number_of_neighbours", "ps1_n_mate": "number_of_mates"},
    "dr2_neighbourhood": {"dr2_source_id": "dr2_source_id", "dr2_distance_mas": "angular_distance",
                          "dr2_delta_mag": "magnitude_difference"},
}  # fmt: skip
LINK = {"dr2_neighbourhood": "dr3_source_id"}  # where it is not source_id


class PlainGaia:
    """The holdings below `folder`, whose Gaia tables are read whole, and asked as the project asks them."""

    def __init__(self, folder: Path) -> None:
        self.holdings = Holdings(build(folder, N, SEED))
        self.connection = self.holdings.connect()
        self._whole: dict[str, pa.Table] = {}

    def asked(self, question: Question, items: pa.Table, uploads: dict[str, bytes] | None = None) -> pa.Table:
        """The answer to one request: rendered, translated, run and written by the replica, read by the survey."""
        site = ADQL_SITES[question.service]
        text = render(question.text, items, question.key, question.parameters)
        tables = self.holdings.tables(site.holdings)
        document, _, _ = answer(site, tables, self.connection, Asked(text, "csv"), uploads or {})
        return question.read(document.body)

    def asked_each(self, question: Question, items: pa.Table) -> pa.Table:
        """The answers to a request for each item."""
        return pa.concat_tables([self.asked(question, items.slice(k, 1)) for k in range(items.num_rows)])

    def whole(self, name: str) -> pa.Table:
        """A table of the schema gaiadr3, all rows and columns."""
        if name not in self._whole:
            relation = self.holdings.tables("gaia")[f"gaiadr3.{name}"].relation
            with self.connection.cursor() as cursor:
                table = cursor.execute(f"SELECT * FROM {relation}").to_arrow_table()
            self._whole[name] = table.combine_chunks()
        return self._whole[name]

    def column(self, name: str, table: str = "gaia_source") -> NDArray:
        """A column without nulls."""
        assert self.whole(table)[name].null_count == 0
        return self.whole(table)[name].to_numpy()

    @cached_property
    def everything(self) -> pa.Table:
        """Every row that the wide question can answer: gaia_source, with all that has its source_id in the others."""
        places = {"gaia_source": np.arange(self.whole("gaia_source").num_rows)}
        for name in WIDE:
            if name != "gaia_source":
                ids = self.column("source_id")[places["gaia_source"]]
                left, right = joined(ids, self.column(LINK.get(name, "source_id"), name))
                places = {other: place[left] for other, place in places.items()} | {name: right}
        columns = {}
        for name, place in places.items():
            index = pa.array(place, mask=place < 0)
            columns |= {mine: self.whole(name)[its].take(index) for mine, its in WIDE[name].items()}
        return pa.table(columns)

    @cached_property
    def of_row(self) -> NDArray[np.int64]:
        """The row of gaia_source that each row of `everything` is about."""
        ids = self.column("source_id")
        order = np.argsort(ids)
        return order[np.searchsorted(ids[order], self.everything["source_id"].to_numpy())]

    def of_sources(self, is_wanted: NDArray[np.bool_]) -> pa.Table:
        """The rows of `everything` about the wanted rows of gaia_source."""
        return self.everything.filter(pa.array(is_wanted[self.of_row]))

    def within(self, ra: float, dec: float, radius_deg: float) -> NDArray[np.bool_]:
        """Rows of gaia_source that lie in the cone."""
        place = units(self.column("ra"), self.column("dec"))
        return np.linalg.norm(place - units(ra, dec), axis=1) <= chord(radius_deg)


def joined(left: NDArray[np.int64], right: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places (left, right) of a LEFT JOIN on equal values, the right one -1 where there is none."""
    order = np.argsort(right, kind="stable")
    first, last = (np.searchsorted(right[order], left, side=side) for side in ("left", "right"))
    count = np.maximum(last - first, 1)
    of_left = np.repeat(np.arange(left.size), count)
    rank = np.arange(of_left.size) - np.repeat(np.cumsum(count) - count, count)
    of_right = np.append(order, -1)[np.where(last[of_left] > first[of_left], first[of_left] + rank, right.size)]
    return of_left, of_right


def units(ra: NDArray | float, dec: NDArray | float) -> NDArray[np.float64]:
    """Unit vectors of directions in degrees, (..., 3)."""
    ra, dec = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def chord(angle_deg: float) -> float:
    """Distance of two unit vectors at an angle."""
    return 2 * np.sin(np.radians(angle_deg) / 2)


def assert_same(got: pa.Table, expected: pa.Table, *order: str) -> None:
    """Equal columns, rows and values, nulls and repetitions included, whatever the order of the rows.

    Values are compared in the narrower type: single precision comes in the digits that give it back. A column that the
    release lacks is null in every row.
    """
    lacking = [name for name in got.column_names if name not in expected.column_names]
    assert all(got[name].null_count == got.num_rows for name in lacking)
    got = got.drop_columns(lacking)
    assert set(got.column_names) == set(expected.column_names)
    assert got.num_rows == expected.num_rows
    keys = [(name, "ascending") for name in order]
    got, expected = got.sort_by(keys), expected.sort_by(keys)
    for name in got.column_names:
        mine, its = got[name].combine_chunks(), expected[name].combine_chunks()
        kind = mine.type if mine.type != pa.float64() else its.type
        assert mine.cast(kind).equals(its.cast(kind)), name
