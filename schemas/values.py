"""What one cell of somebody else's table says, as SQL for DuckDB: a word, a number, or nothing.

All readers take values by these expressions, so that an id, a band or a label is the same text whatever the file.
"""

from __future__ import annotations

import math

import pyarrow as pa

# Words that say that there is no value, in any capitals: those of numpy, pandas, astropy, SQL, and of printed tables.
NOTHING = ("", "-", "--", "---", "...", "?", "<na>", "n/a", "na", "nan", "nat", "none", "null")
BLANKS = " \t\r\n\0\xa0"  # around a word they say nothing: FITS pads text with spaces or NUL
_TRIMMED = " || ".join(f"chr({ord(blank)})" for blank in BLANKS)
_LONGEST = max(map(len, NOTHING))
LIMIT = ">"  # before a number that is the limit of what could be seen
AB_ZERO_POINTS = {"Jy": 8.9, "uJy": 23.9, "nJy": 31.4}  # mag of flux 1: m = -2.5 log10 f - 48.6, Oke & Gunn 1983
ERROR_PER_RATIO = 2.5 / math.log(10)  # mag, of a relative error of the flux
EXACT = 2**53  # whole numbers below are exact in a float64


def value_type(kind: pa.DataType) -> pa.DataType:
    """The type of one value: of a list's items, of a dictionary's words."""
    if is_list(kind) or pa.types.is_dictionary(kind):
        return value_type(kind.value_type)
    return kind


def is_list(kind: pa.DataType) -> bool:
    """True for a column with a list in each row."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def is_text(kind: pa.DataType) -> bool:
    """True for any of Arrow's types of text, and for bytes, which are text where FITS tables come from."""
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return text or is_bytes(kind)


def is_bytes(kind: pa.DataType) -> bool:
    """True for any of Arrow's types of bytes."""
    binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)
    return binary or pa.types.is_fixed_size_binary(kind)


def is_nothing(word: str) -> bool:
    """True for a word that says that there is no value."""
    return word.strip(BLANKS).lower() in NOTHING


def is_number(word: str) -> bool:
    """True for a word that reads as a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def find_mask(name: str, schema: pa.Schema) -> str | None:
    """The column that says where `name` has no value, as astropy writes masked columns: NAME.mask; None without."""
    mask = f"{name}.mask"
    if schema.names.count(mask) != 1 or not pa.types.is_boolean(value_type(schema.field(mask).type)):
        return None
    return mask


def unmask(cell: str, mask: str | None) -> str:
    """SQL of `cell`, null where `mask` (SQL, or None) is true."""
    return f"CASE WHEN {mask} THEN NULL ELSE {cell} END" if mask else cell


def word(cell: str, kind: pa.DataType) -> str:
    """SQL of `cell` (SQL of one value of type `kind`) as text without blanks around it, null where it is null or NaN.

    Bytes are decoded; whole numbers stand without a point, whatever their type.
    """
    kind = value_type(kind)
    if is_bytes(kind):  # not all bytes are UTF-8: others are written as escapes
        text = f"coalesce(TRY(decode({cell})), CAST({cell} AS VARCHAR))"
    elif is_text(kind):
        text = cell
    elif pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        value = f"CAST({cell} AS DOUBLE)"
        whole = f"{value} = trunc({value}) AND abs({value}) < {EXACT}"
        digits = f"CASE WHEN {whole} THEN CAST(CAST({value} AS BIGINT) AS VARCHAR) ELSE CAST({cell} AS VARCHAR) END"
        return f"CASE WHEN isfinite({value}) THEN {digits} END"
    else:
        return f"CAST({cell} AS VARCHAR)"
    return f"trim({text}, {_TRIMMED})"


def identity(cell: str, kind: pa.DataType) -> str:
    """SQL of `cell` as the id of an object: a word, null where it says nothing."""
    text = word(cell, kind)
    if not is_text(value_type(kind)):
        return text
    nothing = ", ".join(f"'{each}'" for each in NOTHING)
    return f"CASE WHEN length({text}) > {_LONGEST} OR lower({text}) NOT IN ({nothing}) THEN {text} END"


def number(cell: str, kind: pa.DataType, sql_type: str = "DOUBLE") -> str:
    """SQL of `cell` as a number of `sql_type`, null where it is none: text counts by what it reads as."""
    return f"TRY_CAST({word(cell, kind) if is_text(value_type(kind)) else cell} AS {sql_type})"


def truth(cell: str, kind: pa.DataType) -> str:
    """SQL of `cell` as true or false, true for what is not 0; null where it says neither."""
    text = word(cell, kind)
    return f"coalesce(TRY_CAST({text} AS BOOLEAN), TRY_CAST({text} AS DOUBLE) <> 0)"


def is_limit(cell: str, kind: pa.DataType) -> str:
    """SQL: whether `cell` of text is a limit, as in ">17.2"."""
    return f"starts_with({word(cell, kind)}, '{LIMIT}')"


def limit_number(cell: str, kind: pa.DataType) -> str:
    """SQL of the number of `cell` of text, which may be a limit, as FLOAT."""
    return f"TRY_CAST(ltrim({word(cell, kind)}, '{LIMIT} ') AS FLOAT)"


def magnitude(flux: str, zero_point: str) -> str:
    """SQL of the magnitude of `flux`, `zero_point` being that of flux 1; null where the flux is not positive."""
    return f"CASE WHEN {flux} > 0 THEN {zero_point} - 2.5 * log10({flux}) END"


def magnitude_error(flux: str, error: str) -> str:
    """SQL of the standard error of the magnitude of `flux`, to first order; null where the flux is not positive."""
    return f"CASE WHEN {flux} > 0 THEN {ERROR_PER_RATIO} * {error} / {flux} END"


def ratio_error(ratio: str) -> str:
    """SQL of the standard error of a magnitude whose flux is `ratio` times its error."""
    return f"{ERROR_PER_RATIO} / {ratio}"


def read_words(values: pa.Array) -> list[str | None]:
    """Each of `values` (K,) as a word; null where it is null or NaN."""
    import duckdb

    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    with duckdb.connect() as con:
        con.register("given", pa.table({"cell": values}))
        rows = con.execute(f"SELECT {word('cell', values.type)} FROM given").fetchall()
    return [text for (text,) in rows]
