"""A stage that is killed half way is taken up where it stood: finished chunks are not done again."""

from dataclasses import replace

import pytest

from tasks.stages import incremental
from tasks.stages.clean.stage import clean_sources
from tests.unit.stages.conftest import N_STARS


class Killed(Exception):
    """What a run that is killed looks like from inside."""


def runs_in_process(done, most):
    """A `fan_out` in this process that records the parts it does, and is killed after `most` of them."""

    def fan_out(address, function, jobs, label, sizes, retries):
        for job, *arguments in jobs:
            if len(done) == most:
                raise Killed
            function(job, *arguments)
            done.append(job.part)

    return fan_out


def test_parts_that_a_killed_run_finished_are_not_done_again(copied, monkeypatch):
    cuts = replace(copied.settings.cut_config, outlier_sigma=7.5)
    first, second = [], []
    before = copied.lake.version("core_sample__epoch")
    monkeypatch.setattr(incremental, "fan_out", runs_in_process(first, 2))
    with pytest.raises(Killed):
        clean_sources(copied.run, cuts)
    assert first == [0, 1] and copied.lake.version("core_sample__epoch") == before  # nothing is seen of it
    monkeypatch.setattr(incremental, "fan_out", runs_in_process(second, None))
    done = clean_sources(replace(copied.run, run_id="r3"), cuts)
    assert second == [2] and done.done == N_STARS
    assert copied.lake.count("core_sample__epoch") == 2 * N_STARS
    assert not list((copied.lake.path / "staging").rglob("*.parquet"))


def test_work_of_other_cuts_is_not_taken_for_it(copied, monkeypatch):
    first, second = [], []
    monkeypatch.setattr(incremental, "fan_out", runs_in_process(first, 2))
    with pytest.raises(Killed):
        clean_sources(copied.run, replace(copied.settings.cut_config, outlier_sigma=7.5))
    monkeypatch.setattr(incremental, "fan_out", runs_in_process(second, None))
    clean_sources(copied.run, replace(copied.settings.cut_config, outlier_sigma=7.0))
    assert second == [0, 1, 2]
