"""What the bulk paths share: a survey's route, and rows of catalogues in files as a service would have given them.

A survey whose option `route` is "bulk" takes its rows from whole catalogues instead of services. Those catalogues are
HATS, or plain Parquet with positions, at a path or at an http(s):// or s3:// URI. They are asked like every service
(`tasks.archives.hats` is the client): within limits, again where a fault passes, and what is read of them is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas import BadInput
from schemas.arrays import align_all, look_up
from tasks.archives.hats import ITEM, match_names
from tasks.archives.question import Question
from tasks.crossmatch.catalogue import RowEpochs
from tasks.crossmatch.propagate import julian_year
from tasks.surveys.objects import positions_at
from tasks.surveys.survey import Ask

ROUTES = ("service", "bulk")
BULK_FROM = 200_000  # sources; beyond, the services take days and files hours (docs/archives.md)
MARGIN_ARCSEC = 60.0  # rows of an object lie no farther from where it is said to be
PLACE, MOTION = ("source_id", "ra", "dec"), ("pmra", "pmdec", "parallax", "ref_epoch")
Columns = Mapping[str, pa.DataType]  # of an answer: our names and types


@dataclass(frozen=True)
class FileTable:
    """A catalogue in files: its URI, its release, and the columns wanted of it, by our names and types.

    The catalogue's columns are found by name whatever its case, and by `called` where ours is another
    ("lightcurve.mag" is a part of a nested one). `position` names those of the positions (ICRS deg, of the survey's
    epoch) in plain Parquet; HATS says so itself. With `row_epochs` each position is of its row's own epoch.
    """

    uri: str
    release: str
    columns: Columns
    position: tuple[str, str] = ("ra", "dec")
    called: Mapping[str, str] = field(default_factory=dict)
    row_epochs: RowEpochs | None = None

    def names(self, columns: Columns) -> list[str]:
        """What the catalogue calls some columns."""
        return [self.called.get(name, name) for name in columns]


def is_bulk(options: Mapping[str, Any]) -> bool:
    """Whether the survey with these options goes the bulk path; BadInput for a route that is none."""
    if options["route"] not in ROUTES:
        raise BadInput(f"A survey's route is one of {', '.join(ROUTES)}, not {options['route']!r}.")
    return options["route"] == "bulk"


def rows_near(ask: Ask, table: FileTable, places: pa.Table, radius_arcsec: float) -> pa.Table:
    """Every row of `table` within `radius_arcsec` of each of `places`: source_id (of the place), and its columns.

    `places` has source_id, ra, dec (deg) at the catalogue's epoch; where each row has its own, PLACE and MOTION of
    SOURCES: a place is then where the source was at the epoch of the row.
    """
    if not places.num_rows:
        return pa.schema([("source_id", pa.int64()), *table.columns.items()]).empty_table()
    return ask(near_question(table, radius_arcsec), places.select([*PLACE, *(MOTION if table.row_epochs else ())]))


def rows_of_ids(ask: Ask, table: FileTable, key: str, items: pa.Table) -> pa.Table:
    """Every row of `table` about one of `items`: its columns, of which `key` holds the ids.

    `items` has the ids (N,) in a column `key`, and ra, dec (deg) within MARGIN_ARCSEC of all their rows.
    """
    if not items.num_rows:
        return pa.schema(list(table.columns.items())).empty_table()
    return ask(ids_question(table, key), drop_repeats(items, key).select([key, "ra", "dec"]))


def near_question(table: FileTable, radius_arcsec: float) -> Question:
    """The question for the rows near places."""
    return Question(
        service="hats",
        text=table.uri,
        release=table.release,
        read=partial(read_rows, table=table, key="source_id"),
        parameters={
            "columns": ",".join(table.names(table.columns)),
            "position": ",".join(table.position),
            "radius_arcsec": repr(radius_arcsec),
            **{name: str(value) for name, value in (asdict(table.row_epochs) if table.row_epochs else {}).items()},
        },
        key="source_id",
        is_upload=True,
        order=_cells,
    )


def ids_question(table: FileTable, key: str) -> Question:
    """The question for the rows of ids."""
    return Question(
        service="hats",
        text=table.uri,
        release=table.release,
        read=partial(read_rows, table=table),
        parameters={
            "columns": ",".join(table.names(table.columns)),
            "position": ",".join(table.position),
            "id": table.called.get(key, key),
            "margin_arcsec": repr(MARGIN_ARCSEC),
        },
        key=key,
        is_upload=True,
        order=_cells,
    )


def read_rows(body: bytes, table: FileTable, key: str | None = None) -> pa.Table:
    """The columns of `table` in an answer, with the item that each row is near to in `key` where that is given.

    As a service's CSV would have given them: nothing, NaN and empty texts are null. BadInput for other types.
    """
    rows = pa.ipc.open_stream(body).read_all()
    found = {} if key is None else {key: rows[ITEM]}
    names = match_names(rows.column_names, table.names(table.columns), table.uri)
    for name, (own, kind) in zip(names, table.columns.items(), strict=True):
        top, _, part = name.partition(".")
        column = pc.struct_field(rows[top], part) if part else rows[top]
        try:
            found[own] = _as(column, kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise BadInput(f"{table.uri} has other values in {name!r} than {kind}: {error}.") from None
    return pa.table(found)


def drop_repeats(items: pa.Table, key: str) -> pa.Table:
    """The first of the `items` of each value of `key`, ascending by it."""
    return items.take(pa.array(np.unique(items[key].to_numpy(zero_copy_only=False), return_index=True)[1]))


def carry_rows(
    near: pa.Table, sources: pa.Table, epoch: float, column: str, position: tuple[str, str] = ("ra", "dec")
) -> pa.Table:
    """Rows near `sources` (SOURCES), each moved from its own epoch to `epoch` as the source moves that it is near to.

    `column` holds the rows' epochs (MJD; null or not positive: at `epoch`), `position` their right ascension and
    declination, deg.
    """
    mjd = near[column].fill_null(0.0).to_numpy()
    place = align_all(near["source_id"].to_numpy(), sources["source_id"].to_numpy(), "the sources")
    own = sources.take(pa.array(place))
    then, there = positions_at(own, np.where(mjd > 0, julian_year(mjd), epoch)), positions_at(own, epoch)
    for name, angle in zip(position, ("ra", "dec"), strict=True):
        moved = pc.add(near[name], pc.subtract(there[angle], then[angle]))
        near = near.set_column(near.column_names.index(name), name, moved)
    return near


def unnest(rows: pa.Table, names: Sequence[str], uri: str) -> tuple[NDArray[np.int64], dict[str, pa.ChunkedArray]]:
    """How many epochs each row (N,) has in its lists `names`, and these lists one behind the other, by name.

    BadInput where a row's lists have different lengths.
    """
    lengths = [pc.fill_null(pc.list_value_length(rows[name]), 0).to_numpy() for name in names]
    if any((other != lengths[0]).any() for other in lengths[1:]):
        raise BadInput(f"{uri} has light curves with other numbers of {', '.join(names)}: it is damaged.")
    return lengths[0].astype(np.int64), {name: pc.list_flatten(rows[name]) for name in names}


def add_positions(items: pa.Table, here: pa.Table) -> pa.Table:
    """`items` with the ra and dec of their source_id in `here`."""
    for name in ("ra", "dec"):
        items = items.append_column(name, look_up(items["source_id"], here["source_id"], here[name]))
    return items


def _cells(items: pa.Table) -> NDArray[np.int64]:
    """Where items are on the sky, (N,), so that as few partitions as possible are read twice."""
    from tasks.crossmatch.neighbours import cells_of

    return cells_of(items["ra"].to_numpy(), items["dec"].to_numpy())


def _as(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)
    return column.cast(kind)
