"""Angular distance in SQL."""

from __future__ import annotations


def separation(ra: str, dec: str) -> str:
    """DuckDB expression: degrees between the columns `ra`, `dec` (deg) and a position (haversine formula).

    The position is the expression's three parameters, in this order: declination, declination, right ascension (deg).
    """
    return (
        f'degrees(2 * asin(least(1, sqrt(pow(sin(radians("{dec}" - ?) / 2), 2)'
        f' + cos(radians("{dec}")) * cos(radians(?)) * pow(sin(radians("{ra}" - ?) / 2), 2)))))'
    )
