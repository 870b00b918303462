"""What became of the sources of an earlier dataset in a later one, whose ids are other names."""

import pyarrow as pa

from schemas.column import Column
from schemas.table import DATASET, TableSpec

ASSN_SAMPLE__SUCCESSOR = TableSpec(
    name="assn_sample__successor",
    version=1,
    doc="What became of each source of an earlier dataset in this one, by the archive's table of neighbours: a row for "
    "each pair, and one for each source that is lost.",
    columns=(
        DATASET,
        Column("earlier_dataset", pa.string(), "Dataset that the earlier ids are of.", ucd="meta.dataset"),
        Column("earlier_id", pa.int64(), "Its source_id there.", ucd="meta.id", range=(0, None)),
        Column("source_id", pa.int64(), "The same star in the later data release; null where there is none.",
               ucd="meta.id;meta.main", nullable=True, range=(0, None)),
        Column("outcome", pa.string(), "kept: one source with the same number; renamed: with another; split: several "
               "sources are this star; merged: the source is another star's successor too; lost: none in the dataset.",
               ucd="meta.code"),
        Column("is_carried", pa.bool_(), "True of the one pair by which labels and scores follow.", ucd="meta.code"),
        Column("reason", pa.string(), "Why nothing follows: second_piece (another piece of the split star is the "
               "probable match, or nearer), other_source (the source is the successor of another star, which won), "
               "not_in_dataset (it is in the data release and not in the sample), other_star (its neighbours there are "
               "other stars), no_neighbour; null where it is carried.", ucd="meta.note", nullable=True),
        Column("sep_mas", pa.float32(), "Separation of the pair, by the archive.", unit="mas", ucd="pos.angDistance",
               nullable=True, range=(0, None)),
        Column("delta_mag", pa.float32(), "Difference of its magnitudes, by the archive.", unit="mag",
               ucd="phot.mag;arith.diff", nullable=True),
        Column("is_probable", pa.bool_(), "True where the archive names the pair as probably one star; null where it "
               "does not say.", ucd="meta.code", nullable=True),
    ),
    key=("dataset", "earlier_dataset", "earlier_id", "source_id"),
    partition=("dataset", "earlier_dataset"),
)  # fmt: skip
