"""Limits at the replica's door: limits hold over programs, the live ones too, and nothing known is asked again."""

import json
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
import pyarrow.compute as pc
import pytest

from lakehouse.answers.raw import DONE
from schemas import BadInput
from schemas.inputs import Sample
from tasks.archives import services as profiles
from tasks.surveys import SURVEYS, ztf
from tests.integration.acquisition import (
    acquire_into,
    asked,
    clear_log,
    items_answered_twice,
    jobs_held,
    limits_with,
    log,
    questions,
    records,
    set_limits,
    source_of,
    tables,
)
from tests.integration.conftest import assert_same, environment
from tests.integration.faulty import BY_PORTAL, TAP

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("calm")]
SLACK_S = 0.25  # how much later than it was begun a request may come to the door
# Many small requests to each service, at few at a time or so many a second.
CROWD = {
    "gaia_tap": {"parallel": 1}, "gaia_datalink": {"chunk": 20, "parallel": 3},
    "mast_ps1": {"chunk": 20, "parallel": 2}, "mast_tic": {"chunk": 40, "parallel": 2},
    "irsa_tap": {"chunk": 30, "parallel": 1}, "irsa_lightcurves": {"chunk": 10, "per_second": 15.0},
    "truth": {"chunk": 20, "parallel": 2},
}  # fmt: skip


def times(base: str) -> dict[str, list[tuple[float, float]]]:
    """When each question was under way, by service: until its reply, a job until its result is fetched."""
    fetched = {entry["path"].split("/async/")[1].split("/")[0]: entry["ended"] for entry in log(base)
               if entry["path"].endswith("/results/result")}  # fmt: skip
    found = defaultdict(list)
    for entry in questions(base):
        found[entry["service"]].append((entry["began"], fetched[entry["job"]] if "job" in entry else entry["ended"]))
    return found


def most_at_once(intervals: list[tuple[float, float]]) -> int:
    """How many intervals overlap at most; one that ends when another begins does not."""
    steps = sorted([(end, -1) for _, end in intervals] + [(start, 1) for start, _ in intervals])
    return int(np.cumsum([step for _, step in steps]).max())


def assert_paced(began: list[float], per_second: float) -> None:
    """No k + 1 requests began in less than k / per_second, but for what the way to the door adds."""
    at = np.sort(began)
    for k in range(1, at.size):
        assert (at[k:] - at[:-k]).min() >= k / per_second - SLACK_S, f"{k + 1} requests"


def test_overlaps_are_counted():
    assert most_at_once([(0, 2), (1, 3), (2, 4), (5, 6)]) == 2
    with pytest.raises(AssertionError):
        assert_paced([0.0, 1.0, 1.2], 2.0)


