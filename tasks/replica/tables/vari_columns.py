"""Columns of the variability tables of Gaia DR3, after its documentation, 20.7; some columns of each, from memory."""

from tasks.replica.served import ServedTable, columns

_SOURCE = """
solution_id | long | | meta.version | Solution Identifier
source_id | long | | meta.id;meta.main | Unique source identifier
"""
_PERIODS = """
pf | double | d | src.var;time.period | Period of the fundamental pulsation mode
pf_error | float | d | stat.error;src.var;time.period | Uncertainty of pf
p1_o | double | d | src.var;time.period | Period of the first overtone pulsation mode
p1_o_error | float | d | stat.error;src.var;time.period | Uncertainty of p1_o
"""
_SHAPE = """
epoch_g | double | d | time.epoch | Epoch of the maximum of the light curve in G, BJD in TCB - 2455197.5
int_average_g | float | mag | phot.mag;stat.mean;em.opt | Intensity-averaged magnitude in G
int_average_g_error | float | mag | stat.error;phot.mag;em.opt | Uncertainty of int_average_g
peak_to_peak_g | float | mag | src.var.amplitude;em.opt | Peak-to-peak amplitude of the G light curve
peak_to_peak_g_error | float | mag | stat.error;src.var.amplitude;em.opt | Uncertainty of peak_to_peak_g
num_clean_epochs_g | int | | meta.number | Number of G epochs used in the fit
"""
_METALS = """
metallicity | float | 'dex' | phys.abund.Z | Metallicity of the star from the Fourier parameters of the light curve
metallicity_error | float | 'dex' | stat.error;phys.abund.Z | Uncertainty of metallicity
"""
_BAND = """
num_selected_{name} | short | | meta.number | Total number of {band} observations selected
mean_obs_time_{name} | double | d | time.epoch;stat.mean | Mean observation time of {band}, BJD in TCB - 2455197.5
time_duration_{name} | float | d | time.duration | Time duration of the {band} series
min_mag_{name} | float | mag | phot.mag;stat.min;{em} | Minimum {band} magnitude
max_mag_{name} | float | mag | phot.mag;stat.max;{em} | Maximum {band} magnitude
mean_mag_{name} | float | mag | phot.mag;stat.mean;{em} | Mean {band} magnitude
median_mag_{name} | float | mag | phot.mag;stat.median;{em} | Median {band} magnitude
range_mag_{name} | float | mag | phot.mag;stat.value;{em} | Difference of the greatest and the least {band} magnitude
std_dev_mag_{name} | float | mag | phot.mag;stat.stdev;{em} | Square root of the unweighted {band} magnitude variance
"""
BANDS = {"G": ("g_fov", "em.opt"), "BP": ("bp", "em.opt.B"), "RP": ("rp", "em.opt.R")}
IN_VARI = {
    "in_vari_classification_result": "vari_classifier_result",
    "in_vari_rrlyrae": "vari_rrlyrae",
    "in_vari_cepheid": "vari_cepheid",
    "in_vari_eclipsing_binary": "vari_eclipsing_binary",
    "in_vari_long_period_variable": "vari_long_period_variable",
}

SUMMARY = ServedTable(
    "gaiadr3.vari_summary",
    "gaia_vari_summary",
    "Statistics of the time series of the sources that the variability analysis published.",
    columns(
        _SOURCE
        + "".join(_BAND.format(name=name, band=band, em=em) for band, (name, em) in BANDS.items())
        + "".join(
            f"{flag} | boolean | | meta.code.status | Present in the {table} table\n" for flag, table in IN_VARI.items()
        )
    ),
)
CLASSIFIER_RESULT = ServedTable(
    "gaiadr3.vari_classifier_result",
    "gaia_vari_classifier_result",
    "Best class of each source that the general classifier found variable.",
    columns(
        _SOURCE
        + """
classifier_name | char | | meta.note | Classifier name
best_class_name | char | | meta.code.class | Name of the best class
best_class_score | float | | stat.value | Score of the best class
"""
    ),
)
RRLYRAE = ServedTable(
    "gaiadr3.vari_rrlyrae",
    "gaia_vari_rrlyrae",
    "RR Lyrae stars, with periods and shapes of their light curves.",
    columns(
        _SOURCE
        + _PERIODS
        + _SHAPE
        + _METALS
        + "best_classification | char | | meta.code.class | Best RR Lyrae classification: RRc, RRab or RRd"
    ),
)
CEPHEID = ServedTable(
    "gaiadr3.vari_cepheid",
    "gaia_vari_cepheid",
    "Cepheids, with periods and shapes of their light curves.",
    columns(
        _SOURCE
        + _PERIODS
        + _SHAPE
        + _METALS
        + """
type_best_classification | char | | meta.code.class | Best type: DCEP, T2CEP or ACEP
type2_best_sub_classification | char | | meta.code.class | Best subclass of type II: BL_HER, W_VIR or RV_TAU
mode_best_classification | char | | meta.code.class | Best mode of DCEP and ACEP: FUNDAMENTAL, FIRST_OVERTONE, ...
"""
    ),
)
ECLIPSING_BINARY = ServedTable(
    "gaiadr3.vari_eclipsing_binary",
    "gaia_vari_eclipsing_binary",
    "Eclipsing binaries, with a model of their light curves.",
    columns(
        _SOURCE
        + """
global_ranking | float | | stat.value | Number between 0 (worst) and 1 (best) that reflects the quality of the fit
reference_time | double | d | time.epoch | Time of the deepest eclipse, BJD in TCB - 2455197.5
frequency | double | d**-1 | src.var;em.freq | Frequency of the geometric model of the light curve
frequency_error | float | d**-1 | stat.error;src.var;em.freq | Uncertainty of frequency
geom_model_reference_level | float | mag | phot.mag;em.opt | Magnitude of the model outside eclipses
derived_primary_ecl_depth | float | mag | src.var.amplitude;em.opt | Depth of the primary eclipse
model_type | char | | meta.code.class | Type of the geometric model
num_model_parameters | int | | meta.number | Number of free parameters of the model
reduced_chi2 | float | | stat.fit.chi2 | Reduced chi-square of the model
"""
    ),
)
LONG_PERIOD_VARIABLE = ServedTable(
    "gaiadr3.vari_long_period_variable",
    "gaia_vari_long_period_variable",
    "Long-period variable candidates.",
    columns(
        _SOURCE
        + """
frequency | double | d**-1 | src.var;em.freq | Frequency of the variation
frequency_error | float | d**-1 | stat.error;src.var;em.freq | Uncertainty of frequency
amplitude | float | mag | src.var.amplitude;em.opt | Half the peak-to-peak amplitude of the model in G
median_delta_wl_rp | float | | stat.median | Median pseudo-wavelength separation between the two highest peaks of RP
isCstar | boolean | | meta.code.status | Carbon star by its RP spectrum
"""
    ),
)
