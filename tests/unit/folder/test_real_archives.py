"""The presets on the real folders: as many objects, bands and epochs as their READMEs say, and nothing lost."""

import numpy as np
import pytest

from schemas.mapping import load_spec
from tasks.folder.local import read_epochs, read_objects

# From the README of each folder. css_north: four rows hold a sentinel for the time. dekany_rrab: 70,801 rows at phases
# from 1.0 on repeat earlier ones; 2,138 stars have [Fe/H]. ogle_cepheids_vi: 45 of 4,569 stars have no light curve.
LIGHT_CURVES = {
    "ztf_vsx": (247, {"g_ztf": 149524, "r_ztf": 175886, "i_ztf": 9356}, 0),
    "eros_br": (2901, {"B_eros": 344808, "R_eros": 340987}, 0),
    "css_north": (5710, {"V_css": 1641619}, 4),
    "ogle_cepheids_vi": (4524, {"V_ogle": 509569, "I_ogle": 2504043}, 0),
    "dekany_rrab": (13323, {"G": 414133}, 0),
}
CLASSES = {
    "ztf_vsx": {"RR Lyr": 110, "R": 39, "Ellipsoidal": 38, "δ Sct": 31, "Cepheid": 29},
    "eros_br": {"RRL": 1770, "CEP": 601, "ECL": 339, "MIRA": 191},
    "ogle_cepheids_vi": {"F": 2396, "1O": 1734, "1O/2O": 310, "F/1O": 94, "2O": 26, "1O/2O/3O": 6, "1O/3O": 1,
                         "F/1O/2O": 1, "2O/3O": 1},
    "css_north": {"EW": 995, "EA": 990, "RRc": 981, "RRab": 976, "RS_CVn": 755, "LPV": 256, "RRd": 248,
                  "beta_lyrae": 139, "HADS": 108, "ELL": 80, "Cep_II": 60, "PCEB": 42, "Blazhko": 36, "ACEP": 29,
                  "Hump": 12, "LADS": 3},
}  # fmt: skip
QUANTITIES = {
    "ztf_vsx": {"period_day": 247},
    "dekany_rrab": {"feh_dex": 2138},
    "green2020_sed": {"teff_k": 8039, "logg_dex": 8039, "feh_dex": 8039},
    "huber2017_seismic": {"radius_rsun": 2196, "teff_k": 2196, "logg_dex": 2196, "feh_dex": 2196},
}


def counts(column):
    return {pair["values"]: pair["counts"] for pair in column.value_counts().to_pylist()}


@pytest.mark.parametrize("name", LIGHT_CURVES)
def test_light_curves(archive, name):
    path = archive(name)
    spec = load_spec(path, name)
    n_objects, n_per_band, n_refused = LIGHT_CURVES[name]
    ids = read_objects(path, spec, need_labels=False).table["object_id"].to_pylist()
    reader = read_epochs(path, spec, ids, 1000)
    assert reader.contents.n_per_band == n_per_band
    found = n_epochs = refused = 0
    for chunk in reader:
        found += len(chunk.batch)
        n_epochs += chunk.batch.time.size
        refused += sum(report["check"] != "no_epochs" for report in chunk.rejected.to_pylist())
        assert np.isnan(chunk.batch.mag_err).all() != spec.has_errors
        if spec.zero_mjd is not None:
            assert chunk.batch.time.min() > 48000 and chunk.batch.time.max() < 60000  # 1990 to 2023
    repeats = 70801 if name == "dekany_rrab" else 0
    assert (found, n_epochs + refused + repeats, refused) == (n_objects, sum(n_per_band.values()), n_refused)


@pytest.mark.parametrize("name", CLASSES)
def test_classes(archive, name):
    path = archive(name)
    assert counts(read_objects(path, load_spec(path, name)).class_labels["class"]) == CLASSES[name]


@pytest.mark.parametrize("name", QUANTITIES)
def test_parameters(archive, name):
    path = archive(name)
    objects = read_objects(path, load_spec(path, name))
    assert counts(objects.parameter_labels["quantity"]) == QUANTITIES[name]
    assert set(counts(objects.parameter_labels["object_id"])) <= set(objects.table["object_id"].to_pylist())


@pytest.mark.parametrize("name, n_objects, n_bands", [("green2020_sed", 8039, 13), ("huber2017_seismic", 2196, 9)])
def test_mean_photometry(archive, name, n_objects, n_bands):
    path = archive(name)
    objects = read_objects(path, load_spec(path, name))
    assert objects.table.num_rows == n_objects and not objects.notes
    per_band = counts(objects.photometry["band"])
    assert len(per_band) == n_bands
    if name == "green2020_sed":  # 8,039 less the 1,454 without g
        assert per_band["g_ps1"] == 6585 and objects.table["ra"].null_count == n_objects
