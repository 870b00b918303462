"""The columns of gaiadr3.gaia_source, as the Gaia archive describes them.

Names, datatypes, units, UCDs and descriptions of an answer of the archive itself, recorded by astroquery
(gaia/tests/data/1710099405832VAL-result.vot); an indented line goes on with the one before.
"""

from tasks.replica.served import columns

GAIA_SOURCE = columns("""
solution_id | long | | meta.version | Solution Identifier
designation | char | | meta.id;meta.main | Unique source designation (unique across all Data Releases)
source_id | long | | meta.id | Unique source identifier (unique within a particular Data Release)
random_index | long | | meta.code | Random index for use when selecting subsets
ref_epoch | double | yr | meta.ref;time.epoch | Reference epoch
ra | double | deg | pos.eq.ra;meta.main | Right ascension
ra_error | float | mas | stat.error;pos.eq.ra | Standard error of right ascension
dec | double | deg | pos.eq.dec;meta.main | Declination
dec_error | float | mas | stat.error;pos.eq.dec | Standard error of declination
parallax | double | mas | pos.parallax.trig | Parallax
parallax_error | float | mas | stat.error;pos.parallax.trig | Standard error of parallax
parallax_over_error | float | | stat.snr;pos.parallax.trig | Parallax divided by its standard error
pm | float | mas.yr**-1 | pos.pm;pos.eq | Total proper motion
pmra | double | mas.yr**-1 | pos.pm;pos.eq.ra | Proper motion in right ascension direction
pmra_error | float | mas.yr**-1 | stat.error;pos.pm;pos.eq.ra | Standard error of proper motion in right ascension
  direction
pmdec | double | mas.yr**-1 | pos.pm;pos.eq.dec | Proper motion in declination direction
pmdec_error | float | mas.yr**-1 | stat.error;pos.pm;pos.eq.dec | Standard error of proper motion in declination
  direction
ra_dec_corr | float | | stat.correlation | Correlation between right ascension and declination
ra_parallax_corr | float | | stat.correlation | Correlation between right ascension and parallax
ra_pmra_corr | float | | stat.correlation | Correlation between right ascension and proper motion in right ascension
ra_pmdec_corr | float | | stat.correlation | Correlation between right ascension and proper motion in declination
dec_parallax_corr | float | | stat.correlation | Correlation between declination and parallax
dec_pmra_corr | float | | stat.correlation | Correlation between declination and proper motion in right ascension
dec_pmdec_corr | float | | stat.correlation | Correlation between declination and proper motion in declination
parallax_pmra_corr | float | | stat.correlation | Correlation between parallax and proper motion in right ascension
parallax_pmdec_corr | float | | stat.correlation | Correlation between parallax and proper motion in declination
pmra_pmdec_corr | float | | stat.correlation | Correlation between proper motion in right ascension and proper motion
  in declination
astrometric_n_obs_al | short | | meta.number | Total number of observations in the along-scan (AL) direction
astrometric_n_obs_ac | short | | meta.number | Total number of observations in the across-scan (AC) direction
astrometric_n_good_obs_al | short | | meta.number | Number of good observations in the along-scan (AL) direction
astrometric_n_bad_obs_al | short | | meta.number | Number of bad observations in the along-scan (AL) direction
astrometric_gof_al | float | | stat.fit.goodness | Goodness of fit statistic of model wrt along-scan observations
astrometric_chi2_al | float | | stat.fit.chi2 | AL chi-square value
astrometric_excess_noise | float | mas | stat.value | Excess noise of the source
astrometric_excess_noise_sig | float | | stat.value | Significance of excess noise
astrometric_params_solved | short | | meta.number | Which parameters have been solved for?
astrometric_primary_flag | boolean | | meta.code | Primary or seconday
nu_eff_used_in_astrometry | float | um**-1 | em.wavenumber | Effective wavenumber of the source used in the
  astrometric solution
pseudocolour | float | um**-1 | em.wavenumber | Astrometrically estimated pseudocolour of the source
pseudocolour_error | float | um**-1 | stat.error;em.wavenumber | Standard error of the pseudocolour of the source
ra_pseudocolour_corr | float | | stat.correlation;em.wavenumber;pos.eq.ra | Correlation between right ascension and
  pseudocolour
dec_pseudocolour_corr | float | | stat.correlation;em.wavenumber;pos.eq.dec | Correlation between declination and
  pseudocolour
parallax_pseudocolour_corr | float | | stat.correlation;em.wavenumber;pos.parallax | Correlation between parallax and
  pseudocolour
pmra_pseudocolour_corr | float | | stat.correlation;em.wavenumber;pos.pm;pos.eq.ra | Correlation between proper
  motion in right asension and pseudocolour
pmdec_pseudocolour_corr | float | | stat.correlation;em.wavenumber;pos.pm;pos.eq.dec | Correlation between proper
  motion in declination and pseudocolour
astrometric_matched_transits | short | | meta.number | Matched FOV transits used in the AGIS solution
visibility_periods_used | short | | meta.number | Number of visibility periods used in Astrometric solution
astrometric_sigma5d_max | float | mas | stat;pos.errorEllipse | The longest semi-major axis of the 5-d error
  ellipsoid
matched_transits | short | | meta.number | The number of transits matched to this source
new_matched_transits | short | | meta.number | The number of transits newly incorporated into an existing source in
  the current cycle
matched_transits_removed | short | | meta.number | The number of transits removed from an existing source in the
  current cycle
ipd_gof_harmonic_amplitude | float | | stat.value | Amplitude of the IPD GoF versus position angle of scan
ipd_gof_harmonic_phase | float | deg | pos.posAng;stat.value | Phase of the IPD GoF versus position angle of scan
ipd_frac_multi_peak | short | | stat.value | Percent of successful-IPD windows with more than one peak
ipd_frac_odd_win | short | | stat.value | Percent of transits with truncated windows or multiple gate
ruwe | float | | stat.error | Renormalised unit weight error
scan_direction_strength_k1 | float | | stat.value | Degree of concentration of scan directions across the source
scan_direction_strength_k2 | float | | stat.value | Degree of concentration of scan directions across the source
scan_direction_strength_k3 | float | | stat.value | Degree of concentration of scan directions across the source
scan_direction_strength_k4 | float | | stat.value | Degree of concentration of scan directions across the source
scan_direction_mean_k1 | float | deg | pos.posAng;stat.mean | Mean position angle of scan directions across the
  source
scan_direction_mean_k2 | float | deg | pos.posAng;stat.mean | Mean position angle of scan directions across the
  source
scan_direction_mean_k3 | float | deg | pos.posAng;stat.mean | Mean position angle of scan directions across the
  source
scan_direction_mean_k4 | float | deg | pos.posAng;stat.mean | Mean position angle of scan directions across the
  source
duplicated_source | boolean | | meta.code.status | Source with multiple source identifiers
phot_g_n_obs | short | | meta.number | Number of observations contributing to G photometry
phot_g_mean_flux | double | 'electron'.s**-1 | phot.flux;em.opt | G-band mean flux
phot_g_mean_flux_error | float | 'electron'.s**-1 | stat.error;phot.flux;em.opt | Error on G-band mean flux
phot_g_mean_flux_over_error | float | | stat.snr;phot.flux;em.opt | G-band mean flux divided by its error
phot_g_mean_mag | float | mag | phot.mag;em.opt | G-band mean magnitude
phot_bp_n_obs | short | | meta.number | Number of observations contributing to BP photometry
phot_bp_mean_flux | double | 'electron'.s**-1 | phot.flux;em.opt.B | Integrated BP mean flux
phot_bp_mean_flux_error | float | 'electron'.s**-1 | stat.error;phot.flux;em.opt.B | Error on the integrated BP mean
  flux
phot_bp_mean_flux_over_error | float | | stat.snr;phot.flux;em.opt.B | Integrated BP mean flux divided by its error
phot_bp_mean_mag | float | mag | phot.mag;em.opt.B | Integrated BP mean magnitude
phot_rp_n_obs | short | | meta.number | Number of observations contributing to RP photometry
phot_rp_mean_flux | double | 'electron'.s**-1 | phot.flux;em.opt.R | Integrated RP mean flux
phot_rp_mean_flux_error | float | 'electron'.s**-1 | stat.error;phot.flux;em.opt.R | Error on the integrated RP mean
  flux
phot_rp_mean_flux_over_error | float | | stat.snr;phot.flux;em.opt.R | Integrated RP mean flux divided by its error
phot_rp_mean_mag | float | mag | phot.mag;em.opt.R | Integrated RP mean magnitude
phot_bp_rp_excess_factor | float | | arith.factor;phot.flux;em.opt | BP/RP excess factor
phot_bp_n_contaminated_transits | short | | meta.number | Number of BP contaminated transits
phot_bp_n_blended_transits | short | | meta.number | Number of BP blended transits
phot_rp_n_contaminated_transits | short | | meta.number | Number of RP contaminated transits
phot_rp_n_blended_transits | short | | meta.number | Number of RP blended transits
phot_proc_mode | short | | meta.code | Photometry processing mode
bp_rp | float | mag | phot.color;em.opt.B;em.opt.R | BP - RP colour
bp_g | float | mag | phot.color;em.opt.B;em.opt | BP - G colour
g_rp | float | mag | phot.color;em.opt;em.opt.R | G - RP colour
radial_velocity | float | km.s**-1 | spect.dopplerVeloc.opt;em.opt.I | Radial velocity
radial_velocity_error | float | km.s**-1 | stat.error;spect.dopplerVeloc.opt;em.opt.I | Radial velocity error
rv_method_used | short | | meta.code.class | Method used to obtain the radial velocity
rv_nb_transits | short | | meta.number | Number of transits used to compute the radial velocity
rv_nb_deblended_transits | short | | meta.number | Number of valid transits that have undergone deblending
rv_visibility_periods_used | short | | meta.number | Number of visibility periods used to estimate the radial
  velocity
rv_expected_sig_to_noise | float | | stat.snr | Expected signal to noise ratio in the combination of the spectra used
  to obtain the radial velocity
rv_renormalised_gof | float | | stat.fit.goodness | Radial velocity renormalised goodness of fit
rv_chisq_pvalue | float | | stat.fit.param | P-value for constancy based on a chi-squared criterion
rv_time_duration | float | d | time.duration | Time coverage of the radial velocity time series
rv_amplitude_robust | float | km.s**-1 | stat.error;spect.dopplerVeloc.opt;em.opt.I | Total amplitude in the radial
  velocity time series after outlier removal
rv_template_teff | float | K | stat.fit.param | Teff of the template used to compute the radial velocity
rv_template_logg | float | log(cm.s**-2) | stat.fit.param | Logg of the template used to compute the radial velocity
rv_template_fe_h | float | 'dex' | stat.fit.param | [Fe/H] of the template used to compute the radial velocityy
rv_atm_param_origin | short | | meta.code.class | Origin of the atmospheric parameters associated to the template
vbroad | float | km.s**-1 | spect.dopplerVeloc.opt;em.opt.I | Spectral line broadening parameter
vbroad_error | float | km.s**-1 | stat.error;spect.dopplerVeloc.opt;em.opt.I | Uncertainty on the spectral line
  broadening
vbroad_nb_transits | short | | meta.number | Number of transits used to compute vbroad
grvs_mag | float | mag | phot.mag;em.opt | Integrated Grvs magnitude
grvs_mag_error | float | mag | stat.error;phot.mag;em.opt | Grvs magnitude uncertainty
grvs_mag_nb_transits | short | | meta.number | Number of transits used to compute Grvs
rvs_spec_sig_to_noise | float | | stat.snr | Signal to noise ratio in the mean RVS spectrum
phot_variable_flag | char | | meta.code;src.var | Photometric variability flag
l | double | deg | pos.galactic.lon | Galactic longitude
b | double | deg | pos.galactic.lat | Galactic latitude
ecl_lon | double | deg | pos.ecliptic.lon | Ecliptic longitude
ecl_lat | double | deg | pos.ecliptic.lat | Ecliptic latitude
in_qso_candidates | boolean | | meta.code.status | Flag indicating the availability of additional information in the
  QSO candidates table
in_galaxy_candidates | boolean | | meta.code.status | Flag indicating the availability of additional information in
  the galaxy candidates table
non_single_star | short | | meta.code.status | Flag indicating the availability of additional information in the
  various Non-Single Star tables
has_xp_continuous | boolean | | meta.code.status | Flag indicating the availability of mean BP/RP spectrum in
  continuous representation for this source
has_xp_sampled | boolean | | meta.code.status | Flag indicating the availability of mean BP/RP spectrum in sampled
  form for this source
has_rvs | boolean | | meta.code.status | Flag indicating the availability of mean RVS spectrum for this source
has_epoch_photometry | boolean | | meta.code.status | Flag indicating the availability of epoch photometry for this
  source
has_epoch_rv | boolean | | meta.code.status | Flag indicating the availability of epoch radial velocity for this
  source
has_mcmc_gspphot | boolean | | meta.code.status | Flag indicating the availability of GSP-Phot MCMC samples for this
  source
has_mcmc_msc | boolean | | meta.code.status | Flag indicating the availability of MSC MCMC samples for this source
in_andromeda_survey | boolean | | meta.code.status | Flag indicating that the source is present in the Gaia Andromeda
  Photometric Survey (GAPS)
classprob_dsc_combmod_quasar | float | | stat.probability | Probability from DSC-Combmod of being a quasar (data
  used: BP/RP spectrum, photometry, astrometry)
classprob_dsc_combmod_galaxy | float | | stat.probability | Probability from DSC-Combmod of being a galaxy (data
  used: BP/RP spectrum, photometry, astrometry)
classprob_dsc_combmod_star | float | | stat.probability | Probability from DSC-Combmod of being a single star (but
  not a white dwarf) (data used: BP/RP spectrum, photometry, astrometry)
teff_gspphot | float | K | phys.temperature.effective | Effective temperature from GSP-Phot Aeneas best library using
  BP/RP spectra
teff_gspphot_lower | float | K | phys.temperature.effective;stat.min | Lower confidence level (16%) of effective
  temperature from GSP-Phot Aeneas best library using BP/RP spectra
teff_gspphot_upper | float | K | phys.temperature.effective;stat.max | Upper confidence level (84%) of effective
  temperature from GSP-Phot Aeneas best library using BP/RP spectra
logg_gspphot | float | log(cm.s**-2) | phys.gravity | Surface gravity from GSP-Phot Aeneas best library using BP/RP
  spectra
logg_gspphot_lower | float | log(cm.s**-2) | phys.gravity;stat.min | Lower confidence level (16%) of surface gravity
  from GSP-Phot Aeneas best library using BP/RP spectra
logg_gspphot_upper | float | log(cm.s**-2) | phys.gravity;stat.max | Upper confidence level (84%) of surface gravity
  from GSP-Phot Aeneas best library using BP/RP spectra
mh_gspphot | float | 'dex' | phys.abund.Z | Iron abundance from GSP-Phot Aeneas best library using BP/RP spectra
mh_gspphot_lower | float | 'dex' | phys.abund.Z;stat.min | Lower confidence level (16%) of iron abundance from
  GSP-Phot Aeneas best library using BP/RP spectra
mh_gspphot_upper | float | 'dex' | phys.abund.Z;stat.max | Upper confidence level (84%) of iron abundance from
  GSP-Phot Aeneas best library using BP/RP spectra
distance_gspphot | float | pc | pos.distance;pos.eq | Distance from GSP-Phot Aeneas best library using BP/RP spectra
distance_gspphot_lower | float | pc | pos.distance;pos.eq | Lower confidence level (16%) of distance from GSP-Phot
  Aeneas best library using BP/RP spectra
distance_gspphot_upper | float | pc | pos.distance;pos.eq | Upper confidence level (84%) of distance from GSP-Phot
  Aeneas best library using BP/RP spectra
azero_gspphot | float | mag | phys.absorption;em.opt | Monochromatic extinction $A_0$ at 547.7nm from GSP-Phot Aeneas
  best library using BP/RP spectra
azero_gspphot_lower | float | mag | phys.absorption;em.opt | Lower confidence level (16%) of monochromatic extinction
  $A_0$ at 547.7nm from GSP-Phot Aeneas best library using BP/RP spectra
azero_gspphot_upper | float | mag | phys.absorption;em.opt | Upper confidence level (84%) of monochromatic extinction
  $A_0$ at 547.7nm from GSP-Phot Aeneas best library using BP/RP spectra
ag_gspphot | float | mag | phys.absorption;em.opt | Extinction in G band from GSP-Phot Aeneas best library using
  BP/RP spectra
ag_gspphot_lower | float | mag | phys.absorption;em.opt | Lower confidence level (16%) of extinction in G band from
  GSP-Phot Aeneas best library using BP/RP spectra
ag_gspphot_upper | float | mag | phys.absorption;em.opt | Upper confidence level (84%) of extinction in G band from
  GSP-Phot Aeneas best library using BP/RP spectra
ebpminrp_gspphot | float | mag | phot.color.excess | Reddening $E(G_{\\rm BP} - G_{\\rm RP})$ from GSP-Phot Aeneas best
  library using BP/RP spectra
ebpminrp_gspphot_lower | float | mag | phot.color.excess;stat.min | Lower confidence level (16%) of reddening
  $E(G_{\\rm BP} - G_{\\rm RP})$ from GSP-Phot Aeneas best library using BP/RP spectra
ebpminrp_gspphot_upper | float | mag | phot.color.excess;stat.max | Upper confidence level (84%) of reddening
  $E(G_{\\rm BP} - G_{\\rm RP})$ from GSP-Phot Aeneas best library using BP/RP spectra
libname_gspphot | char | | meta.note | Name of library that achieves the highest mean log-posterior in MCMC samples
  and was used to derive GSP-Phot parameters in this table
""")
