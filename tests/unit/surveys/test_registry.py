"""What surveys declare comes together in the registry: bands, cuts, label origins, tables."""

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from schemas import TABLES, BadInput
from schemas.table import DATASET, SOURCE_ID, TILE, TableSpec
from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.cuts import NEUTRAL_CUTS, NeutralCutConfig, apply_cuts
from tasks.lightcurves.flags import BLENDED, Flag
from tasks.lightcurves.passbands import Passband
from tasks.surveys import SURVEYS, check_options, find_sample_provider, list_label_origins, list_passbands, register
from tasks.surveys.cuts import CutConfig, list_cuts, list_default_cuts, list_flag_bits
from tasks.surveys.survey import FlagCut, LabelOrigin, Survey, SurveyResult, columns_of

DOUBTFUL = Flag("own_doubtful", 1 << 20, "Own: in doubt", is_information=True)
BAD = Flag("own_bad", 1 << 21, "Own: bad")
TABLE = TableSpec("core_own__object", 1, "Own objects.", (DATASET, TILE, SOURCE_ID), ("dataset", "source_id"))
OWN = Survey(
    "own",
    lambda *_: SurveyResult(),
    bands=(Passband("x_own", "AB", 500.0, 3.0),),
    flags=(DOUBTFUL, BAD),
    cuts=(FlagCut("own_doubtful", (DOUBTFUL,), is_default=False), FlagCut("own_bad", (BAD,))),
    tables=(TABLE,),
    label_origins=(LabelOrigin("own_labels", rank=15),),
)


@pytest.fixture
def own():
    register(OWN)
    yield OWN
    del SURVEYS["own"], TABLES[TABLE.name]


def batch(*flags):
    n = len(flags)
    return LightCurveBatch.from_epochs(np.zeros(n), np.arange(n), np.full(n, 15.0), None, np.zeros(n), flags, "g")


def test_a_registered_survey_adds_its_band_table_and_origin(own):
    assert list_passbands()["x_own"].extinction == 3.0 and TABLES["core_own__object"] is TABLE
    assert list_label_origins() == ("tic", "own_labels", "gaia_dr4", "gaia_dr4_sos", "gaia_dr3", "gaia_dr3_sos")
    (band,) = own.dataset_bands
    assert (band.name, band.survey, band.system, band.wavelength_nm) == ("x_own", "own", "AB", 500.0)


def test_its_cuts_stand_behind_those_of_the_others(own):
    assert list_cuts()[-8:] == ("own_doubtful", "own_bad", "flagged", *NEUTRAL_CUTS)
    assert "own_bad" in list_default_cuts() and "own_doubtful" not in list_default_cuts()


def test_a_flag_that_informs_removes_no_epoch_unless_its_cut_is_named(own):
    flags = (0, DOUBTFUL.bit, BAD.bit, BLENDED)
    kept, removed, names = apply_cuts(batch(*flags), CutConfig(has_error=False))
    gone = dict(zip(names, removed[0].tolist(), strict=True))
    assert kept.flags.tolist() == [0, DOUBTFUL.bit] and gone["own_bad"] == gone["flagged"] == 1
    kept, removed, _ = apply_cuts(batch(*flags), CutConfig(("own_doubtful",), False))
    assert DOUBTFUL.bit not in kept.flags.tolist() and removed.tolist() == [[1]]


def test_every_flag_is_removed_by_a_cut_that_knows_no_survey():
    kept, removed, names = apply_cuts(batch(0, 1 << 8, 1 << 20), NeutralCutConfig())
    assert kept.flags.tolist() == [0] and removed[0].tolist()[names.index("flagged")] == 2
    with pytest.raises(ValueError, match="there is no cut 'catflags'; there are flagged, positive_error"):
        NeutralCutConfig(("catflags",))


def test_a_configuration_keeps_its_bits_where_the_survey_is_not_registered(own):
    """Workers have the registry of the package alone: what a configuration needs travels with it."""
    config = CutConfig(has_error=False)
    del SURVEYS["own"]
    try:
        assert "own_bad" not in list_flag_bits()
        assert apply_cuts(batch(0, BAD.bit), config)[1].sum() == 1
    finally:
        SURVEYS["own"] = OWN


