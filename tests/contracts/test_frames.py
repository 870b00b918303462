"""From the door to the array at most four frames of our own lie on the stack, on either side of the cluster."""

import inspect
from pathlib import Path

import pytest

import tasks.lightcurves.cuts as cuts
from lakehouse.delta.store import Lake
from lakehouse.run import Run
from tasks.clean import clean
from tasks.stages import incremental
from tasks.stages.acquire.stage import acquire_sources
from tests.unit.stages.conftest import write_folder

ROOT = Path(__file__).parents[2]
MOST = 4


def our_frames() -> list[str]:
    """Functions of the pipeline on the stack of the caller, outermost first."""
    frames = [frame for frame in inspect.stack() if Path(frame.filename).is_relative_to(ROOT / "tasks")]
    return [frame.function for frame in reversed(frames)]


@pytest.fixture
def cleaned(tmp_path, monkeypatch):
    """The frames at the fan-out and, in a worker, at the cuts, of a run of the door `clean`."""
    from flows.presets import preset
    from flows.settings import override

    settings = override(preset("folder", write_folder(tmp_path / "data")), ())
    run = Run("r1", str(Lake(tmp_path / "lake", create=True).path), "tiny", "")
    acquire_sources(run, settings.source, None)
    stacks, waiting, apply_cuts = {}, [], cuts.apply_cuts

    def fan_out(address, function, jobs, *rest):
        stacks["door"] = [*our_frames(), "fan_out"]
        waiting.extend((function, job) for job in jobs)

    def watched(*arguments):
        stacks["worker"] = [*our_frames(), "apply_cuts"]
        return apply_cuts(*arguments)

    monkeypatch.setattr(incremental, "fan_out", fan_out)
    monkeypatch.setattr(cuts, "apply_cuts", watched)
    clean.fn(run, settings.cut_config)
    for function, job in waiting:
        function(*job)
    return stacks


def test_from_the_door_to_the_cuts(cleaned):
    assert cleaned["door"][0] == "clean" and len(cleaned["door"]) <= MOST, cleaned
    assert cleaned["worker"][0] == "clean_chunk" and len(cleaned["worker"]) <= MOST, cleaned
