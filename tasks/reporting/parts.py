"""What a section is made of, ready for the template: drawings, tables, remarks, listings, commands."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tasks.reporting.data import Command


@dataclass(frozen=True)
class Key:
    """One entry of a figure's legend: a label beside its colour and symbol."""

    label: str
    colour: str
    symbol: str = "●"


@dataclass(frozen=True)
class Drawing:
    """A figure as inline SVG. `svg` is markup of our own making; every other field is text to be escaped."""

    svg: Markup
    alt: str
    caption: str
    keys: tuple[Key, ...] = ()
    width_px: int = 0
    kind: str = "drawing"


@dataclass(frozen=True)
class Cell:
    """A table cell: text, an optional colour chip before it, and whether it is the best of its column."""

    text: str
    colour: str = ""
    is_best: bool = False
    is_numeric: bool = False


@dataclass(frozen=True)
class Line:
    """A row of a table; the first cell heads it."""

    cells: Sequence[Cell]
    is_chosen: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its caption; `header` are column names."""

    caption: str
    header: Sequence[Cell]
    lines: Sequence[Line]
    kind: str = "table"


@dataclass(frozen=True)
class Remark:
    """A sentence in place of a figure or table that does not apply."""

    text: str
    kind: str = "remark"


@dataclass(frozen=True)
class Listing:
    """Long text behind a heading that opens on demand."""

    title: str
    text: str
    kind: str = "listing"


@dataclass(frozen=True)
class Commands:
    """Commands that a reader can type."""

    commands: tuple[Command, ...]
    kind: str = "commands"


Part = Drawing | Table | Remark | Listing | Commands


@dataclass(frozen=True)
class Section:
    """A chapter of the report; `anchor` is its address in the page."""

    anchor: str
    title: str
    lead: str
    parts: tuple[Part, ...]
