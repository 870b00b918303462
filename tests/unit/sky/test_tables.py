"""The tables of the sky: their schemas, what is null, and which rows belong together; and the sky's numbers."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.time import Time

from tasks.sky import CLASSES, constants, generate, labels
from tasks.sky.classes import draw_classes
from tasks.sky.noise import true_error
from tasks.sky.sky import DUPLICATE_ARCSEC
from tasks.sky.stars import INDEX_MULTIPLIER, source_ids
from tasks.sky.streams import BLOCK
from tasks.sky.tables import CLASS_LABELS, PARAMETER_LABELS, SOURCES, TRUTH

SEED = 31
SCHEMAS = {"sources": SOURCES, "class_labels": CLASS_LABELS, "parameter_labels": PARAMETER_LABELS, "truth": TRUTH}


@pytest.mark.parametrize("name", SCHEMAS)
def test_tables_have_their_schema_with_and_without_rows(sky, name):
    assert getattr(sky, name).schema == SCHEMAS[name]
    empty = getattr(generate(10, seed=1, start=10), name)
    assert empty.schema == SCHEMAS[name] and empty.num_rows == 0


def test_sources_and_truth_are_row_for_row_the_same_stars(sky):
    assert sky.sources["source_id"].equals(sky.truth["source_id"])
    assert sky.sources["duplicate_of"].equals(sky.truth["duplicate_of"])


@pytest.mark.parametrize("name", ["ra", "dec", "parallax", "parallax_error", "pmra", "pmdec"])
def test_every_source_has_astrometry(sky, name):
    assert sky.sources[name].null_count == 0 and np.isfinite(sky.sources[name].to_numpy()).all()


def test_what_does_not_vary_is_null_and_not_nan(sky):
    is_constant = np.array(sky.truth["class"].to_pylist()) == "CONST"
    for name in ("period_day", "epoch_day", "phi31"):
        assert np.array_equal(np.array(sky.truth[name].is_null()), is_constant), name
    assert sky.truth["teff_k"].null_count == 0


def test_duplicates_name_the_entry_before_and_lie_beside_it(sky):
    second = np.flatnonzero(np.array(sky.truth["is_duplicate"]))
    assert second.size > 20
    ids, first = (sky.truth[name].to_pylist() for name in ("source_id", "duplicate_of"))
    assert all(first[row] == ids[row - 1] for row in second)
    ra, dec = (sky.sources[name].to_numpy() for name in ("ra", "dec"))
    place = SkyCoord(ra * u.deg, dec * u.deg)
    assert np.allclose(place[second].separation(place[second - 1]).arcsec, DUPLICATE_ARCSEC, atol=1e-3)


def test_labels_are_in_the_order_of_their_sources(sky):
    row = {one: index for index, one in enumerate(sky.truth["source_id"].to_pylist())}
    for table in (sky.class_labels, sky.parameter_labels):
        assert (np.diff([row[one] for one in table["source_id"].to_pylist()]) >= 0).all()


def test_a_source_has_one_label_of_an_origin_and_quantity(sky):
    rows = sky.parameter_labels.select(["source_id", "origin", "quantity", "is_photometric"]).to_pylist()
    assert len({tuple(row.values()) for row in rows}) == len(rows)
    assert len(set(sky.class_labels["source_id"].to_pylist())) == sky.class_labels.num_rows


def test_bright_and_strong_stars_are_labelled_best():
    """The same stars at 14 and at 20.5 mag, and with amplitudes of 1 and of 0.01 mag: fewer labels, more mistakes."""
    code = draw_classes(SEED, 0)
    result = {}
    for name, mag, amplitude in (("good", 14.0, 1.0), ("faint", 20.5, 1.0), ("weak", 14.0, 0.003)):
        star = {"mean_mag": np.full((BLOCK, 11), mag), "amplitude_g_mag": np.full(BLOCK, amplitude)}
        found = labels.class_labels(SEED, 0, code, star)
        wrong = np.mean(found["class"] != np.array(CLASSES)[code[found["row"]]])
        result[name] = (found["row"].size / BLOCK, wrong, np.median(found["score"]))
    assert result["good"][0] == pytest.approx(labels.COMPLETENESS, abs=0.04)
    assert result["faint"][0] < 0.5 * result["good"][0]
    assert result["good"][1] == pytest.approx(labels.WRONG_RATE, abs=0.02) and result["weak"][1] > 0.08
    assert result["good"][2] > result["weak"][2]


def test_errors_of_photometric_metallicities_grow_with_the_noise(sky):
    rows = sky.parameter_labels.to_pandas()
    rows = rows[rows["is_photometric"]].set_index("source_id")
    mag = sky.truth.to_pandas().set_index("source_id")["mean_g_mag"].loc[rows.index]
    error = true_error(mag.to_numpy(np.float32), np.zeros(len(mag), np.int8))
    faint = error > np.quantile(error, 0.9)
    assert rows["err"][faint].mean() > rows["err"][~faint].mean() and rows["err"].min() >= 0.2


def test_ids_of_many_blocks_do_not_meet():
    same = np.full(BLOCK, 123.4), np.full(BLOCK, -5.6)
    ids = np.concatenate([source_ids(block, *same) for block in (0, 1, 7, 1000)])
    assert np.unique(ids).size == ids.size and INDEX_MULTIPLIER % 2 == 1
    assert np.unique(ids >> constants.INDEX_BITS).size == 1  # one pixel


def test_the_axes_of_the_galaxy_are_those_of_astropy():
    axes = SkyCoord([0, 90, 0] * u.deg, [0, 0, 90] * u.deg, frame="galactic").icrs.cartesian.xyz.value.T
    assert np.allclose(constants.GALACTIC_TO_ICRS, axes, atol=2e-8)
    assert np.allclose(constants.GALACTIC_TO_ICRS @ constants.GALACTIC_TO_ICRS.T, np.eye(3), atol=1e-9)


def test_numbers_of_the_sky_are_those_of_astropy():
    motion = (1 * u.kpc * (1 * u.mas / u.yr)).to(u.km / u.s, equivalencies=u.dimensionless_angles()).value
    assert pytest.approx(motion, rel=1e-6) == constants.KM_S_PER_KPC_MAS
    assert Time(constants.GAIA_EPOCH_YEAR, format="jyear", scale="tcb").mjd == constants.GAIA_EPOCH_MJD
    obliquity = SkyCoord(0 * u.deg, 90 * u.deg, frame="barycentrictrueecliptic").icrs.dec.deg
    assert pytest.approx(90 - obliquity, abs=0.01) == constants.OBLIQUITY_DEG
