"""Settings are one frozen tree: overridden by dotted keys, refused in one sentence."""

import errno

import pytest
from pydantic import ValidationError

from flows.failure import expected
from flows.presets import PRESETS, describe, preset
from flows.recipes import cut_config
from flows.settings import override, validated
from schemas import BadInput
from tasks.lightcurves.cuts import CutConfig


def test_overrides_reach_into_the_tree_and_change_nothing_else():
    settings = preset("demo")
    words = ("training.n_trees=77", "source.replica.n_objects=500", "training.quantities=[teff_k]")
    changed = override(settings, words)
    assert (changed.training.n_trees, changed.source.replica.n_objects) == (77, 500)
    assert changed.training.quantities == ("teff_k",)
    assert (
        override(changed, ("training.n_trees=150", "source.replica.n_objects=3000")).training.network
        == settings.training.network
    )
    assert settings.training.n_trees == 150


def test_settings_survive_the_manifest():
    settings = preset("demo")
    assert validated(settings.model_dump(mode="json")) == settings


def test_a_setting_cannot_be_changed_in_place():
    with pytest.raises(ValidationError, match="frozen"):
        preset("demo").training.n_trees = 5


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("training.n_tree=5", "no 'n_tree'; known here"),
        ("trainings.n_trees=5", "no 'trainings'"),
        ("training.n_trees=2", "training.n_trees = 2"),
        ("training.n_trees=many", "training.n_trees = 'many'"),
        ("training.n_trees", "write key=value"),
        ("training=5", "training = 5"),
        ("cuts.names=[finite, other_flag]", "there is no cut 'other_flag'"),
        ("cuts.names=[finite, finite]", "each cut is named once"),
    ],
)
def test_a_bad_setting_is_one_sentence(assignment, said):
    with pytest.raises(BadInput, match=said) as caught:
        override(preset("demo"), (assignment,))
    assert "\n" not in str(caught.value)


def test_every_preset_says_what_it_is():
    for name in PRESETS:
        assert len(describe(name)) > 20
    with pytest.raises(BadInput, match="--data"):
        preset("eros_br")
    with pytest.raises(BadInput, match="no preset 'demmo'"):
        preset("demmo")


def test_a_full_disk_is_recognised_wherever_it_surfaces():
    wrapped = RuntimeError("stage failed")
    wrapped.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert "disk is full" in expected(wrapped)
    assert "disk is full" in expected(RuntimeError("IO Error: File too large"))
    assert expected(ExceptionGroup("workers", [BadInput("Two ids.")])) == "Two ids."
    assert expected(RuntimeError("index out of range")) is None
    assert expected(KeyError("x")) is None


def test_a_cut_that_is_not_among_the_default_ones_can_be_named():
    settings = override(preset("demo"), ("cuts.names=[other_flags, finite]",))
    assert cut_config(settings).names == ("other_flags", "finite")
    assert cut_config(preset("demo")).names == CutConfig.names