def test_the_text_of_the_cuts_is_that_which_lakes_have_hashed():
    assert str(CutConfig(has_error=True)) == (
        "CutConfig(names=('rejected_by_photometry', 'rejected_by_variability', 'psf_quality', 'info_flags', "
        "'catflags', 'flagged', 'positive_error', 'well_measured', 'finite', 'duplicate_time', 'outlier'), "
        "has_error=True, max_err=1.0857, outlier_sigma=8.0, outlier_min_epoch=10)"
    )
    assert list_cuts().index("other_flags") == 2


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"bands": (Passband("G", "AB", 600.0),)}, "band"),
        ({"bands": (Passband("x", "AB", 600.0, is_reference=True),)}, "reference band"),
        ({"flags": (Flag("x", 1 << 6, "x"),)}, "flag bit"),
        ({"flags": (Flag("x", BLENDED, "x"),)}, "flag bit"),
        ({"cuts": (FlagCut("catflags", (BAD,)),)}, "cut"),
        ({"label_origins": (LabelOrigin("tic"),)}, "label origin"),
        ({"name": "ztf"}, "survey"),
    ],
)
def test_what_another_survey_has_is_refused(changes, what):
    with pytest.raises(ValueError, match=f"it declares a {what} that another survey has already"):
        register(replace(OWN, **changes))
    assert "own" not in SURVEYS


def test_columns_of_a_table_are_those_that_a_survey_fills_in():
    assert columns_of("core_ztf__object")[:2] == [("source_id", pa.int64()), ("oid", pa.int64())]
    assert not {"dataset", "tile"} & {name for name, _ in columns_of("core_ztf__object")}


def test_every_band_of_a_photometric_survey_has_an_extinction():
    """Bands redder than another of the same survey are dimmed less."""
    for survey in SURVEYS.values():
        bands = sorted(survey.bands, key=lambda band: band.wavelength_nm)
        extinction = [band.extinction for band in bands]
        assert all(math.isfinite(value) for value in extinction) and extinction == sorted(extinction, reverse=True)


def test_one_survey_provides_the_sample_and_a_second_is_refused():
    provider = find_sample_provider()
    assert [survey for survey in SURVEYS.values() if survey.open_sample] == [provider]
    assert "phot_g_mean_mag" in provider.tables[0].columns_by_name  # its first table takes the sources
    with pytest.raises(ValueError, match="a sample of sources that another survey has already"):
        register(replace(OWN, open_sample=provider.open_sample))
    assert "own" not in SURVEYS


@pytest.mark.parametrize("name", SURVEYS)
def test_a_survey_with_a_bulk_route_says_which_options_hold_its_catalogues(name):
    survey = SURVEYS[name]
    declared = {catalogue.option for catalogue in survey.catalogues}
    assert declared == {option for option in survey.options if option.startswith("hats")}
    assert all(survey.options[option] == "" for option in declared) and bool(declared) == ("route" in survey.options)
    assert all(catalogue.live_address.startswith("s3://") for catalogue in survey.catalogues)


KINDS = {"a number": (3, 0.5, -31), "a text": ("", "bulk"), "true or false": (True, False)}
NONE_OF_THEM = ([], {}, None, math.nan, math.inf, 10**23)


def kind_of(default):
    return next(kind for kind, values in KINDS.items() if type(default) in {type(value) for value in values})


@pytest.mark.parametrize("name", SURVEYS)
def test_an_option_has_the_kind_of_its_default(name):
    for option, default in SURVEYS[name].options.items():
        own = kind_of(default)
        for value in (default, *KINDS[own]):
            check_options({name: {option: value}})
        for value in (*NONE_OF_THEM, *(value for kind, values in KINDS.items() if kind != own for value in values)):
            with pytest.raises(BadInput, match=f"{option} of the survey {name} is {own}, not "):
                check_options({name: {option: value}})


def test_other_surveys_and_options_are_met_elsewhere():
    check_options({"no_survey": {"x": []}, "tic": {"no_option": []}})
