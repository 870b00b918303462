"""The tables of schema gaiadr4: their columns by the draft, and which rows of DR3's they are made of.

Columns of gaia_source, all_source_*, dr3_neighbourhood and those that are used of ap_xp and ap_rvs are the draft's
(columns/dr4_*.csv). Of the variability tables the draft gives no columns: they have DR3's here, and one column of
arrays where it says that a table has grown. There is no gaia_source_lite and no astrophysical_parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from tasks.replica.served import ServedColumn, ServedTable, read_columns
from tasks.replica.switches import Switches

SCHEMA = "gaiadr4"
GREATEST_SHARE = 0.99  # of sources that all_source_photometry has a row of: the draft says that it lacks some
ZERO_POINT_MAG = 0.005  # magnitudes of DR4 less those of DR3, for the same flux: its zero points are not known
PARALLAX_ZERO_MAS = -0.03

_MAGNITUDES = {f"phot_{band}_mean_mag": f"o.phot_{band}_mean_mag + {ZERO_POINT_MAG}" for band in ("g", "bp", "rp")}
_CLASS = {"phot_variable_score": "v.best_class_score", "phot_variable_best_class": "v.best_class_name"}
_CLASSIFIED = "LEFT JOIN gaia_vari_classifier_result AS v ON v.source_id = m.dr3_source_id"
_RANK = "row_number() OVER (ORDER BY o.random_index) - 1"
_BIAS = f"CASE WHEN o.parallax IS NULL THEN NULL ELSE {PARALLAX_ZERO_MAS} END"
_PARAMS = {"tentative_parallax_bias": _BIAS, "astrometric_params": "o.astrometric_params_solved", "blended": "0"}


@dataclass(frozen=True)
class Made:
    """A table and its making: `given` columns by SQL over `o` (the row of DR3 in `relation`), `m` (the source in DR4),
    `s` (statistics of its epochs) and what `joined` names; any other column is that of the same name of m, o or s, and
    null where none has it. `where` chooses rows."""

    table: ServedTable
    relation: str
    given: Mapping[str, str] = field(default_factory=dict)
    joined: str = ""
    where: str = ""

    @property
    def file(self) -> str:
        """The stem of its file."""
        return self.table.relation


def _of_draft(name: str, doc: str) -> ServedTable:
    return ServedTable(f"{SCHEMA}.{name}", f"dr4_{name}", doc, read_columns(f"dr4_{name}"))


def _as_before(name: str, doc: str, *more: ServedColumn) -> ServedTable:
    return ServedTable(f"{SCHEMA}.{name}", f"dr4_{name}", doc, (*read_columns(f"gaia_{name}"), *more))


_PROBABILITIES = ServedColumn("class_probabilities", "char", None, "stat.probability", "Of the classes.", "float")
_FREQUENCIES = ServedColumn("frequencies", "char", "d**-1", "src.var;em.freq", "All that were found.", "double")

NEIGHBOURHOOD = _of_draft("dr3_neighbourhood", "Sources of Gaia DR3 near those of DR4.")
MADE: tuple[Made, ...] = (
    Made(
        _of_draft("gaia_source", "Gaia DR4: the good sources and their parameters."),
        "gaia_source",
        {"random_index": _RANK, "teff": "o.teff_gspphot", "logg": "o.logg_gspphot", "mh": "o.mh_gspphot"}
        | {"ag": "o.ag_gspphot", "ebpminrp": "o.ebpminrp_gspphot", "phot_proc_flag": "0"}
        | {"unreliable_astrometry": "false", "unreliable_g_photometry": "false"}
        | _MAGNITUDES
        | _CLASS
        | _PARAMS,
        _CLASSIFIED,
        "m.in_gaia_source",
    ),
    Made(
        _of_draft("all_source_flags", "What there is of every source."),
        "gaia_source",
        {"random_index_as": _RANK, "has_rvs": "0", "has_xp": "o.has_xp_continuous", "in_ap_xp": "o.has_mcmc_gspphot"}
        | _CLASS,
        _CLASSIFIED,
    ),
    Made(
        _of_draft("all_source_astrometry", "Astrometry of every source."),
        "gaia_source",
        {"random_index_as": _RANK, "quality_flag": "0", "spurious_class": "0", "unreliable_astrometry": "false"}
        | {"raw_g_mean_mag": "o.phot_g_mean_mag", "source_ids_sharing_transits": "'(' || m.source_id || ')'"}
        | _PARAMS,
    ),
    Made(
        _of_draft("all_source_photometry", "Photometry of every source, and statistics of its epochs."),
        "gaia_source",
        {"random_index_as": _RANK, "raw_g_mean_mag": "o.phot_g_mean_mag", "phot_proc_flag": "0"}
        | {f"unreliable_{band}": "false" for band in ("g", "bp", "rp")}
        | _MAGNITUDES,
        "LEFT JOIN statistics AS s ON s.source_id = m.source_id",
        f"m.chance < {GREATEST_SHARE}",
    ),
    Made(
        _as_before("vari_classifier_result", "Best class of each source found variable.", _PROBABILITIES),
        "gaia_vari_classifier_result",
        {"class_probabilities": "'(' || o.best_class_score || ', ' || (1 - o.best_class_score) || ')'"},
    ),
    Made(_as_before("vari_summary", "Statistics of the time series of published variables."), "gaia_vari_summary"),
    Made(_as_before("vari_rrlyrae", "RR Lyrae stars."), "gaia_vari_rrlyrae"),
    Made(_as_before("vari_cepheid", "Cepheids."), "gaia_vari_cepheid"),
    Made(_as_before("vari_eclipsing_binary", "Eclipsing binaries."), "gaia_vari_eclipsing_binary"),
    Made(
        _as_before("vari_long_period_variable", "Long-period variable candidates.", _FREQUENCIES),
        "gaia_vari_long_period_variable",
        {"frequencies": "'(' || o.frequency || ')'"},
    ),
    Made(
        _of_draft("ap_xp", "Parameters from BP/RP spectra: GSP-Phot and FLAME (some of its columns)."),
        "gaia_astrophysical_parameters",
        where="o.teff_gspphot IS NOT NULL OR o.radius_gspphot IS NOT NULL",
    ),
    Made(
        _of_draft("ap_rvs", "Parameters from RVS spectra: GSP-Spec (some of its columns)."),
        "gaia_astrophysical_parameters",
        {f"mh_gspspec{part}_calib": f"o.mh_gspspec{part}" for part in ("", "_lower", "_upper")},
        where="o.mh_gspspec IS NOT NULL",
    ),
    Made(
        _as_before("panstarrs1_best_neighbour", "The best neighbour in Pan-STARRS1."),
        "gaia_panstarrs1_best_neighbour",
    ),
)
TABLES: tuple[ServedTable, ...] = (*(made.table for made in MADE), NEIGHBOURHOOD)


@lru_cache(maxsize=8)
def served(switches: Switches) -> Mapping[str, tuple[ServedTable, ServedTable]]:
    """Each table as it is held and as it is served, by the lower-case name that it goes by; none before the release."""
    if not switches.is_released:
        return {}
    pairs = ((table, _switched(table, switches)) for table in TABLES)
    return {shown.name.lower(): (held, shown) for held, shown in pairs}


def _switched(table: ServedTable, switches: Switches) -> ServedTable:
    name = table.name.rpartition(".")[2]
    columns = tuple(
        replace(
            column,
            name=switches.name_of(name, column.name),
            **_as_array(column) if f"{name}.{column.name}" in switches.array_columns else {},
        )
        for column in table.columns
    )
    return replace(table, name=f"{SCHEMA}.{switches.name_of(name)}", columns=columns)


def _as_array(column: ServedColumn) -> dict[str, str]:
    return {"datatype": "char", "element": column.element or column.datatype}


def view(held: ServedTable, shown: ServedTable, file: str) -> str:
    """SQL of the temporary view that serves `shown` from the `file` (quoted) of `held`."""
    columns = ", ".join(
        (f"'(' || \"{column.name}\" || ')'" if other.element and not column.element else f'"{column.name}"')
        + f' AS "{other.name}"'
        for column, other in zip(held.columns, shown.columns, strict=True)
    )
    return f"CREATE OR REPLACE TEMP VIEW {shown.relation} AS SELECT {columns} FROM read_parquet({file})"
