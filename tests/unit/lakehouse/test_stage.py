import numpy as np
import pytest

from lakehouse.delta.staging import (
    clear_committed,
    commit_staged,
    discard,
    list_finished_parts,
    read_part,
    stage_rows,
)
from schemas import TABLES, BadInput

SOURCE = TABLES["core_sample__source"]
EPOCH = TABLES["raw_sample__epoch"]


@pytest.fixture
def big(epochs):
    """40 light curves of 30,000 epochs in one tile: a file worth keeping."""
    return epochs(np.arange(0, 160, 4), length=30_000)


def ids(lake, spec=SOURCE, **how):
    return lake.read(spec, ["source_id"], **how)["source_id"].to_pylist()


def test_staged_rows_are_unseen_until_one_commit_publishes_them(lake, epochs):
    lake.create(EPOCH)
    parts = [stage_rows(lake.path, EPOCH, epochs(range(n, n + 10)), "k1", n) for n in (0, 10, 20)]
    assert lake.version(EPOCH) == 0 and ids(lake, EPOCH) == []
    ref = commit_staged(lake, "r1", EPOCH, "k1", parts, stage="sample")
    assert (ref.version, ref.rows) == (1, 30)
    assert ids(lake, EPOCH) == list(range(30))
    newest = lake.versions(EPOCH)[0]
    assert [newest.run_id, newest.stage, newest.operation, newest.rows] == ["r1", "sample", "publish", 30]
    assert lake.read(EPOCH, where={"source_id": [3]})["time"][0].as_py() == epochs(range(10))["time"][3].as_py()


def test_publishing_twice_leaves_one_version(lake, sources):
    parts = [stage_rows(lake.path, SOURCE, sources(range(5)), "k1", 0)]
    first = commit_staged(lake, "r1", SOURCE, "k1", parts)
    assert commit_staged(lake, "r1", SOURCE, "k1", parts) == first
    assert commit_staged(lake, "r2", SOURCE, "k1") == first
    assert lake.version(SOURCE) == 1 and ids(lake) == list(range(5))


def test_staging_again_what_is_published_leaves_one_version(lake, sources):
    commit_staged(lake, "r1", SOURCE, "k1", [stage_rows(lake.path, SOURCE, sources(range(5)), "k1", 0)])
    before = lake.open(SOURCE).file_uris()
    commit_staged(lake, "r1", SOURCE, "k1", [stage_rows(lake.path, SOURCE, sources(range(5)), "k1", 0)])
    assert lake.open(SOURCE).file_uris() == before and ids(lake) == list(range(5))
    assert list_finished_parts(lake.path, SOURCE, "k1") == set()


def test_a_run_begins_by_clearing_what_published_stages_left(lake, sources):
    """As after a kill between a commit and the end of `commit_staged`: the next stage finds its rows, stages none."""
    clear_committed(lake)
    commit_staged(lake, "r1", SOURCE, "k1", [stage_rows(lake.path, SOURCE, sources([1]), "k1", 0)])
    stage_rows(lake.path, SOURCE, sources([1]), "k1", 0)
    stage_rows(lake.path, SOURCE, sources([2]), "k2", 0)
    (lake.path / "staging" / "of_an_older_program" / "k1").mkdir(parents=True)
    clear_committed(lake)
    assert list_finished_parts(lake.path, SOURCE, "k1") == set()
    assert list_finished_parts(lake.path, SOURCE, "k2") == {"0"}
    assert not (lake.path / "staging" / SOURCE.name / "k1").exists() and ids(lake) == [1]


def test_a_stage_begun_again_finds_its_finished_parts(lake, sources):
    for n, part in enumerate([0, 1, "tail"]):
        stage_rows(lake.path, SOURCE, sources([n]), "k1", part)
    assert list_finished_parts(lake.path, SOURCE, "k1") == {"0", "1", "tail"}
    assert list_finished_parts(lake.path, SOURCE, "k2") == set()
    assert commit_staged(lake, "r1", SOURCE, "k1").rows == 3


def test_a_part_is_the_same_read_back(lake, sources, big):
    small = stage_rows(lake.path, SOURCE, sources(range(9)), "k1", 4)
    assert read_part(lake.path, SOURCE, "k1", 4) == small
    assert small.loose and small.rows == 9
    part = stage_rows(lake.path, EPOCH, big, "k1", 4)
    assert read_part(lake.path, EPOCH, "k1", 4) == part
    assert part.loose is None and [file.rows for file in part.files] == [40]


def test_small_parts_are_gathered_to_one_file_for_each_partition(lake, sources):
    for n in range(10):
        stage_rows(lake.path, SOURCE, sources(range(n * 8, n * 8 + 8)), "k1", n)
    commit_staged(lake, "r1", SOURCE, "k1")
    assert len(lake.open(SOURCE).file_uris()) == 4
    assert ids(lake) == list(range(80))


def test_large_parts_are_moved_in_as_they_are(lake, big, epochs):
    part = stage_rows(lake.path, EPOCH, big, "k1", 0)
    staged = (lake.path / "staging" / EPOCH.name / "k1" / part.files[0].path).stat().st_ino
    stage_rows(lake.path, EPOCH, epochs([1, 2]), "k1", 1)
    commit_staged(lake, "r1", EPOCH, "k1")
    assert (lake.folder(EPOCH) / part.files[0].path).stat().st_ino == staged
    assert len(lake.open(EPOCH).file_uris()) == 3
    assert ids(lake, EPOCH) == sorted([*big["source_id"].to_pylist(), 1, 2])


