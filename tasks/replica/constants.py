"""Numbers with which the archives publish their measurements, each with its source.

They stand here on their own, apart from the same numbers of the clients (tasks.lightcurves, tasks.surveys): a number
that both ends shared would cancel from end to end if it was wrong. tests/contracts/test_numbers_of_both_ends.py
compares the two sets.
"""

from __future__ import annotations

import math

import numpy as np

# Units
ARCSEC_RAD = np.pi / 180 / 3600
DAY_S = 86_400.0
YEAR_DAY = 365.25  # Julian year
POGSON = 2.5 / math.log(10)  # magnitudes per relative change of flux (Pogson 1856, MNRAS 17, 12)
AB_ZERO_JY = 3631.0  # flux density of AB = 0 (Oke & Gunn 1983, ApJ 266, 713)
SUN_TEFF_K = 5772.0  # IAU 2015 resolution B3
SUN_LOGG = 4.438  # log10 of cm/s^2 (IAU 2015 resolution B3)

# Times and places
MJD_ZERO_JD = 2_400_000.5
J2000_MJD, J2000_YEAR = 51544.5, 2000.0
TT_MINUS_TAI_S = 32.184  # IAU 1991
AU_M = 149_597_870_700.0  # IAU 2012 resolution B2
LIGHT_M_S = 299_792_458.0
AU_DAY = AU_M / LIGHT_M_S / DAY_S  # light time for 1 au, day
OBLIQUITY_RAD = np.radians(23.0 + 26.0 / 60 + 21.448 / 3600)  # of J2000 (IAU 1976)
SIDEREAL_PER_DAY = 1.0027379  # sidereal days in a day (Explanatory Supplement 2013, section 3.5)

# Gaia DR3
GAIA_TIME_ZERO_JD = 2_455_197.5  # epoch photometry counts BJD in TCB from here (Gaia DR3 documentation, 20.7)
GAIA_EPOCH_YEAR = 2016.0  # of its positions
GAIA_ZERO_POINT = {"G": 25.6873668671, "BP": 25.3385422158, "RP": 24.7478955012}  # Vega, e/s: Riello et al. 2021, A3
GAIA_SOLUTION_ID = 1636148068921376768

# Pan-STARRS1 DR2
PS1_FILTERS = "grizy"  # of filterID 1 to 5
PS1_MISSING = -999.0
PS1_ZERO_POINT = {"g": 24.56, "r": 24.76, "i": 24.74, "z": 24.33, "y": 23.33}  # mag, for 1 s (Tonry et al. 2012)
PS1_EXPOSURE_S = {"g": 43.0, "r": 40.0, "i": 45.0, "z": 30.0, "y": 30.0}  # Chambers et al. 2016, table 6
PS1_QF_LIMIT = 0.9  # psfQfPerfect of a good detection is above (Becker et al. 2025, appendix A)
# Bits of infoFlag, infoFlag2 and infoFlag3 that are reasons to reject (Becker et al. 2025, appendix A), by their names
# in the DetectionFlags tables of the archive's documentation.
PS1_BLEND, PS1_DEFECT, PS1_SATURATED, PS1_SKY_FAILURE = 256, 2048, 4096, 65536
PS1_REJECTED2, PS1_REJECTED3 = 8, 8192
# Bits that good detections carry too.
PS1_PSF_MODEL, PS1_PSF_STAR, PS1_EXTERNAL, PS1_HARMLESS2, PS1_HARMLESS3 = 1, 64, 512, 128, 4

# ZTF
ZTF_FILTERS = ("zg", "zr", "zi")  # of fid 1 to 3
ZTF_UNUSABLE = 32768  # bit of catflags (ZTF Science Data System, section 13.6)
ZTF_LIMIT_MAG = {"zg": 20.8, "zr": 20.6, "zi": 19.9}  # 5 sigma in 30 s (Masci et al. 2019)
ZTF_EXPOSURE_S = 30
