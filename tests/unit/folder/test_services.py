"""Presets of services: files with the columns that they document, read by name, with their flags and limits."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from schemas.mapping import load_spec
from tasks.folder.local import read_epochs, read_objects
from tests.unit.surveys.bulk_sky import write_hats
from tests.unit.surveys.rubin_catalogue import mag_of, rubin_catalogue
from tests.unit.surveys.survey_answers import sources

N = 12
MJD = 59000.2519 + np.arange(N) * 3.4971
MAG = 15 + np.arange(N) % 5 / 10


def read(folder, name):
    """The ids, the light curves, and the check of each row that is set aside."""
    spec = load_spec(folder, name)
    ids = read_objects(folder, spec).table["object_id"].to_pylist()
    (chunk,) = read_epochs(folder, spec, ids, 10)
    return ids, chunk.batch, sorted(chunk.rejected["check"].to_pylist())


def test_irsa(tmp_path):
    flags = np.where(np.arange(N) == 3, 32768, 0)
    table = {
        "oid": [686103400034440] * N,
        "expid": np.arange(N),
        "hjd": MJD + 2400000.5,
        "mjd": MJD - 0.003,
        "mag": MAG,
    }
    table |= {"magerr": [0.02] * N, "catflags": flags, "filtercode": ["zg", "zr", "zi"] * 4, "ra": [298.0] * N}
    Table({**table, "dec": [29.9] * N}).write(tmp_path / "lightcurves.tbl", format="ascii.ipac")
    ids, batch, checks = read(tmp_path, "ztf_irsa")
    assert ids == ["686103400034440"] and checks == [] and batch.bands == ("g_ztf", "r_ztf", "i_ztf")
    np.testing.assert_allclose(batch.time, MJD, atol=1e-7)
    assert np.flatnonzero(batch.flags).tolist() == [3] and batch.band.tolist() == [0, 1, 2] * 4


def test_alerce(tmp_path):
    table = {"oid": ["ZTF17aaajvds"] * N, "mjd": MJD, "fid": [1, 2] * 6, "magpsf": MAG + 3, "sigmapsf": [0.1] * N}
    table |= {"magpsf_corr": MAG, "sigmapsf_corr_ext": [0.02] * N, "dubious": np.arange(N) == 5}
    Table(table).write(tmp_path / "detections.csv", format="csv")
    _, batch, checks = read(tmp_path, "ztf_alerce")
    np.testing.assert_allclose(batch.mag, MAG, rtol=1e-6)
    assert checks == [] and np.flatnonzero(batch.flags).tolist() == [5] and batch.band.tolist() == [0, 1] * 6


def test_fink(tmp_path):
    tag = np.array(["valid"] * N, "U12")
    tag[2], tag[4] = "badquality", "upperlim"
    mag = np.where(tag == "upperlim", np.nan, MAG)
    table = {"i:objectId": ["ZTF21aaxtctv"] * N, "i:jd": MJD + 2400000.5, "i:magpsf": mag, "i:sigmapsf": [0.1] * N}
    Table({**table, "i:fid": [1] * N, "d:tag": tag}).write(tmp_path / "fink.csv", format="csv")
    _, batch, checks = read(tmp_path, "ztf_fink")
    assert checks == ["finite"] and np.flatnonzero(batch.flags).tolist() == [2]
    np.testing.assert_allclose(batch.time, np.delete(MJD, 4), atol=1e-7)


def test_atlas(tmp_path):
    for star in ("one", "two"):
        flux = 10 ** ((23.9 - MAG) / 2.5)
        flux[1] = -41.0
        rows = [
            f"{MJD[k]:.6f} {MAG[k]:.3f} 0.05 {flux[k]:.6f} {flux[k] / 50:.6f} {'co'[k % 2]} {4 * (k == 6)} 1.1 "
            "101.5 -4.25 5000 5000 2.5 2.4 -40 -0.4 19.5 21.4 02a59000o0001c"
            for k in range(N)
        ]
        header = "###MJD m dm uJy duJy F err chi/N RA Dec x y maj min phi apfit mag5sig Sky Obs"
        (tmp_path / f"{star}.txt").write_text("\n".join([header, *rows]) + "\n")
    ids, batch, checks = read(tmp_path, "atlas_forced")
    assert ids == ["one", "two"] and checks == ["flux", "flux"] and batch.bands == ("c_atlas", "o_atlas")
    np.testing.assert_allclose(batch.select([0]).mag, np.delete(MAG, 1), rtol=1e-6)
    np.testing.assert_allclose(batch.mag_err, 2.5 / np.log(10) / 50, rtol=1e-4)
    assert np.flatnonzero(batch.select([1]).flags).tolist() == [5]  # of err, the seventh row


def test_rubin(tmp_path):
    """A catalogue in HATS as it is, below the folder: an object a row, its epochs nested."""
    stars, flags = sources(*({"source_id": k, "ra": 50.0 + k, "dec": -28.0} for k in range(3))), np.zeros((3, 24), bool)
    flags[1, 4] = True
    write_hats(tmp_path / "lightcurves", rubin_catalogue(stars, psfFlux_flag=flags), max_rows=2)
    ids, batch, checks = read(tmp_path, "rubin_dp1")
    assert sorted(ids) == ["1000", "1001", "1002"] and checks == []
    assert batch.bands == tuple(f"{letter}_rubin" for letter in "ugrizy") and batch.n_epoch.tolist() == [24] * 3
    second = batch.select([ids.index("1001")])
    np.testing.assert_allclose(second.mag, mag_of(np.array(1001), np.arange(24)), atol=1e-4)  # nJy: 31.4, or 3631 Jy
    assert np.flatnonzero(second.flags).tolist() == [4]


def test_asas_sn(tmp_path):
    for star in ("one", "two"):
        rows = [
            f"{MJD[k] + 2400000.5:.5f},2020-05-31,bd,1.5,17.1,{MAG[k]:.3f},0.02,3.9,0.05,{'Vg'[k % 2]}"
            for k in range(N)
        ]
        rows[3] = rows[3].replace(f"{MAG[3]:.3f},0.02", ">17.1,99.990" if star == "one" else "99.990,99.990")
        header = "HJD,UT Date,Camera,FWHM,Limit,mag,mag_err,flux(mJy),flux_err,Filter"
        (tmp_path / f"{star}.csv").write_text("\n".join([header, *rows]) + "\n")
    ids, batch, checks = read(tmp_path, "asas_sn")
    assert ids == ["one", "two"] and checks == ["range", "upper_limit"]
    np.testing.assert_allclose(batch.select([0]).time, np.delete(MJD, 3), atol=1e-5)
    np.testing.assert_allclose(batch.select([1]).mag, np.delete(MAG, 3), rtol=1e-6)


def test_asas_sn_v2(tmp_path):
    for star in ("one", "two"):
        rows = [
            f"{MJD[k] + 2400000.5:.7f},26.0,0.1,{MAG[k]:.4f},0.0054,16.9,1.7,{'Vg'[k % 2]},{'B' if k == 5 else 'G'}"
            for k in range(N)
        ]
        rows[3] = rows[3].replace(f"{MAG[3]:.4f},0.0054", "16.9000,99.9900")
        header = "# a comment\n#\n\nJD,Flux,Flux Error,Mag,Mag Error,Limit,FWHM,Filter,Quality"
        (tmp_path / f"{star}.csv").write_text("\n".join([header, *rows]) + "\n")
    ids, batch, checks = read(tmp_path, "asas_sn_v2")
    assert ids == ["one", "two"] and checks == ["sentinel"] * 2 and batch.bands == ("V_asassn", "g_asassn")
    np.testing.assert_allclose(batch.select([0]).time, np.delete(MJD, 3), atol=1e-6)
    assert np.flatnonzero(batch.select([1]).flags).tolist() == [4]  # the sixth row


def test_pyasassn(tmp_path):
    table = {"asas_sn_id": [661425129485] * N, "jd": MJD + 2400000.5, "flux": [3.9] * N, "mag": MAG}
    table |= {"mag_err": np.where(np.arange(N) == 2, 99.99, 0.02), "camera": ["bd"] * N, "phot_filter": ["g"] * N}
    Table({**table, "quality": np.where(np.arange(N) == 7, "B", "G")}).write(tmp_path / "661425129485.csv")
    text = (tmp_path / "661425129485.csv").read_text()
    (tmp_path / "661425129485.csv").write_text('# "asas_sn_id":661425129485,"ra_deg":270.1\n' + text)
    ids, batch, checks = read(tmp_path, "asas_sn_pyasassn")
    assert ids == ["661425129485"] and checks == ["sentinel"] and np.flatnonzero(batch.flags).tolist() == [6]
    np.testing.assert_allclose(batch.time, np.delete(MJD, 2), atol=1e-7)


KINDS = {"tess_fits": (20.44, 2457000, "QUALITY"), "kepler_fits": (25.10, 2454833, "SAP_QUALITY")}


@pytest.mark.parametrize("n_sector", [1, 2])
@pytest.mark.parametrize("name", KINDS)
def test_space_telescopes(tmp_path, name, n_sector):
    zero_point, zero, flags = KINDS[name]
    time = 1325.3 + np.arange(N) * 0.02
    flux = 10 ** ((zero_point - MAG) / 2.5)
    flux[2], flux[7] = np.nan, -1.0
    quality = np.where(np.arange(N) == 4, 128, 0)
    for sector in range(n_sector):
        columns = [
            fits.Column("TIME", "D", array=time + 27 * sector, unit=f"BJD - {zero}, days"),
            fits.Column("PDCSAP_FLUX", "E", array=flux, unit="e-/s"),
            fits.Column("PDCSAP_FLUX_ERR", "E", array=flux / 1000, unit="e-/s"),
            fits.Column(flags, "J", array=quality),
        ]
        table = fits.BinTableHDU.from_columns(columns, name="LIGHTCURVE")
        primary = fits.PrimaryHDU()
        primary.header.update({"OBJECT": "TIC 25155310", "RA_OBJ": 63.37, "DEC_OBJ": -69.22})
        fits.HDUList([primary, table]).writeto(tmp_path / f"tess_s{sector:04d}_lc.fits")
    ids, batch, checks = read(tmp_path, name)
    assert ids == ["TIC 25155310"] and checks == sorted(["finite", "flux"] * n_sector)
    np.testing.assert_allclose(batch.mag[:10], np.delete(MAG, [2, 7]), rtol=1e-5)
    np.testing.assert_allclose(batch.time[:10], np.delete(time, [2, 7]) + zero - 2400000.5, atol=1e-7)
    assert (batch.flags != 0).sum() == n_sector


@pytest.mark.parametrize("ending", ["csv", "fits", "vot"])
def test_gaia(tmp_path, ending):
    ratio = np.full(N, 50.0)
    ratio[8] = np.nan
    table = {"source_id": [5853498713190525696] * N, "transit_id": np.arange(N), "band": ["G", "BP", "RP"] * 4}
    table |= {"time": MJD - 55197.0, "mag": MAG, "flux": 10 ** (4 - MAG / 10), "flux_over_error": ratio}
    table |= {"rejected_by_photometry": np.arange(N) == 4, "rejected_by_variability": [False] * N}
    kind = {"csv": "csv", "fits": "fits", "vot": "votable"}[ending]
    Table(table).write(tmp_path / f"epochs.{ending}", format=kind)
    ids, batch, checks = read(tmp_path, "gaia_epochs")
    assert ids == ["5853498713190525696"] and checks == ["finite"] and batch.bands == ("G", "BP", "RP")
    np.testing.assert_allclose(batch.time, np.delete(MJD, 8), atol=1e-7)
    np.testing.assert_allclose(batch.mag_err, 2.5 / np.log(10) / 50, rtol=1e-6)
    assert np.flatnonzero(batch.flags).tolist() == [4]
