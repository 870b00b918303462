"""What was asked of the archives."""

import pyarrow as pa

from schemas.column import Column
from schemas.table import TableSpec

TIME = pa.timestamp("us", "UTC")

RAW_ARCHIVE__REQUEST = TableSpec(
    name="raw_archive__request",
    version=2,
    doc="Every request to an archive and how it went: a copy of the records in the raw store, beside the answers.",
    columns=(
        Column("service", pa.string(), "Service that was asked.", ucd="meta.id"),
        Column("request_hash", pa.string(), "Hash of all that was asked: name of its record.", ucd="meta.id"),
        Column("endpoint", pa.string(), "Which archives: live, or the sky of a replica.", ucd="meta.id"),
        Column("release", pa.string(), "Data release that was asked for.", ucd="meta.version"),
        Column("text", pa.string(), "The question: a template for the items, then its parameters.", ucd="meta.query"),
        Column("item", pa.string(), "The one item (or range, lo to hi) that it was about, as JSON; null for several.",
               ucd="meta.query", nullable=True),
        Column("n_item", pa.int32(), "Items that it was about.", ucd="meta.number", range=(0, None)),
        Column("status", pa.string(), "sent, done, split, failed, or lost where the stored answer is damaged.",
               ucd="meta.code.status"),
        Column("job_id", pa.string(), "Asynchronous job of the archive.", ucd="meta.id", nullable=True),
        Column("n_attempt", pa.int32(), "How often it was sent.", ucd="meta.number", range=(0, None)),
        Column("n_row", pa.int64(), "Rows of the answer.", ucd="meta.number", nullable=True, range=(0, None)),
        Column("n_byte", pa.int64(), "Size of the answer.", unit="byte", ucd="meta.number", nullable=True,
               range=(0, None)),
        Column("seconds", pa.float64(), "Time that the archive took, all attempts together.", unit="s",
               ucd="time.duration", range=(0, None)),
        Column("content_hash", pa.string(), "Hash of the answer, its name in the raw store.", ucd="meta.id",
               nullable=True),
        Column("first_sent", TIME, "When it was first sent.", ucd="time.processing", nullable=True),
        Column("answered", TIME, "When the answer was there.", ucd="time.processing", nullable=True),
        Column("run_id", pa.string(), "Run that sent it last.", ucd="meta.id"),
        Column("last_error", pa.string(), "What went wrong last.", ucd="meta.note", nullable=True),
    ),
    key=("service", "request_hash"),
    partition=("service",),
)  # fmt: skip
