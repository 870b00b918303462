"""A client of catalogues that lie as files: rows near positions, or by their ids, from HATS or plain Parquet.

A question's text is the catalogue's URI. Its parameters are `columns` (the catalogue's names, in any case, with commas
between; "lightcurve.mag" is a part of a nested one), `position` (those of the positions, for plain Parquet, which does
not say), and `radius_arcsec`, or else `id`, the column that holds the ids, and `margin_arcsec`, how far a row may lie
from where its item is. Items have the question's key, ra and dec (deg). Where rows have epochs of their own, `column`
holds them (MJD), no more than `span_year` from `epoch`, and items have a motion besides, as in
`tasks.crossmatch.partitions`. Only partitions and row groups near the items are read, and of these the columns wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas import BadInput
from tasks.archives.errors import ArchiveError, BadQuestion, Refused, Retryable
from tasks.archives.limits import ServiceLimits
from tasks.archives.question import Job, Question

if TYPE_CHECKING:
    from tasks.crossmatch.catalogue import Catalogue

ITEM = "_item"  # in an answer by position: the key of the item that a row is near to
# Where faults of a server come from that are no OSError.
_NETWORK = ("aiohttp", "botocore", "fsspec", "s3fs")


class Hats:
    """Reads catalogues; an answer is an Arrow stream of their rows, as the files have them."""

    def __init__(self, service: str, url: str, limits: ServiceLimits) -> None:
        # Each question names its catalogue: the service has no name in its errors and no address.
        self._timeout_s = limits.timeout_s

    def send(self, question: Question, items: pa.Table, job: Job) -> bytes:
        """The verbatim answer of the service to one request."""
        uri, (ra, dec) = question.text, question.parameters["position"].split(",")
        try:
            return _stream(_rows(_open(uri, (ra, dec), self._timeout_s), question, items))
        except ArchiveError:
            raise
        except BadInput as error:
            raise BadQuestion(str(error)) from error
        except Exception as error:
            raise _fault(uri, error) from error


def match_names(names: list[str], wanted: list[str], what: str) -> list[str]:
    """Which of `names` each of the `wanted` columns is, whatever its case; BadInput where some are none of them."""
    known = {name.lower(): name for name in names}
    tops = [name.partition(".") for name in wanted]
    missing = [name for name, (top, _, _) in zip(wanted, tops, strict=True) if top.lower() not in known]
    if missing:
        raise BadInput(
            f"{what} lacks {len(missing)} of {len(wanted)} columns, first {missing[0]!r}; it has {', '.join(names)}."
        )
    return [known[top.lower()] + dot + part for top, dot, part in tops]


def _refuse_missing_parts(known: pa.Schema, names: list[str], what: str) -> None:
    """BadInput where one of `names` is a part ("lightcurve.mag") that its nested column does not have."""
    for top, _, part in (name.partition(".") for name in names):
        kind = known.field(top).type
        parts = [field.name for field in kind] if pa.types.is_struct(kind) else []
        if part and part not in parts:
            raise BadInput(f"{what} has no {part!r} in {top!r}; it has {', '.join(parts) or 'no parts'}.")


@lru_cache(maxsize=32)
def _open(uri: str, position: tuple[str, str], timeout_s: float) -> Catalogue:
    """The catalogue, opened once: its list of partitions is as it was then."""
    from tasks.crossmatch.catalogue import open_catalogue

    try:
        return open_catalogue(uri, *position, storage_options=_storage(uri, timeout_s))
    except ImportError as error:
        raise BadInput(f"{uri} cannot be read without another package ({error}): pip install it") from None


def _storage(uri: str, timeout_s: float) -> dict[str, Any]:
    """What fsspec needs, so that no read waits longer than `timeout_s`; public buckets are read without a login."""
    scheme = _scheme(uri)
    if scheme in ("http", "https"):
        import aiohttp

        return {"client_kwargs": {"timeout": aiohttp.ClientTimeout(total=timeout_s)}}
    if scheme == "s3":
        # botocore's own retries would be within those of s3fs, which are within ours: 25 times the timeout.
        limits = {"connect_timeout": timeout_s, "read_timeout": timeout_s, "retries": {"max_attempts": 0}}
        return {"anon": True, "config_kwargs": limits}
    if scheme != "file":
        raise BadInput(f"{uri}: catalogues are read from files, http(s):// and s3://, not from {scheme}://")
    return {}


def _rows(catalogue: Catalogue, question: Question, items: pa.Table) -> pa.Table:
    """Rows about the items: the columns wanted, and ITEM where they were found by position."""
    given, known, key = question.parameters, catalogue.schema(), items[str(question.key)]
    names = match_names(known.names, given["columns"].split(","), question.text)
    _refuse_missing_parts(known, names, question.text)
    tops = list(dict.fromkeys(name.partition(".")[0] for name in names))
    empty = pa.schema([known.field(name) for name in tops]).empty_table()
    if "id" in given:
        (column,) = match_names(known.names, [given["id"]], question.text)
        ids = _ids(catalogue, column, key)
        found = list(_by_id(catalogue, column, items, ids, names, float(given["margin_arcsec"])))
        return pa.concat_tables(found) if found else empty
    near = [
        rows.select(tops).append_column(ITEM, key.take(rows["row"])) for rows in _near(catalogue, items, names, given)
    ]
    return pa.concat_tables(near) if near else empty.append_column(ITEM, pa.nulls(0, key.type))


def _near(catalogue: Catalogue, items: pa.Table, names: list[str], given: Mapping[str, str]) -> Iterator[pa.Table]:
    from tasks.crossmatch.catalogue import RowEpochs
    from tasks.crossmatch.partitions import crossmatch

    radius_arcsec = float(given["radius_arcsec"])
    if "span_year" in given:
        (column,) = match_names(catalogue.schema().names, [given["column"]], catalogue.name)
        epochs = RowEpochs(column, float(given["epoch"]), float(given["span_year"]))
        return crossmatch(items, catalogue, radius_arcsec, names, epochs)
    # The items stand where they were at the catalogue's epoch: nothing is to be moved.
    here = items.append_column("ref_epoch", pa.array(np.full(items.num_rows, catalogue.epoch or 0.0)))
    return crossmatch(here, catalogue, radius_arcsec, names)


def _by_id(
    catalogue: Catalogue, column: str, items: pa.Table, ids: NDArray[Any], names: list[str], margin_arcsec: float
) -> Iterator[pa.Table]:
    from tasks.crossmatch.ids import rows_by_id

    return rows_by_id(catalogue, column, ids, names, (items["ra"].to_numpy(), items["dec"].to_numpy()), margin_arcsec)


def _ids(catalogue: Catalogue, column: str, ids: pa.ChunkedArray) -> NDArray[Any]:
    """The ids in the type of the catalogue's column: numbers, or texts."""
    kind = catalogue.schema().field(column).type
    if pa.types.is_floating(kind):
        raise BadInput(f"{catalogue.name} holds the ids in {column!r} as {kind}, which has not digits enough.")
    return ids.cast(pa.int64() if pa.types.is_integer(kind) else pa.string()).to_numpy()


