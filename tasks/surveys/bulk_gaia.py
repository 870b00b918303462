"""Gaia in bulk: epoch photometry from the files of ESA's CDN, neighbours from a catalogue of gaia_source.

The files of a release lie in one folder, each about a range of HEALPix cells of level 8 (nested), which is in its name
and in every source_id: source_id // 2^43. A list of checksums beside them names them all. They come through the
exchange as all answers do, so each is fetched once, compared with its checksum and kept as it is; the sources wanted
are read out of it. Untested against the live CDN.
"""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas import BadInput
from tasks.archives.errors import Retryable
from tasks.archives.question import Question
from tasks.surveys.bulk import FileTable, rows_near
from tasks.surveys.gaia_layouts import EPOCHS, read_cdn
from tasks.surveys.gaia_release import Bulk, GaiaRelease
from tasks.surveys.survey import GAIA_NEIGHBOURS, Ask

CELL_SHIFT = 43  # bits of a source_id below its cell of level 8
FILES = pa.schema([("file", pa.string()), ("md5", pa.string()), ("first", pa.int64()), ("last", pa.int64())])


def epochs(ask: Ask, release: GaiaRelease, sources: pa.Table) -> pa.Table:
    """EPOCHS of the `sources` (column source_id) from the files that hold them; none for those without a product."""
    wanted = sources["source_id"].to_numpy()
    files = ask(list_question(release), pa.table({"file": [_bulk_of(release).list]}))
    asked = find_covering(files, wanted)
    if not asked.num_rows:
        return EPOCHS.empty_table()
    return ask(file_question(release, files, wanted), asked).select(EPOCHS.names)


def find_covering(files: pa.Table, source_id: NDArray[np.int64]) -> pa.Table:
    """file and md5 of those of FILES that may hold some of the ids (N,)."""
    cell = np.unique(source_id >> CELL_SHIFT)
    first, last = (files[name].to_numpy() for name in ("first", "last"))
    has = np.searchsorted(cell, last, side="right") > np.searchsorted(cell, first)
    return files.filter(pa.array(has)).select(["file", "md5"])


def list_question(release: GaiaRelease) -> Question:
    """The question for the list of files."""
    bulk = _bulk_of(release)
    read = partial(read_list, pattern=bulk.file)
    return Question("gaia_cdn", bulk.list, release.name, read, _place_of(bulk))


def _bulk_of(release: GaiaRelease) -> Bulk:
    if release.bulk is None:
        raise BadInput(f"No bulk files are known of {release.name}.")
    return release.bulk


def _place_of(bulk: Bulk) -> dict[str, str]:
    """The folder of the files, where it is not the service's own."""
    return {"address": bulk.address} if bulk.address else {}


def file_question(release: GaiaRelease, files: pa.Table, wanted: NDArray[np.int64]) -> Question:
    """The question for files by name; of their sources the reader keeps the `wanted` (N,) ones."""
    return Question(
        service="gaia_cdn",
        text=release.datalink.retrieval_type,
        release=release.name,
        read=partial(read_file, files=files, wanted=wanted, release=release),
        parameters=_place_of(_bulk_of(release)),
        key="file",
        chunk=1,
    )


def read_list(body: bytes, pattern: str) -> pa.Table:
    """FILES of a list of checksums, lines "<md5>  <name>", ascending by cell; Retryable where it names none."""
    names = re.compile(rf"^([0-9a-fA-F]{{32}})\s+\*?(?:\S*/)?({pattern})\s*$", re.MULTILINE)
    rows = sorted(
        (int(a), int(b), name, md5.lower()) for md5, name, a, b in names.findall(body.decode("utf-8", "replace"))
    )
    if not rows:
        raise Retryable("The list of Gaia's bulk files names none of them.")
    first, last, name, md5 = zip(*rows, strict=True)
    return pa.table([name, md5, first, last], schema=FILES)


def read_file(body: bytes, files: pa.Table, wanted: NDArray[np.int64], release: GaiaRelease) -> pa.Table:
    """EPOCHS of the `wanted` sources (N,) in one of the `files`, with its name in `file`."""
    rows = read_cdn(body, wanted, release)
    place = np.searchsorted(files["first"].to_numpy(), rows["source_id"].to_numpy() >> CELL_SHIFT, side="right") - 1
    return rows.append_column("file", files["file"].take(pa.array(place)))


def neighbours(ask: Ask, uri: str, release: GaiaRelease, sources: pa.Table, radius_arcsec: float) -> pa.Table:
    """GAIA_NEIGHBOURS of `sources` (SOURCES) in the catalogue of gaia_source at `uri`, which is of the same release.

    In any order; the positions are those of the release's epoch.
    """
    columns = {field.name: field.type for field in GAIA_NEIGHBOURS if field.name != "source_id"}
    table = FileTable(uri, release.name, columns, called={"neighbour_source_id": "source_id"})
    found = rows_near(ask, table, sources, radius_arcsec)
    return found.filter(pc.not_equal(found["source_id"], found["neighbour_source_id"]))
