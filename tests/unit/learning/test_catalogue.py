"""What scores a star is a pure function: models and examples in, catalogue values and rows of the history out."""

import numpy as np
import pyarrow as pa
import pytest

from schemas.tables.catalogue import OF_CLASS
from tasks.learning.calibration import Levels
from tasks.learning.catalogue import (
    Scorer,
    catalogue_columns,
    catalogue_values,
    columns_read,
    has_trained_any,
    score_rows,
)
from tasks.learning.ensemble import ensemble_predict
from tasks.learning.evaluation import evaluate
from tasks.learning.fit import fit
from tasks.learning.splits import TEST, split
from tasks.learning.targets import CLASS, Regression, ScoreValues
from tests.unit.learning.synthetic_stars import recipe, stars

EXAMPLES, CLASSES, TEFF = stars(150)
TEMPERATURE = Regression.of("teff_k")
NAMES = EXAMPLES.feature_names


def trained(target, y, columns=NAMES) -> Scorer:
    """A scorer of two folds of the first 100 stars; the others are unknown to it."""
    own = recipe("forest", target, columns, trees=8)
    part = np.arange(150) < 100
    fold = split(target, y[part], EXAMPLES.source_id[part], 2, 0.2, 0).fold
    known = EXAMPLES.select(part)
    parts = [(fold >= 0) & (fold != k) for k in (0, 1)]
    models = tuple(fit(own, known.select(each), y[part][each]) for each in parts)
    bound = target.bind(y[part])
    raw = ensemble_predict(models, known, fold, bound)
    calibration = evaluate(bound, [own], {own.name: raw}, y[part], fold, Levels(0.8)).calibration
    return Scorer(f"{target.name}-1", own, bound, models, calibration, known.source_id, fold.astype(np.int64))


@pytest.fixture(scope="module")
def scorers():
    return [trained(CLASS, CLASSES), trained(TEMPERATURE, TEFF, NAMES[1:])]


def test_a_source_that_trained_is_scored_by_the_model_that_never_saw_it(scorers):
    scorer = scorers[0]
    folds = scorer.folds(EXAMPLES.source_id)
    assert (folds[100:] == TEST).all() and set(folds[:100].tolist()) == {-1, 0, 1}
    proba = scorer.score(EXAMPLES).proba
    one = int(np.flatnonzero(folds == 1)[0])
    alone = scorer.target.scores(scorer.calibration, scorer.models[1].predict(EXAMPLES.select([one])))
    assert np.allclose(proba[one], alone.proba[0]) and np.allclose(proba.sum(1), 1)


def test_scores_do_not_depend_on_the_order_or_company_of_sources(scorers):
    order = np.random.default_rng(1).permutation(150)
    for scorer in scorers:
        whole = scorer.target.catalogue_values(scorer.score(EXAMPLES))
        turned = scorer.target.catalogue_values(scorer.score(EXAMPLES.select(order)))
        for name, column in whole.items():
            assert pa.array(column).take(pa.array(order)).equals(pa.array(turned[name]))


def test_the_catalogue_has_the_columns_of_all_scorers_in_their_order(scorers):
    values = catalogue_values(scorers, [scorer.score(EXAMPLES) for scorer in scorers])
    columns = catalogue_columns([(scorer.target, scorer.calibration) for scorer in scorers])
    assert list(values) == [*(column.name for column in OF_CLASS), *(column.name for column in columns)]
    assert all(pa.array(values[column.name]).type == column.type for column in columns)
    best = np.argmax([values[f"prob_{name}"] for name in scorers[0].target.classes], axis=0)
    assert values["class_pred"].to_pylist() == np.array(scorers[0].target.classes)[best].tolist()
    lo, value, hi = (np.array(values[name]) for name in ("teff_k_lo", "teff_k", "teff_k_hi"))
    assert (lo < value).all() and (value < hi).all()


def test_columns_are_read_once_and_who_trained_is_told(scorers):
    assert columns_read(scorers) == tuple(sorted(NAMES))
    known = has_trained_any(scorers, EXAMPLES.source_id)
    assert not known[100:].any() and known[:100].sum() >= max((s.fold != TEST).sum() for s in scorers)


def test_history_rows_keep_the_names_of_a_source_together():
    value = np.array([[0.25, 0.75], [1.0, 0.0]])
    table = score_rows(ScoreValues("class", ("a", "b"), value), {"source_id": np.array([7, 3]), "run_id": ["r", "s"]})
    assert table.to_pydict() == {
        "source_id": [7, 7, 3, 3], "run_id": ["r", "r", "s", "s"], "target": ["class"] * 4,
        "name": ["a", "b", "a", "b"], "value": [0.25, 0.75, 1.0, 0.0], "lo": [None] * 4, "hi": [None] * 4,
    }  # fmt: skip


def test_an_interval_that_cannot_be_promised_is_null_in_the_history_and_the_catalogue():
    ends = np.array([[np.nan], [4.0]])
    table = score_rows(ScoreValues("teff_k", ("teff_k",), np.array([[5.0], [5.0]]), ends, ends), {})
    assert table["lo"].to_pylist() == [None, 4.0]
    scores = TEMPERATURE.scores(TEMPERATURE.calibration_from_json({"level": 0.9, "width": None, "n": 3}),
                                np.array([[5000.0, 10.0]]))  # fmt: skip
    values = TEMPERATURE.catalogue_values(scores)
    assert values["teff_k"].to_pylist() == [5000.0] and values["teff_k_lo"].null_count == 1