def test_two_programs_keep_one_limit_together(replica, acquired, tmp_path):
    set_limits(replica, job_seconds=0.15, answer_seconds={"gaia_datalink": 0.3})
    command = [sys.executable, "-m", "tests.integration.acquisition"]
    programs = [
        subprocess.Popen([*command, str(tmp_path / name), replica, "5000", json.dumps(CROWD)], env=environment(),
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for name in ("one", "other")
    ]  # fmt: skip
    for program in programs:
        _, words = program.communicate(timeout=300)
        assert program.returncode == 0, words
    for name in ("one", "other"):
        assert_same(acquired.tables, tables(tmp_path / name))
    under_way, limits = times(replica), limits_with(**CROWD)
    peaks = {service: most_at_once(intervals) for service, intervals in under_way.items()}
    print(f"\nat the door, at most at a time: {peaks}; questions: {dict(asked(replica))}")
    assert {service for service, peak in peaks.items() if peak > limits[service].parallel} == set()
    for service in ("gaia_tap", "gaia_datalink", "mast_ps1"):
        assert peaks[service] == limits[service].parallel, f"{service} was never crowded"
    assert max(entry["jobs"] for entry in log(replica) if entry["service"] == "mast_ps1") <= limits["mast_ps1"].parallel
    began = [start for start, _ in under_way["irsa_lightcurves"]]
    assert_paced(began, 15.0)
    assert len(began) / (max(began) - min(began)) > 5  # the pace was what held them up


def test_the_live_limits_are_kept_at_small_size(replica, tmp_path):
    few = Sample(random_index=(0, 99_999))
    acquire_into(tmp_path / "fast", source_of(replica, sample=few), limit=100)
    fast = asked(replica)
    clear_log(replica)
    acquire_into(tmp_path / "live", source_of(replica, sample=few, profile="live"), limit=100)
    assert_same(tables(tmp_path / "fast"), tables(tmp_path / "live"))
    assert asked(replica) - fast == Counter(gaia_tap=1)  # the count behind what the run will cost
    assert not fast - asked(replica)
    began = defaultdict(list)
    for entry in questions(replica):
        began[entry["service"]].append(entry["began"])
    assert len(began["irsa_lightcurves"]) > 2
    for service, limits in profiles.PROFILES["live"].items():
        if limits.per_second:
            assert_paced(began[service], limits.per_second)
    looks = defaultdict(list)
    for entry in log(replica):
        if entry["service"] == "gaia_tap" and (entry["path"].endswith("/phase") or "job" in entry):
            looks[entry.get("job") or entry["path"].split("/")[-2]].append(entry["began"])
    assert len(looks) == 5 and all(len(times) >= 2 for times in looks.values())
    for times_of_job in looks.values():
        assert np.diff(times_of_job).min() >= profiles.PROFILES["live"]["gaia_tap"].poll_s[0] - SLACK_S


def test_no_job_is_left_behind(replica, tmp_path):
    before = jobs_held(replica)
    acquire_into(tmp_path / "lake", source_of(replica))
    sent = [entry for entry in log(replica) if entry["method"] == "POST" and entry["path"].endswith("/async")]
    assert {entry["service"] for entry in sent} == {*TAP}
    assert jobs_held(replica) == before
    jobs = f"{replica}/tap-server/tap/async"
    with urlopen(jobs, data=urlencode({"LANG": "ADQL", "QUERY": "SELECT 1"}).encode()) as job:  # nobody removes it
        assert jobs_held(replica) - before == {job.url}


def test_an_unchanged_sample_asks_nothing(replica, acquired, tmp_path):
    lake = shutil.copytree(acquired.lake, tmp_path / "lake")
    stage = acquire_into(lake, source_of(replica), run_id="r2")
    assert stage.notes == ("input unchanged",) and log(replica) == []
    acquire_into(lake, source_of(replica), run_id="r3", dataset="again")  # read from the answers, every row of them
    assert log(replica) == []
    assert_same(tables(lake, "sky"), tables(lake, "again"))


def asked_about(base: str, first: int = 0) -> Counter[str]:
    """How many items each service was asked about, from the entry `first` of the log on."""
    counts: Counter[str] = Counter()
    for entry in log(base)[first:]:
        counts[entry["service"]] += entry["n_items"] or 0
    return counts


def answered(lake) -> Counter[str]:
    """Items of each service that the lake has an answer about."""
    counts: Counter[str] = Counter()
    for record in records(lake):
        counts[record.service] += record.n_item * (record.state == DONE)
    return counts


def test_a_larger_sample_asks_about_what_is_new(replica, acquired, tmp_path):
    """Ids: 120 of them, then all. A sample by random_index, after that, is one list and nothing else that is new.

    The first time the TIC is asked by the portal: what that has answered is not asked of its successor.
    """
    ids = acquired.tables["core_sample__source"]["source_id"].to_pylist()
    for name, part in (("few", ids[1::2] + ids[:20:2]), ("all", ids)):
        (tmp_path / f"{name}.csv").write_text("\n".join(["source_id", *map(str, part)]))
    few, every = (source_of(replica, sample=Sample(ids=tmp_path / f"{name}.csv")) for name in ("few", "all"))
    few = few.model_copy(update={"options": BY_PORTAL})
    lake = tmp_path / "lake"
    acquire_into(lake, few)
    first, mark = asked_about(replica), len(log(replica))
    acquire_into(lake, every, run_id="r2")
    then, mark = asked_about(replica, mark), len(log(replica))
    acquire_into(tmp_path / "at once", every)
    whole, mark = asked_about(replica, mark), len(log(replica))
    assert first + then == answered(lake) and whole == answered(tmp_path / "at once")
    assert first["mast_portal"] > 50 and not first["mast_tic"] and not then["mast_portal"]
    first["mast_tic"] = 2 * first.pop("mast_portal")  # what a TAP answers is counted, by a second request
    # What an entry of the TIC duplicates is asked for by its id where it is not in the sample, as yet.
    assert set(first + then - whole) <= {"mast_tic"} and not whole - first - then
    assert set(first) == set(then) == {*acquired.asked}
    assert then["gaia_datalink"] == len(ids) - len(ids[1::2] + ids[:20:2])
    assert items_answered_twice(lake) == []
    assert_same(tables(tmp_path / "at once"), tables(lake))

    clear_log(replica)
    acquire_into(lake, source_of(replica), run_id="r3", dataset="random")
    assert asked(replica) == {"gaia_tap": 2 + 2} and {entry["service"] for entry in log(replica)} == {"gaia_tap"}
    assert_same(tables(acquired.lake, "sky"), tables(lake, "random"))


def test_offline_the_answers_are_enough(replica, acquired, tmp_path):
    shutil.copytree(acquired.lake / "raw", tmp_path / "lake" / "raw")
    away = source_of(None, offline=True)
    acquire_into(tmp_path / "lake", away)
    assert_same(acquired.tables, tables(tmp_path / "lake"))
    with pytest.raises(BadInput, match=r"gaia_tap: .* never answered .* nothing is asked offline: run without --off"):
        acquire_into(tmp_path / "lake", source_of(None, offline=True, sample=Sample(cones=((10.0, 20.0, 1.0),))))
    assert_same(acquired.tables, tables(tmp_path / "lake"))
    assert log(replica) == []


def test_a_changed_survey_reads_again_and_asks_nothing(replica, acquired, tmp_path, monkeypatch):
    lake = shutil.copytree(acquired.lake, tmp_path / "lake")
    monkeypatch.setitem(SURVEYS, "ztf", replace(SURVEYS["ztf"], version=SURVEYS["ztf"].version + 1))
    same = acquire_into(lake, source_of(replica), run_id="r2")
    assert same.done == 0 and same.notes != ("input unchanged",)
    assert_same(acquired.tables, tables(lake))

    def fainter(answer, matches, tidy=ztf.tidy):
        epochs, refused = tidy(answer, matches)
        return replace(epochs, mag=epochs.mag + 1), refused

    monkeypatch.setattr(ztf, "tidy", fainter)
    monkeypatch.setitem(SURVEYS, "ztf", replace(SURVEYS["ztf"], version=SURVEYS["ztf"].version + 1))
    changed = acquire_into(lake, source_of(replica), run_id="r3")
    before, after = acquired.tables["raw_sample__epoch"], tables(lake)["raw_sample__epoch"]
    shift = pc.subtract(pc.list_flatten(after["mag"]), pc.list_flatten(before["mag"])).to_numpy()
    is_ztf = pc.equal(before["survey"], "ztf").to_numpy()
    expected = np.repeat(np.where(is_ztf, 1.0, 0.0), pc.list_value_length(before["mag"]).to_numpy())
    seen = np.isfinite(shift)
    np.testing.assert_allclose(shift[seen], expected[seen], atol=1e-4)
    assert changed.done == pc.count_distinct(before["source_id"].filter(is_ztf)).as_py()
    assert log(replica) == []


def test_another_spelling_of_the_structure_asks_nothing(replica, acquired, tmp_path):
    lake = shutil.copytree(acquired.lake, tmp_path / "lake")
    acquire_into(lake, source_of(replica, options={"gaia": {"structure": "DATAMODEL_STANDARD"}}), run_id="r2")
    assert_same(acquired.tables, tables(lake))
    assert log(replica) == []


def test_a_service_without_limits_is_not_asked(replica, tmp_path, monkeypatch):
    some = {name: limits for name, limits in profiles.PROFILES["fast"].items() if name != "irsa_tap"}
    monkeypatch.setitem(profiles.PROFILES, "fast", some)
    with pytest.raises(BadInput, match="1 services have no limits, first 'irsa_tap'"):
        acquire_into(tmp_path / "lake", source_of(replica))
    assert log(replica) == []
