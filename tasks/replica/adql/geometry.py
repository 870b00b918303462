"""ADQL's geometry as arithmetic that DuckDB joins fast: a band in declination, then the angle itself."""

from __future__ import annotations

from sqlglot import exp

from tasks.replica.adql.errors import AdqlError

# The angle between two directions in degrees (haversine: exact for small angles, at the poles and across RA 0).
# A connection that runs a translated query needs this macro.
DISTANCE = "sphere_distance"
MACRO = f"""CREATE OR REPLACE TEMP MACRO {DISTANCE}(ra1, dec1, ra2, dec2) AS
2 * degrees(asin(least(1, sqrt(
    pow(sin(radians(dec1 - dec2) / 2), 2)
    + cos(radians(dec1)) * cos(radians(dec2)) * pow(sin(radians(ra1 - ra2) / 2), 2)))))"""
# Rounding can make the angle smaller than the difference in declination; the band must not lose such a pair.
SLACK_DEG = 1e-9
FRAMES = ("", "ICRS", "ICRS BARYCENTER", "ICRS GEOCENTER")

Point = tuple[exp.Expr, exp.Expr]


def expand_geometry(query: exp.Query) -> None:
    """Replace CONTAINS(POINT, CIRCLE) compared with 0 or 1, and DISTANCE, by arithmetic; other geometry stays.

    What stays is refused by name afterwards. AdqlError for a frame other than ICRS or wrong arguments.
    """
    for node in list(query.find_all(exp.EQ)):
        contains, wanted = (node.this, node.expression)
        if not isinstance(contains, exp.Contains):
            contains, wanted = wanted, contains
        if isinstance(contains, exp.Contains) and _is_circle(contains) and wanted.name in ("0", "1"):
            inside = _inside(contains)
            node.replace(inside if wanted.name == "1" else exp.Not(this=inside))
    for call in list(query.find_all(exp.Anonymous)):
        if call.name.upper() == "DISTANCE":
            _expand_distance(call)


def is_ours(node: exp.Expr) -> bool:
    """Whether a call was made here and not written by who asks."""
    return bool(node.meta.get("geometry"))


def _is_circle(contains: exp.Contains) -> bool:
    return _is_call(contains.this, "POINT") and _is_call(contains.expression, "CIRCLE")


def _is_call(node: exp.Expr | None, name: str) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.upper() == name


def _inside(contains: exp.Contains) -> exp.Expr:
    point = _point(contains.this)
    values = _without_frame(contains.expression)
    if len(values) == 2 and _is_call(values[0], "POINT"):
        centre, radius = _point(values[0]), values[1]
    elif len(values) == 3:
        centre, radius = (values[0], values[1]), values[2]
    else:
        raise AdqlError(f"CIRCLE takes a centre (ra, dec) and a radius in degrees, found {len(values)} arguments")
    distance = exp.LTE(this=_distance(point, centre), expression=radius.copy())
    return exp.Paren(this=exp.And(this=_band(point, centre, radius), expression=distance))


def _expand_distance(call: exp.Anonymous) -> None:
    values = call.expressions
    if len(values) == 2 and all(_is_call(value, "POINT") for value in values):
        first, second = _point(values[0]), _point(values[1])
    elif len(values) == 4:
        first, second = (values[0], values[1]), (values[2], values[3])
    else:
        raise AdqlError(f"DISTANCE takes two POINTs or ra1, dec1, ra2, dec2, found {len(values)} other arguments")
    distance, parent = _distance(first, second), call.parent
    limit = None
    if isinstance(parent, exp.LT | exp.LTE) and parent.this is call:
        limit = parent.expression
    elif isinstance(parent, exp.GT | exp.GTE) and parent.expression is call:
        limit = parent.this
    call.replace(distance)
    if limit is not None and parent is not None:
        within = exp.And(this=_band(first, second, limit), expression=parent.copy())
        parent.replace(exp.Paren(this=within))


def _distance(first: Point, second: Point) -> exp.Anonymous:
    call = exp.Anonymous(this=DISTANCE, expressions=[part.copy() for part in (*first, *second)])
    call.meta["geometry"] = True
    return call


def _band(point: Point, centre: Point, radius: exp.Expr) -> exp.Between:
    """That the declinations differ by no more than the radius: what a range join can use."""
    low, high = (
        kind(this=kind(this=_paren(centre[1]), expression=_paren(radius)), expression=exp.Literal.number(SLACK_DEG))
        for kind in (exp.Sub, exp.Add)
    )
    return exp.Between(this=_paren(point[1]), low=low, high=high)


def _paren(node: exp.Expr) -> exp.Expr:
    return node.copy() if isinstance(node, exp.Column | exp.Literal) else exp.Paren(this=node.copy())


def _point(call: exp.Expr) -> Point:
    values = _without_frame(call)
    if len(values) != 2:
        raise AdqlError(f"POINT takes ra and dec in degrees, found {len(values)} arguments")
    return values[0], values[1]


def _without_frame(call: exp.Expr) -> list[exp.Expr]:
    """Arguments of a POINT or CIRCLE, but for the name of the frame that may stand first."""
    values = list(call.expressions)
    if values and isinstance(values[0], exp.Literal) and values[0].is_string:
        frame = values.pop(0).name
        if frame.strip().upper() not in FRAMES:
            raise AdqlError(f'positions are in ICRS here, the query asks for the frame "{frame}"')
    return values
