"""The clean stage: outliers go and are counted, what is up to date stays, and other cuts clean everything anew."""

from dataclasses import replace

import pyarrow.compute as pc

from tasks.stages.clean.stage import clean_sources
from tests.unit.stages.conftest import N_EPOCHS, N_STARS


def test_the_outlier_of_every_star_is_cut_and_the_ledger_counts_it(refreshed):
    ledger = refreshed.lake.read("core_cut__ledger")
    assert ledger["cut"].unique().to_pylist() == ["outlier"] and ledger["n_removed"].to_pylist() == [1] * N_STARS
    assert ledger["survey"].unique().to_pylist() == ["one"]  # the outliers are in g, which this survey observes
    epochs = refreshed.lake.read("core_sample__epoch")
    assert epochs.num_rows == 2 * N_STARS  # a row for each source and survey
    assert pc.sum(pc.list_value_length(epochs["time"])).as_py() == N_STARS * (N_EPOCHS - 1)
    assert pc.min(pc.list_flatten(epochs["mag"])).as_py() > 14


def test_what_is_up_to_date_is_not_written_again(copied):
    before = copied.lake.version("core_sample__epoch")
    done = clean_sources(copied.run, copied.settings.cut_config)
    assert (done.done, done.total, done.tables) == (0, N_STARS, ())
    assert copied.lake.version("core_sample__epoch") == before


def test_other_cuts_clean_every_star_anew(copied):
    without = replace(copied.settings.cut_config, names=("finite",))
    assert clean_sources(copied.run, without).done == N_STARS
    epochs = copied.lake.read("core_sample__epoch")
    assert pc.sum(pc.list_value_length(epochs["time"])).as_py() == N_STARS * N_EPOCHS
    assert copied.lake.count("core_cut__ledger") == 0
