"""What to ask each survey, and how to tidy what it answers. A new survey is a file here and a name below."""

from tasks.surveys import gaia, ps1, tic, truth, ztf
from tasks.surveys.survey import Survey

SURVEYS: dict[str, Survey] = {
    survey.name: survey for survey in (gaia.SURVEY, ps1.SURVEY, ztf.SURVEY, tic.SURVEY, truth.SURVEY)
}
