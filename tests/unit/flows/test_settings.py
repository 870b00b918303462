"""Settings are one frozen tree: overridden by dotted keys, refused in one sentence."""

import errno

import pytest
from pydantic import TypeAdapter, ValidationError

from flows.failure import explain_failure
from flows.parameters import CompleteSettings
from flows.presets import PRESETS, describe, preset
from flows.settings import Settings, override, validate_settings
from schemas import BadInput
from tasks.surveys.cuts import CutConfig


def test_overrides_reach_into_the_tree_and_change_nothing_else():
    settings = preset("demo")
    words = (
        "training.options.forest.trees=77",
        "training.options.median={}",
        "source.replica.n_objects=500",
        "training.quantities=[teff_k]",
    )
    changed = override(settings, words)
    assert (changed.training.options["forest"], changed.source.replica.n_objects) == ({"trees": 77}, 500)
    assert changed.training.quantities == ("teff_k",)
    assert changed.training.options["median"] == {}
    assert changed.training.options["folded"] == settings.training.options["folded"]
    assert "forest" not in settings.training.options


def test_another_release_of_the_sample_has_a_dataset_and_an_index_of_its_own():
    """Sources of two releases are different names; in DR4 every source has a light curve, in DR3 one of 150."""
    release = "source.options.gaia.release=dr4"
    demo, later = preset("demo"), override(preset("demo"), (release,))
    assert (later.dataset, later.preset) == ("demo_dr4", "demo")
    assert demo.source.sample.random_index == (0, 449_999) and later.source.sample.random_index == (0, 3000)
    assert override(preset("rrlyrae"), (release, "limit=5")).dataset == "rrlyrae_dr4"
    assert override(preset("rrlyrae"), (release, "dataset=mine")).dataset == "mine"
    wide = override(preset("demo"), ("source.sample.random_index=[0, 9999]", release))
    assert wide.source.sample.random_index == (0, 9999)
    assert override(later, ("seed=3",)).dataset == "demo_dr4"
    with pytest.raises(BadInput, match="no Gaia release 'dr5' here"):
        override(preset("demo"), ("source.options.gaia.release=dr5",))


def test_settings_survive_the_manifest():
    settings = preset("demo")
    assert validate_settings(settings.model_dump(mode="json")) == settings


def test_a_setting_cannot_be_changed_in_place():
    with pytest.raises(ValidationError, match="frozen"):
        preset("demo").training = None


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("training.n_fold=5", "no 'n_fold'; here are"),
        ("trainings.n_folds=5", "no 'trainings'"),
        ("training.n_folds=1", "training.n_folds = 1"),
        ("training.n_folds=many", "training.n_folds = 'many'"),
        ("training.n_folds", "write key=value"),
        ("training.options.forest.trees=0", "ecipe forest: forest: trees = 0: input should be greater"),
        ("training.options.lstm.turbo=1", "there is no setting 'turbo'"),
        ("training.options.turbo.a=1", "there is no recipe 'turbo'"),
        ("training.recipes=[turbo]", "training.recipes = .*: there is no recipe 'turbo'"),
        ("training=5", "training = 5"),
        ("cuts.names=[finite, other_flag]", "there is no cut 'other_flag'"),
        ("cuts.names=[finite, finite]", "each cut is named once"),
        ("seed=100000000000000000000000", "seed = 1.*: input should be less than"),
        ("training.recipes=[]", "should have at least 1 item"),
        (
            "training.min_labels=100000000000000",
            "Setting training.min_labels = 1.*: the number is too large",
        ),
        ("cuts.max_err=.inf", "Setting cuts.max_err = inf: the number is too large"),
        ("training.quantities=[period_day]", "'period_day' has a column that the catalogue has already"),
        ("training.quantities=[Teff]", "should match pattern '\\^\\[a-z\\]"),
        ("dataset=.x", "should match pattern '\\^\\[A-Za-z0-9\\]"),
        ("source.options.tic.search_arcsec=[]", "search_arcsec of the survey tic is a number, not \\[\\]"),
        ("source.options.tic.search_arcsec=99999999", "is a number, not 99999999"),
        ("source.options.tic.via=3", "via of the survey tic is a text, not 3"),
        ("source.options.gaia.zero_point_error=1", "is true or false, not 1"),
    ],
)
def test_a_bad_setting_is_one_sentence(assignment, said):
    with pytest.raises(BadInput, match=said) as caught:
        override(preset("demo"), (assignment,))
    assert "\n" not in str(caught.value)


def list_keys(tree, before=""):
    """Dotted names of all settings, inner ones included."""
    for name, value in tree.items():
        yield before + name
        if isinstance(value, dict):
            yield from list_keys(value, f"{before}{name}.")


