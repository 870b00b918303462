"""Only what is new is computed: sources by the families that their stored rows lack."""

import pyarrow as pa
import pytest

from tasks.features import definitions
from tasks.stages.featurize.families import group_by_families
from tasks.stages.inputs import complete_config
from tests.unit.stages.conftest import N_STARS, replace_rows


@pytest.fixture
def stored(copied):
    """The lake, the complete settings of its features, and its sources as they are stored."""
    config = complete_config(copied.settings.feature_config, copied.lake, "tiny")
    rows = copied.lake.read("feature_sample__source").sort_by("source_id")
    return copied.lake, config, rows.select(["source_id", "tile", "curve_hash"])


def set_definitions(lake, change):
    """Change what the stored row of each source, in the order of ids, says it was made of."""
    rows = lake.read("feature_sample__source").sort_by("source_id")
    texts = [change(k, text) for k, text in enumerate(rows["definitions"].to_pylist())]
    place = rows.column_names.index("definitions")
    replace_rows(lake, "feature_sample__source", rows.set_column(place, "definitions", pa.array(texts, pa.string())))


def test_rows_of_the_same_input_and_definitions_need_nothing(stored):
    lake, config, sources = stored
    groups = group_by_families(lake, "tiny", config, sources)
    assert list(groups) == [()] and groups[()].equals(sources.combine_chunks())
    assert group_by_families(lake, "tiny", config, sources.slice(0, 0)) == {}


def test_another_light_curve_needs_all_families(stored):
    lake, config, sources = stored
    hashes = sources["curve_hash"].to_numpy().copy()
    hashes[:3] += 1
    groups = group_by_families(lake, "tiny", config, sources.set_column(2, "curve_hash", pa.array(hashes)))
    assert groups[None]["source_id"].to_pylist() == sources["source_id"].to_pylist()[:3]
    assert groups[()].num_rows == N_STARS - 3


def test_a_new_definition_needs_its_family_and_those_that_need_it(stored):
    lake, config, sources = stored
    old = {name.split(":")[0]: name for name in definitions(config).split()}
    set_definitions(lake, lambda k, text: text.replace(old["walk"], "walk:0") if k < 5 else text)
    groups = group_by_families(lake, "tiny", config, sources)
    assert set(groups) == {(), ("walk",)} and groups["walk",].num_rows == 5
    set_definitions(lake, lambda k, text: definitions(config).replace(old["period"], "period:0"))
    (families,) = group_by_families(lake, "tiny", config, sources)
    assert families[0] == "period" and "fourier" in families and "statistics" not in families


def test_a_source_that_is_not_stored_needs_all(stored):
    lake, config, sources = stored
    more = pa.table({"source_id": [1], "tile": pa.array([0], pa.int32()), "curve_hash": [7]})
    both = pa.concat_tables([sources, more.cast(sources.schema)])
    groups = group_by_families(lake, "tiny", config, both)
    assert groups[None]["source_id"].to_pylist() == [1] and groups[()].num_rows == N_STARS
    assert list(group_by_families(lake, "other", config, sources)) == [None]
