"""ADQL, the query language of the archives' TAP services, answered by DuckDB."""

from tasks.replica.adql.errors import AdqlError
from tasks.replica.adql.names import Output
from tasks.replica.adql.translate import BOOLEAN_WORDS, ROW, UPLOADED, Query, prepare, translate

__all__ = ["BOOLEAN_WORDS", "ROW", "UPLOADED", "AdqlError", "Output", "Query", "prepare", "translate"]
