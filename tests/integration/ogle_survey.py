"""OGLE-IV, whole: I and V light curves and the classes of its collection of variable stars, from catalogues in files.

Survey: Udalski et al. 2015, AcA 65, 1. Its catalogues are read where the options say: Parquet or HATS, local or remote.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import Column, TableSpec
from schemas.table import DATASET, SOURCE_ID, TILE
from tasks.crossmatch.resolve import resolve
from tasks.lightcurves.flags import Flag
from tasks.lightcurves.passbands import Passband
from tasks.lightcurves.times import mjd
from tasks.surveys import objects
from tasks.surveys.bulk import FileTable, add_positions, rows_near, rows_of_ids
from tasks.surveys.survey import CLASS_LABELS, Ask, FlagCut, LabelOrigin, Survey, SurveyResult

LONG, FLOAT, TEXT = pa.int64(), pa.float64(), pa.string()
OBJECT = {"objid": LONG, "ra": FLOAT, "dec": FLOAT, "field": TEXT, "type": TEXT}
EPOCH = {"objid": LONG, "hjd": FLOAT, "band": TEXT, "mag": FLOAT, "mag_err": FLOAT, "flag": LONG}
OPTIONS = {"objects": "", "epochs": "", "release": "ocvs", "epoch": 2012.0, "radius_arcsec": 1.0, "search_arcsec": 3.0}
ORIGIN = "ogle_iv"
# Wavelengths: Bessell 2005, ARA&A 43, 293. A_b / E(B-V): Schlafly & Finkbeiner 2011, ApJ 737, 103, table 6, R_V = 3.1
# (Landolt). m_AB - m_Vega: Blanton & Roweis 2007, AJ 133, 734, table 1.
PASSBANDS = (
    Passband("I_ogle", "Vega", 798.0, 1.505, {"Vega": 0.0, "AB": 0.45}),
    Passband("V_ogle", "Vega", 545.0, 2.742, {"Vega": 0.0, "AB": 0.02}),
)
LETTERS = pa.array(["I", "V"])  # of the bands, in their order
UNCERTAIN = Flag("ogle_uncertain", 1 << 14, "OGLE: the photometry is marked as uncertain")
TABLE = TableSpec(
    name="core_ogle__object",
    version=1,
    doc="The OGLE-IV objects of the sources.",
    columns=(
        DATASET,
        TILE,
        SOURCE_ID,
        Column("objid", LONG, "OGLE identifier.", ucd="meta.id"),
        Column("field", TEXT, "Field of OGLE-IV.", ucd="meta.id;obs.field", nullable=True),
    ),
    key=("dataset", "source_id", "objid"),
)


def fetch(ask: Ask, sources: pa.Table, neighbours: pa.Table, options: Mapping[str, Any]) -> SurveyResult:
    """Counterparts in OGLE-IV with every epoch of theirs, their fields, and their classes."""
    here = objects.positions_at(sources, options["epoch"])
    around = objects.neighbours_at(neighbours, sources, options["epoch"])
    catalogue = FileTable(options["objects"], options["release"], OBJECT)
    near = rows_near(ask, catalogue, here, options["search_arcsec"])
    candidates, lost = objects.to_candidates("ogle_objects", near, "objid", "ra", "dec")
    matches = objects.matches_of("ogle", resolve(here, candidates, around, options["radius_arcsec"]))

    mine = objects.select_counterparts(matches)
    curves = FileTable(options["epochs"], options["release"], EPOCH)
    epochs = tidy(rows_of_ids(ask, curves, "objid", add_positions(mine, here)))
    own = mine.join(near, ["source_id", "objid"], join_type="inner").sort_by("source_id")
    names = tuple(band.name for band in PASSBANDS)
    return SurveyResult(
        curves=objects.curves_of(epochs, matches, here, names, scale="utc", origin="sun"),
        matches=matches,
        class_labels=class_labels(own),
        tables={TABLE.name: own.select(["source_id", "objid", "field"])},
        rejected=lost,
    )


def tidy(rows: pa.Table) -> objects.Epochs:
    """Epochs in MJD (heliocentric, UTC) and Vega magnitudes."""
    code = pc.index_in(rows["band"], LETTERS).to_numpy()
    bits = np.where(rows["flag"].to_numpy() != 0, UNCERTAIN.bit, 0)
    mag, err = (objects.to_floats(rows[name]) for name in ("mag", "mag_err"))
    return objects.Epochs(rows["objid"].to_numpy(), mjd(rows["hjd"].to_numpy()), mag, err, code, bits)


def class_labels(own: pa.Table) -> pa.Table:
    """CLASS_LABELS of the objects that the collection classifies."""
    typed = own.filter(pc.is_valid(own["type"]))
    n = typed.num_rows
    values = (typed["source_id"], pa.repeat(ORIGIN, n), typed["type"], pa.nulls(n, pa.float32()), pa.repeat(True, n))
    return pa.table(list(values), names=CLASS_LABELS.names).cast(CLASS_LABELS)


SURVEY = Survey(
    name="ogle",
    fetch=fetch,
    bands=PASSBANDS,
    options=OPTIONS,
    flags=(UNCERTAIN,),
    cuts=(FlagCut("ogle_uncertain", (UNCERTAIN,)),),
    tables=(TABLE,),
    label_origins=(LabelOrigin(ORIGIN, quantities=("class",), rank=30),),
    symbol="v",
)
