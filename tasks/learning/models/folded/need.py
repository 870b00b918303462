"""Where the folded network folds: at the candidate periods of the choice, with their probabilities."""

from tasks.features.feature import CANDIDATE_PERIOD_DAY, CANDIDATE_PROB
from tasks.learning.spec import Folded

FOLDED = Folded((CANDIDATE_PERIOD_DAY,), chances=(CANDIDATE_PROB,))
