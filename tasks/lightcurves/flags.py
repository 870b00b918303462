"""Bits of the epoch quality flag. 0 is a good epoch; an archive's `tidy` translates its own flags into these."""

GOOD = 0
BAD_QUALITY = 1 << 0  # the archive itself calls the measurement bad (ZTF catflags, Gaia rejected transit, PS1 psfQf)
SATURATED = 1 << 1  # a saturated or non-linear pixel under the star
BLENDED = 1 << 2  # a neighbour's light inside the aperture or window
UPPER_LIMIT = 1 << 3  # a non-detection: the magnitude is a limit
MOONLIGHT = 1 << 4  # bright sky or passing cloud
UNKNOWN = 1 << 5  # flagged by the archive for a reason that has no bit here
REJECTED_BY_PHOTOMETRY = 1 << 6  # Gaia: the transit was rejected by the photometric processing
REJECTED_BY_VARIABILITY = 1 << 7  # Gaia: the band's measurement was rejected by the variability processing
OTHER_FLAGS = 1 << 8  # Gaia: other_flags is set; information, by itself no reason to reject
PSF_QUALITY = 1 << 9  # PS1: psfQfPerfect <= 0.9
INFO_FLAG = 1 << 10  # PS1: a rejected bit of infoFlag, infoFlag2 or infoFlag3 (Becker et al. 2025, appendix A)
INFO_FLAG2 = 1 << 11
INFO_FLAG3 = 1 << 12
CATFLAGS = 1 << 13  # ZTF: any bit of catflags; for 32768 BAD_QUALITY is set besides

FLAG_DOC = {
    BAD_QUALITY: "the archive rejects the measurement",
    SATURATED: "saturated or non-linear",
    BLENDED: "blended with a neighbour",
    UPPER_LIMIT: "upper limit, not a detection",
    MOONLIGHT: "bright sky or cloud",
    UNKNOWN: "flagged by the archive, reason not known here",
    REJECTED_BY_PHOTOMETRY: "Gaia: rejected by the photometric processing",
    REJECTED_BY_VARIABILITY: "Gaia: rejected by the variability processing",
    OTHER_FLAGS: "Gaia: other_flags set, no rejection",
    PSF_QUALITY: "PS1: psfQfPerfect <= 0.9",
    INFO_FLAG: "PS1: a rejected bit of infoFlag",
    INFO_FLAG2: "PS1: a rejected bit of infoFlag2",
    INFO_FLAG3: "PS1: a rejected bit of infoFlag3",
    CATFLAGS: "ZTF: a bit of catflags",
}
