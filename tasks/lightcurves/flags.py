"""Bits of the epoch quality flag. 0 is a good epoch; an archive's `tidy` translates its own flags into these."""

GOOD = 0
BAD_QUALITY = 1 << 0  # the archive itself calls the measurement bad (ZTF catflags, Gaia rejected transit, PS1 psfQf)
SATURATED = 1 << 1  # a saturated or non-linear pixel under the star
BLENDED = 1 << 2  # a neighbour's light inside the aperture or window
UPPER_LIMIT = 1 << 3  # a non-detection: the magnitude is a limit
MOONLIGHT = 1 << 4  # bright sky or passing cloud
UNKNOWN = 1 << 5  # flagged by the archive for a reason that has no bit here

FLAG_DOC = {
    BAD_QUALITY: "the archive rejects the measurement",
    SATURATED: "saturated or non-linear",
    BLENDED: "blended with a neighbour",
    UPPER_LIMIT: "upper limit, not a detection",
    MOONLIGHT: "bright sky or cloud",
    UNKNOWN: "flagged by the archive, reason not known here",
}
