"""A family whose definition changes is computed anew, alone; the other columns are copied, bit for bit."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from distributed import LocalCluster

from flows.presets import preset
from flows.settings import override
from lakehouse.delta.store import Lake
from lakehouse.run import Run
from schemas import BadInput
from schemas.column import Column
from tasks.features import FEATURES, expand, feature_columns, select_features
from tasks.features.feature import Feature
from tasks.stages.acquire.stage import acquire_sources
from tasks.stages.clean.stage import clean_sources
from tasks.stages.featurize.stage import featurize_sources
from tasks.stages.score.refusals import refuse_changed
from tests.integration.conftest import write_folder

MADE_BY = ("input_hash", "definitions")  # what says how a row was made


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory):
    """A run on a lake of 60 clean light curves, and the settings of its features; workers are threads here."""
    place = tmp_path_factory.mktemp("versions")
    settings = override(preset("folder", write_folder(place / "data", 60)), ("features.period.f_max=3",))
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as cluster:
        Lake(place / "lake", create=True)
        run = Run("r", str(place / "lake"), settings.dataset, cluster.scheduler_address, 25)
        acquire_sources(run, settings.source, None)
        clean_sources(run, settings.cut_config)
        yield run, settings.feature_config


@pytest.fixture
def counted(cleaned, monkeypatch):
    """The same, its table of features up to date, and how often each family is computed from now on."""
    run, config = cleaned
    featurize_sources(run, config)
    calls: Counter[str] = Counter()

    def counting(feature: Feature) -> Feature:
        def compute(curves, earlier):
            calls[feature.name] += 1
            return feature.compute(curves, earlier)

        return replace(feature, compute=compute)

    for name, feature in list(FEATURES.items()):
        monkeypatch.setitem(FEATURES, name, counting(feature))
    monkeypatch.setattr(
        "tasks.stages.featurize.stage.compile_all", lambda config: None
    )  # it computes every family once
    return run, config, calls


def table(run: Run) -> pa.Table:
    return Lake(run.lake).read("feature_sample__source").sort_by("source_id")


def assert_same(first: pa.Table, second: pa.Table, names) -> None:
    for name in names:
        assert first[name].combine_chunks().equals(second[name].combine_chunks()), name


def by_column(nulls: pa.Table) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in nulls.to_pylist():
        counts[row["column"]] += row["n"]
    return counts


def test_every_need_is_a_float64_of_the_object():
    columns = {column.name: column for feature in FEATURES.values() for column in feature.columns}
    for feature in FEATURES.values():
        for need in feature.needs:
            assert columns[need].type == pa.float64() and "{" not in need, f"{feature.name}: {need}"


def test_a_changed_family_is_computed_alone(counted, monkeypatch):
    run, config, calls = counted
    before, version = table(run), Lake(run.lake).version("feature_sample__source")
    changed = FEATURES["sequence"]
    monkeypatch.setitem(FEATURES, "sequence", replace(changed, version=changed.version + 1, compute=lambda c, e: {
        name: value + 1 for name, value in changed.compute(c, e).items()}))  # fmt: skip
    done = featurize_sources(run, config)
    after = table(run)
    assert calls == {"sequence": 3} and done.done == 60  # three chunks
    assert done.notes == ("60 objects: only sequence anew",)
    assert Lake(run.lake).version("feature_sample__source") == version + 1
    own = {c.name for declared in changed.columns for c in expand(declared, ("G", "BP", "RP"))}
    assert_same(before, after, set(before.column_names) - own - set(MADE_BY))
    assert after["input_hash"].to_pylist() != before["input_hash"].to_pylist()
    name = "con_G"
    np.testing.assert_allclose(after[name].to_numpy(), before[name].to_numpy() + 1)
    assert featurize_sources(run, config).done == 0


def test_a_changed_period_takes_with_it_what_needs_it(counted, monkeypatch):
    run, config, calls = counted
    before = table(run)
    monkeypatch.setitem(FEATURES, "period", replace(FEATURES["period"], version=99))
    featurize_sources(run, config)
    needing = {feature.name for feature in select_features(config) if "period_day" in feature.needs}
    assert set(calls) == {"period", *needing} < set(FEATURES)
    assert_same(before, table(run), set(before.column_names) - set(MADE_BY))


def test_what_needs_the_period_reads_it(counted, monkeypatch):
    run, config, calls = counted
    before = table(run)
    monkeypatch.setitem(FEATURES, "folded", replace(FEATURES["folded"], version=99))
    featurize_sources(run, config)
    assert set(calls) == {"folded"}
    assert_same(before, table(run), set(before.column_names) - set(MADE_BY))


def test_a_family_comes_and_goes(counted, monkeypatch):
    run, config, calls = counted
    before = table(run)
    column = Column("least_mag_{band}", pa.float32(), "Least magnitude.", "mag", "phot.mag;stat.min", nullable=True)

    def least(curves, earlier):
        offsets, mag = curves.band_offsets, curves.batch.mag
        least = [mag[a:b].min() if b > a else np.nan for a, b in pairwise(offsets)]
        return {column.name: curves.per_band(np.array(least))}

    monkeypatch.setitem(FEATURES, "least", Feature("least", (column,), least, "none"))
    featurize_sources(run, config)
    with_it = table(run)
    assert not calls and with_it["least_mag_G"].null_count < 60
    monkeypatch.delitem(FEATURES, "least")
    done = featurize_sources(run, config)
    assert not calls and done.notes == ("60 objects: only what is gone anew",)
    after = table(run)
    assert after["least_mag_G"].null_count == 60
    assert_same(before, after, set(before.column_names))


def test_a_second_period_is_computed_when_it_is_asked_for(counted):
    run, config, calls = counted
    before = table(run)
    featurize_sources(run, replace(config, second_period=True))
    assert set(calls) == {"prewhitened"}
    after = table(run)
    assert_same(before, after, set(before.column_names) - set(MADE_BY))
    assert after["prewhitened_period_day"].null_count < 60
    featurize_sources(run, config)
    assert table(run)["prewhitened_period_day"].null_count == 60


def test_nulls_are_counted_with_their_reasons(counted, monkeypatch):
    run, config, _ = counted
    lake, rows = Lake(run.lake), table(run)
    nulls = lake.read("feature_sample__null")
    version = lake.version("feature_sample__null")
    assert set(nulls["n_total"].to_pylist()) == {60}
    features = [c.name for c in feature_columns(("G", "BP", "RP"), config)]
    assert by_column(nulls) == +Counter({name: rows[name].null_count for name in features})
    featurize_sources(run, config)
    assert lake.version("feature_sample__null") == version  # the same rows are counted once
    changed = FEATURES["sequence"]
    monkeypatch.setitem(FEATURES, "sequence", replace(changed, version=99, compute=lambda c, e: {
        name: value * np.nan for name, value in changed.compute(c, e).items()}))  # fmt: skip
    featurize_sources(run, config)
    after = by_column(lake.read("feature_sample__null"))
    assert {name for name, n in after.items() if name.startswith("con_") and n == 60} == {"con_G", "con_BP", "con_RP"}


def test_other_settings_are_everything_anew(counted):
    run, config, calls = counted
    done = featurize_sources(run, replace(config, min_epoch=config.min_epoch + 1))
    assert set(calls) == {feature.name for feature in select_features(config)} and done.notes == ()
    featurize_sources(run, config)


def test_models_of_features_that_meant_something_else_do_not_score(cleaned, monkeypatch):
    run, config = cleaned
    featurize_sources(run, config)
    refuse_changed(Lake(run.lake), run.dataset, config)
    monkeypatch.setitem(FEATURES, "sequence", replace(FEATURES["sequence"], version=99))
    with pytest.raises(BadInput, match=r"\(sequence\): run `argelander refresh` first"):
        refuse_changed(Lake(run.lake), run.dataset, config)
