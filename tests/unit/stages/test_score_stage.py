"""The score stage: a catalogue row for every star, a history that is kept, and no row for stars that left."""

import pyarrow as pa
import pyarrow.compute as pc

from tasks.stages.score.stage import score_sources
from tests.unit.stages.conftest import N_EPOCHS, N_STARS, replace_rows


def test_every_star_has_a_row_and_a_probability_of_each_class_in_the_history(refreshed):
    catalogue, history = refreshed.lake.read("out__catalogue"), refreshed.lake.read("score__value")
    assert catalogue.num_rows == N_STARS and history.num_rows == 2 * N_STARS
    total = pc.add(catalogue["prob_near"], catalogue["prob_far"]).to_numpy()
    assert abs(total - 1).max() < 1e-6
    assert catalogue["n_epoch"].to_pylist() == [N_EPOCHS - 1] * N_STARS
    assert 0 < pc.sum(catalogue["is_training"]).as_py() < N_STARS  # the held-out stars trained nothing


def test_what_is_up_to_date_is_not_scored_again(copied):
    done = score_sources(copied.run)
    assert (done.done, done.total, done.tables) == (0, N_STARS, ())


def test_a_star_that_left_the_sample_leaves_the_catalogue_and_stays_in_the_history(copied):
    sources = copied.lake.read("core_sample__source").sort_by("source_id")
    replace_rows(copied.lake, "core_sample__source", sources.slice(1))
    assert score_sources(copied.run).done == 0
    left = sources["source_id"][0].as_py()
    assert left not in copied.lake.read("out__catalogue")["source_id"].to_pylist()
    assert left in copied.lake.read("score__value")["source_id"].to_pylist()


def test_new_features_are_scored_and_the_old_score_is_kept(copied):
    features = copied.lake.read("feature_sample__source").sort_by("source_id")
    hashes = pa.array([1, *features["input_hash"].to_pylist()[1:]])
    changed = features.set_column(features.column_names.index("input_hash"), "input_hash", hashes)
    replace_rows(copied.lake, "feature_sample__source", changed)
    assert score_sources(copied.run).done == 1
    assert copied.lake.count("score__value") == 2 * N_STARS + 2 and copied.lake.count("out__catalogue") == N_STARS


def test_without_a_model_there_is_a_catalogue_of_periods(copied):
    before = copied.lake.read("out__catalogue").sort_by("source_id")
    (copied.lake.path / "models" / "tiny" / "current.json").unlink()
    done = score_sources(copied.run)
    assert done.notes == ("no model of tiny: the catalogue has no class and no quantity",) and done.done == N_STARS
    rows = copied.lake.read("out__catalogue").sort_by("source_id")
    assert rows["period_day"].to_pylist() == before["period_day"].to_pylist()
    assert rows["class_pred"].null_count == rows["prob_near"].null_count == N_STARS
    assert set(rows["unscored_reason"].to_pylist()) == {"no_model"} and set(rows["model_id"].to_pylist()) == {""}
    assert copied.lake.count("score__value") == 2 * N_STARS  # the history keeps what was
    assert score_sources(copied.run).done == 0
