"""Files of Gaia's products: those of one product in a DataLink zip, and files with the same columns put together."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.archives.errors import BadQuestion, Retryable

_COMMENTS = re.compile(rb"(?:#[^\n]*(?:\n|\Z))*")
_PRODUCT = re.compile(r"[A-Z_]*")  # "EPOCH_PHOTOMETRY-Gaia DR3 5937083312263887616.csv", "EPOCH_PHOTOMETRY_RAW.csv"


def list_members(answer: bytes, product: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of the files of a product in a zip; EPOCH_PHOTOMETRY_CCD is not EPOCH_PHOTOMETRY.

    Raises Retryable where the answer is no zip.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(answer)) as archive:
            for name in archive.namelist():
                if name.lower().endswith(".csv") and product_of(name).removesuffix("_RAW") == product:
                    yield name, archive.read(name)
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise Retryable(f"Gaia's DataLink answered {len(answer):,} bytes that are no whole zip: {error}.") from None


def product_of(name: str) -> str:
    """The product that the name of a file begins with."""
    found = _PRODUCT.match(name.rpartition("/")[2])
    return found.group().rstrip("_") if found else ""


def group_by_header(files: Iterator[tuple[str, bytes]]) -> dict[bytes, list[tuple[str, bytes]]]:
    """Files with the same columns together, as (name, lines below the header): parsed as one, they are fast."""
    groups: dict[bytes, list[tuple[str, bytes]]] = {}
    for name, content in files:
        header, rows = split_header(content)
        groups.setdefault(header, []).append((name, rows))
    return groups


def join_files(header: bytes, files: Sequence[tuple[str, bytes]]) -> tuple[bytes, NDArray[np.int64] | None]:
    """One CSV document of files with the same header, and the source of every row (rows,) where no column says it."""
    source_id = None if b"source_id" in header.split(b",") else ids_by_row(files)
    return b"".join([header, b"\n", *(rows for _, rows in files)]), source_id


def split_header(text: bytes) -> tuple[bytes, bytes]:
    """The header line in lower case and the lines below it, each ended by a line feed, without comments before."""
    if b"\r" in text[:100_000]:
        text = text.replace(b"\r\n", b"\n")
    start = below_comments(text)
    end = text.find(b"\n", start)
    header, rows = (text[start:end], text[end + 1 :]) if end >= 0 else (text[start:], b"")
    rows = rows if rows.endswith(b"\n") or not rows else rows + b"\n"
    return header.replace(b'"', b"").replace(b" ", b"").lower(), rows


def below_comments(text: bytes) -> int:
    """Where the header line begins."""
    comments = _COMMENTS.match(text)
    return comments.end() if comments else 0


def ids_by_row(files: Sequence[tuple[str, bytes]]) -> NDArray[np.int64]:
    """The source of every row of all files, (rows,), from the files' names."""
    ids = np.array([id_of(name) for name, _ in files], np.int64)
    return np.repeat(ids, [rows.count(b"\n") for _, rows in files])


def id_of(name: str) -> int:
    """The source_id in a file's name, as in "EPOCH_PHOTOMETRY-Gaia DR3 5937083312263887616.csv"; else BadQuestion."""
    found = re.search(r"(\d+)\.[A-Za-z]+$", name)
    if found is None:
        raise BadQuestion(f"Gaia's DataLink sent the file {name!r}, which names its source neither inside nor outside.")
    return int(found[1])
