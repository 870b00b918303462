"""Which columns of a file of epochs hold what, and how they are called in a statement."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from schemas.dataset import DatasetSpec
from schemas.errors import Guard, Problems
from schemas.values import find_mask, identity, is_limit, is_list, is_text, truth, unmask, value_type, word
from tasks.folder.columns import check_schema, name_place, name_table, require_id, require_number

NUMBERS = {"time": "DOUBLE", "mag": "FLOAT", "mag_err": "FLOAT", "flags": "DOUBLE"}  # SQL type of each


@dataclass(frozen=True)
class Layout:
    """Columns of a file of epochs by role with their types, their masks, and all columns of the file.

    `lists` are the columns that hold a list per row (the nested form). `zero_mag` is the magnitude of flux 1 where the
    role mag is a flux, and `good_flags` the words of good epochs, None for numbers of which 0 is good;
    `has_ratio` where the role mag_err is a flux over its error.
    """

    columns: dict[str, str]
    kinds: dict[str, pa.DataType]
    masks: dict[str, str]
    lists: frozenset[str]
    names: tuple[str, ...]
    zero_mag: float | None = None
    good_flags: tuple[str, ...] | None = None
    has_ratio: bool = False

    def sql(self, role: str) -> str:
        """The column with a role in a statement."""
        return name_place(self.columns[role], self.names)

    @property
    def id(self) -> str:
        """The object's id in a statement."""
        mask = self.masks.get("id")
        return identity(unmask(self.sql("id"), mask and name_place(mask, self.names)), self.kinds["id"])

    @property
    def words(self) -> dict[str, str]:
        """What a statement makes of the cells of id and band: text, as the mapping names them."""
        band = {"band": word("band", self.kinds["band"])} if "band" in self.kinds else {}
        return {"id": identity("id", self.kinds["id"]), **band}

    @property
    def keys(self) -> tuple[str, ...]:
        """The roles that say what an epoch is of: id, and band where a column names it."""
        return tuple(self.words)

    @property
    def limit(self) -> str | None:
        """Whether the brightness of a cell is a limit, in a statement; None where nothing can say so."""
        said = [is_limit("mag", self.kinds["mag"])] if is_text(value_type(self.kinds["mag"])) else []
        said += [truth("upper_limit", self.kinds["upper_limit"])] if "upper_limit" in self.kinds else []
        return " OR ".join(f"coalesce({each}, false)" for each in said) or None

    @property
    def has_aside(self) -> bool:
        """Whether rows may hold a brightness that is no measurement: limits, and fluxes that are not positive."""
        return self.zero_mag is not None or self.limit is not None

    @property
    def table(self) -> str:
        """What a statement selects from; its parameter is the path of the file."""
        return name_table(self.names)


def layout(file: Path, spec: DatasetSpec, guard: Guard = nullcontext) -> Layout:
    """The layout of `file`; raises BadInput for columns that are missing or, each inside `guard`, of a wrong type."""
    said = spec.lightcurves
    given = {"id": said.id, "time": said.time, "mag": said.value, "mag_err": said.error, "band": said.band,
             "flags": said.flags, "upper_limit": said.upper_limit}  # fmt: skip
    columns = {role: name for role, name in given.items() if name is not None}
    key = {"mag": "flux", "mag_err": "flux_err"} if said.flux else {"mag_err": "snr"} if said.snr else {}
    schema = check_schema(file, {f"lightcurves.{key.get(role, role)}": name for role, name in columns.items()}, guard)
    kinds = {role: schema.field(name).type for role, name in columns.items()}
    wrong = Problems()
    with wrong.collect():
        require_id(kinds["id"], f"{file}: column {columns['id']!r}")
    for role in (role for role in NUMBERS if role in kinds):
        is_word = said.good_flags is not None or pa.types.is_boolean(value_type(kinds[role]))
        if not (role == "flags" and is_word):
            with wrong.collect():
                require_number(kinds[role], f"{file}: column {columns[role]!r}")
    wrong.raise_each(guard)
    masks = {role: mask for role, name in columns.items() if (mask := find_mask(name, schema))}
    lists = frozenset(name for name in (*columns.values(), *masks.values()) if is_list(schema.field(name).type))
    return Layout(columns, kinds, masks, lists, tuple(schema.names), said.zero_mag, said.good_flags, bool(said.snr))
