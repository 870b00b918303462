"""Bits of the epoch quality flag that hold for every survey; 0 is a good epoch.

A survey declares further bits of its own, from 1 << 6 on, and its `tidy` translates the archive's words into all of
them. Bits are stored in lakes: one that is used never changes its meaning.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Flag:
    """A flag of an epoch: its name, its bit and what it means. `is_information`: by itself no reason to reject."""

    name: str
    bit: int
    doc: str
    is_information: bool = False


BAD_QUALITY = 1 << 0  # the archive itself calls the measurement bad
SATURATED = 1 << 1  # a saturated or non-linear pixel under the star
BLENDED = 1 << 2  # a neighbour's light inside the aperture or window
UPPER_LIMIT = 1 << 3  # a non-detection: the magnitude is a limit
MOONLIGHT = 1 << 4  # bright sky or passing cloud
UNKNOWN = 1 << 5  # flagged by the archive for a reason that has no bit

COMMON_FLAGS = (
    Flag("bad_quality", BAD_QUALITY, "the archive rejects the measurement"),
    Flag("saturated", SATURATED, "saturated or non-linear"),
    Flag("blended", BLENDED, "blended with a neighbour"),
    Flag("upper_limit", UPPER_LIMIT, "upper limit, not a detection"),
    Flag("moonlight", MOONLIGHT, "bright sky or cloud"),
    Flag("unknown", UNKNOWN, "flagged by the archive, reason not known here"),
)
