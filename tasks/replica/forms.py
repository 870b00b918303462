"""What a request asks: its query string, form fields and uploaded files, whichever way they were sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from schemas import BadInput

# Lists of ids make long fields: the parser's own limit of 1 MB is too small for 50,000 of them.
FIELD_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Form:
    """Parameters in the order sent, and files by the name of their part."""

    items: tuple[tuple[str, str], ...]
    files: dict[str, bytes] = field(default_factory=dict, repr=False)

    def get(self, name: str, default: str | None = None) -> str | None:
        """A parameter by its name, case aside; one spelled exactly as asked wins over one that is not.

        TapPlus sends FORMAT=votable_gzip and format=votable in one upload, and Gaia reads FORMAT.
        """
        exact = next((value for key, value in self.items if key == name), None)
        if exact is not None:
            return exact
        return next((value for key, value in self.items if key.lower() == name.lower()), default)

    def all(self, name: str) -> list[str]:
        """Every value of a parameter that may be repeated, case aside."""
        return [value for key, value in self.items if key.lower() == name.lower()]


async def read_form(request: Request) -> Form:
    """Parameters of the query string, then of the body (url-encoded or multipart); `BadInput` for a broken body."""
    items = list(request.query_params.multi_items())
    files: dict[str, bytes] = {}
    media = request.headers.get("content-type", "")
    if media.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        try:
            async with request.form(max_part_size=FIELD_BYTES, max_fields=100_000) as form:
                for name, value in form.multi_items():
                    if isinstance(value, UploadFile):
                        files[name] = await value.read()
                    else:
                        items.append((name, value))
        except MultiPartException as error:
            raise BadInput(f"the body of {request.method} {request.url.path} is no form: {error.message}") from None
    return Form(tuple(items), files)