def test_parts_may_lack_a_column_of_a_family(lake, features):
    both, rows = features([1, 2], ["a", "b"])
    stage_rows(lake.path, both, rows, "k1", 0)
    stage_rows(lake.path, both, features([3], ["a"])[1], "k1", 1)
    commit_staged(lake, "r1", both, "k1")
    assert lake.read(both, ["b"])["b"].to_pylist() == [0.5, 0.5, None]


def test_a_part_without_rows_is_finished_too(lake, sources):
    part = stage_rows(lake.path, SOURCE, sources([]), "k1", 0)
    assert part.files == () and list_finished_parts(lake.path, SOURCE, "k1") == {"0"}


def test_nothing_staged_makes_no_version(lake, sources):
    assert commit_staged(lake, "r1", SOURCE, "k1").version == 0
    assert commit_staged(lake, "r1", SOURCE, "k2", [stage_rows(lake.path, SOURCE, sources([]), "k2", 0)]).version == 0
    assert commit_staged(lake, "r1", SOURCE, "k3", [], np.array([1, 2]), "demo").version == 0


def test_replaced_sources_give_way_in_the_same_commit(lake, sources):
    lake.append("r1", SOURCE, sources(range(12)))
    lake.append("r1", SOURCE, sources(range(12), dataset="other"))
    untouched = {uri for uri in lake.open(SOURCE).file_uris() if "dataset=other" in uri or "tile=3" in uri}
    part = stage_rows(lake.path, SOURCE, sources([4, 12], content=7), "k1", 0)
    ref = commit_staged(lake, "r2", SOURCE, "k1", [part], np.array([4, 5, 6]), "demo")
    assert ref.version == 3
    found = lake.read(SOURCE, ["source_id", "content_hash"], {"dataset": "demo"})
    assert found["source_id"].to_pylist() == [0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 12]  # 5 and 6 left, without new rows
    assert found["content_hash"].to_pylist()[4] == 7
    assert ids(lake, where={"dataset": "other"}) == list(range(12))
    assert untouched <= set(lake.open(SOURCE).file_uris())
    assert ids(lake, version=2, where={"dataset": "demo"}) == list(range(12))
    assert lake.versions(SOURCE)[0].rows == lake.count(SOURCE) == 23


def test_replacing_rewrites_ragged_rows_exactly(lake, epochs):
    lake.append("r1", EPOCH, epochs(range(40), length=7))
    part = stage_rows(lake.path, EPOCH, epochs([5], length=2, seed=9), "k1", 0)
    commit_staged(lake, "r2", EPOCH, "k1", [part], np.array([5]), "demo")
    table = lake.read(EPOCH)
    old = epochs(range(40), length=7)
    assert table["mag"].to_pylist()[:5] == old["mag"].to_pylist()[:5]
    assert table["mag"].to_pylist()[6:] == old["mag"].to_pylist()[6:]
    assert len(table["mag"][5]) == 2


def test_replacing_all_rows_of_a_file_leaves_no_empty_file(lake, sources):
    lake.append("r1", SOURCE, sources([0, 4]))
    commit_staged(lake, "r2", SOURCE, "k1", [], np.array([0, 4]), "demo")
    assert lake.open(SOURCE).file_uris() == [] and ids(lake) == []


def test_replacing_needs_to_know_the_dataset(lake, sources):
    with pytest.raises(ValueError, match="replace_sources needs the dataset"):
        commit_staged(lake, "r1", SOURCE, "k1", [], np.array([1]))


def test_a_publish_that_was_cut_off_while_moving_files_goes_on(lake, sources, big):
    part = stage_rows(lake.path, EPOCH, big, "k1", 0)
    staging = lake.path / "staging" / EPOCH.name / "k1"
    lake.create(EPOCH)
    moved = part.files[0].path
    (lake.folder(EPOCH) / moved).parent.mkdir(parents=True)
    (staging / moved).rename(lake.folder(EPOCH) / moved)
    assert commit_staged(lake, "r1", EPOCH, "k1").rows == 40
    assert ids(lake, EPOCH) == big["source_id"].to_pylist()


def test_lost_staged_files_are_told(lake, sources, big):
    for spec, rows in ((SOURCE, sources([1])), (EPOCH, big)):
        part = stage_rows(lake.path, spec, rows, "k1", 0)
        discard(lake.path, spec, "k1")
        with pytest.raises(BadInput, match=r"staged file .* is (damaged|gone)"):
            commit_staged(lake, "r1", spec, "k1", [part])
        assert lake.version(spec) == 0


def test_parts_that_overlap_are_refused_and_discarded(lake, sources):
    stage_rows(lake.path, SOURCE, sources([1, 2]), "k1", 0)
    stage_rows(lake.path, SOURCE, sources([2, 3]), "k1", 1)
    with pytest.raises(BadInput, match="1 of 4 rows of stage k1 repeat the key of another"):
        commit_staged(lake, "r1", SOURCE, "k1")
    assert lake.version(SOURCE) == 0 and list_finished_parts(lake.path, SOURCE, "k1") == set()


def test_names_that_would_leave_the_folder_are_refused(lake, sources):
    with pytest.raises(BadInput, match="cannot name a stage or a part"):
        stage_rows(lake.path, SOURCE, sources([1]), "../x", 0)


def test_large_rows_are_split_into_row_groups(lake, epochs):
    from pyarrow.parquet import ParquetFile

    part = stage_rows(lake.path, EPOCH, epochs(np.arange(0, 400, 4), length=30_000), "k1", 0)
    path = lake.path / "staging" / EPOCH.name / "k1" / part.files[0].path
    with ParquetFile(path) as file:
        sizes = [file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups)]
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert 1 < len(sizes) < 8 and max(sizes) < 64 * 2**20
