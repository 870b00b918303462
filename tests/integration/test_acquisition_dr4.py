"""Gaia DR4 from the replica through the same door as every release, and whatever of it may be otherwise on the day."""

import json

import numpy as np
import pyarrow.compute as pc
import pytest

from schemas import BadInput
from schemas.inputs import Sample
from tasks.archives.services import PROFILES
from tests.integration.acquisition import (
    acquire_into,
    clear_log,
    jobs_held,
    limits_with,
    log,
    set_limits,
    source_of,
    tables,
)

pytestmark = pytest.mark.usefixtures("calm")
FEW = Sample(random_index=(0, 59))
SOURCES, EPOCHS = "core_gaia__source", "raw_sample__epoch"


def acquire(lake, replica, text="", dataset="sky", **options):
    """The stage's result and the tables of Gaia alone, with what a release file says."""
    if text:
        file = lake.parent / "dr4.toml"
        file.write_text(f'release = "dr4"\n{text}')
        options["release_file"] = str(file)
    source = source_of(replica, sample=FEW, surveys=("gaia",), options={"gaia": {"release": "dr4", **options}})
    stage = acquire_into(lake, source, dataset=dataset)
    return stage, tables(lake)


@pytest.fixture(scope="module")
def plain(replica, tmp_path_factory):
    """DR4 as it is expected."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARGELANDER_LIMITS", str(tmp_path_factory.mktemp("limits")))
        return acquire(tmp_path_factory.mktemp("plain") / "lake", replica)


def assert_same(found, plain):
    assert found.keys() == plain.keys()
    for name, table in plain.items():
        assert found[name].equals(table), name


def times_of(found):
    """Times of Gaia's epochs by source."""
    rows = found[EPOCHS].filter(pc.equal(found[EPOCHS]["survey"], "gaia"))
    return dict(zip(rows["source_id"].to_pylist(), rows["time"].to_pylist(), strict=True))


def every_band(text):
    """A line of a release file for each band."""
    return "\n".join(f"epochs.{band}.reject = {{ {text} }}" for band in ("G", "BP", "RP"))


def flags_of(found):
    """Flags of all epochs, by source, band and time."""
    rows = found[EPOCHS].sort_by("source_id")
    return np.concatenate([np.asarray(cells) for cells in rows["flags"].to_pylist()])


def test_the_sample_of_dr4(plain, acquired):
    stage, found = plain
    sources, old = found[SOURCES], acquired.tables[SOURCES]
    assert stage.done == stage.total == sources.num_rows > 50 and found["core_quarantine__row"].num_rows == 0
    assert sources["ref_epoch"].unique().to_pylist() == [2017.5] and sources["healpix29"].null_count == 0
    assert set(found["label_sample__class"]["origin"].to_pylist()) == {"gaia_dr4"}
    assert set(found["label_sample__parameter"]["origin"].to_pylist()) == {"gaia_dr4", "gaia_dr4_sos"}
    assert pc.max(sources["tile"]).as_py() < 12
    known = sources.join(old.select(["source_id", "dr2_source_id", "ra", "dec"]), "dr3_source_id", "source_id",
                         right_suffix="_3", join_type="inner")  # fmt: skip
    assert known.num_rows > 45
    both = known.filter(pc.and_(pc.is_valid(known["dr2_source_id"]), pc.is_valid(known["dr2_source_id_3"])))
    assert both.num_rows > 0.95 * known.num_rows and both["dr2_source_id"].equals(both["dr2_source_id_3"])
    moved = np.hypot((known["ra"].to_numpy() - known["ra_3"].to_numpy()) * np.cos(np.radians(known["dec"].to_numpy())),
                     known["dec"].to_numpy() - known["dec_3"].to_numpy()) * 3.6e6  # fmt: skip
    assert 0 < np.median(moved) < 100  # mas in 1.5 years


def test_the_same_epochs_come_first(plain, acquired):
    """Of a star that keeps its number: those of DR3 at the same times, and half as many again after them."""
    new, old = (times_of(found) for found in (plain[1], acquired.tables))
    shares = [np.isin(np.round(old[id], 6), np.round(new[id], 6)).mean() for id in new.keys() & old.keys()]
    assert len(shares) > 20 and np.mean(shares) > 0.95


def test_the_notes_say_what_no_flag_removed(plain):
    (lacking, unread) = plain[0].notes
    assert (
        "no flag rejected_by_variability (G, BP, RP): those cuts removed nothing" in lacking
        and "photometry_flags" in unread
    )


@pytest.mark.parametrize(
    ("switches", "text"),
    [
        ({"time_unit": "ns"}, ""),
        ({"with_ccd": True, "structures": ["RAW", "INDIVIDUAL"]}, ""),
        ({"renamed": {"ap_xp": "ap_xp_new", "vari_rrlyrae.pf": "period_f", "gaia_source.ruwe": "ruwe_new"}},
         'tables.ap = "ap_xp_new"\ncolumns.rr_pf = "rr.period_f"\ncolumns.ruwe = "g.ruwe_new"'),
        ({}, "limits.tap_sync = true\nlimits.datalink_chunk = 7"),
    ],
    ids=["nanoseconds", "other products and words", "renamed", "without the queue"],
)  # fmt: skip
def test_what_is_otherwise_gives_the_same(switches, text, replica, plain, tmp_path):
    set_limits(replica, dr4=switches)
    stage, found = acquire(tmp_path / "lake", replica, text)
    assert stage.notes == plain[0].notes
    assert_same(found, plain[1])


