"""What a reader finds when a writer dies, the disk is full, or several write at once."""

import os
import signal

import numpy as np
import pytest
from deltalake import write_deltalake

from lakehouse.delta.commit import commit_draft
from lakehouse.delta.reference import Stamp
from lakehouse.delta.staging import commit_staged, list_finished_parts
from schemas import TABLES, BadInput

SOURCE = TABLES["core_sample__source"]

ROWS = """
import os, resource, signal, sys
import numpy as np, pyarrow as pa
from lakehouse.delta.staging import commit_staged, stage_rows
from lakehouse.delta.store import Lake
from schemas import TABLES, BadInput
SOURCE = TABLES["core_sample__source"]

def rows(ids, width=1):
    ids = np.asarray(ids, np.int64)
    n = len(ids)
    noise = np.random.default_rng(3).uniform(0, 1, n)
    return pa.table({"dataset": ["demo"] * n, "tile": pa.array(ids % 4, pa.int32()), "source_id": ids,
        "object_id": [f"o{i}" * width for i in ids], "ra": noise * 360, "dec": noise,
        "n_epoch": np.full(n, 3, np.int32), "content_hash": ids * 0})

lake = Lake(sys.argv[1], create=True)
"""


def ids(lake, **how):
    return lake.read(SOURCE, ["source_id"], **how)["source_id"].to_pylist()


def files(lake):
    return sorted(path for path in lake.folder(SOURCE).rglob("*.parquet") if "_delta_log" not in path.parts)


def stray(lake):
    """Files that no version of the table names."""
    versions = range(lake.version(SOURCE) + 1)
    named = {uri for version in versions for uri in lake.open(SOURCE, version).file_uris()}
    return [path for path in files(lake) if str(path) not in named] + list(lake.path.rglob("*.tmp"))