ODD = ("", "null", "true", "-1", ".nan", "1" + 24 * "0", "[]", "{}", "[[]]", "[1, a]", "{a: {b: c}}", "é", "2026-12-03")


def test_a_setting_of_any_type_is_taken_or_refused_in_one_sentence():
    settings, form = preset("demo"), TypeAdapter(CompleteSettings)
    n_refused = 0
    for n, key in enumerate(list_keys(settings.model_dump())):
        for value in ODD[n % 2 :: 2]:
            try:
                form.validate_python(override(settings, (f"{key}={value}",)).model_dump(mode="json"))
            except BadInput as error:
                n_refused += 1
                assert "\n" not in str(error), (key, value)
    assert n_refused > 300


def test_every_preset_says_what_it_is():
    for name in PRESETS:
        assert len(describe(name)) > 20
    with pytest.raises(BadInput, match="--data"):
        preset("eros_br")
    with pytest.raises(BadInput, match="no preset 'demmo'"):
        preset("demmo")


def test_a_path_in_the_place_of_a_preset_gets_the_options_that_read_it(tmp_path):
    folder, file = tmp_path / "my stars", tmp_path / "ids.csv"
    folder.mkdir()
    file.touch()
    with pytest.raises(BadInput, match=f"it is a path: write folder --data '{folder}' in its place"):
        preset(str(folder))
    with pytest.raises(BadInput, match=f"it is a path: write ids --data {file} in its place"):
        preset(str(file))


def test_a_full_disk_is_recognised_wherever_it_surfaces():
    wrapped = RuntimeError("stage failed")
    wrapped.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert "disk is full" in explain_failure(wrapped)
    assert "disk is full" in explain_failure(RuntimeError("IO Error: File too large"))
    assert explain_failure(ExceptionGroup("workers", [BadInput("Two ids.")])) == "Two ids."
    assert explain_failure(RuntimeError("index out of range")) is None
    assert explain_failure(KeyError("x")) is None


def test_a_cut_that_is_not_among_the_default_ones_can_be_named():
    settings = override(preset("demo"), ("cuts.names=[other_flags, finite]",))
    assert settings.cut_config.names == ("other_flags", "finite")
    assert preset("demo").cut_config.names == CutConfig().names


def test_a_tree_that_names_a_preset_is_completed_by_it():
    """As a deployment gives it: what it says wins over the preset, node by node."""
    adapter = TypeAdapter(CompleteSettings)
    assert adapter.validate_python({"preset": "demo"}) == preset("demo")
    changed = adapter.validate_python({"preset": "demo", "limit": 7, "features": {"period": {"f_max": 5.0}}})
    assert (changed.limit, changed.features.period.f_max) == (7, 5.0)
    assert changed.features.period.n_candidates == preset("demo").features.period.n_candidates
    assert adapter.validate_python(preset("demo")) is not None
    with pytest.raises(ValidationError, match="no preset 'demmo'"):
        adapter.validate_python({"preset": "demmo"})


def fields(schema: dict) -> dict[str, dict]:
    """Every field of every node of a JSON schema, by node and name."""
    nodes = {"Settings": schema, **schema["$defs"]}
    return {
        f"{node}.{name}": field for node, about in nodes.items() for name, field in about.get("properties", {}).items()
    }


def alternatives(field: dict) -> list[dict]:
    """What a field may be: itself, or each kind of value that it allows."""
    return [alternative for alternative in field.get("anyOf", [field]) if alternative.get("type") != "null"]


def is_limited(number: dict) -> bool:
    """Whether a number has an end on at least one side."""
    return not {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}.isdisjoint(number)


SMALL = ("ra, dec", "best_class_name")  # columns of Gaia, whose names are in small letters
FIELDS = fields(Settings.model_json_schema())


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_says_what_it_is_and_what_it_may_be(name):
    """A form shows descriptions, each a sentence, and the limits of numbers."""
    description = FIELDS[name].get("description", "")
    assert description[:1].isupper() or description.startswith(SMALL), description
    assert description.endswith(".")
    numbers = [each for each in alternatives(FIELDS[name]) if each.get("type") in ("number", "integer")]
    assert all(is_limited(number) for number in numbers)


def test_what_the_dataset_decides_is_no_setting():
    assert not {"FeatureConfig.has_time", "FeatureConfig.groups", "CutConfig.has_error"} & FIELDS.keys()


def test_what_the_source_decides_reaches_the_configurations(tmp_path):
    settings = preset("demo")
    assert settings.cut_config.has_error is True and settings.feature_config.has_time is True
    assert settings.cuts.has_error is None and "has_error" not in settings.model_dump()["cuts"]
