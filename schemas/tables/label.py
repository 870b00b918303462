"""Labels as archives publish them, and the truth of the embedded sky."""

import pyarrow as pa

from schemas.column import Column
from schemas.quantities import QUANTITIES
from schemas.table import DATASET, SOURCE_ID, TILE, TableSpec

ORIGIN = Column("origin", pa.string(), "Who published it.", ucd="meta.bib")
PHOTOMETRIC = Column("is_photometric", pa.bool_(), "True where it was itself derived from photometry.", ucd="meta.code")

LABEL_SAMPLE__CLASS = TableSpec(
    name="label_sample__class",
    version=1,
    doc="Variability classes published for the sources.",
    columns=(
        DATASET, TILE, SOURCE_ID, ORIGIN,
        Column("class", pa.string(), "Class, in the words of its origin.", ucd="src.class;src.var"),
        Column("score", pa.float32(), "The origin's own confidence.", ucd="stat.probability",
               nullable=True, range=(0, 1)),
        PHOTOMETRIC,
    ),
    key=("dataset", "source_id", "origin"),
)  # fmt: skip

REFERENCE = Column(
    "is_reference", pa.bool_(), "True where it is there to compare with and is never learnt.", ucd="meta.code"
)

LABEL_SAMPLE__PARAMETER = TableSpec(
    name="label_sample__parameter",
    version=2,
    doc="Stellar parameters and periods published for the sources; periods are references, never inputs.",
    columns=(
        DATASET, TILE, SOURCE_ID, ORIGIN,
        Column("quantity", pa.string(), "Quantity: of schemas/quantities.py, or the dataset's own.",
               ucd="meta.id"),
        Column("value", pa.float64(), "Published value, in the unit that its quantity declares.", ucd="stat.value"),
        Column("err", pa.float64(), "Published standard error; half the interval where only that is published.",
               ucd="stat.error", nullable=True, range=(0, None)),
        Column("lo", pa.float64(), "Lower end of the published interval (Gaia: 16th percentile).",
               ucd="stat.value;stat.min", nullable=True),
        Column("hi", pa.float64(), "Upper end of the published interval (Gaia: 84th percentile).",
               ucd="stat.value;stat.max", nullable=True),
        PHOTOMETRIC, REFERENCE,
    ),
    key=("dataset", "source_id", "origin", "quantity"),
)  # fmt: skip

LABEL_SAMPLE__FOLD = TableSpec(
    name="label_sample__fold",
    version=1,
    doc="The fold in which each source was published; models are then trained on these folds and on no others.",
    columns=(
        DATASET, TILE, SOURCE_ID,
        Column("fold", pa.int32(), "Number of the fold; one model is trained without each.", ucd="meta.id"),
    ),
    key=("dataset", "source_id"),
)  # fmt: skip

LABEL_TRUTH__SOURCE = TableSpec(
    name="label_truth__source",
    version=1,
    doc="Truth of the embedded sky. Evaluation alone may read it; training code may not.",
    columns=(
        DATASET, TILE, SOURCE_ID,
        Column("class", pa.string(), "True class.", ucd="src.class;src.var"),
        Column("subclass", pa.string(), "Finer kind within the class.", ucd="src.class", nullable=True),
        QUANTITIES["period_day"].column("True period; null for a constant star.", nullable=True),
        *(QUANTITIES[name].column() for name in ("teff_k", "radius_rsun", "feh_dex", "distance_pc", "ebv_mag")),
        QUANTITIES["amplitude_g_mag"].column(nullable=True),
        Column("phi31", pa.float64(), "Fourier phase difference phi31 in Gaia G, cosine convention.", unit="rad",
               ucd="src.var", nullable=True),
        Column("is_blended", pa.bool_(), "True where a close neighbour adds its light.", ucd="meta.code"),
        Column("is_wrong_match_ps1", pa.bool_(), "True where the PS1 epochs are the neighbour's.", ucd="meta.code"),
        Column("is_wrong_match_ztf", pa.bool_(), "True where the ZTF epochs are the neighbour's.", ucd="meta.code"),
        Column("duplicate_of", pa.int64(), "The other source_id of the same star, where it has two.", ucd="meta.id",
               nullable=True),
    ),
    key=("dataset", "source_id"),
)  # fmt: skip
