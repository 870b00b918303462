"""Every format in which a table of a folder may be. A new one is a file here, and its name below.

A reader gives the rows of a file as record batches. Formats that are not flat Parquet are written once as a Parquet
file, piece by piece, and read from there; `open_table` is the way in.
"""

from importlib import import_module

from schemas.formats.format import Format

# Modules of this folder; each declares FORMAT.
MODULES = (
    "parquet",
    "csv",
    "fits",
    "votable",
    "ecsv",
    "ipac",
    "feather",
    "text",
)
FORMATS: tuple[Format, ...] = tuple(import_module(f"{__name__}.{name}").FORMAT for name in MODULES)


def format_of(name: str, formats: tuple[Format, ...] | None = None) -> Format | None:
    """The format that the ending of a file's name says, in whatever case; None where it says none."""
    known = FORMATS if formats is None else formats
    return next((each for each in known if name.lower().endswith(each.endings)), None)
