"""The quality cuts of a run: those that the flags of the registered surveys drive, and those of any light curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from tasks.lightcurves.cuts import FLAGGED, NEUTRAL_CUTS, NeutralCutConfig
from tasks.surveys import SURVEYS


def list_flag_bits() -> dict[str, int]:
    """The bits of each cut by flags, in the order of the surveys; last `flagged`: of all that do not only inform."""
    information = sum(flag.bit for survey in SURVEYS.values() for flag in survey.flags if flag.is_information)
    return {cut.name: cut.bits for survey in SURVEYS.values() for cut in survey.cuts} | {FLAGGED: ~information}


def list_cuts() -> tuple[str, ...]:
    """Names of all cuts in their order."""
    return *list_flag_bits(), *NEUTRAL_CUTS


def list_default_cuts() -> tuple[str, ...]:
    """Names of the cuts that a run makes unless its settings name others."""
    optional = {cut.name for survey in SURVEYS.values() for cut in survey.cuts if not cut.is_default}
    return tuple(name for name in list_cuts() if name not in optional)


@dataclass(frozen=True)
class CutConfig(NeutralCutConfig):
    """The cuts of a run; their defaults are those of the registered surveys."""

    names: Annotated[tuple[str, ...], Field(description="The cuts, in this order.")] = field(
        default_factory=list_default_cuts
    )
    flag_bits: Annotated[SkipJsonSchema[Mapping[str, int]], Field(exclude=True)] = field(
        default_factory=list_flag_bits, repr=False, hash=False
    )
