"""A fifth survey, whole: Gaia's mean G magnitude as a light curve of one epoch, asked of the Gaia archive."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from schemas.dataset import Band
from tasks.archives.csv import read_csv
from tasks.archives.question import Question
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.photometry import POGSON
from tasks.surveys.survey import Ask, Curves, Survey, SurveyResult

ANSWER = {"source_id": pa.int64(), "ref_epoch": pa.float64(), "phot_g_mean_mag": pa.float64(),
          "phot_g_mean_flux_over_error": pa.float64()}  # fmt: skip
QUESTION = Question(
    service="gaia_tap",
    text=f"SELECT {', '.join(ANSWER)} FROM gaiadr3.gaia_source WHERE source_id IN {{items}}",
    release="gaia_dr3",
    read=lambda body: read_csv(body, ANSWER, "Gaia's answer about mean magnitudes"),
    key="source_id",
)


def fetch(ask: Ask, sources: pa.Table, neighbours: pa.Table, options: Mapping[str, Any]) -> SurveyResult:
    """One epoch a source, at Gaia's reference epoch."""
    rows = ask(QUESTION, sources.select(["source_id"]))
    column = {name: rows[name].to_numpy() for name in ANSWER}
    mjd = 51544.5 + 365.25 * (column["ref_epoch"] - 2000)
    batch = LightCurveBatch.from_epochs(column["source_id"], mjd, column["phot_g_mean_mag"],
                                        POGSON / column["phot_g_mean_flux_over_error"],
                                        np.zeros(rows.num_rows, np.int8), None, ["G_mean"])  # fmt: skip
    return SurveyResult(Curves(batch, batch.source_id))


BAND = Band(name="G_mean", survey="mean", system="Vega", wavelength_nm=622)
SURVEY = Survey("mean", fetch, (BAND,))
