"""Which object of which survey belongs to which source."""

import pyarrow as pa

from schemas.column import Column
from schemas.table import DATASET, SOURCE_ID, TILE, TableSpec
from schemas.tables.epoch import SURVEY

ASSN_SAMPLE__MATCH = TableSpec(
    name="assn_sample__match",
    version=1,
    doc="Objects of each survey within reach of each source, at the survey's epoch; rank 1 is the counterpart.",
    columns=(
        DATASET, TILE, SOURCE_ID, SURVEY,
        Column("objid", pa.int64(), "The survey's own id: PS1 objID, ZTF oid, TIC ID.", ucd="meta.id"),
        Column("sep_arcsec", pa.float64(), "Separation from the source's position at the survey's epoch; null where "
               "the ids were linked without positions.", unit="arcsec", ucd="pos.angDistance", nullable=True,
               range=(0, None)),
        Column("rank", pa.int16(), "1 for the counterpart (all oids of one ZTF star); 2 and up for those farther off, "
               "also where none is 1.",
               ucd="meta.code", range=(1, None)),
        Column("n_candidates", pa.int16(), "Distinct stars of the survey within the match radius.", ucd="meta.number",
               range=(0, None)),
        Column("n_mates", pa.int16(), "Other Gaia sources that the object could belong to as well.",
               ucd="meta.number", range=(0, None)),
        Column("is_ambiguous", pa.bool_(), "True where another star could be meant: several candidates or mates.",
               ucd="meta.code.qual"),
        Column("method", pa.string(), "How it was found: gaia_best_neighbour, position, dr2_source_id.",
               ucd="meta.note"),
    ),
    key=("dataset", "source_id", "survey", "objid"),
)  # fmt: skip
