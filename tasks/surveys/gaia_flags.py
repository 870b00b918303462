"""Flags of the variability processing where they are a product of their own, joined to the epochs by transit."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.archives.errors import BadQuestion, Retryable
from tasks.archives.question import Question
from tasks.surveys.gaia_arrays import has_arrays, read_table, transits
from tasks.surveys.gaia_files import group_by_header, join_files, list_members
from tasks.surveys.gaia_release import BANDS, GaiaRelease
from tasks.surveys.gaia_roles import BOOL, LONG, read_flag

FLAGS = pa.schema([("source_id", LONG), ("transit_id", LONG), *((band, BOOL) for band in BANDS)])  # true: rejected


def flags_question(release: GaiaRelease, parameters: Mapping[str, str], spelling: Mapping[str, str]) -> Question:
    """The question for the flags of sources by their ids; release, structure and spelling as for their epochs."""
    return Question(
        service="gaia_datalink",
        text=release.datalink.flags_type,
        release=release.name,
        read=partial(read_flags, release=release),
        parameters=parameters,
        key="source_id",
        chunk=release.limits.datalink_chunk,
        spelling=spelling,
        timeout_s=release.limits.datalink_timeout_s,
        hint=release.opens,
    )


def read_flags(answer: bytes, release: GaiaRelease) -> pa.Table:
    """FLAGS of a zip of CSV files, in any order; of a transit that comes twice every rejection counts.

    Raises Retryable where the answer is no zip or a file of it is broken, BadQuestion where no flag has a column.
    """
    parts = [FLAGS.empty_table()]
    for header, files in group_by_header(list_members(answer, release.datalink.flags_type)).items():
        try:
            parts.append(_read(*join_files(header, files), release))
        except pa.ArrowInvalid as error:
            raise Retryable(f"Gaia's {release.datalink.flags_type} cannot be read: {error}.") from None
    rows = pa.concat_tables(parts).group_by(["source_id", "transit_id"])
    once = rows.aggregate([(band, "max") for band in BANDS])
    return once.rename_columns(FLAGS.names).cast(FLAGS)


def _read(body: bytes, source_id: NDArray[np.int64] | None, release: GaiaRelease) -> pa.Table:
    names = body[: body.index(b"\n")].decode().split(",")
    by_band = release.epochs.by_band
    found = {
        band: next((flag for flag in of.variability if flag.column in names), None) for band, of in by_band.items()
    }
    transit_id = next((name for name in release.epochs.transit_id if name in names), None)
    if transit_id is None or not any(found.values()):
        what = f"Gaia's {release.datalink.flags_type}"
        raise BadQuestion(
            f"{what} has no flag that is known; it has {', '.join(names)[:300]}. A release file can name them "
            "(epochs.G.variability), or leave the product out (datalink.flags_type)."
        )
    kinds = {transit_id: LONG} | ({"source_id": LONG} if source_id is None else {})
    kinds |= {flag.column: BOOL if flag.bit is None else LONG for flag in found.values() if flag}
    is_raw = has_arrays(body)
    table = read_table(body, kinds, source_id, is_raw)
    table = transits(table, kinds, transit_id) if is_raw else table
    flags = {band: read_flag(table, flag) for band, flag in found.items()}
    return pa.table({"source_id": table["source_id"], "transit_id": table[transit_id], **flags}).cast(FLAGS)


def add_flags(epochs: pa.Table, flags: pa.Table) -> pa.Table:
    """EPOCHS with rejected_by_variability of the FLAGS of each one's transit and band; where there are none, false."""
    keys = ["source_id", "transit_id"]
    placed = epochs.select(keys).append_column("row", pa.array(np.arange(epochs.num_rows)))
    joined = placed.join(flags, keys, join_type="left outer").sort_by("row")
    by_band = [pc.fill_null(joined[band], False).to_numpy() for band in BANDS]
    rejected = np.choose(epochs["band"].to_numpy(), by_band) if epochs.num_rows else np.empty(0, bool)
    name = "rejected_by_variability"
    return epochs.set_column(epochs.column_names.index(name), epochs.schema.field(name), pa.array(rejected))
