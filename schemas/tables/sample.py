"""What a run is about: its sources, their mean photometry, and the bands of the dataset."""

import pyarrow as pa

from schemas.column import Column
from schemas.table import DATASET, SOURCE_ID, TILE, TableSpec

CORE_SAMPLE__SOURCE = TableSpec(
    name="core_sample__source",
    version=1,
    doc="The sources of the sample.",
    columns=(
        DATASET, TILE, SOURCE_ID,
        Column("object_id", pa.string(), "The archive's own identifier, verbatim.", ucd="meta.id"),
        Column("ra", pa.float64(), "Right ascension, ICRS.", unit="deg", ucd="pos.eq.ra;meta.main",
               nullable=True, range=(0, 360)),
        Column("dec", pa.float64(), "Declination, ICRS.", unit="deg", ucd="pos.eq.dec;meta.main",
               nullable=True, range=(-90, 90)),
        Column("n_epoch", pa.int32(), "Epochs received, before any cut.", ucd="meta.number;obs", range=(0, None)),
        Column("content_hash", pa.int64(), "Hash of everything measured of the source; changes when it does.",
               ucd="meta.checksum"),
    ),
    key=("dataset", "source_id"),
)  # fmt: skip

CORE_SAMPLE__PHOTOMETRY = TableSpec(
    name="core_sample__photometry",
    version=1,
    doc="Mean photometry of sources that came without light curves.",
    columns=(
        DATASET, TILE, SOURCE_ID,
        Column("band", pa.string(), "Band name, see core_dataset__band.", ucd="meta.id;instr.bandpass"),
        Column("mag", pa.float32(), "Mean magnitude.", unit="mag", ucd="phot.mag;stat.mean", range=(-30, 40)),
        Column("mag_err", pa.float32(), "Its standard error.", unit="mag", ucd="stat.error;phot.mag",
               nullable=True, range=(0, None)),
    ),
    key=("dataset", "source_id", "band"),
)  # fmt: skip

CORE_DATASET__BAND = TableSpec(
    name="core_dataset__band",
    version=1,
    doc="The bands of each dataset; `band` is the code that the epoch tables use.",
    columns=(
        DATASET,
        Column("band", pa.int8(), "Code of the band in the epoch tables.", ucd="meta.code;instr.bandpass",
               range=(0, None)),
        Column("name", pa.string(), "Name of the band.", ucd="meta.id;instr.bandpass"),
        Column("survey", pa.string(), "Survey that observes in it.", ucd="meta.id;instr"),
        Column("system", pa.string(), "Magnitude system: AB, Vega or instrumental.", ucd="meta.note;phot"),
        Column("wavelength_nm", pa.float32(), "Effective wavelength.", unit="nm", ucd="em.wl.effective",
               nullable=True, range=(50, 1e5)),
    ),
    key=("dataset", "band"),
    partition=("dataset",),
)  # fmt: skip
