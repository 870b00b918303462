"""The sky is a pure function of (seed, index): same object whatever the chunk, valid and unique ids, sound batches."""

import numpy as np
import pytest
from cdshealpix.nested import lonlat_to_healpix

from tasks.sky import BANDS, CLASSES, SURVEYS, generate
from tasks.sky.cadence import GAIA_LATER_END
from tasks.sky.constants import FLAGS
from tasks.sky.streams import BLOCK

TABLES = ("sources", "class_labels", "parameter_labels", "truth")
ARRAYS = ("source_id", "offsets", "time", "mag", "mag_err", "band", "flags")


def same_sky(one, other) -> bool:
    tables = all(getattr(one, name).equals(getattr(other, name)) for name in TABLES)
    return tables and all(
        np.array_equal(getattr(one.epochs[survey], name), getattr(other.epochs[survey], name))
        for survey in SURVEYS
        for name in ARRAYS
    )


def test_same_seed_gives_the_same_sky_and_another_seed_another():
    assert same_sky(generate(300, seed=5), generate(300, seed=5))
    assert not same_sky(generate(300, seed=5), generate(300, seed=6))


@pytest.mark.parametrize("cut", [1, 700, BLOCK, BLOCK + 1])
def test_chunks_put_together_are_the_whole(cut):
    n = BLOCK + 300
    whole = generate(n, seed=5)
    head, tail = generate(n, seed=5, stop=cut), generate(n, seed=5, start=cut)
    for name in TABLES:
        rows = getattr(head, name).to_pylist() + getattr(tail, name).to_pylist()
        assert rows == getattr(whole, name).to_pylist(), name
    for survey in SURVEYS:
        a, b, both = head.epochs[survey], tail.epochs[survey], whole.epochs[survey]
        for name in ("source_id", "time", "mag", "mag_err", "band", "flags"):
            assert np.array_equal(np.concatenate([getattr(a, name), getattr(b, name)]), getattr(both, name)), name


def test_an_object_does_not_depend_on_how_many_there_are():
    assert same_sky(generate(100, seed=3), generate(5000, seed=3, stop=100))


def test_an_empty_chunk_is_empty():
    empty = generate(10, seed=1, start=10)
    assert empty.truth.num_rows == 0 and all(len(batch) == 0 for batch in empty.epochs.values())


@pytest.mark.parametrize("arguments", [{"start": 5, "stop": 2}, {"stop": 11}, {"start": -1}])
def test_a_chunk_outside_the_sky_is_refused(arguments):
    with pytest.raises(ValueError, match="must lie inside"):
        generate(10, seed=1, **arguments)


def test_a_bad_seed_or_mix_is_refused():
    with pytest.raises(ValueError, match="seed"):
        generate(10, seed=-1)
    with pytest.raises(ValueError, match="mix"):
        generate(10, seed=1, mix={"RRab": 1.0, "QSO": 1.0})


def test_a_mix_of_one_class_has_only_that_class():
    classes = generate(200, seed=1, mix={"RRd": 1.0}).truth["class"].to_pylist()
    assert set(classes) == {"RRd"}


def test_ids_are_unique_and_carry_the_healpix_of_the_position(sky):
    import astropy.units as u
    from astropy.coordinates import Latitude, Longitude

    source = sky.sources.to_pandas()
    assert source["source_id"].is_unique and (source["source_id"] > 0).all()
    assert (source["object_id"] == source["source_id"].astype(str)).all()
    pixel = lonlat_to_healpix(Longitude(source["ra"].to_numpy(), u.deg), Latitude(source["dec"].to_numpy(), u.deg), 12)
    assert np.array_equal(source["source_id"].to_numpy() >> 35, pixel.astype(np.int64))


def test_batches_are_sorted_in_range_and_hold_no_empty_object(sky):
    ids = set(sky.truth["source_id"].to_pylist())
    for survey, bands in SURVEYS.items():
        batch = sky.epochs[survey]
        assert batch.bands == BANDS and set(batch.source_id) <= ids and (batch.n_epoch > 0).all()
        assert (np.diff(batch.time)[np.diff(batch.row) == 0] >= 0).all()
        assert {BANDS[code] for code in np.unique(batch.band)} == set(bands)
        assert np.isfinite(batch.mag).all() and (batch.mag_err > 0).all()
        assert not (batch.flags & ~np.int32(sum(FLAGS.values()))).any()


def test_surveys_look_in_their_years_and_at_their_sky(sky, truth):
    span = {survey: (batch.time.min(), batch.time.max()) for survey, batch in sky.epochs.items()}
    assert span["gaia"][0] > 56863 and span["gaia"][1] < 57902
    assert span["ps1"][0] > 55200 and span["ps1"][1] < 56850
    assert span["ztf"][0] >= 58194 and span["ztf"][1] < 60615
    dec = sky.sources.to_pandas().set_index("source_id")["dec"]
    for survey in ("ps1", "ztf"):
        assert dec[sky.epochs[survey].source_id].min() > -30.001
    assert dec[sky.epochs["gaia"].source_id].min() < -60


def test_cadences_have_the_gaps_of_their_surveys(sky):
    """Gaia: 106.5 and 253.5 minutes between fields; PS1: pairs within the hour; ZTF: seasons with gaps of months."""
    gap = {survey: np.diff(batch.time)[np.diff(batch.row) == 0] for survey, batch in sky.epochs.items()}
    minutes = gap["gaia"][(gap["gaia"] > 0.01) & (gap["gaia"] < 1)] * 1440
    assert np.mean((np.abs(minutes - 106.5) < 2) | (np.abs(minutes - 253.5) < 2)) > 0.9
    assert np.mean(gap["gaia"] > 10) > 0.05  # and long waits between groups
    assert np.mean((gap["ps1"] * 1440 > 15) & (gap["ps1"] * 1440 < 35)) > 0.3
    assert np.mean(gap["ztf"] > 60) > 0.005


def test_an_object_has_plausible_numbers_of_epochs(sky):
    middle = {survey: np.median(batch.n_epoch) for survey, batch in sky.epochs.items()}
    assert 90 < middle["gaia"] < 180  # three bands
    assert 30 < middle["ps1"] < 75
    assert 200 < middle["ztf"] < 600


def test_i_band_is_sparse(sky):
    batch = sky.epochs["ztf"]
    share = {band: np.mean(batch.band == BANDS.index(band)) for band in SURVEYS["ztf"]}
    assert 0 < share["i_ztf"] < 0.1 < share["g_ztf"]


def test_every_class_is_there_in_the_default_mix_of_3000():
    classes = np.array(generate(3000, seed=2).truth["class"].to_pylist())
    count = {name: int(np.sum(classes == name)) for name in CLASSES}
    assert min(count.values()) >= 60, count
    assert all(count[name] > 300 for name in ("RRab", "ECL", "MIRA_SR", "CONST")), count


def test_what_gaia_saw_later_is_of_the_same_stars_and_moves_nothing():
    sky, later = generate(300, seed=5), generate(300, seed=5, surveys=("gaia_later",))
    assert list(later.epochs) == ["gaia_later"]
    assert later.sources.equals(sky.sources) and later.truth.equals(sky.truth)
    early, late = sky.epochs["gaia"], later.epochs["gaia_later"]
    assert early.time.max() < late.time.min() and late.time.max() < GAIA_LATER_END
    assert 0.5 < late.time.size / early.time.size < 1.5 and set(late.source_id) <= set(
        sky.sources["source_id"].to_pylist()
    )