@pytest.mark.parametrize("moment", ["staged", "writing", "before commit", "committed", "after commit"])
def test_a_writer_killed_at_any_step_publishes_once_in_the_end(lake, sources, python, moment):
    lake.append("r0", SOURCE, sources(range(8)))
    died = python(
        ROWS
        + f"""
parts = [stage_rows(lake.path, SOURCE, rows(range(100 * p, 100 * p + 10)), "k1", p) for p in (1, 2)]
from lakehouse.delta import commit, draft, staging
die = lambda *a: os.kill(os.getpid(), signal.SIGKILL)
if {moment == "staged"}: die()
if {moment == "writing"}:
    draft.write_files = lambda *a, write=draft.write_files: (write(*a), die())
if {moment == "before commit"}: commit._commit = die
if {moment == "committed"}: commit._commit = lambda *a, commit=commit._commit: (commit(*a), die())
if {moment == "after commit"}: staging.discard = die
commit_staged(lake, "r1", SOURCE, "k1", parts, np.arange(4), "demo")
""",
        lake.path,
    )
    assert died.returncode == -signal.SIGKILL
    assert lake.version(SOURCE) == (2 if moment in ("committed", "after commit") else 1)
    if lake.version(SOURCE) == 1:
        assert ids(lake) == list(range(8))
    assert list_finished_parts(lake.path, SOURCE, "k1") == {"1", "2"}
    ref = commit_staged(lake, "r1", SOURCE, "k1", None, np.arange(4), "demo")
    assert (ref.version, ref.rows) == (2, 20)
    assert ids(lake) == [4, 5, 6, 7, *range(100, 110), *range(200, 210)]
    assert not (lake.path / "staging" / SOURCE.name / "k1").exists()
    lake.append("r2", SOURCE, sources([900]))
    assert stray(lake) == [] and not list(lake.folder(SOURCE).glob(".draft-*"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "write",
    [
        'stage_rows(lake.path, SOURCE, rows(range(40_000), 9), "k1", 0)',
        'lake.append("r1", SOURCE, rows(range(40_000), 9))',
        'lake.merge("r1", SOURCE, rows(range(40_000), 9))',
        'lake.overwrite("r1", SOURCE, rows(range(40_000), 9), {"dataset": "demo"})',
    ],
)
def test_a_full_disk_is_one_sentence_and_leaves_the_old_version(lake, sources, python, write):
    lake.append("r0", SOURCE, sources(range(8)))
    limited = python(
        ROWS
        + f"""
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    {write}
except BadInput as error:
    print(error)
""",
        lake.path,
    )
    assert limited.stdout.startswith("The disk is full or a file is larger than allowed: "), limited.stderr
    assert limited.stdout.count("\n") == 1
    assert lake.version(SOURCE) == 1 and ids(lake) == list(range(8))
    assert stray(lake) == [] and list_finished_parts(lake.path, SOURCE, "k1") == set()


@pytest.mark.slow
def test_a_disk_that_fills_at_the_commit_leaves_the_old_version_and_can_go_on(lake, sources, python):
    lake.append("r0", SOURCE, sources(range(8)))
    limited = python(
        ROWS
        + """
far = rows(range(400, 460))
far = far.set_column(1, "tile", pa.array(range(60), pa.int32()))  # 60 small files, and a long commit that names them
parts = [stage_rows(lake.path, SOURCE, far.slice(i * 2, 2), "k1", i) for i in range(30)]
resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000))
try:
    commit_staged(lake, "r1", SOURCE, "k1", parts)
except BadInput as error:
    print(error)
""",
        lake.path,
    )
    assert limited.stdout.startswith("The disk is full or a file is larger than allowed: core_sample"), limited.stderr
    assert lake.version(SOURCE) == 1 and ids(lake) == list(range(8))
    assert stray(lake) == []
    assert commit_staged(lake, "r1", SOURCE, "k1").rows == 60
    assert lake.count(SOURCE) == 68


@pytest.mark.slow
def test_readers_never_see_half_a_stage(lake, sources, python):
    """While one process replaces all 400 rows again and again, each read is all of one content."""
    lake.append("r0", SOURCE, sources(range(400)))
    writer = python(
        ROWS
        + """
everything = rows(range(400))
for content in range(1, 16):
    column = pa.array(np.full(400, content))
    table = everything.set_column(7, "content_hash", column)
    parts = [stage_rows(lake.path, SOURCE, table.slice(i * 100, 100), f"k{content}", i) for i in range(4)]
    commit_staged(lake, "r1", SOURCE, f"k{content}", parts, np.arange(400), "demo")
""",
        lake.path,
        wait=False,
    )
    seen = set()
    while writer.poll() is None:
        content = lake.read(SOURCE, ["content_hash"])["content_hash"].to_numpy()
        assert len(content) == 400 and len(np.unique(content)) == 1
        seen.add(int(content[0]))
    assert writer.returncode == 0 and lake.version(SOURCE) == 16
    assert len(seen) > 2


@pytest.mark.slow
def test_writers_of_several_processes_queue_and_lose_nothing(lake, python):
    """Each creates the table if it is not there, appends its own rows, and merges one row they all share."""
    program = (
        ROWS
        + """
me = int(sys.argv[2])
for i in range(6):
    lake.append(f"r{me}", SOURCE, rows([1000 * me + i]))
    lake.merge(f"r{me}", SOURCE, rows([7]), token=f"{me}-{i}")
"""
    )
    writers = [python(program, lake.path, me, wait=False) for me in (1, 2, 3)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    assert ids(lake) == [7, *(1000 * me + i for me in (1, 2, 3) for i in range(6))]
    assert lake.version(SOURCE) == 36


def test_one_token_from_several_processes_is_one_commit(lake, python):
    program = ROWS + 'lake.append("r1", SOURCE, rows([int(sys.argv[2])]), token="once")'
    writers = [python(program, lake.path, me, wait=False) for me in (1, 2, 3)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    assert lake.version(SOURCE) == 1 and len(ids(lake)) == 1


def test_a_dead_holder_frees_the_lock(lake, sources, python):
    lake.create(SOURCE)
    holder = python(
        ROWS
        + """
from lakehouse.delta.commit import lock
with lock(lake.folder(SOURCE)):
    print("held", flush=True)
    signal.pause()
""",
        lake.path,
        wait=False,
    )
    assert holder.stdout.readline() == "held\n"
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert lake.append("r1", SOURCE, sources([1])).version == 1


def test_a_commit_from_elsewhere_is_noticed(lake, sources):
    """Another machine does not see the lock: a draft made from an older version must not be committed."""
    lake.append("r0", SOURCE, sources(range(8)))

    def fill(draft):
        draft.write(sources([9]))
        write_deltalake(lake.open(SOURCE), sources([9]), mode="append")  # to Delta alone, no conflict at all

    with pytest.raises(BadInput, match="was written by another program meanwhile"):
        commit_draft(lake.folder(SOURCE), SOURCE, Stamp("r1", "append", "mine"), fill)
    assert ids(lake) == [*range(8), 9]
    assert len(stray(lake)) == 0
