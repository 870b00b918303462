"""What nobody knows of DR4 before the day: each way in which the release may differ is a switch of the replica."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from schemas import BadInput

BANDS = ("g", "bp", "rp")
SENSES = ("reject", "use", "bits")


@dataclass(frozen=True)
class FlagColumn:
    """A flag of epochs: its column's name, its band ("all": of the whole transit), and what it says of a rejected one:
    "reject" true, "use" false, "bits" a short with bit 15 set (a negative number)."""

    name: str
    band: str
    sense: str

    def __post_init__(self) -> None:
        if self.band not in (*BANDS, "all") or self.sense not in SENSES:
            raise BadInput(
                f"a flag is [name, band, sense]: bands are {', '.join(BANDS)}, all; senses are {', '.join(SENSES)}, "
                f"not {self.band} and {self.sense}"
            )


@dataclass(frozen=True)
class Switches:
    """How the replica serves DR4.

    `is_released`: the schema is there, and DataLink knows the release. `has_products`: DataLink has its products (the
    switch "partial" is False). `renamed`: other names of tables ("ap_xp") and columns ("vari_rrlyrae.pf").
    `array_columns`: columns ("vari_long_period_variable.frequency") whose cells are arrays. `structures`: words of
    DATA_STRUCTURE, the one for all sources in one file first. `time_unit` of the epochs: "day" or "ns".
    `flags` of the epochs, `vari_flags` those of EPOCH_FLAGS_VARI (none: no such product). `with_ccd`: answers about
    epoch photometry have files of its single CCDs besides.
    """

    is_released: bool = True
    has_products: bool = True
    renamed: tuple[tuple[str, str], ...] = ()
    array_columns: tuple[str, ...] = ()
    structures: tuple[str, ...] = ("DATAMODEL_GAIA", "DATAMODEL_STANDARD")
    time_unit: str = "day"
    flags: tuple[FlagColumn, ...] = (
        FlagColumn("g_rejected", "g", "reject"),
        FlagColumn("bp_rejected", "bp", "reject"),
        FlagColumn("rp_rejected", "rp", "reject"),
        FlagColumn("photometry_flags", "all", "bits"),
    )
    vari_flags: tuple[FlagColumn, ...] = tuple(FlagColumn(f"{band}_used", band, "use") for band in BANDS)
    with_ccd: bool = False

    def __post_init__(self) -> None:
        if self.time_unit not in ("day", "ns"):
            raise BadInput(f'times of DR4 are in "day" or "ns", not "{self.time_unit}"')
        if len(self.structures) != 2:
            raise BadInput(f"DR4 has two structures, not {len(self.structures)}")

    def change(self, values: Mapping[str, Any]) -> Switches:
        """The switches with others set, from a JSON object; BadInput for an unknown one."""
        known = {field.name for field in fields(self)}
        if unknown := set(values) - known:
            raise BadInput(f"no switches {sorted(unknown)} of DR4, known are {sorted(known)}")
        return replace(self, **{name: _read(name, value) for name, value in values.items()})

    def name_of(self, table: str, column: str = "") -> str:
        """The name that a table, or a column of it, goes by."""
        return dict(self.renamed).get(f"{table}.{column}" if column else table, column or table)


def _read(name: str, value: Any) -> Any:
    if name in ("flags", "vari_flags"):
        return tuple(FlagColumn(**one) if isinstance(one, Mapping) else FlagColumn(*one) for one in value)
    if name == "renamed":
        return tuple(dict(value).items())
    return tuple(value) if isinstance(value, list) else value


def datatype_of(flag: FlagColumn) -> str:
    """The datatype of a flag's column."""
    return "short" if flag.sense == "bits" else "boolean"
