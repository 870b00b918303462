"""The acquire stage: only what changed is written, bad values are set aside, twins get names of their own."""

import shutil

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from flows.presets import preset
from lakehouse.bands import read_bands
from lakehouse.column_names import read_column_names
from lakehouse.delta.store import Lake
from lakehouse.manifest import RunManifest
from lakehouse.run import Run
from schemas import TABLES
from tasks.stages.acquire.stage import acquire_sources
from tests.unit.stages.conftest import DATASET, N_STARS, write_folder


@pytest.fixture
def acquired(tmp_path):
    """A folder and a run on a lake that has read it."""
    folder = write_folder(tmp_path / "data")
    run = Run("r1", str(Lake(tmp_path / "lake", create=True).path), "tiny", "")
    assert acquire_sources(run, preset("folder", folder).source, None).done == N_STARS
    return folder, run


def again(acquired):
    folder, run = acquired
    return acquire_sources(run, preset("folder", folder).source, None)


def rewrite(path, change):
    pq.write_table(change(pq.read_table(path)), path)


def test_every_star_is_there_with_its_light_curve_in_each_survey(acquired):
    lake = Lake(acquired[1].lake)
    assert lake.count("core_sample__source") == N_STARS and lake.count("raw_sample__epoch") == 2 * N_STARS
    assert lake.read("core_dataset__band")["survey"].to_pylist() == ["one", "two"]
    assert lake.count("label_sample__class") == lake.count("core_sample__input") == N_STARS


def test_a_changed_magnitude_writes_that_star_alone(acquired):
    folder, run = acquired

    def brighten(epochs):
        mag = epochs["mag"].to_pylist()
        return epochs.set_column(epochs.column_names.index("mag"), "mag", pa.array([mag[0] - 1, *mag[1:]]))

    before = Lake(run.lake).read("raw_sample__epoch")["content_hash"].to_pylist()
    rewrite(folder / "lightcurves.parquet", brighten)
    assert again(acquired).done == 1
    after = Lake(run.lake).read("raw_sample__epoch")["content_hash"].to_pylist()
    assert len(set(before) - set(after)) == 1 and len(after) == len(before)


def test_a_star_that_left_the_folder_leaves_the_sample(acquired):
    folder, run = acquired
    rewrite(folder / "objects.parquet", lambda t: t.slice(1))
    assert again(acquired).total == N_STARS - 1
    assert "star00" not in Lake(run.lake).read("core_sample__source")["object_id"].to_pylist()


def test_an_impossible_input_is_set_aside_and_the_star_stays(acquired):
    folder, run = acquired
    rewrite(folder / "objects.parquet", lambda t: t.set_column(3, "e_plx", pa.array([-1.0, *[0.1] * (N_STARS - 1)])))
    done = again(acquired)
    assert (done.done, done.total, done.counts["quarantined"]) == (0, N_STARS, 1)
    row = Lake(run.lake).read("core_quarantine__row").to_pylist()[0]
    assert (row["table"], row["column"], row["check"], row["value"]) == ("objects.parquet", "e_plx", "range", "-1")
    sources = Lake(run.lake).read("core_sample__source")
    star = sources.filter(pc.equal(sources["object_id"], "star00"))["source_id"][0].as_py()
    assert row["source_id"] == star


def test_bands_and_classes_that_differ_in_case_alone_get_columns_of_their_own(tmp_path):
    toml = DATASET.replace('name = "r"', 'name = "G"\nvalue = "r"')
    folder = write_folder(tmp_path / "data", toml)
    rewrite(folder / "objects.parquet", lambda t: t.set_column(1, "label", pc.if_else(
        pc.equal(t["label"], "far"), "NEAR", t["label"])))  # fmt: skip
    lake = Lake(tmp_path / "lake", create=True)
    run = Run("r1", str(lake.path), "tiny", "")
    acquire_sources(run, preset("folder", folder).source, None)
    assert read_bands(lake, "tiny").names == ("g", "G_two")
    assert set(lake.read("label_sample__class")["class"].to_pylist()) == {"near", "NEAR"}
    assert read_column_names(lake, "tiny", "band") == {"G": "G_two"}
    assert read_column_names(lake, "tiny", "class") == {"near": "near_tiny"}
    hashes = lake.read("core_sample__source")["content_hash"].to_pylist()
    rewrite(folder / "objects.parquet", lambda t: t.slice(1))
    acquire_sources(run, preset("folder", folder).source, None)
    assert read_bands(lake, "tiny").names == ("g", "G_two")
    assert set(lake.read("core_sample__source")["content_hash"].to_pylist()) < set(hashes)


def test_names_without_twins_stay_and_are_not_listed(acquired):
    lake = Lake(acquired[1].lake)
    assert read_bands(lake, "tiny").names == ("g", "r") and not lake.exists("core_dataset__name")


def note_run(run, source_fingerprint, when):
    """A manifest that says that a run took this input in, by a clock of its own."""
    lake = Lake(run.lake)
    manifest = RunManifest.start(lake, {"dataset": "tiny"}, run_id=when)
    manifest.started = when
    manifest.add_input("archive of tiny", source_fingerprint)
    manifest.finish(lake)


def test_whether_an_input_is_unchanged_is_said_by_the_tables_and_by_no_clock(acquired):
    """A run of the year 2099 took in something else, as a manifest says: the tables know better."""
    _, run = acquired
    note_run(run, "another", "2099-01-01T00:00:00+00:00")
    done = again(acquired)
    assert done.done == 0 and "input unchanged" in done.notes


def test_what_a_manifest_says_to_be_there_and_is_not_is_acquired(acquired):
    """Two inputs were mixed: the manifest of the last run names this one, the tables hold the other."""
    folder, run = acquired
    first = again(acquired).inputs["archive of tiny"]
    rewrite(folder / "objects.parquet", lambda t: t.slice(0, 40))
    assert again(acquired).total == 40
    note_run(run, first, "2099-01-01T00:00:00+00:00")
    write_folder(folder.with_name("whole"))
    shutil.rmtree(folder)
    folder.with_name("whole").rename(folder)
    assert again(acquired).total == N_STARS


def test_in_a_lake_of_an_older_program_the_manifests_say_it(acquired):
    _, run = acquired
    lake, mark = Lake(run.lake), again(acquired).inputs["archive of tiny"]
    sources = lake.read("core_sample__source")
    lake.overwrite("old", TABLES["core_sample__source"], sources, {"dataset": "tiny"})  # its commits name no source
    assert "input unchanged" not in again(acquired).notes
    lake.overwrite("old", TABLES["core_sample__source"], sources, {"dataset": "tiny"})
    note_run(run, mark, "2026-01-01T00:00:00+00:00")
    assert "input unchanged" in again(acquired).notes


def test_light_curves_that_are_gone_are_acquired_again(acquired):
    _, run = acquired
    shutil.rmtree(Lake(run.lake).folder("raw_sample__epoch"))
    assert again(acquired).done == N_STARS