def _stream(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return sink.getvalue().to_pybytes()


def _fault(uri: str, error: Exception) -> Exception:
    """What a failed read means; errors of our own stay as they are."""
    of_server = type(error).__module__.split(".")[0] in _NETWORK
    if not (of_server or isinstance(error, OSError | pa.ArrowInvalid)):
        return error
    _open.cache_clear()  # a catalogue that was written anew has other partitions
    sentence = f"{uri} could not be read ({type(error).__name__}: {str(error).strip().rstrip('.')})"
    scheme, status = _scheme(uri), _status(error)
    if scheme == "file":
        return BadQuestion(sentence)
    if isinstance(error, PermissionError) or status in (401, 403):
        return Refused(sentence)
    is_final = 400 <= status < 500 and status not in (408, 425, 429)
    # fsspec makes a missing file of whatever goes wrong over HTTP; s3fs tells them apart.
    is_missing = scheme == "s3" and isinstance(error, FileNotFoundError)
    return BadQuestion(sentence) if is_final or is_missing else Retryable(sentence)


def _status(error: BaseException | None) -> int:
    """The HTTP status that an error tells of, or one that led to it; 0 where there is none."""
    while error is not None:
        if isinstance(status := getattr(error, "status", None), int):
            return status
        error = error.__cause__ or error.__context__
    return 0


def _scheme(uri: str) -> str:
    return uri.partition("://")[0] if "://" in uri else "file"
