"""The sky and the replica hold their own numbers, the pipeline its own: they agree, constant by constant.

A number that stands once for both ends cancels if it is wrong: what the replica adds, the client takes away. Here every
number that both ends need is compared, and a difference names it.
"""

import ast
from pathlib import Path

import erfa
import numpy as np
import pytest

from tasks.crossmatch import propagate
from tasks.lightcurves import flags, photometry, times
from tasks.replica import constants as replica
from tasks.replica.served import read_columns
from tasks.replica.tables import clock, ps1_flags, ztf
from tasks.replica.tables import photometry as served_photometry
from tasks.sky import constants as sky
from tasks.surveys import gaia, gaia_releases, ps1
from tasks.surveys import ztf as ztf_survey
from tasks.surveys.data_files import read_rows

SURVEYS = {survey.name: survey for survey in (gaia.SURVEY, ps1.SURVEY, ztf_survey.SURVEY)}
PASSBANDS = {band.name: band for survey in SURVEYS.values() for band in survey.bands}
PS1_BITS = {
    "infoFlag": sum(ps1.INFO_FLAG_BITS), "infoFlag2": sum(ps1.INFO_FLAG2_BITS), "infoFlag3": sum(ps1.INFO_FLAG3_BITS)
}  # fmt: skip

# Name of the constant: the number of the sky or the replica, that of the pipeline, and the relative difference allowed.
NUMBERS = {
    **{f"sky.EXTINCTION {band}": (a, PASSBANDS[band].extinction, 0.0)
       for band, a in zip(sky.BANDS, sky.EXTINCTION, strict=True)},
    **{f"sky.WAVELENGTH_NM {band}": (nm, PASSBANDS[band].wavelength_nm, 0.0)
       for band, nm in zip(sky.BANDS, sky.WAVELENGTH_NM, strict=True)},
    **{f"sky.{name}": (bit, getattr(flags, name), 0.0) for name, bit in sky.FLAGS.items()},
    "sky.KM_S_PER_KPC_MAS": (sky.KM_S_PER_KPC_MAS, propagate.KMS_PER_AU_YEAR, 1e-6),
    **{f"replica.GAIA_ZERO_POINT {band}": (zero, PASSBANDS[band].zero_points["Vega"], 0.0)
       for band, zero in replica.GAIA_ZERO_POINT.items()},
    "replica.GAIA_TIME_ZERO_JD of the release": (
        replica.GAIA_TIME_ZERO_JD, gaia_releases.RELEASES["dr3"].time.zero_jd, 0.0),
    "replica.GAIA_EPOCH_YEAR": (replica.GAIA_EPOCH_YEAR, gaia_releases.RELEASES["dr3"].ref_epoch, 0.0),
    "replica.MJD_ZERO_JD": (replica.MJD_ZERO_JD, times.MJD_ZERO, 0.0),
    "replica.AU_DAY": (replica.AU_DAY, times.AU_DAY, 1e-12),
    "replica.AU_M": (replica.AU_M, erfa.DAU, 0.0),
    "replica.LIGHT_M_S": (replica.LIGHT_M_S, erfa.CMPS, 0.0),
    "replica.TT_MINUS_TAI_S": (replica.TT_MINUS_TAI_S, erfa.TTMTAI, 0.0),
    "replica.POGSON": (replica.POGSON, photometry.POGSON, 1e-12),
    "replica.AB_ZERO_JY": (replica.AB_ZERO_JY, photometry.AB_ZERO_JY, 0.0),
    "replica.PS1_QF_LIMIT": (replica.PS1_QF_LIMIT, ps1.PSF_QF_PERFECT, 0.0),
    "replica.ZTF_UNUSABLE": (replica.ZTF_UNUSABLE, ztf_survey.UNUSABLE, 0.0),
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
def test_both_ends_have_the_same_number(name):
    own, theirs, tolerance = NUMBERS[name]
    assert own == pytest.approx(theirs, rel=tolerance, abs=0.0), name


def test_a_wrong_number_is_named(monkeypatch):
    """The comparison can fail: a zero point that is off by a tenth of a millimagnitude is found, with its name."""
    own, theirs, tolerance = NUMBERS["replica.GAIA_ZERO_POINT G"]
    monkeypatch.setitem(NUMBERS, "replica.GAIA_ZERO_POINT G", (own + 1e-4, theirs, tolerance))
    with pytest.raises(AssertionError, match="GAIA_ZERO_POINT G"):
        test_both_ends_have_the_same_number("replica.GAIA_ZERO_POINT G")


def test_filters_have_the_same_codes():
    assert [f"{band}_ps1" for band in replica.PS1_FILTERS] == [band.name for band in SURVEYS["ps1"].bands]
    assert tuple(replica.ZTF_FILTERS) == tuple(ztf_survey.FILTERS)
    assert {name: tuple(band.name for band in survey.bands) for name, survey in SURVEYS.items()} == sky.SURVEYS


@pytest.mark.parametrize("name", ["PS1_BLEND", "PS1_DEFECT", "PS1_SATURATED", "PS1_SKY_FAILURE"])
def test_bits_that_the_replica_means_as_bad_are_rejected(name):
    assert getattr(replica, name) & PS1_BITS["infoFlag"], name


@pytest.mark.parametrize("name", ["PS1_PSF_MODEL", "PS1_PSF_STAR", "PS1_EXTERNAL"])
def test_bits_that_the_replica_means_as_harmless_are_kept(name):
    assert not getattr(replica, name) & PS1_BITS["infoFlag"], name


def test_bits_of_the_other_two_columns():
    assert replica.PS1_REJECTED2 & PS1_BITS["infoFlag2"] and not replica.PS1_HARMLESS2 & PS1_BITS["infoFlag2"]
    assert replica.PS1_REJECTED3 & PS1_BITS["infoFlag3"] and not replica.PS1_HARMLESS3 & PS1_BITS["infoFlag3"]
    assert set(ps1_flags.BITS) | {sky.BAD_QUALITY} == set(ztf.CATFLAGS) == set(sky.FLAGS.values())


def test_times_of_the_archives_are_the_inverse_of_the_pipelines():
    """BJD_TCB to UTC at the Earth by the replica, and back by the pipeline: to 20 us, for the replica uses splines."""
    tcb, ra, dec = np.linspace(55300.0, 60600.0, 4001), 83.6, -5.4
    towards = np.repeat(np.atleast_2d(times.direction(ra, dec)), tcb.size, axis=0)
    for sent, origin in ((clock.at_earth(tcb, towards), "earth"), (clock.at_sun(tcb, towards), "sun")):
        back = times.to_barycentre(clock.utc(sent), ra, dec, "utc", origin)
        assert np.abs(back - tcb).max() * 86400 < 2e-5, origin
    tai = clock.tai(clock.at_earth(tcb, towards))
    assert np.abs(times.to_barycentre(tai, ra, dec, "tai") - tcb).max() * 86400 < 2e-5
    assert np.array_equal(clock.gaia_time(tcb) + (gaia_releases.RELEASES["dr3"].time.zero_jd - times.MJD_ZERO), tcb)


def test_fluxes_are_the_inverse_of_the_pipelines():
    mag, error = np.linspace(5.0, 21.0, 200), np.linspace(1e-3, 0.3, 200)
    for band, zero in replica.GAIA_ZERO_POINT.items():
        flux, flux_error = served_photometry.flux_of(mag, error, zero)
        back, back_error = photometry.flux_to_mag(flux, flux_error, PASSBANDS[band].zero_points["Vega"])
        assert np.allclose(back, mag, atol=1e-12) and np.allclose(back_error, error, rtol=1e-12), band
        assert np.allclose(served_photometry.magnitude_of(flux, zero), mag, atol=1e-12)
    assert np.isnan(served_photometry.magnitude_of([0.0, -1.0, np.nan], 25.0)).all()


@pytest.mark.parametrize("room", ["sky", "replica"])
def test_the_room_imports_of_the_pipeline_only_the_batch_of_light_curves(room):
    """import-linter holds this as a contract; here it is read from the files, imports inside functions included."""
    allowed = ("tasks.sky", "tasks.replica", "tasks.lightcurves.batch")
    for file in sorted(Path("tasks", room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in getattr(node, "names", []) if isinstance(node, ast.Import)]
            )
            wrong = [name for name in names if name.startswith("tasks") and not name.startswith(allowed)]
            assert not wrong, (file, wrong)


def test_the_replica_serves_the_columns_of_the_draft_that_the_check_knows():
    words = {"string": "char", "byte": "short"}
    by_table: dict[str, list[tuple[str, str]]] = {}
    for row in read_rows("gaia_dr4_draft.csv"):
        kind = row["datatype"].removesuffix("[]")
        by_table.setdefault(row["table"], []).append((row["column"], words.get(kind, kind)))
    for table, columns in by_table.items():
        served = [(one.name, one.element or one.datatype) for one in read_columns(f"dr4_{table}")]
        assert served == columns, table
    assert {table: len(columns) for table, columns in by_table.items()} == {
        "gaia_source": 123, "all_source_flags": 35, "all_source_astrometry": 96, "all_source_photometry": 110,
        "dr3_neighbourhood": 6}  # fmt: skip
