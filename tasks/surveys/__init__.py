"""What to ask each survey, and how to tidy what it answers. A new survey is a file here and a name below."""

from collections.abc import Iterable

from tasks.surveys import gaia, ps1, tic, truth, ztf
from tasks.surveys.survey import Survey

SURVEYS: dict[str, Survey] = {
    survey.name: survey for survey in (gaia.SURVEY, ps1.SURVEY, ztf.SURVEY, tic.SURVEY, truth.SURVEY)
}


def sources_of_labels(origins: Iterable[str]) -> frozenset[str]:
    """Values of catalogues, each as "table.column", that the labels of these origins were derived from.

    Nothing is known of an origin that no survey declares, such as the columns of a folder.
    """
    named = set(origins)
    declared = (origin for survey in SURVEYS.values() for origin in survey.label_origins)
    return frozenset(value for origin in declared if origin.name in named for value in origin.derived_from)
