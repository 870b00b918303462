"""A training that was stopped in the middle of a fold goes on from its checkpoint, to the same model."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pyarrow.parquet as pq
import pytest

from lakehouse.delta.store import Lake
from lakehouse.models import LABELS, fold_dir, model_dir, read_current
from lakehouse.run import Run
from tasks.learning.persistence import ARRAYS, load
from tasks.learning.training import checkpoint
from tasks.learning.training.checkpoint import Checkpoint
from tasks.learning.training_config import TrainingConfig
from tasks.stages.train.folds import CHECKPOINTS, fit_fold, is_fitted, write_labels
from tasks.stages.train.labels import TrainingPlan, read_target_labels
from tasks.stages.train.stage import train_models

N_PASSES = 4
TINY = {"hidden": 4, "head": [4], "central_head": [4], "levels": 1, "max_passes": N_PASSES, "patience": 9}
PLAN = TrainingPlan(
    TrainingConfig(n_folds=2, recipes=("lstm",), options={"lstm": TINY}, min_labels=20, quantities=()), seed=2
)


@pytest.fixture
def written(monkeypatch) -> list[tuple[Path, int]]:
    """The path of each checkpoint that is written, one after every pass, and the passes done by then."""
    monkeypatch.setattr(checkpoint, "EVERY_S", 0.0)
    found: list[tuple[Path, int]] = []
    write = Checkpoint.write

    def noting(self, tensors, values):
        write(self, tensors, values)
        found.append((self.path, len(values["history"])))

    monkeypatch.setattr(Checkpoint, "write", noting)
    return found


def stop_after(monkeypatch, n_passes: int) -> None:
    """Make every training fail once it has stored so many passes; what it leaves is what a kill leaves."""
    write = Checkpoint.write

    def stopping(self, tensors, values):
        write(self, tensors, values)
        if len(values["history"]) == n_passes:
            raise InterruptedError("stopped by the test")

    monkeypatch.setattr(Checkpoint, "write", stopping)


def lake_of(refreshed, place: Path) -> Run:
    """A run on a copy of the refreshed lake."""
    copytree(refreshed.run.lake, place)
    return replace(refreshed.run, run_id="r2", lake=str(place))


def contents(run: Run) -> dict[str, bytes]:
    """Weights of each fold and the labels of the current model, byte for byte."""
    folder = model_dir(run.lake, run.dataset, "class", read_current(run.lake, run.dataset)["class"])
    assert not (folder / CHECKPOINTS).exists() and not [*folder.glob(".*")]
    folds = {f"fold {k}": (fold_dir(folder, k) / ARRAYS).read_bytes() for k in range(2)}
    assert all(len(load(fold_dir(folder, k)).bodies[0].history) == N_PASSES for k in range(2))
    return {**folds, "labels": str(pq.read_table(folder / LABELS).to_pylist()).encode()}


def begin(run: Run, folds: tuple[int, ...] = ()) -> Path:
    """Prepare a training and fit some of its folds, here and one after the other: threads share torch's numbers."""
    (labels,) = read_target_labels(Lake(run.lake), run, PLAN)
    folder = write_labels(run, labels, PLAN)
    for fold in folds:
        fit_fold(run, str(folder), "lstm", fold)
    return folder


def test_a_stopped_training_goes_on_to_the_same_bits(refreshed, tmp_path, written, monkeypatch):
    whole, stopped = lake_of(refreshed, tmp_path / "whole"), lake_of(refreshed, tmp_path / "stopped")
    begin(whole, folds=(0, 1))
    train_models(whole, PLAN)
    assert sorted(passes for _, passes in written) == sorted(2 * list(range(1, N_PASSES + 1)))
    assert not any(path.exists() for path, _ in written)

    folder = begin(stopped)
    written.clear()
    with monkeypatch.context() as patch, pytest.raises(InterruptedError):
        stop_after(patch, 3)
        fit_fold(stopped, str(folder), "lstm", 0)
    path = written[0][0]
    assert written == [(path, 1), (path, 2), (path, 3)] and path.exists() and not is_fitted(folder, "lstm", 0)

    (folder / "lstm" / ".fold-0.killed.tmp").mkdir(parents=True)  # what a kill leaves of a fold that was being written
    written.clear()
    begin(stopped, folds=(0, 1))
    assert train_models(stopped, PLAN).done == 1
    assert [passes for own, passes in written if own == path] == [N_PASSES]
    assert contents(stopped) == contents(whole) and not folder.exists()
