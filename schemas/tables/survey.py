"""Values that Gaia, ZTF and the TIC publish of a source, beside light curves and labels."""

import pyarrow as pa

from schemas.column import Column
from schemas.table import DATASET, SOURCE_ID, TILE, TableSpec


def _error_pair(name: str, unit: str, ucd: str, doc: str, error: str) -> tuple[Column, Column]:
    """An astrometric quantity and its standard error."""
    return (
        Column(name, pa.float64(), doc, unit=unit, ucd=ucd, nullable=True),
        Column(
            f"{name}_error", pa.float32(), error, unit=unit, ucd=f"stat.error;{ucd}", nullable=True, range=(0, None)
        ),
    )


def _mag(band: str, ucd: str) -> Column:
    return Column(
        f"phot_{band}_mean_mag",
        pa.float32(),
        f"Mean {band.upper()} magnitude, Vega.",
        unit="mag",
        ucd=f"phot.mag;{ucd}",
        nullable=True,
        range=(-5, 30),
    )


CORE_GAIA__SOURCE = TableSpec(
    name="core_gaia__source",
    version=2,
    doc="The sources of a sample in Gaia: astrometry at `ref_epoch`, mean photometry, and what links them elsewhere.",
    columns=(
        DATASET, TILE, SOURCE_ID,
        Column("ra", pa.float64(), "Right ascension, ICRS, at ref_epoch.", unit="deg", ucd="pos.eq.ra;meta.main",
               range=(0, 360)),
        Column("dec", pa.float64(), "Declination, ICRS, at ref_epoch.", unit="deg", ucd="pos.eq.dec;meta.main",
               range=(-90, 90)),
        Column("ref_epoch", pa.float64(), "Reference epoch, Julian years.", unit="yr", ucd="time.epoch",
               range=(1900, 2100)),
        *_error_pair("parallax", "mas", "pos.parallax.trig", "Parallax.", "Its standard error."),
        *_error_pair("pmra", "mas.yr**-1", "pos.pm;pos.eq.ra", "Proper motion in right ascension, times cos(dec).",
                    "Its standard error."),
        *_error_pair("pmdec", "mas.yr**-1", "pos.pm;pos.eq.dec", "Proper motion in declination.",
                    "Its standard error."),
        _mag("g", "em.opt"), _mag("bp", "em.opt.B"), _mag("rp", "em.opt.R"),
        Column("ruwe", pa.float32(), "Renormalised unit weight error of the astrometric solution.", ucd="stat.error",
               nullable=True, range=(0, None)),
        Column("has_epoch_photometry", pa.bool_(), "True where Gaia publishes epoch photometry.", ucd="meta.code"),
        Column("phot_variable_flag", pa.string(), "VARIABLE, CONSTANT or NOT_AVAILABLE.", ucd="meta.code;src.var",
               nullable=True),
        Column("dr3_source_id", pa.int64(), "The same star in Gaia DR3: source_id itself, or by Gaia's table of "
               "neighbours.", ucd="meta.id", nullable=True),
        Column("dr2_source_id", pa.int64(), "Nearest source of Gaia DR2 of about the same magnitude.", ucd="meta.id",
               nullable=True),
        Column("ps1_objid", pa.int64(), "PS1 object of Gaia's own best-neighbour table.", ucd="meta.id",
               nullable=True),
        Column("healpix29", pa.int64(), "Nested HEALPix cell of order 29, where the release has it.",
               ucd="pos.healpix", nullable=True, range=(0, None)),
    ),
    key=("dataset", "source_id"),
)  # fmt: skip

CORE_TIC__SOURCE = TableSpec(
    name="core_tic__source",
    version=2,
    doc="The counterparts in the TESS Input Catalog 8.2: what is neither a label nor a match.",
    columns=(
        DATASET, TILE, SOURCE_ID,
        Column("tic_id", pa.int64(), "TIC identifier.", ucd="meta.id", range=(0, None)),
        Column("tmag", pa.float32(), "TESS magnitude.", unit="mag", ucd="phot.mag;em.opt.I", nullable=True,
               range=(-5, 30)),
        Column("lumclass", pa.string(), "Luminosity class: DWARF, SUBGIANT or GIANT.",
               ucd="src.class.luminosity", nullable=True),
        Column("contratio", pa.float32(), "Contamination: flux of neighbours over that of the star.",
               ucd="phot.flux;arith.ratio", nullable=True, range=(0, None)),
        Column("numcont", pa.int32(), "Number of contaminating neighbours.", ucd="meta.number", nullable=True,
               range=(0, None)),
        Column("disposition", pa.string(), "ARTIFACT, DUPLICATE, SPLIT or null.", ucd="meta.code.qual",
               nullable=True),
        Column("ebv", pa.float32(), "Reddening E(B-V) by the TIC.", unit="mag", ucd="phot.color.excess", nullable=True,
               range=(0, None)),
    ),
    key=("dataset", "source_id"),
)  # fmt: skip

CORE_ZTF__OBJECT = TableSpec(
    name="core_ztf__object",
    version=1,
    doc="The ZTF objects of each source: one in each field, CCD quadrant and filter, with a zero point of its own; "
    "their epochs are the rows of raw_sample__epoch with this objid.",
    columns=(
        DATASET, TILE, SOURCE_ID,
        Column("oid", pa.int64(), "ZTF object identifier.", ucd="meta.id", range=(0, None)),
        Column("filtercode", pa.string(), "Filter: zg, zr or zi.", ucd="meta.code;instr.filter", nullable=True),
        Column("field", pa.int32(), "Field of ZTF's grid.", ucd="meta.id;obs.field", nullable=True, range=(0, None)),
        Column("ccdid", pa.int32(), "CCD, 1 to 16.", ucd="meta.id;instr.det", nullable=True, range=(1, 16)),
        Column("qid", pa.int32(), "Quadrant of the CCD, 1 to 4.", ucd="meta.id;instr.det", nullable=True,
               range=(1, 4)),
        Column("nobs", pa.int32(), "Epochs; 0 where the object is of the reference image alone.",
               ucd="meta.number;obs", nullable=True, range=(0, None)),
        Column("ngoodobs", pa.int32(), "Epochs with catflags below 32768, by ZTF's own count.",
               ucd="meta.number;obs", nullable=True, range=(0, None)),
    ),
    key=("dataset", "source_id", "oid"),
)  # fmt: skip
