"""Client of Gaia's DataLink server: products of many sources in one zip file, unopened.

Through TapPlus.load_data into a file of our own: astroquery's GaiaClass.load_data writes into the working directory
and parses every table, ten times slower than reading the CSV directly.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa

from tasks.archives.errors import BadQuestion, Retryable, TooMuch
from tasks.archives.gaia_connection import Login, open_tap
from tasks.archives.limits import ServiceLimits
from tasks.archives.question import Job, Question
from tasks.archives.replies import BadReply, failure, is_page, words
from tasks.archives.transport import wire

# The two names of one structure: astroquery 0.4.11 sends the first, its main branch (PR #3629, July 2026) the second.
SPELLINGS = {"INDIVIDUAL": "DATAMODEL_STANDARD", "RAW": "DATAMODEL_GAIA"}
OTHER_SPELLING = SPELLINGS | {new: old for old, new in SPELLINGS.items()}
REFUSED_STRUCTURE = re.compile(r"\b(invalid|unknown) data structure", re.IGNORECASE)
# The server sends what it does not understand, or does not serve yet, with status 500, like its own faults.
REFUSED_PARAMETER = re.compile(
    r"\binvalid [\w ]*(parameter|identifier)|\bunknown (retrieval type|release|data structure)", re.IGNORECASE
)


class GaiaDatalink:
    """DataLink server at `url`.

    A question's `text` is the retrieval type (EPOCH_PHOTOMETRY); its parameters are those of the server, in any case:
    DATA_STRUCTURE, and if need be RELEASE (else the question's release), FORMAT (else csv), VALID_DATA (else false,
    which brings the flagged epochs too). The answer is a zip file; sources without a product are not in it.
    """

    def __init__(self, service: str, url: str, limits: ServiceLimits) -> None:
        self._service = service
        self._url = url
        self._limits = limits
        self._login = Login(self._service)
        # Release and structure asked for -> the spelling that the server takes: releases may differ.
        self._understood: dict[tuple[str, str], str] = {}

    def send(self, question: Question, items: pa.Table, job: Job) -> bytes:
        """The verbatim answer of the service to one request."""
        fields = self._fields(question, items)
        asked = fields["RELEASE"], fields["DATA_STRUCTURE"]
        spelling = self._understood.get(asked) or question.spelling.get(asked[1], asked[1])
        limits = _with_time(self._limits, question.timeout_s)
        with wire(self._service, limits.timeout_s):
            try:
                try:
                    body = self._load(fields | {"DATA_STRUCTURE": spelling}, limits)
                except BadReply as reply:
                    other = OTHER_SPELLING.get(spelling)
                    if other is None or not REFUSED_STRUCTURE.search(reply.words):
                        raise
                    body = self._load(fields | {"DATA_STRUCTURE": other}, limits)
                    self._understood[asked] = other
            except BadReply as reply:
                if not REFUSED_PARAMETER.search(reply.words):
                    raise
                raise BadQuestion(
                    f"{self._service} does not serve {question.text} of {asked[0]} as {asked[1]}: {reply.words}."
                ) from None
        return _whole_zip(self._service, body, self._limits.unpacked_bytes)

    def _fields(self, question: Question, items: pa.Table) -> dict[str, str]:
        if question.key is None or question.key not in items.column_names or not items.num_rows:
            raise BadQuestion(f"{self._service} is asked about sources, but the items have no {question.key!r}.")
        parameters = {name.upper(): value for name, value in question.parameters.items()}
        if "DATA_STRUCTURE" not in parameters:
            raise BadQuestion(
                f"{self._service} needs to know the structure: give the question a parameter DATA_STRUCTURE."
            )
        return {
            "VALID_DATA": "false",
            "ID": ",".join(map(str, items[question.key].to_pylist())),
            "RELEASE": question.release,
            "FORMAT": "csv",
            "RETRIEVAL_TYPE": question.text,
            "USE_ZIP_ALWAYS": "true",
        } | parameters

    def _load(self, fields: dict[str, str], limits: ServiceLimits) -> bytes:
        tap, connection = open_tap(self._url, limits, is_data=True)
        self._login.enter(tap, connection, urlsplit(self._url).scheme == "https")
        with tempfile.TemporaryDirectory(prefix="datalink-") as folder, self._login.renew(connection):
            file = Path(folder) / "products.zip"
            tap.load_data(params_dict=fields, output_file=str(file))
            return file.read_bytes()


def _with_time(limits: ServiceLimits, timeout_s: float | None) -> ServiceLimits:
    """The limits with more time for a reply, where a question needs it."""
    return replace(limits, timeout_s=timeout_s, reply_s=max(limits.reply_s, timeout_s)) if timeout_s else limits


def _whole_zip(service: str, body: bytes, most_bytes: int) -> bytes:
    """`body`, checked to be a zip file whose members are all whole, and together no larger than `most_bytes`.

    They are unpacked a part at a time, and none beyond the size that it declares. Raises TooMuch for larger ones.
    """
    if is_page(body):
        raise failure(service, BadReply(200, body, {}))
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            n_bytes = sum(member.file_size for member in archive.infolist())
            broken = archive.testzip() if n_bytes <= most_bytes else None
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
        start = f", it begins with {words(body[:80])!r}" if body[:2] != b"PK" else ""
        raise Retryable(f"{service} sent {len(body)} bytes that are no whole zip file ({error}){start}.") from None
    if n_bytes > most_bytes:
        raise TooMuch(
            f"{service} sent a zip file that unpacks to {n_bytes:,} bytes, above the limit of {most_bytes:,}."
        )
    if broken is not None:
        raise Retryable(f"{service} sent a zip file in which {broken} is damaged.")
    return body
