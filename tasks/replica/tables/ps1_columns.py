"""Columns of the Pan-STARRS1 DR2 tables at MAST.

MeanObjectView: names, datatypes, units, UCDs and descriptions of the archive's own metadata for the mean table,
recorded by astroquery (mast/tests/data/panstarrs_columns.json); its unsignedByte is a short here. Detection: the fields
page of the archive's documentation (outerspace.stsci.edu, PS1 Detection table fields), of which some are here; the
three info flags are long, so that bit 31 fits. An indented line goes on with the one before.
"""

from tasks.replica.constants import PS1_FILTERS
from tasks.replica.served import ServedTable, columns

_OBJECT = """
objName | char | | meta.id;meta.main | IAU name for this object.
objAltName1 | char | | | Alternate name for this object.
objAltName2 | char | | | Altername name for this object.
objAltName3 | char | | | Altername name for this object.
objID | long | | meta.id;meta.main | Unique object identifier.
uniquePspsOBid | long | | | Unique internal PSPS object identifier.
ippObjID | long | | | IPP internal object identifier.
surveyID | short | | | Survey identifier. Details in the Survey table.
htmID | long | | | Hierarchical triangular mesh (Szalay 2007) index.
zoneID | int | | | Local zone index, found by dividing the sky into bands of declination 1/2 arcminute in height:
  zoneID = floor((90 + declination)/0.0083333).
tessID | short | | | Tessellation identifier. Details in the TessellationType table.
projectionID | short | | | Projection cell identifier.
skyCellID | short | | | Skycell region identifier.
randomID | double | | | Random value drawn from the interval between zero and one.
batchID | long | | | Internal database batch identifier.
dvoRegionID | int | | | Internal DVO region identifier.
processingVersion | short | | | Data release version.
objInfoFlag | int | | meta.code | Information flag bitmask indicating details of the photometry. Values listed in
  ObjectInfoFlags.
qualityFlag | short | | meta.code | Subset of objInfoFlag denoting whether this object is real or a likely false
  positive. Values listed in ObjectQualityFlags.
raStack | double | | | Right ascension from stack detections, weighted mean value across filters, in equinox J2000.
  See StackObjectThin for stack epoch information.
decStack | double | | | Declination from stack detections, weighted mean value across filters, in equinox J2000. See
  StackObjectThin for stack epoch information.
raStackErr | float | | | Right ascension standard deviation from stack detections.
decStackErr | float | | | Declination standard deviation from stack detections.
raMean | double | deg | pos.eq.ra;meta.main | Right ascension from single epoch detections (weighted mean) in equinox
  J2000 at the mean epoch given by epochMean.
decMean | double | deg | pos.eq.dec;meta.main | Declination from single epoch detections (weighted mean) in equinox
  J2000 at the mean epoch given by epochMean.
raMeanErr | float | deg | stat.error | Right ascension standard deviation from single epoch detections.
decMeanErr | float | deg | stat.error | Declination standard deviation from single epoch detections.
epochMean | double | | | Modified Julian Date of the mean epoch corresponding to raMean, decMean (equinox J2000).
posMeanChisq | float | | | Reduced chi squared value of mean position.
cx | double | | | Cartesian x on a unit sphere.
cy | double | | | Cartesian y on a unit sphere.
cz | double | | | Cartesian z on a unit sphere.
lambda | double | | | Ecliptic longitude.
beta | double | | | Ecliptic latitude.
l | double | | | Galactic longitude.
b | double | | | Galactic latitude.
nStackObjectRows | short | | | Number of independent StackObjectThin rows associated with this object.
nStackDetections | short | | meta.code | Number of stack detections.
nDetections | short | | meta.code | Number of single epoch detections in all filters.
ng | short | | meta.code | Number of single epoch detections in g filter.
nr | short | | meta.code | Number of single epoch detections in r filter.
ni | short | | meta.code | Number of single epoch detections in i filter.
nz | short | | meta.code | Number of single epoch detections in z filter.
ny | short | | meta.code | Number of single epoch detections in y filter.
"""
_BAND = """
{band}QfPerfect | float | | stat.value | Maximum PSF weighted fraction of pixels totally unmasked from {band} filter
  detections.
{band}MeanPSFMag | float | mag | {main} | Mean PSF magnitude from {band} filter detections.
{band}MeanPSFMagErr | float | mag | stat.error | Error in mean PSF magnitude from {band} filter detections.
{band}MeanPSFMagStd | float | mag | phot.mag;em.opt;stat.stdev | Standard deviation of PSF magnitudes from {band}
  filter detections.
{band}MeanPSFMagNpt | short | | meta.code | Number of measurements included in mean PSF magnitude from {band} filter
  detections.
{band}MeanPSFMagMin | float | mag | phot.mag;em.opt;stat.min | Minimum PSF magnitude from {band} filter detections.
{band}MeanPSFMagMax | float | mag | phot.mag;em.opt;stat.max | Maximum PSF magnitude from {band} filter detections.
{band}MeanKronMag | float | mag | {main} | Mean Kron (1980) magnitude from {band} filter detections.
{band}MeanKronMagErr | float | mag | stat.error | Error in mean Kron (1980) magnitude from {band} filter detections.
{band}MeanKronMagStd | float | mag | phot.mag;em.opt;stat.stdev | Standard deviation of Kron (1980) magnitudes from
  {band} filter detections.
{band}MeanKronMagNpt | short | | meta.code | Number of measurements included in mean Kron (1980) magnitude from
  {band} filter detections.
{band}MeanApMag | float | mag | {main} | Mean aperture magnitude from {band} filter detections.
{band}MeanApMagErr | float | mag | stat.error | Error in mean aperture magnitude from {band} filter detections.
{band}MeanApMagStd | float | mag | phot.mag;em.opt;stat.stdev | Standard deviation of aperture magnitudes from {band}
  filter detections.
{band}MeanApMagNpt | short | | meta.code | Number of measurements included in mean aperture magnitude from {band}
  filter detections.
{band}Flags | int | | meta.code | Information flag bitmask for mean object from {band} filter detections. Values
  listed in ObjectFilterFlags.
"""
_DETECTION = """
objID | long | | meta.id;meta.main | Unique object identifier.
uniquePspsP2id | long | | | Unique internal PSPS detection identifier.
detectID | long | | meta.id | Unique detection identifier.
filterID | short | | meta.code;instr.filter | Filter identifier: 1 to 5 for g, r, i, z, y. Details in the Filter table.
surveyID | short | | | Survey identifier. Details in the Survey table.
imageID | long | | meta.id;obs.image | Unique image identifier. Constructed as (100 * frameID + ccdID).
obsTime | double | d | time.epoch | Modified Julian Date at the midpoint of the observation, in TAI.
ra | double | deg | pos.eq.ra | Right ascension.
dec | double | deg | pos.eq.dec | Declination.
raErr | float | arcsec | stat.error;pos.eq.ra | Right ascension error.
decErr | float | arcsec | stat.error;pos.eq.dec | Declination error.
zeroPoint | float | mag | phot.mag;arith.zp | Photometric zeropoint. Necessary for converting listed fluxes and
  magnitudes back to measured ADU counts.
expTime | float | s | time.duration;obs.exposure | Exposure time. Necessary for converting listed fluxes and magnitudes
  back to measured ADU counts.
airMass | float | | obs.airMass | Airmass at midpoint of the exposure.
psfFlux | double | Jy | phot.flux;em.opt | Flux from PSF fit.
psfFluxErr | double | Jy | stat.error;phot.flux;em.opt | Error on flux from PSF fit.
psfQf | float | | meta.code.qual | PSF coverage factor.
psfQfPerfect | float | | meta.code.qual | PSF weighted fraction of pixels totally unmasked.
psfChiSq | float | | stat.fit.chi2 | Reduced chi squared value of the PSF model fit.
infoFlag | long | | meta.code | Information flag bitmask indicating details of the photometry. Values listed in
  DetectionFlags.
infoFlag2 | long | | meta.code | Information flag bitmask indicating details of the photometry. Values listed in
  DetectionFlags2.
infoFlag3 | long | | meta.code | Information flag bitmask indicating details of the photometry. Values listed in
  DetectionFlags3.
"""
MAIN_UCD = {**dict.fromkeys("griz", "phot.mag;em.opt;meta.main"), "y": "phot.mag;em.opt;em:ir;meta.main"}

MEAN_OBJECT = ServedTable(
    "dbo.MeanObjectView",
    "ps1_mean_object",
    "Mean properties of the objects of the 3 pi survey, from single epoch detections.",
    columns(_OBJECT + "".join(_BAND.format(band=band, main=MAIN_UCD[band]) for band in PS1_FILTERS)),
)
DETECTION = ServedTable(
    "dbo.Detection", "ps1_detection", "Single epoch photometry of individual detections.", columns(_DETECTION)
)
