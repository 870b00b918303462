"""The model of docs/add_a_model.md: written to its file as it stands there, registered by one line, trained, scored."""

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from distributed import LocalCluster

from lakehouse.run import Run
from tasks.learning.fit import fit
from tasks.learning.models import MODELS, spec_of
from tasks.learning.persistence import load, save
from tasks.learning.training_config import TrainingConfig
from tasks.stages.score.stage import score_sources
from tasks.stages.train.labels import TrainingPlan
from tasks.stages.train.stage import train_models
from tests.laws.learning_cases import CLASSES, EXAMPLES, Case
from tests.unit.stages.labelled_lake import DATASET, write_labelled_lake

PAGE = (Path(__file__).parents[3] / "docs" / "add_a_model.md").read_text()
LINE = re.compile(r'^ {4}"(\w+)": "(tasks\.learning\.models\.\w+)",$', re.M)


@pytest.fixture
def added(tmp_path, monkeypatch) -> str:
    """Name of the model, in the file and by the line of the page."""
    code = PAGE.partition("<!-- model -->\n```python\n")[2].partition("```")[0]
    name, module = LINE.search(PAGE).groups()
    file = tmp_path / f"{module.rpartition('.')[2]}.py"
    file.write_text(code)
    spec = importlib.util.spec_from_file_location(module, file)
    found = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, module, found)
    spec.loader.exec_module(found)
    monkeypatch.setitem(MODELS, name, module)
    return name


def test_the_page_has_a_whole_model(added, tmp_path):
    assert spec_of(added).name == added and len({spec_of(name).simplicity for name in MODELS}) == len(MODELS)
    case = Case(added, "class")
    model = fit(case.recipe, EXAMPLES, CLASSES)
    save(model, tmp_path / "stored")
    assert np.array_equal(load(tmp_path / "stored").predict(EXAMPLES), model.predict(EXAMPLES))
    backwards = EXAMPLES.select(np.arange(len(EXAMPLES))[::-1])
    assert np.allclose(fit(case.recipe, backwards, CLASSES[::-1]).predict(EXAMPLES), model.predict(EXAMPLES))


def test_it_trains_and_scores_by_its_name(added, tmp_path):
    lake = write_labelled_lake(tmp_path / "lake")
    config = TrainingConfig(n_folds=2, recipes=("majority", added), min_labels=20, quantities=())
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as local:
        run = Run("r1", str(lake.path), DATASET, local.scheduler_address, retries=0)
        train_models(run, TrainingPlan(config, has_time=False))
        assert score_sources(run).done == 120
    chosen = lake.read("score_model__metric", where={"dataset": DATASET, "is_chosen": True, "metric": "accuracy"})
    assert set(chosen["recipe"].to_pylist()) == {added} and min(chosen["value"].to_pylist()) > 0.6
