"""Gaia's bulk files: epoch photometry of DR3 as gzipped ECSV, one file per range of HEALPix pixels of level 8.

Offered below /cdn/Gaia/gdr3/Photometry/epoch_photometry/ are _MD5SUM.txt and EpochPhotometry_AAAAAA-BBBBBB.csv.gz (the
directory itself answers nothing, as on the CDN), and at /cdn/ the XML listing of its storage. Rows are those of the RAW
layout, with array cells like ``[1.5,NaN,null]`` and ``["True","False"]``. A file is written when it is first asked for
and kept beside the holdings; _MD5SUM.txt needs them all, some 0.3 s per 1,000 sources.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from tasks.replica import layouts
from tasks.replica.holdings import Holdings
from tasks.replica.product_files import product_files
from tasks.replica.state import State

KEY = "Gaia/gdr3/Photometry/epoch_photometry/"
CDN_VERSION = 1  # raise it when the same sky gives other files than before
PIXELS = 12 * 4**8
PIXEL_SHIFT = 43  # source_id // 2**43 is the HEALPix pixel of level 8, nested
SOURCES_A_FILE = 3470  # 11.75 million sources in 3,386 files
LEAST_FILES = 8  # also of a small sky, so that choosing among files is not idle
_FILE = "EpochPhotometry_{:06d}-{:06d}.csv.gz"


@dataclass(frozen=True)
class BulkFile:
    """A file's name and the ids of its sources, ascending."""

    name: str
    source_id: NDArray[np.int64]


def bulk_files(source_id: NDArray[np.int64]) -> list[BulkFile]:
    """The files that hold the given ids (ascending): ranges of whole pixels that cover the sky without a gap."""
    pixel = source_id >> PIXEL_SHIFT
    n_file = max(LEAST_FILES, -(-source_id.size // SOURCES_A_FILE))
    cuts = pixel[(np.arange(1, n_file) * source_id.size) // n_file] if source_id.size else pixel
    first = np.unique(np.concatenate([[0], cuts]))
    last = np.append(first[1:], PIXELS) - 1
    rows = np.searchsorted(pixel, np.append(first, PIXELS))
    return [
        BulkFile(_FILE.format(a, b), source_id[start:stop])
        for a, b, start, stop in zip(first, last, rows[:-1], rows[1:], strict=True)
    ]


class Bulk:
    """The bulk files of some holdings, kept in a folder beside them."""

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings
        self.folder = Path(holdings.path) / f"cdn-v{CDN_VERSION}"
        self._lock = threading.Lock()
        self._files: dict[str, BulkFile] | None = None
        self._md5: dict[str, str] = {}

    @property
    def files(self) -> dict[str, BulkFile]:
        """The files by name, listed at the first call from the sources with epoch photometry."""
        with self._lock:
            if self._files is None:
                relation = self.holdings.tables("gaia")["gaiadr3.gaia_source"].relation
                query = f"SELECT source_id FROM {relation} WHERE has_epoch_photometry ORDER BY source_id"
                with self.holdings.connect() as connection:
                    ids = connection.execute(query).fetchnumpy()["source_id"].astype(np.int64)
                self._files = {file.name: file for file in bulk_files(ids)}
            return self._files

    def path(self, name: str) -> Path:
        """Where a file lies, after it was written if it was not; KeyError for an unknown name."""
        file = self.files[name]
        place = self.folder / name
        if not place.exists():
            self.folder.mkdir(exist_ok=True)
            handle, draft = mkstemp(prefix=".", dir=self.folder)
            with os.fdopen(handle, "wb") as sink:
                sink.write(gzip.compress(_content(self.holdings, file.source_id), compresslevel=1, mtime=0))
            os.replace(draft, place)
        return place

    def md5(self, name: str) -> str:
        """MD5 of a file's content (hex), computed once; the file is written first where it is not there yet."""
        if name not in self._md5:
            with self.path(name).open("rb") as stream:
                self._md5[name] = hashlib.file_digest(stream, "md5").hexdigest()
        return self._md5[name]

    def all_md5(self) -> dict[str, str]:
        """MD5 of every file by name."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return dict(zip(self.files, pool.map(self.md5, self.files), strict=True))


def _content(holdings: Holdings, source_id: NDArray[np.int64]) -> bytes:
    rows = layouts.raw(holdings.epoch_photometry(source_id))
    ((_, content),) = product_files(rows, layouts.RAW, np.array([0, len(rows)]), [""], "ecsv")
    return content


def routes(holdings: Holdings, state: State) -> list[Route]:
    """Routes of the bulk files and of their listing."""
    bulk = Bulk(holdings)

    async def directory(request: Request) -> Response:
        return PlainTextResponse("")

    async def file(request: Request) -> Response:
        name = request.path_params["name"]
        if name == "_MD5SUM.txt":
            sums = await run_in_threadpool(bulk.all_md5)
            return PlainTextResponse("".join(f"{digest}  {name}\n" for name, digest in sums.items()))
        if name not in await run_in_threadpool(lambda: bulk.files):
            return PlainTextResponse("Not Found", 404)
        state.note(request, n_items=bulk.files[name].source_id.size)
        return FileResponse(await run_in_threadpool(bulk.path, name), media_type="application/gzip")

    async def listing(request: Request) -> Response:
        return Response(await run_in_threadpool(_listing, bulk, request.query_params), media_type="application/xml")

    return [
        Route(f"/cdn/{KEY}", directory, methods=["GET", "HEAD"]),
        Route("/cdn/Gaia/gdr4/", directory, methods=["GET", "HEAD"]),  # which is there already, and empty
        Route(f"/cdn/{KEY}{{name}}", file, methods=["GET", "HEAD"]),
        Route("/cdn/", listing, methods=["GET"]),
    ]


def _listing(bulk: Bulk, query: Mapping[str, str]) -> str:
    """The listing of an S3 storage for keys that begin with `prefix`; it has whole names below one folder alone."""
    prefix = query.get("prefix", "")
    keys = {f"{KEY}{name}": digest for name, digest in bulk.all_md5().items() if f"{KEY}{name}".startswith(prefix)}
    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2022-06-13T00:00:00.000Z</LastModified>"
        f"<ETag>&quot;{digest}&quot;</ETag><Size>{bulk.path(key.removeprefix(KEY)).stat().st_size}</Size></Contents>"
        for key, digest in keys.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>gaia</Name><Prefix>{escape(prefix)}</Prefix><Delimiter>{escape(query.get('delimiter', ''))}</Delimiter>"
        f"<KeyCount>{len(keys)}</KeyCount><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>\n"
    )
