"""Periods and Fourier parameters of real stars against published catalogues (skipped where there are no data)."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tasks.features import FeatureConfig, compute_features
from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.cuts import apply_cuts
from tasks.surveys.cuts import CutConfig

DATA = Path(os.environ.get("ARGELANDER_DATA", Path(__file__).parents[4] / "shared" / "data"))


def stars(folder: str, chosen, time: str, bands: tuple[str, ...]) -> tuple[LightCurveBatch, pd.DataFrame]:
    """Light curves and catalogue rows of the objects that `chosen` picks from the table of objects."""
    if not (DATA / folder).is_dir():
        pytest.skip(f"no real light curves: {folder} is not in ARGELANDER_DATA or ../shared/data")
    objects = chosen(pd.read_parquet(DATA / folder / "objects.parquet")).reset_index(drop=True)
    epochs = pd.read_parquet(
        DATA / folder / "lightcurves.parquet", filters=[("object_id", "in", objects.object_id.tolist())]
    )
    row = pd.Index(objects.object_id).get_indexer(epochs.object_id.astype(str))
    band = pd.Index(bands).get_indexer(epochs.band.astype(str))
    batch = LightCurveBatch.from_epochs(row, epochs[time], epochs.mag, epochs.mag_err, band, None, bands)
    return batch, objects.iloc[batch.source_id]


def test_periods_of_ztf_rr_lyrae():
    batch, catalogue = stars("ztf_vsx", lambda o: o[o.label == "RR Lyr"].iloc[:30], "mjd", ("g", "r", "i"))
    found = compute_features(batch, FeatureConfig())["period_day"].to_numpy()
    assert np.mean(np.abs(found / catalogue.period_vsx - 1) < 0.01) >= 0.9


def test_fourier_parameters_of_ogle_cepheids():
    batch, catalogue = stars(
        "ogle_cepheids_vi", lambda o: o[(o.label == "F") & (o.phi31 > 0)].iloc[:15], "hjd_minus_2450000", ("V", "I")
    )
    found = compute_features(batch, FeatureConfig()).to_pandas()
    assert np.mean(np.abs(found.period_day.to_numpy() / catalogue.period - 1) < 2e-3) >= 0.9
    assert np.median(np.abs(found.r21_I.to_numpy() - catalogue.R21)) < 0.01
    turned = np.angle(np.exp(1j * (found.phi21_rad_I.to_numpy() - catalogue.phi21.to_numpy())))
    assert np.median(np.abs(turned)) < 0.03


def test_cuts_spare_the_eclipses_of_algols():
    batch, _ = stars("css_north", lambda o: o[o.label == "EA"].iloc[:200], "mjd", ("V_CSS",))
    _, removed, names = apply_cuts(batch, CutConfig(has_error=True))
    ledger = dict(zip(names, removed.T, strict=True))
    assert ledger["outlier"].sum() < 0.002 * batch.time.size
    assert ledger["outlier"].max() <= 5
