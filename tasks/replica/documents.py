"""What TAP's routes share: parameters of a request, answers and errors as responses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from starlette.responses import Response

from tasks.replica.forms import Form
from tasks.replica.jobs import Answer
from tasks.replica.tap_formats import DIALECT
from tasks.replica.votable import MEDIA


def parameters_of(form: Form) -> dict[str, str]:
    """Parameters by lower-case name, the spelling in capitals winning over any other."""
    return {name.lower(): form.get(name.upper()) or "" for name, _ in form.items}


def digest(parameters: Mapping[str, str], uploads: Mapping[str, bytes]) -> str:
    """What was asked, whatever the way it was sent: 16 hex digits for the log."""
    asked = hashlib.blake2b(digest_size=8)
    for name in ("query", "maxrec"):
        asked.update(parameters.get(name, "").encode() + b"\0")
    for name in sorted(uploads):
        asked.update(name.encode() + b"\0" + uploads[name])
    return asked.hexdigest()


def document_response(document: Answer, name: str) -> Response:
    """A file with its name, compressed or not."""
    headers = {"Content-Disposition": f'attachment;filename="{name}{document.suffix}"'}
    if document.encoding:
        headers["Content-Encoding"] = document.encoding
    return Response(document.body, media_type=document.media, headers=headers)


def error_response(message: str, status: int = 400) -> Response:
    """The VOTable of an error; clients read its one sentence."""
    return Response(DIALECT.error(message), status, media_type=MEDIA)


def xml_response(text: str) -> Response:
    """The text as an answer of type text/xml."""
    return Response(text, media_type="text/xml")
