"""Published labels are incomplete, noisy and partly wrong, and the truth never leaks into them."""

import numpy as np
import pytest

from tasks.sky import CLASSES


@pytest.fixture(scope="module")
def classes(sky, truth):
    return sky.class_labels.to_pandas().join(truth.add_prefix("true_"), on="source_id")


@pytest.fixture(scope="module")
def parameters(sky, truth):
    return sky.parameter_labels.to_pandas().join(truth.add_prefix("true_"), on="source_id")


def test_three_quarters_of_the_objects_have_a_class(classes, truth):
    assert classes["source_id"].is_unique and set(classes["origin"]) == {"gaia_dr3"}
    assert 0.70 < len(classes) / len(truth) < 0.80
    bright, faint = truth["mean_g_mag"] < 15, truth["mean_g_mag"] > 19.5
    labelled = truth.index.isin(classes["source_id"])
    assert labelled[bright].mean() > labelled[faint].mean() + 0.15


def test_a_few_per_cent_of_the_classes_are_wrong_and_more_of_the_weak(classes):
    wrong = classes["class"] != classes["true_class"]
    assert 0.015 < wrong.mean() < 0.08
    small = (classes["true_amplitude_g_mag"] < 0.08) & (classes["true_class"] != "CONST")
    assert wrong[small].mean() > 1.5 * wrong[~small].mean()
    assert classes.loc[wrong, "score"].median() < classes.loc[~wrong, "score"].median() - 0.1


def test_mistakes_are_between_similar_classes(classes):
    confused = classes.loc[classes["class"] != classes["true_class"], ["true_class", "class"]].value_counts()
    assert set(classes["class"]) == set(CLASSES)
    assert ("MIRA_SR", "DSCT_SXPHE") not in confused.index and ("DSCT_SXPHE", "MIRA_SR") not in confused.index
    assert confused["CEP"].idxmax() == "T2CEP"


def test_scores_are_probabilities(classes):
    assert classes["score"].between(0, 1, inclusive="neither").all()


@pytest.mark.parametrize("quantity", ["teff_k", "radius_rsun", "feh_dex"])
@pytest.mark.parametrize("origin", ["tic", "gaia_dr3"])
def test_parameters_are_incomplete_and_never_the_truth(parameters, truth, origin, quantity):
    rows = parameters[(parameters["origin"] == origin) & (parameters["quantity"] == quantity)]
    assert rows["source_id"].is_unique and 0.05 < len(rows) / len(truth) < 0.85
    difference = rows["value"] - rows[f"true_{quantity}"]
    assert (difference != 0).all() and (rows["err"] > 0).all()
    scale = rows[f"true_{quantity}"].abs().median() if quantity != "feh_dex" else 1.0
    assert 0.005 < difference.abs().median() / scale < 0.3


def test_archives_disagree_by_an_offset_and_scatter(parameters):
    teff = parameters[parameters["quantity"] == "teff_k"].pivot(index="source_id", columns="origin", values="value")
    both = (teff["tic"] - teff["gaia_dr3"]).dropna()
    assert len(both) > 1000 and 80 < both.median() < 200 and 120 < 1.4826 * (both - both.median()).abs().median() < 320


def test_photometric_feh_is_flagged_and_only_of_rr_lyrae(parameters):
    photometric = parameters[parameters["is_photometric"]]
    assert set(photometric["quantity"]) == {"feh_dex"} and set(photometric["true_class"]) <= {"RRab", "RRc"}
    error = photometric["value"] - photometric["true_feh_dex"]
    assert abs(error.median()) < 0.1 and 0.1 < 1.4826 * error.abs().median() < 0.45
    spectroscopic = parameters[~parameters["is_photometric"] & (parameters["quantity"] == "feh_dex")]
    assert {"RRab", "RRc", "RRd"} & set(spectroscopic["true_class"])  # a few spectra of RR Lyrae exist


def test_no_column_of_the_truth_is_a_column_of_the_labels(sky):
    allowed = {"source_id", "class"}  # the key, and the class that was drawn again through the confusion table
    for table in (sky.class_labels, sky.parameter_labels):
        assert set(table.column_names) & set(sky.truth.column_names) <= allowed
    private = set(sky.truth.column_names) - {"source_id", "duplicate_of"}
    assert not set(sky.sources.column_names) & private
    assert {"teff_k", "radius_rsun", "feh_dex"} == set(sky.parameter_labels["quantity"].to_pylist())


def test_labels_belong_to_objects_of_the_chunk(sky):
    ids = np.array(sky.truth["source_id"])
    for table in (sky.class_labels, sky.parameter_labels):
        assert np.isin(np.array(table["source_id"]), ids).all()
