"""Light curves, one row per (source, survey), epochs as list columns."""

import pyarrow as pa

from schemas.column import Column
from schemas.table import DATASET, SOURCE_ID, TILE, TableSpec

SURVEY = Column("survey", pa.string(), "Survey that took the light curve.", ucd="meta.id;instr")

EPOCHS = (
    Column("time", pa.list_(pa.float64()), "Times of the epochs, ascending; the dataset says which scale, or phases.",
           unit="d", ucd="time.epoch"),
    Column("mag", pa.list_(pa.float32()), "Magnitudes.", unit="mag", ucd="phot.mag"),
    Column("mag_err", pa.list_(pa.float32()), "Quoted standard errors; NaN where the dataset quotes none.",
           unit="mag", ucd="stat.error;phot.mag"),
    Column("band", pa.list_(pa.int8()), "Band code of each epoch, see core_dataset__band.",
           ucd="meta.code;instr.bandpass"),
    Column("flags", pa.list_(pa.int32()), "Quality bits of each epoch; 0 is good.", ucd="meta.code.qual"),
)  # fmt: skip

RAW_SAMPLE__EPOCH = TableSpec(
    name="raw_sample__epoch",
    version=2,
    doc="Every epoch of every source as its archive gave it, units and names harmonised, nothing cut.",
    columns=(
        DATASET, TILE, SOURCE_ID, SURVEY,
        Column("objid", pa.int64(), "The survey's own object that the epochs belong to (PS1 objID, ZTF oid, Gaia "
               "source_id; see assn_sample__match); 0 where a dataset knows none, null in rows of version 1.",
               ucd="meta.id", nullable=True),
        Column("content_hash", pa.int64(), "Hash of the epochs of the source in all surveys; changes when they do.",
               ucd="meta.checksum"),
        *EPOCHS,
    ),
    key=("dataset", "source_id", "survey", "objid"),
)  # fmt: skip

CORE_SAMPLE__EPOCH = TableSpec(
    name="core_sample__epoch",
    version=1,
    doc="The epochs that the named cuts kept.",
    columns=(
        DATASET, TILE, SOURCE_ID, SURVEY,
        Column("input_hash", pa.int64(), "Hash of the raw epochs and of the cuts that made this row.",
               ucd="meta.checksum"),
        *EPOCHS,
    ),
    key=("dataset", "source_id", "survey"),
)  # fmt: skip
