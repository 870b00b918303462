"""What commands share: paths and options, errors that end in one sentence, and the terminal."""

from __future__ import annotations

import functools
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from lakehouse.disk import require_local
from schemas import BadInput


def local_path(text: str | Path) -> Path:
    """A path that a user gives; the command line refuses "" and addresses such as s3://bucket."""
    try:
        return require_local(text, "path")
    except BadInput as error:
        raise typer.BadParameter(str(error)) from None


LakeOption = Annotated[Path, typer.Option("--lake", parser=local_path, metavar="DIR", help="Folder of the lake.")]
DataOption = Annotated[
    Path | None, typer.Option("--data", parser=local_path, metavar="DIR", help="Folder of your light curves.")
]
OutOption = partial(typer.Option, "--out", parser=local_path, metavar="FILE")
LAKE = Path("lake")


class Format(StrEnum):
    """How a query's answer is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def one_sentence(command: Callable[..., None]) -> Callable[..., None]:
    """Expected errors end the command with one sentence and exit code 2, without a traceback."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except Exception as error:
            from flows.failure import explain_failure
            from schemas.mapping import advise_under_preset

            sentence = explain_failure(error)
            if sentence is None:
                raise
            fail(advise_under_preset(sentence, kwargs.get("preset")))

    return guarded


def screen() -> Console:
    """The terminal, or a page without an edge where the output goes to a file or a pipe."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=max(console.width, 200))


def fail(error: BaseException | str) -> None:
    """Say what went wrong on standard error and exit with 2."""
    console = Console(stderr=True, highlight=False)
    console.print("[bold red]Error:[/]", escape(str(error).strip()), soft_wrap=True)
    raise typer.Exit(2)
