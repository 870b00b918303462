"""What ran: the stages of every run of the catalogue."""

import pyarrow as pa

from schemas.column import Column
from schemas.table import DATASET, TableSpec

TIME = pa.timestamp("us", "UTC")
TEXTS = pa.list_(pa.string())

RUN_REFRESH__STAGE = TableSpec(
    name="run_refresh__stage",
    version=1,
    doc="Every stage of every run that has ended: a copy of the run manifests in the lake's folder `runs`.",
    columns=(
        DATASET,
        Column("run_id", pa.string(), "Run, as in the tables that it wrote.", ucd="meta.id"),
        Column("stage", pa.string(), "acquire, clean, featurize, train, score or publish; or migrate.", ucd="meta.id"),
        Column("command", pa.string(), "What the user started, such as refresh demo.", ucd="meta.note"),
        Column("status", pa.string(), "done, failed, or interrupted where the program died in it.",
               ucd="meta.code.status"),
        Column("started", TIME, "When the stage began.", ucd="time.start"),
        Column("seconds", pa.float64(), "How long it took; null where the program died.", unit="s",
               ucd="time.duration", nullable=True, range=(0, None)),
        Column("n_done", pa.int64(), "Objects that it worked on; the others were up to date.", ucd="meta.number",
               nullable=True, range=(0, None)),
        Column("n_total", pa.int64(), "Objects that it is about.", ucd="meta.number", nullable=True, range=(0, None)),
        Column("tables", TEXTS, "Table versions that it wrote, as queries name them: out__catalogue@3.",
               ucd="meta.id;meta.table", nullable=True),
        Column("inputs", TEXTS, "What it read from outside the lake, each as name=fingerprint.", ucd="meta.dataset",
               nullable=True),
        Column("error", pa.string(), "Why the run failed.", ucd="meta.note", nullable=True),
        Column("code_version", pa.string(), "Version of the program, by git describe.", ucd="meta.version"),
        Column("lock_hash", pa.string(), "SHA-256 of the versions of all libraries.", ucd="meta.checksum"),
        Column("settings", pa.string(), "Complete settings of the run, as JSON.", ucd="meta.note"),
    ),
    key=("dataset", "run_id", "stage"),
    partition=("dataset",),
)  # fmt: skip
