"""From raw light curves to catalogue rows, against its steps done one by one: cuts, features, scores."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from schemas.tables.catalogue import OF_CLASS
from tasks.features import FeatureConfig, compute_features
from tasks.learning.catalogue import Scorer
from tasks.learning.class_calibration import ClassCalibration
from tasks.learning.data import examples_from_table
from tasks.learning.fit import fit
from tasks.learning.light_curves import NOVELTY, PERIOD, Pipeline, catalogue_rows, rows_of_curves, rows_of_photometry
from tasks.learning.targets import CLASS
from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.cuts import NeutralCutConfig
from tests.unit.learning.synthetic_stars import recipe, stars

EXAMPLES, CLASSES, _ = stars(24, seed=4, bands=("B", "R"), n_epoch=(15, 25))
RAW = EXAMPLES.batch
CUTS, FEATURES = NeutralCutConfig(), FeatureConfig(has_time=False)
ONE_SURVEY = np.zeros(len(RAW), np.int64)
COLOUR = "colour_mag_B_R"


def folded(batch: LightCurveBatch) -> LightCurveBatch:
    """The same curves with phases for times: no period is searched."""
    return replace(batch, time=np.sort(batch.time % 1, kind="stable")[np.argsort(np.argsort(batch.time))])


def scorer(model: str, table: pa.Table, columns: tuple[str, ...]) -> Scorer:
    """A scorer of one fold that trained on no star of the tests: their ids are others."""
    examples = examples_from_table(table, columns, RAW)
    examples = replace(examples, source_id=examples.source_id + 10**6, batch=None)
    if model == "lstm":
        batch = replace(RAW, source_id=RAW.source_id + 10**6)
        examples = replace(examples, batch=batch)
    small = {"lstm": {"hidden": 4, "max_passes": 1, "max_per_band": 12}, "forest": {"trees": 5}}
    own = recipe(model, CLASS, columns, **small.get(model, {}))
    trained = fit(own, examples, CLASSES)
    known = np.sort(examples.source_id)
    return Scorer("m", own, CLASS.bind(CLASSES), (trained,), ClassCalibration(), known, np.zeros(known.size, np.int64))


@pytest.fixture(scope="module")
def features() -> pa.Table:
    return compute_features(folded(RAW), FEATURES)


@pytest.fixture(scope="module")
def forest(features) -> Scorer:
    return scorer("forest", features, ("amplitude_mag_B", COLOUR))


def test_rows_are_the_features_of_what_the_cuts_left_and_the_scores_of_these(forest):
    raw = folded(RAW)
    spoiled = raw.mag_err.copy()
    spoiled[raw.offsets[:-1]] = -1.0  # the first epoch of each star is cut
    raw = replace(raw, mag_err=spoiled)
    rows = rows_of_curves(raw, ONE_SURVEY, None, Pipeline(CUTS, FEATURES, [forest])).table
    assert rows["source_id"].to_pylist() == RAW.source_id.tolist()
    assert rows["n_epoch"].to_pylist() == (RAW.n_epoch - 1).tolist()
    kept = raw.keep(raw.mag_err > 0)
    alone = compute_features(kept, FEATURES)
    proba = forest.score(examples_from_table(alone, forest.recipe.columns)).proba
    names = forest.target.classes
    found = np.stack([rows[f"prob_{name}"].to_numpy() for name in names], axis=1)
    assert np.allclose(found, proba, atol=1e-6)
    assert rows["class_pred"].to_pylist() == np.array(names)[proba.argmax(1)].tolist()


def test_objects_of_one_source_become_one_row(forest):
    raw = folded(RAW)
    pair = replace(raw, source_id=np.repeat(RAW.source_id[::2], 2))  # two objects of each of twelve sources
    rows = rows_of_curves(pair, ONE_SURVEY, None, Pipeline(CUTS, FEATURES, [forest])).table
    assert rows["source_id"].to_pylist() == RAW.source_id[::2].tolist()
    assert rows["n_epoch"].to_pylist() == RAW.n_epoch.reshape(-1, 2).sum(1).tolist()


def test_mean_photometry_has_colours_and_their_scores(features):
    bands = np.tile([0, 1], 24)
    mag = np.stack([np.linspace(14, 16, 24), np.linspace(13, 16.5, 24)], axis=1).ravel()
    mean = LightCurveBatch.from_epochs(np.repeat(RAW.source_id, 2), np.zeros(48), mag, None, bands, None, ("B", "R"))
    of_colour = scorer("colour_forest", features, (COLOUR,))
    rows = rows_of_photometry(mean.keep(np.arange(48) != 5), None, Pipeline(CUTS, FEATURES, [of_colour])).table
    colour = np.where(np.arange(24) == 2, np.nan, mag[::2] - mag[1::2])  # of a star without one of its bands
    own = replace(EXAMPLES, features=colour[:, None], feature_names=(COLOUR,), batch=None)
    for k, name in enumerate(of_colour.target.classes):
        assert np.allclose(rows[f"prob_{name}"].to_numpy(), of_colour.score(own).proba[:, k], atol=1e-6)
    assert rows["n_epoch"].to_pylist() == [0] * 24 and rows["period_day"].null_count == 24


def test_curves_are_given_to_the_models_that_read_them(features, forest):
    network = scorer("lstm", features, ())
    rows = catalogue_rows(features, RAW.n_epoch, RAW, [network]).table
    expected = network.score(examples_from_table(features, (), RAW)).proba
    assert np.allclose(rows[f"prob_{network.target.classes[0]}"].to_numpy(), expected[:, 0], atol=1e-6)
    with pytest.raises(ValueError, match="come without light curves"):
        catalogue_rows(features, RAW.n_epoch, None, [network])


def test_a_catalogue_row_is_epochs_period_and_the_values_of_every_target(features, forest):
    period = pa.array(np.linspace(0.5, 2, 24))
    place = features.column_names.index("period_day")
    found = catalogue_rows(features.set_column(place, "period_day", period), RAW.n_epoch, None, [forest])
    names = forest.target.classes
    columns = [column.name for column in (*PERIOD, *OF_CLASS, NOVELTY)]
    first = ["source_id", "n_epoch", *columns, "unscored_reason"]
    assert found.table.column_names[: len(first)] == first and found.table["unscored_reason"].null_count == 24
    assert set(found.table.column_names[7:]) >= {f"prob_{name}" for name in names}
    assert found.table["period_day"].to_pylist() == period.to_pylist()
    assert found.table["n_epoch"].type == pa.int32() and found.table["class_pred"].null_count == 0
    assert np.array_equal(
        found.scores[0].proba, forest.score(examples_from_table(features, forest.recipe.columns)).proba
    )


def test_what_no_scorer_and_no_feature_gives_is_null(features):
    rows = catalogue_rows(features.select(["source_id"]), RAW.n_epoch, None, [])
    assert rows.scores == () and rows.table["n_epoch"].to_pylist() == RAW.n_epoch.tolist()
    for name in ("class_pred", *(column.name for column in PERIOD)):
        assert rows.table[name].null_count == 24, name
    assert set(rows.table["unscored_reason"].to_pylist()) == {"no_model"}


def test_a_star_without_an_epoch_has_a_row_and_no_score(features, forest):
    n_epoch = np.where(np.arange(24) % 5 == 0, 0, RAW.n_epoch)
    network = scorer("lstm", features, ())
    for each, curves in ((forest, None), (network, RAW.keep(n_epoch[RAW.row] > 0))):
        rows, whole = (catalogue_rows(features, n, curves, [each]) for n in (n_epoch, RAW.n_epoch))
        name = f"prob_{each.target.classes[0]}"
        expected = [value if n else None for value, n in zip(whole.table[name].to_pylist(), n_epoch, strict=True)]
        assert rows.table[name].to_pylist() == pytest.approx(expected, abs=1e-6)
        reasons = rows.table["unscored_reason"].to_pylist()
        assert reasons == ["no_epoch" if n == 0 else None for n in n_epoch]
        assert [value is None for value in rows.table["class_pred"].to_pylist()] == (n_epoch == 0).tolist()
        assert len(rows.scores[0].proba) == (n_epoch > 0).sum() and np.array_equal(rows.is_scored, n_epoch > 0)


def test_where_no_star_has_an_epoch_there_are_the_columns_and_nothing_in_them(features, forest):
    rows = catalogue_rows(features, 0 * RAW.n_epoch, None, [forest])
    assert rows.scores == () and not rows.is_scored.any()
    whole = catalogue_rows(features, RAW.n_epoch, None, [forest]).table
    assert rows.table.schema.equals(whole.schema)
    assert rows.table["class_pred"].null_count == rows.table[f"prob_{forest.target.classes[0]}"].null_count == 24
