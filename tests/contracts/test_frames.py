"""From the door to the array at most four frames of our own lie on the stack, on either side of the cluster."""

import inspect
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import tasks.learning.catalogue as catalogue
import tasks.lightcurves.cuts as cuts
import tasks.stages.featurize.chunk as chunk
from flows.presets import preset
from flows.settings import override
from lakehouse.delta.store import Lake
from lakehouse.models import ModelPlace
from lakehouse.run import Run
from tasks.clean import clean
from tasks.featurize import featurize
from tasks.score import score
from tasks.stages import incremental
from tasks.stages.acquire.stage import acquire_sources
from tasks.stages.train import fits
from tasks.stages.train import stage as training
from tasks.stages.train.labels import TrainingPlan
from tests.unit.stages.conftest import SMALL, write_folder

ROOT = Path(__file__).parents[2]
MOST = 4
ARRAYS = {  # the first function that sees arrays and no lake, of the stages that work chunk by chunk
    "clean": (cuts, "apply_cuts"),
    "featurize": (chunk, "compute_features"),
    "score": (catalogue, "predict_and_compare"),
}


def our_frames() -> list[str]:
    """Functions of the pipeline on the stack of the caller, outermost first; comprehensions do not count."""
    frames = [frame for frame in inspect.stack() if Path(frame.filename).is_relative_to(ROOT / "tasks")]
    return [frame.function for frame in reversed(frames) if not frame.function.startswith("<")]


def in_this_process(address, function, jobs, *rest, **options):
    """What `fan_out` and `try_all` do, each job in a thread: with a stack of its own, as in a worker."""
    with ThreadPoolExecutor(1) as worker:
        return [worker.submit(function, *job).result() for job in jobs]


@pytest.fixture(scope="module")
def stacks(tmp_path_factory):
    """The frames at the fan-out and, in a worker, at the arrays, of a run of each of the doors."""
    place = tmp_path_factory.mktemp("frames")
    settings = override(preset("folder", write_folder(place / "data")), SMALL)
    run = Run("r1", str(Lake(place / "lake", create=True).path), "tiny", "")
    found: dict[str, list[str]] = {}

    def fan_out(address, function, jobs, label, *rest, **options):
        found[f"door of {label}"] = [*our_frames(), "fan_out"]
        return in_this_process(address, function, jobs)

    def watch(patch, label, module, name):
        plain = getattr(module, name)

        def watched(*arguments, **options):
            found.setdefault(f"worker of {label}", [*our_frames(), name])
            return plain(*arguments, **options)

        patch.setattr(module, name, watched)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(incremental, "fan_out", fan_out)
        patch.setattr(fits, "try_all", in_this_process)
        acquire_sources(run, settings.source, None)
        for label, (module, name) in ARRAYS.items():
            watch(patch, label, module, name)
        clean.fn(run, settings.cut_config)
        featurize.fn(run, settings.feature_config)
        training.train_models(run, TrainingPlan(settings.training, settings.seed, settings.source.has_time))
        score.fn(run, ModelPlace(run.lake, run.dataset))
    return found


@pytest.mark.parametrize("stage", ARRAYS)
def test_from_the_door_to_the_cluster(stacks, stage):
    frames = stacks[f"door of {stage}"]
    assert frames[:2] == ["shown", stage] and len(frames) <= 1 + MOST, frames  # the first shows the stage on its page


@pytest.mark.parametrize("stage", ARRAYS)
def test_from_the_worker_to_the_arrays(stacks, stage):
    frames = stacks[f"worker of {stage}"]
    assert frames[0] == f"{stage}_chunk" and len(frames) <= MOST, frames
