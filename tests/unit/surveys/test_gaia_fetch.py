"""Light curves of Gaia: units, flags, and what is refused."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import BadInput
from schemas.rejections import REJECTED
from tasks.lightcurves.photometry import flux_to_mag
from tasks.surveys.gaia import (
    OPTIONS,
    OTHER_FLAGS,
    PASSBANDS,
    REJECTED_BY_PHOTOMETRY,
    REJECTED_BY_VARIABILITY,
    SURVEY,
    epochs_question,
)
from tasks.surveys.gaia_releases import RELEASES, STRUCTURES
from tasks.surveys.survey import GAIA_NEIGHBOURS, SOURCES, SurveyResult
from tests.unit.surveys import gaia_products as made

NO_NEIGHBOURS = GAIA_NEIGHBOURS.empty_table()


def gaia_to_mjd(time):
    """MJD of times that count from BJD 2455197.5 (Gaia DR3 documentation, 20.7)."""
    return np.asarray(time) + 55_197.0


def sources(ids, has_epochs=True) -> pa.Table:
    known = {"source_id": pa.array(ids, pa.int64()), "has_epoch_photometry": pa.array(np.full(len(ids), has_epochs))}
    n = len(ids)
    return pa.table([known.get(field.name, pa.nulls(n, field.type)) for field in SOURCES], schema=SOURCES)


def fetch(rows: made.Transits, answer=made.wide_zip, asked=None, **options) -> SurveyResult:
    ids = sorted({row["source_id"] for row in rows}) if asked is None else asked

    def ask(question, items):
        assert question.service == "gaia_datalink" and items["source_id"].to_pylist() == list(ids)
        return question.read(answer(rows))

    return SURVEY.fetch(ask, sources(ids), NO_NEIGHBOURS, {**SURVEY.options, **options})


def checks(found: SurveyResult) -> list[tuple]:
    assert found.rejected.schema == REJECTED
    keys = list(zip(*(found.rejected[name].to_pylist() for name in ("table", "key", "column", "check")), strict=True))
    assert len(set(keys)) == len(keys)  # the quarantine's key
    return list(zip(*(found.rejected[name].to_pylist() for name in ("object_id", "column", "check")), strict=True))


def test_times_magnitudes_and_errors():
    rows = made.transits(3, 20, seed=2)
    found = fetch(rows)
    batch = found.curves.batch
    assert batch.bands == tuple(band.name for band in SURVEY.bands) == made.BANDS
    assert {band.system for band in SURVEY.bands} == {"Vega"}
    np.testing.assert_array_equal(found.curves.objid, batch.source_id)
    expected = sorted(
        (row["source_id"], gaia_to_mjd(row[made.TIME[band]]), code, row[f"{prefix}_mag"], row[f"{prefix}_flux"],
         row[f"{prefix}_flux_error"])
        for row in rows
        for code, (band, prefix) in enumerate(made.PREFIX.items())
        if row[f"{prefix}_flux"] is not None
    )  # fmt: skip
    source, time, band, mag, flux, err = (np.array(column) for column in zip(*expected, strict=True))
    np.testing.assert_array_equal(batch.source_id[batch.row], source)
    np.testing.assert_array_equal(batch.time, time)
    np.testing.assert_array_equal(batch.band, band)
    np.testing.assert_array_equal(batch.mag, mag.astype(np.float32))
    _, mag_err = flux_to_mag(flux, err, PASSBANDS[0].zero_points["Vega"])
    np.testing.assert_allclose(batch.mag_err, mag_err, rtol=1e-6)


def test_the_zero_points_error_is_added_on_demand_alone():
    rows = made.transits(2, 10)
    plain, added = fetch(rows).curves.batch, fetch(rows, zero_point_error=True).curves.batch
    error = np.array([RELEASES["dr3"].zero_point_error_mag[band] for band in made.BANDS])[plain.band]
    np.testing.assert_allclose(added.mag_err**2 - plain.mag_err**2, error**2, rtol=1e-2, atol=1e-8)
    assert OPTIONS["zero_point_error"] is False


def test_flags():
    row = made.transits(1, 1)[0]
    for band in ("g_transit", "bp", "rp"):
        row.update({f"{band}_flux": 1e4, f"{band}_flux_over_error": 100.0, f"{band}_mag": 15.0})
    row.update({time: 1700.0 + k / 1e4 for k, time in enumerate(made.TIME.values())})
    cases = {
        (False, False, 0): 0,
        (True, False, 0): REJECTED_BY_PHOTOMETRY.bit,
        (False, True, 0): REJECTED_BY_VARIABILITY.bit,
        (False, False, 4097): OTHER_FLAGS.bit,
        (True, False, 4097): REJECTED_BY_PHOTOMETRY.bit,
        (False, True, 1): REJECTED_BY_VARIABILITY.bit | OTHER_FLAGS.bit,
    }
    for (photometry, variability, other), flags in cases.items():
        row.update(rejected_by_photometry=photometry, variability_flag_g_reject=variability, g_other_flags=other)
        row.update(variability_flag_bp_reject=False, variability_flag_rp_reject=False)
        batch = fetch([row]).curves.batch
        assert batch.flags.tolist() == [flags, *[REJECTED_BY_PHOTOMETRY.bit * photometry] * 2]


@pytest.mark.parametrize("answer", [made.wide_zip, made.long_zip, made.raw_zip])
def test_values_that_cannot_be_are_no_magnitudes(answer):
    rows = made.transits(1, 12, seed=5)
    rows[0].update(g_transit_mag=-999.0, g_transit_flux=5e3, g_transit_time=1710.0)
    rows[1].update(g_transit_mag=15.0, g_transit_flux=-999.0, g_transit_time=1711.0)
    rows[2].update(bp_mag=None, bp_flux=5e3, bp_obs_time=1712.0)
    rows[3].update(rp_mag=16.0, rp_flux=5e3, rp_flux_over_error=-999.0, rp_obs_time=1713.0)
    batch = fetch(rows, answer).curves.batch
    at = {time: int(np.flatnonzero(batch.time == gaia_to_mjd(time))[0]) for time in (1710.0, 1711.0, 1712.0, 1713.0)}
    assert all(np.isnan(batch.mag[at[time]]) and np.isnan(batch.mag_err[at[time]]) for time in (1710.0, 1711.0, 1712.0))
    assert batch.mag[at[1713.0]] == 16.0 and np.isnan(batch.mag_err[at[1713.0]])
    assert np.isfinite(np.delete(batch.mag, list(at.values()))).all()


def test_times_outside_the_mission_are_rejected():
    rows = made.transits(2, 6, seed=9)
    for row, time in zip(rows, (-999.0, 0.0, 9999.0), strict=False):
        row.update(g_transit_time=time, g_transit_flux=1e4, g_transit_mag=15.0)
    rows[3].update(g_transit_time=None, g_transit_flux=1e4, g_transit_mag=15.0)
    found = fetch(rows)
    assert checks(found) == [(str(rows[0]["source_id"]), "time", "range")] * 4
    assert set(found.rejected["value"].to_pylist()) == {"-999", "0", "9999", None}
    assert np.isfinite(found.curves.batch.time).all()
    assert (
        found.curves.batch.time.size
        == sum(row[f"{p}_flux"] is not None for row in rows for p in made.PREFIX.values()) - 4
    )


@given(seed=st.integers(0, 10**6), copies=st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_a_transit_counts_once_whatever_the_order(seed, copies):
    rows = made.transits(2, 5, seed)
    rng = np.random.default_rng(seed)
    repeated = [rows[k] for k in rng.integers(0, len(rows), copies)]
    shuffled = [*rows, *repeated]
    rng.shuffle(shuffled)
    plain, again = fetch(rows), fetch(shuffled)
    for name in ("source_id", "offsets", "time", "mag", "mag_err", "band", "flags"):
        np.testing.assert_array_equal(getattr(again.curves.batch, name), getattr(plain.curves.batch, name))
    n_copy = sum(row[f"{prefix}_flux"] is not None for row in repeated for prefix in made.PREFIX.values())
    found = [check for check in checks(again) if check[2] == "duplicate"]
    assert len(found) == n_copy and checks(again)[: len(found)] == found


def test_sources_without_a_product_are_named_and_strangers_dropped():
    rows = made.transits(3, 4)
    own = sorted({row["source_id"] for row in rows})
    asked = [*own[:2], own[-1] + 100]  # the third source was not asked for, another has no product
    found = fetch(rows, asked=asked)
    assert found.curves.batch.source_id.tolist() == own[:2]
    assert checks(found) == [(str(own[-1] + 100), "source_id", "no_product")]


def test_only_sources_with_epoch_photometry_are_asked_for():
    def ask(question, items):
        raise AssertionError("nothing is to be asked")

    found = SURVEY.fetch(ask, sources([1, 2], has_epochs=False), NO_NEIGHBOURS, SURVEY.options)
    assert found.curves is None and found.rejected.num_rows == 0
    assert SURVEY.fetch(ask, sources([]), NO_NEIGHBOURS, SURVEY.options).curves is None


def test_an_empty_answer_gives_no_curves_but_a_report():
    found = fetch(made.transits(2, 2), answer=lambda rows: made.zip_files({}))
    assert len(found.curves.batch) == 0 and len(checks(found)) == 2


def test_the_question():
    question = epochs_question(RELEASES["dr3"], "RAW")
    assert (question.service, question.text, question.key) == ("gaia_datalink", "EPOCH_PHOTOMETRY", "source_id")
    assert question.parameters == {"RELEASE": "Gaia DR3", "DATA_STRUCTURE": "RAW"}
    assert question.identity("a") != epochs_question(RELEASES["dr3"], "INDIVIDUAL").identity("a")
    for old, new in STRUCTURES.items():  # one question by either name, which is said first as the setting spells it
        one, other = epochs_question(RELEASES["dr3"], old), epochs_question(RELEASES["dr3"], new)
        assert one == other and one.identity("a") == other.identity("a")
        assert one.parameters["DATA_STRUCTURE"] == old and other.spelling == {old: new}
    with pytest.raises(
        BadInput, match=r"gaia\.structure is one of INDIVIDUAL, RAW, DATAMODEL_STANDARD, DATAMODEL_GAIA"
    ):
        epochs_question(RELEASES["dr3"], "COMBINED")
    with pytest.raises(BadInput, match="no Gaia release 'dr9' here; known are dr3"):
        fetch(made.transits(1, 1), release="dr9")


def test_the_client_knows_the_same_spellings_of_the_structures():
    from tasks.archives.gaia_datalink import SPELLINGS

    assert SPELLINGS == STRUCTURES


def test_no_epoch_is_cut_here():
    """Flagged epochs stay in the batch: cuts are named, counted, and made elsewhere."""
    rows = made.transits(4, 30, seed=8)
    batch = fetch(rows).curves.batch
    epochs = sum(row[f"{prefix}_flux"] is not None for row in rows for prefix in made.PREFIX.values())
    assert batch.time.size == epochs and (batch.flags & REJECTED_BY_PHOTOMETRY.bit > 0).sum() > 0
    assert pc.all(pc.is_in(pa.array(batch.source_id), pa.array([row["source_id"] for row in rows]))).as_py()
