"""A folder that cannot give what the models read is refused in one sentence, before anything is scored."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from flows.presets import preset
from lakehouse.bands import Bands
from lakehouse.models import read_current
from schemas import BadInput
from tasks.features import FeatureConfig
from tasks.learning.recipes import recipes_for
from tasks.learning.targets import CLASS
from tasks.stages.score.folder import write_scores
from tasks.stages.score.lacks import Lacks, SourceContent
from tasks.stages.score.models import recipes_of_models
from tests.unit.stages.conftest import DATASET, N_STARS, write_folder

PHOTOMETRY = """
name = "tiny"
kind = "photometry"
[[bands]]
name = "g"
mag = "g"
[[bands]]
name = "r"
mag = "r"
"""
OBSERVED = Bands(("g", "r"), ("one", "two"))
CONFIG = FeatureConfig(surveys=("one", "two"), groups=(0, 1))
WHOLE = SourceContent(frozenset("gr"), frozenset(), has_curves=True, has_time=True, has_errors=True)


def score(refreshed, folder):
    """The scores of the folder by the models of the lake."""
    out = folder / "scores.parquet"
    source = preset("folder", folder).source
    write_scores(refreshed.run, source, refreshed.settings.cut_config, refreshed.settings.feature_config, out)
    return pq.read_table(out)


def refuses(refreshed, folder, sentence):
    """Asserts that the folder is refused with one sentence that names the model, and that nothing is written."""
    with pytest.raises(BadInput, match=rf"^The models of tiny \(class\) read {sentence}\.$") as error:
        score(refreshed, folder)
    assert str(error.value).count(". ") == 0
    assert not (folder / "scores.parquet").exists()


def test_mean_photometry_lacks_the_light_curves_that_models_have_learnt_from(refreshed, tmp_path):
    (tmp_path / "dataset.toml").write_text(PHOTOMETRY)
    pq.write_table(
        pa.table({"object_id": ["a", "b"], "g": [15.0, 16.0], "r": [14.0, 15.5]}), tmp_path / "objects.parquet"
    )
    lacks = "light curves, parallax, parallax_error, which the folder does not give: score a folder that has them, "
    refuses(refreshed, tmp_path, lacks + r"name columns that have them under \[inputs\] in its dataset.toml, as in .*")


def test_folded_curves_lack_the_times_of_the_epochs(refreshed, tmp_path):
    toml = DATASET.replace('time_zero = "mjd"', 'kind = "phase"').replace("[lightcurves]", "[lightcurves]", 1)
    folder = write_folder(tmp_path / "data", toml)
    epochs = pq.read_table(folder / "lightcurves.parquet")
    phase = pc.subtract(epochs["mjd"], pc.floor(epochs["mjd"]))
    pq.write_table(epochs.set_column(2, "mjd", phase), folder / "lightcurves.parquet")
    refuses(refreshed, folder, "times of the epochs, which the folder does not give: score a folder that has them")


def test_a_folder_that_quotes_no_errors_is_refused_where_training_had_them(refreshed, tmp_path):
    folder = write_folder(tmp_path / "data", DATASET.replace('mag_err = "mag_err"', 'mag_err = ""'))
    refuses(refreshed, folder, "errors of the magnitudes, which the folder does not give: name .* as mag_err in .*")


def test_a_band_that_the_folder_does_not_declare_is_named(refreshed, tmp_path):
    folder = write_folder(tmp_path / "data", DATASET[: DATASET.rindex("[[bands]]")])
    epochs = pq.read_table(folder / "lightcurves.parquet")
    pq.write_table(epochs.filter(pc.equal(epochs["band"], "g")), folder / "lightcurves.parquet")
    refuses(
        refreshed,
        folder,
        r"the band r, which .*: declare it under \[\[bands\]\] in its dataset.toml .*",
    )


def test_stars_that_were_not_seen_in_a_declared_band_are_scored(refreshed, tmp_path):
    folder = write_folder(tmp_path / "data")
    epochs = pq.read_table(folder / "lightcurves.parquet")
    pq.write_table(epochs.filter(pc.equal(epochs["band"], "g")), folder / "lightcurves.parquet")
    scores = score(refreshed, folder)
    assert scores.num_rows == N_STARS and scores["class_pred"].null_count == 0


def test_an_input_without_a_single_value_is_as_good_as_none(refreshed, tmp_path):
    folder = write_folder(tmp_path / "data")
    objects = pq.read_table(folder / "objects.parquet")
    place = objects.column_names.index("plx")
    one = pa.array([5.0] + [None] * (N_STARS - 1))
    pq.write_table(objects.set_column(place, "plx", one), folder / "objects.parquet")
    assert score(refreshed, folder).num_rows == N_STARS
    (folder / "scores.parquet").unlink()
    pq.write_table(objects.set_column(place, "plx", pa.nulls(N_STARS, pa.float64())), folder / "objects.parquet")
    refuses(refreshed, folder, r'parallax, which .* under \[inputs\] in its dataset.toml, as in parallax = "my_column"')


def test_the_recipes_of_the_models_are_those_of_their_cards(refreshed):
    recipes = recipes_of_models(refreshed.run, read_current(refreshed.run.lake, "tiny"))
    assert list(recipes) == ["class"] and recipes["class"].name == "forest"
    assert "parallax_over_error" in recipes["class"].columns


def lacking(model, columns, content, config=CONFIG):
    """What the folder lacks of what a model of these columns reads."""
    recipe = next(own for own in recipes_for([model], [CLASS], {}) if own.model == model)
    return [lack.what for lack in Lacks.of(content, OBSERVED, config).list_for(replace(recipe, columns=columns))]


@pytest.mark.parametrize(
    "columns, change, expected",
    [
        (("amplitude_mag_g",), {"has_time": False, "has_errors": False}, []),  # which needs neither
        (("stetson_k_g", "eta_e_g"), {"has_time": False, "has_errors": False},
         ["errors of the magnitudes", "times of the epochs"]),
        (("amplitude_mag_g",), {"bands": frozenset("g")}, []),
        (("amplitude_mag_r", "colour_mag_g_r"), {"bands": frozenset("g")}, ["the band r"]),
        (("abs_mag_g0",), {}, ["ebv", "parallax", "parallax_error", "phot_g_mean_mag"]),
        (("mean_mag_g", "colour_mag_g_r"), {"has_curves": False, "has_time": False}, []),
        (("amplitude_mag_g",), {"has_curves": False, "has_time": False}, ["light curves"]),
        (("shared_r21_two",), {"bands": frozenset("g")}, ["the band r"]),
    ],
)  # fmt: skip
def test_a_folder_lacks_what_the_columns_are_computed_of(columns, change, expected):
    assert lacking("forest", columns, replace(WHOLE, **change)) == expected


def test_a_model_of_phases_does_not_fold_times():
    config = replace(CONFIG, has_time=False)
    assert lacking("forest", ("phi21_rad_g", "period_r2"), WHOLE, config) == ["phases in place of times"]
    assert lacking("forest", ("phi21_rad_g", "period_r2"), replace(WHOLE, has_time=False), config) == []
    assert lacking("forest", ("amplitude_mag_g",), WHOLE, config) == []


@pytest.mark.parametrize(
    "change, expected",
    [
        ({}, []),
        ({"has_errors": False}, []),  # a network weighs all steps alike then
        ({"has_time": False}, ["times of the epochs"]),
        ({"has_curves": False, "has_time": False}, ["light curves"]),
        ({"bands": frozenset("r")}, ["the band g"]),
    ],
)
def test_a_model_of_light_curves_needs_times_and_every_band(change, expected):
    assert lacking("lstm", (), replace(WHOLE, **change)) == expected


def test_a_model_that_reads_nothing_lacks_nothing():
    nothing = SourceContent(frozenset(), frozenset(), has_curves=False, has_time=False, has_errors=False)
    assert lacking("majority", (), nothing) == []