def test_a_queue_that_stands_still_costs_a_wait_and_nothing_else(replica, plain, tmp_path, monkeypatch):
    monkeypatch.setitem(PROFILES, "fast", limits_with(gaia_tap={"queue_s": 0.1}))
    before = jobs_held(replica)  # other tests share the replica
    set_limits(replica, queue_seconds=60.0)
    _, found = acquire(tmp_path / "lake", replica)
    assert_same(found, plain[1])
    paths = [each["path"] for each in log(replica)]
    assert any(path.endswith("/tap/sync") for path in paths) and jobs_held(replica) <= before


@pytest.mark.parametrize("cap", [30, 2000])
def test_answers_without_the_queue_that_are_cut_off_are_asked_for_in_parts(cap, replica, plain, tmp_path, monkeypatch):
    """By the cap that is known, and by one that nobody knew of: the rows are counted."""
    monkeypatch.setattr("tasks.archives.gaia_tap.SYNC_ROWS", 30 if cap == 2000 else 2000)
    set_limits(replica, row_caps={"gaia_tap": [30, None]})
    _, found = acquire(tmp_path / "lake", replica, "limits.tap_sync = true")
    assert_same(found, plain[1])
    assert not any(each["path"].endswith("/tap/async") for each in log(replica))


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        pytest.param([["bad", "all", "reject"]], 'column = "bad"', marks=pytest.mark.slow),
        pytest.param([["good", "all", "use"]], 'column = "good", when = false', marks=pytest.mark.slow),
        ([["mask", "all", "bits"]], 'column = "mask", bit = 15'),
    ],
    ids=["reject", "use", "bits"],
)  # fmt: skip
def test_flags_by_another_name_and_sense(flags, text, replica, plain, tmp_path):
    set_limits(replica, dr4={"flags": flags})
    _, found = acquire(tmp_path / "lake", replica, every_band(text))
    np.testing.assert_array_equal(flags_of(found) & 1 << 6, flags_of(plain[1]) & 1 << 6)
    assert (flags_of(found) & 1 << 6 > 0).any()
    _, without = acquire(tmp_path / "without", replica)
    assert not (flags_of(without) & 1 << 6 > 0).any()


def test_flags_of_the_variability_processing(replica, plain, tmp_path):
    stage, found = acquire(tmp_path / "lake", replica, 'datalink.flags_type = "EPOCH_FLAGS_VARI"')
    assert (flags_of(found) & 1 << 7 > 0).any() and not (flags_of(plain[1]) & 1 << 7 > 0).any()
    assert not [note for note in stage.notes if "variability" in note]
    np.testing.assert_array_equal(flags_of(found) & 1 << 6, flags_of(plain[1]) & 1 << 6)


def test_a_column_of_arrays_is_left_out_by_the_file(replica, plain, tmp_path):
    set_limits(replica, dr4={"array_columns": ["vari_rrlyrae.pf"]})
    with pytest.raises(BadInput, match="rr_pf"):
        acquire(tmp_path / "lake", replica)
    _, found = acquire(tmp_path / "other", replica, 'columns.rr_pf = ""')
    assert found[SOURCES].equals(plain[1][SOURCES])


@pytest.mark.parametrize("switches", [{"is_released": False}, {"has_products": False}], ids=["not released", "partial"])
def test_a_release_that_is_not_there_is_one_sentence_at_once(switches, replica, tmp_path):
    set_limits(replica, dr4=switches)
    clear_log(replica)
    with pytest.raises(BadInput, match=r"Gaia DR4 opens on 2 December 2026.*check dr4") as caught:
        acquire(tmp_path / "lake", replica)
    assert "\n" not in str(caught.value)
    assert len([each for each in log(replica) if each["path"].endswith("/data")]) <= 2, json.dumps(log(replica))


def test_a_dataset_holds_one_release(replica, tmp_path):
    """Written by the flow: settings of a run tell its release, and a dataset of another one is refused."""
    from lakehouse.delta.store import Lake
    from lakehouse.manifest import RunManifest
    from lakehouse.run import Run
    from tasks.stages.acquire.variants import refuse_other_variant

    lake = Lake(tmp_path / "lake", create=True)
    three = source_of(replica, surveys=("gaia",))
    four = source_of(replica, surveys=("gaia",), options={"gaia": {"release": "dr4"}})
    manifest = RunManifest.start(lake, {"source": three.model_dump(mode="json")}, "test", "r1")
    manifest.add_input("archive of sky", "x")
    manifest.finish(lake)
    for dataset, source in (("sky", three), ("other", four)):
        refuse_other_variant(lake, Run("r2", str(lake.path), dataset, ""), source, f"archive of {dataset}")
    with pytest.raises(BadInput, match=r"sky holds sources of dr3 and dr4 is asked for.*--set dataset=sky_dr4"):
        refuse_other_variant(lake, Run("r2", str(lake.path), "sky", ""), four, "archive of sky")
