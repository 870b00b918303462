"""Columns of the ZTF objects table and of its light curves at IRSA; names and types from memory, some of each."""

from tasks.replica.served import ServedTable, columns

OBJECTS = ServedTable(
    "ztf_objects_dr24",
    "irsa_ztf_objects",
    "Objects of the ZTF light curves, data release 24 (some of its columns).",
    columns("""
oid | long | | meta.id;meta.main | Object identifier
ra | double | deg | pos.eq.ra;meta.main | Right ascension (J2000)
dec | double | deg | pos.eq.dec;meta.main | Declination (J2000)
field | int | | meta.id | ZTF field identifier
ccdid | short | | meta.id | CCD identifier, 1 to 16
qid | short | | meta.id | Quadrant identifier within the CCD, 1 to 4
fid | short | | meta.id | Filter identifier: 1 = g, 2 = r, 3 = i
filtercode | char | | meta.id;instr.filter | Filter code: zg, zr or zi
x | double | | pos.cartesian.x | x of the unit vector of the position
y | double | | pos.cartesian.y | y of the unit vector of the position
z | double | | pos.cartesian.z | z of the unit vector of the position
nobs | int | | meta.number | Number of observation epochs
ngoodobs | int | | meta.number | Number of good observation epochs
nobsrel | int | | meta.number | Number of observation epochs in this release
ngoodobsrel | int | | meta.number | Number of good observation epochs in this release
refmag | float | mag | phot.mag | Magnitude in the reference image
refmagerr | float | mag | stat.error;phot.mag | Uncertainty of refmag
refsnr | float | | stat.snr | Signal-to-noise ratio in the reference image
refchi | float | | stat.fit.chi2 | Chi in the reference image
refsharp | float | | stat.value | Sharpness in the reference image
astrometricrms | float | deg | stat.stdev;pos.eq | RMS deviation of the position
magrms | float | mag | stat.stdev;phot.mag | RMS deviation of the magnitudes
minmag | float | mag | phot.mag;stat.min | Minimum magnitude
maxmag | float | mag | phot.mag;stat.max | Maximum magnitude
meanmag | float | mag | phot.mag;stat.mean | Mean magnitude
medianmag | float | mag | phot.mag;stat.median | Median magnitude
medmagerr | float | mag | stat.error;phot.mag | Median magnitude uncertainty
"""),
)
LIGHT_CURVE = columns("""
oid | long | | meta.id;meta.main | Object identifier
expid | long | | meta.id;obs | Exposure identifier
hjd | double | d | time.epoch | Heliocentric Julian date
mjd | double | d | time.epoch | Modified Julian date
mag | float | mag | phot.mag | Magnitude
magerr | float | mag | stat.error;phot.mag | Uncertainty of mag
catflags | int | | meta.code.qual | Photometry and image quality flags, bits
filtercode | char | | meta.id;instr.filter | Filter code: zg, zr or zi
ra | double | deg | pos.eq.ra | Right ascension of the object
dec | double | deg | pos.eq.dec | Declination of the object
chi | float | | stat.fit.chi2 | Chi of the PSF fit
sharp | float | | stat.value | Sharpness of the PSF fit
filefracday | long | | time.epoch | Fractional time of the exposure, YYYYMMDDdddddd
field | int | | meta.id | ZTF field identifier
ccdid | short | | meta.id | CCD identifier, 1 to 16
qid | short | | meta.id | Quadrant identifier within the CCD, 1 to 4
limitmag | float | mag | phot.mag | Magnitude limit of the exposure
magzp | float | mag | phot.mag;arith.zp | Photometric zero point
magzprms | float | mag | stat.stdev;phot.mag;arith.zp | RMS deviation of the zero point
clrcoeff | float | | stat.fit.param | Linear colour coefficient of the calibration
clrcounc | float | | stat.error;stat.fit.param | Uncertainty of clrcoeff
exptime | int | s | time.duration;obs.exposure | Exposure time
airmass | float | | obs.airMass | Airmass
programid | short | | meta.id | Programme identifier
""")
