"""What to ask each survey, and how to tidy what it answers. A new survey is a file here and a line below."""

import math
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from schemas import TABLES, BadInput
from schemas.inputs import ArchiveSource
from tasks.lightcurves.flags import COMMON_FLAGS
from tasks.lightcurves.passbands import Passband
from tasks.surveys.survey import Survey

SURVEYS: dict[str, Survey] = {}
LARGEST = 1e6  # of an option: arc seconds, degrees, years


def register(survey: Survey) -> None:
    """Adds a survey, and its tables to those of the lake.

    Raises ValueError where it declares a name, bit, reference band or sample that another survey has.
    """
    every = [*SURVEYS.values(), survey]
    unique: dict[str, list[str | int]] = {
        "survey": [each.name for each in every],
        "band": [band.name for each in every for band in each.bands],
        "cut": [cut.name for each in every for cut in each.cuts],
        "flag bit": [flag.bit for flag in (*COMMON_FLAGS, *(flag for each in every for flag in each.flags))],
        "label origin": [origin.name for each in every for origin in each.label_origins],
        "sample of sources": [True for each in every if each.open_sample],
        "reference band": [True for each in every for band in each.bands if band.is_reference],
    }
    for what, values in unique.items():
        if len(set(values)) < len(values):
            raise ValueError(f"survey {survey.name}: it declares a {what} that another survey has already.")
    SURVEYS[survey.name] = survey
    for spec in survey.tables:
        TABLES[spec.name] = spec


# Modules of this folder, each with the SURVEY of its name, in the order in which they are asked.
for _name in (
    "gaia",
    "ps1",
    "ztf",
    "tic",
    "rubin",
    "truth",
):
    register(import_module(f"{__name__}.{_name}").SURVEY)


def check_options(options: Mapping[str, Mapping[str, Any]]) -> None:
    """BadInput for an option of a survey whose value is of another kind than its default."""
    for name, own in options.items():
        defaults = SURVEYS[name].options if name in SURVEYS else {}
        for option in defaults.keys() & own.keys():
            if (wanted := _kind_of(defaults[option])) != _kind_of(own[option]):
                raise BadInput(f"The option {option} of the survey {name} is {wanted}, not {own[option]!r}.")


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) < LARGEST:
        return "a number"
    return "a text" if isinstance(value, str) else "something else"


def surveys_of(source: ArchiveSource) -> tuple[str, ...]:
    """Names of the surveys asked: those of the settings, else all that need nothing; and those with a catalogue named.

    A simulated one is asked of a replica alone.
    """
    files = {name: survey.only_with for name, survey in SURVEYS.items() if survey.only_with}
    usual = source.surveys or [name for name in SURVEYS if name not in files]
    named = [name for name, option in files.items() if source.options.get(name, {}).get(option)]
    asked = dict.fromkeys([*usual, *named])
    return tuple(n for n in asked if source.is_synthetic or n not in SURVEYS or not SURVEYS[n].is_simulated)


def find_sample_provider() -> Survey:
    """The one survey that provides the sources of a run."""
    return next(survey for survey in SURVEYS.values() if survey.open_sample)


def list_passbands() -> dict[str, Passband]:
    """Every passband of every survey by its name."""
    return {band.name: band for survey in SURVEYS.values() for band in survey.bands}


def list_label_origins() -> tuple[str, ...]:
    """Origins of labels in the order in which they count."""
    origins = [origin for survey in SURVEYS.values() for origin in survey.label_origins]
    return tuple(origin.name for origin in sorted(origins, key=lambda origin: origin.rank))


def sources_of_labels(origins: Iterable[str]) -> frozenset[str]:
    """Values of catalogues, each as "table.column", that the labels of these origins were derived from.

    An origin that no survey declares, such as a column of a folder, adds none.
    """
    named = set(origins)
    declared = (origin for survey in SURVEYS.values() for origin in survey.label_origins)
    return frozenset(value for origin in declared if origin.name in named for value in origin.derived_from)
