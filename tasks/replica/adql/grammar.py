"""ADQL as sqlglot reads it, and the part of it that this replica answers."""

from __future__ import annotations

from itertools import zip_longest

import sqlglot
from sqlglot import exp, parser, tokens
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokens import TokenType

from tasks.replica.adql.errors import AdqlError


class ADQL(Dialect):
    """ADQL 2.0 (IVOA 2008) with what services add of 2.1: TOP instead of LIMIT, LOG is the natural logarithm.

    Nulls sort as PostgreSQL sorts them (Gaia's server): last when ascending, first when descending.
    """

    NULL_ORDERING = "nulls_are_large"

    class Tokenizer(tokens.Tokenizer):
        KEYWORDS = {**tokens.Tokenizer.KEYWORDS, "TOP": TokenType.TOP}  # noqa: RUF012

    class Parser(parser.Parser):
        LOG_DEFAULTS_TO_LN = True


# Tokens that sqlglot understands and ADQL has not.
FOREIGN = {
    TokenType.LIMIT: "LIMIT (ADQL has TOP)",
    TokenType.FETCH: "FETCH (ADQL has TOP)",
    TokenType.DCOLON: "the cast :: (ADQL has CAST)",
    TokenType.L_BRACKET: "square brackets",
    TokenType.PARAMETER: "@",
    TokenType.PLACEHOLDER: "?",
}
CLAUSES = (
    exp.Select, exp.Union, exp.Except, exp.Intersect, exp.Subquery, exp.Distinct, exp.From, exp.Join, exp.Where,
    exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Table, exp.TableAlias, exp.Alias,
    exp.Column, exp.Identifier, exp.Star, exp.Literal, exp.Null, exp.Paren,
)  # fmt: skip
CONDITIONS = (
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In, exp.Is, exp.Like,
    exp.Exists,
)  # fmt: skip
ARITHMETIC = (
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.DPipe, exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor,
    exp.BitwiseNot,
)  # fmt: skip
FUNCTIONS = (
    exp.Abs, exp.Ceil, exp.Floor, exp.Round, exp.Sqrt, exp.Pow, exp.Exp, exp.Ln, exp.Log, exp.Mod, exp.Sin, exp.Cos,
    exp.Tan, exp.Cot, exp.Asin, exp.Acos, exp.Atan, exp.Atan2, exp.Degrees, exp.Radians, exp.Pi, exp.Coalesce,
    exp.Cast, exp.DataType, exp.DataTypeParam, exp.Lower, exp.Upper, exp.Count, exp.Min, exp.Max, exp.Sum, exp.Avg,
)  # fmt: skip
# Clauses that some nodes may have; any other clause of theirs is refused.
CLAUSES_OF: dict[type, tuple[str, ...]] = {
    exp.Select: (
        "expressions", "distinct", "from_", "joins", "where", "group", "having", "order", "limit", "offset",
    ),
    exp.Table: ("this", "alias", "db", "catalog"),
    exp.Subquery: ("this", "alias"),
    exp.Join: ("this", "on", "using", "side", "kind", "method"),
    exp.Group: ("expressions",),
    exp.In: ("this", "expressions", "query"),
}  # fmt: skip
SUPPORTED = (*CLAUSES, *CONDITIONS, *ARITHMETIC, *FUNCTIONS)
TYPES = {"SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "CHAR", "VARCHAR", "TEXT"}
GEOMETRY = ("POINT", "CIRCLE", "BOX", "POLYGON", "REGION", "CONTAINS", "INTERSECTS", "DISTANCE", "AREA", "CENTROID")


def parse(text: str) -> exp.Query:
    """The one SELECT (or union of SELECTs) that `text` is; AdqlError for anything else."""
    try:
        found = ADQL().tokenize(text)
        for token, following in zip_longest(found, found[1:]):
            if token.token_type in FOREIGN:
                raise AdqlError(f"ADQL has no {FOREIGN[token.token_type]}, found at character {token.start + 1}")
            if token.token_type is TokenType.COMMA and following and following.token_type is TokenType.FROM:
                raise AdqlError(f"a column is missing between the comma and FROM at character {following.start + 1}")
        statements = [statement for statement in sqlglot.parse(text, read=ADQL) if statement is not None]
    except (ParseError, TokenError) as error:
        reason = str(error).splitlines()[0] if str(error) else "no SQL"
        raise AdqlError(f"the query cannot be parsed: {_plain(reason)}") from None
    except RecursionError:
        raise AdqlError("the query is nested too deeply to be parsed") from None
    if len(statements) != 1:
        raise AdqlError(f"a query is one SELECT, found {len(statements)} statements")
    (query,) = statements
    if not isinstance(query, exp.Query) or isinstance(query, exp.Subquery):
        raise AdqlError(f"a query is a SELECT, found {query.key.upper()}")
    return query


def refuse_unsupported(query: exp.Expr) -> None:
    """AdqlError that names the first thing in the query which this replica does not answer."""
    for node in query.walk(prune=is_list):
        name = node.name.upper() if isinstance(node, exp.Anonymous) else node.key.upper()
        if isinstance(node, exp.Anonymous | exp.Contains) and name in GEOMETRY:
            raise AdqlError(
                f"{name} stands where this service does not support it: {_short(node)}; supported are "
                "1 = CONTAINS(POINT, CIRCLE), DISTANCE(POINT, POINT) and DISTANCE(ra1, dec1, ra2, dec2)"
            )
        if isinstance(node, exp.Anonymous) and not node.meta.get("geometry"):
            raise AdqlError(f"the function {name} is unknown to this service: {_short(node)}")
        if type(node) not in SUPPORTED and not node.meta.get("geometry"):
            raise AdqlError(f"{name} is not supported by this service: {_short(node)}")
        if isinstance(node, exp.DataType) and node.this.value not in TYPES:
            raise AdqlError(f"the type {_short(node)} is not supported by this service")
        if isinstance(node, exp.In) and not (node.expressions or node.args.get("query")):
            raise AdqlError(f"an IN list is empty: {_short(node)}")
        if allowed := CLAUSES_OF.get(type(node)):
            for clause in (key for key, value in node.args.items() if value and key not in allowed):
                raise AdqlError(f"{clause.strip('_').upper()} is not supported by this service: {_short(node)}")


def is_list(node: exp.Expr) -> bool:
    """Whether a node is an IN with literals alone: thousands of them need no look at each."""
    if not isinstance(node, exp.In) or not isinstance(node.this, exp.Column) or not node.expressions:
        return False
    return all(type(value) is exp.Literal for value in node.expressions)


def _short(node: exp.Expr) -> str:
    text = node.sql(dialect=ADQL)
    return text if len(text) <= 120 else text[:117] + "..."


def _plain(text: str) -> str:
    return text.replace("\x1b[4m", "").replace("\x1b[0m", "").rstrip(".")
