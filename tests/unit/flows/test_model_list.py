"""`argelander models` and `train`: what is trained, how good it is, and a sentence where there is nothing."""

import pytest
from rich.console import Console
from typer.testing import CliRunner

from flows.cli import app
from flows.model_list import list_models
from flows.presets import folder_of, preset
from flows.settings import override
from flows.training import read_refreshed
from lakehouse.delta.store import Lake
from lakehouse.manifest import RunManifest
from lakehouse.models import set_current, write_model
from schemas import BadInput
from tests.unit.stages.conftest import write_folder

CARDS = {
    "class-1": {
        "recipe": {"name": "forest"}, "n_labelled": 2400, "format": 3, "run_id": "r1",
        "figure": {"metric": "macro_f1", "value": 0.912, "lo": 0.9, "hi": 0.925},
        "choice": {"recipe": "forest", "runner_up": "lstm", "margin": 0.012, "spread": 0.004},
    },
    "class-2": {},  # of an older program
}  # fmt: skip


@pytest.fixture
def lake(tmp_path):
    place = Lake(tmp_path / "lake", create=True)
    for model_id, card in CARDS.items():
        with write_model(place.path, "eros", "class", model_id, card):
            pass
    set_current(place.path, "eros", "class", "class-1")
    return place


def test_a_row_tells_how_good_a_model_is_and_whether_it_scores(lake):
    console = Console(width=200)
    with console.capture() as said:
        console.print(list_models(lake))
    old, new = said.get().splitlines()[1:]  # the newest first
    for words in ("eros", "yes", "forest", "macro_f1 0.912 [0.9, 0.925]", "lstm (+0.012 +- 0.004)", "2,400", "r1"):
        assert words in new and (words not in old or words == "eros")


def test_without_models_there_is_a_sentence(lake, tmp_path):
    with pytest.raises(BadInput, match=r"no models of 'erso'; it has those of eros\. Did you mean 'eros'\?"):
        list_models(lake, "erso")
    with pytest.raises(BadInput, match="has no models yet"):
        list_models(Lake(tmp_path / "empty", create=True))
    assert CliRunner().invoke(app, ["models", "eros", "--lake", str(lake.path)]).exit_code == 0


def test_a_preset_leads_to_the_models_of_its_dataset(lake, tmp_path):
    """Such as those of rrlyrae_dr4, which a refresh of rrlyrae trained with another data release."""
    release = override(preset("rrlyrae"), ("source.options.gaia.release=dr4",))
    RunManifest.start(lake, release.model_dump(mode="json"), command="refresh rrlyrae").finish(lake)
    data = write_folder(tmp_path / "data")
    assert folder_of("rrlyrae", data, lake.path)[0] == "rrlyrae"  # nothing is trained yet
    with write_model(lake.path, "rrlyrae_dr4", "class", "class-1", CARDS["class-1"]):
        pass
    set_current(lake.path, "rrlyrae_dr4", "class", "class-1")
    assert {folder_of(name, data, lake.path)[0] for name in ("rrlyrae", "rrlyrae_dr4")} == {"rrlyrae_dr4"}
    assert folder_of("eros", data, lake.path)[0] == "eros" and folder_of("demo", data, tmp_path / "no")[0] == "demo"
    with pytest.raises(BadInput, match="There is no preset 'rrlyrea'"):
        folder_of("rrlyrea", data, lake.path)


def test_what_was_never_refreshed_cannot_be_trained(lake):
    manifest = RunManifest.start(lake, preset("demo").model_dump(mode="json"), command="refresh demo")
    manifest.finish(lake)
    with pytest.raises(BadInput, match=r"no features of 'dmo'; .* Did you mean 'demo'\? Run `argelander refresh dmo`"):
        read_refreshed(lake, "dmo")
    done = CliRunner().invoke(app, ["train", "demo", "--recipe", "forest", "--lake", str(lake.path)])
    assert done.exit_code == 2 and "no features of 'demo'" in " ".join(done.output.split())
