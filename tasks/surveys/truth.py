"""The truth of a replica's sky, for evaluation alone: no real archive tells it, and it says nothing of light curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from schemas import TABLES
from tasks.archives.csv import read_csv
from tasks.archives.question import Question
from tasks.surveys.objects import rows_of
from tasks.surveys.survey import Ask, Survey, SurveyResult

TRUTH = TABLES["label_truth__source"]
COLUMNS = {field.name: field.type for field in TRUTH.arrow() if field.name not in ("dataset", "tile")}


def fetch(ask: Ask, sources: pa.Table, neighbours: pa.Table, options: Mapping[str, Any]) -> SurveyResult:
    """The truth about the sources, where there is one."""
    return SurveyResult(tables={TRUTH.name: rows_of(ask, question(), sources.select(["source_id"]), COLUMNS)})


def question() -> Question:
    """The truth by source id."""
    return Question(
        service="truth",
        text="truth",
        release="sky",
        read=lambda body: read_csv(body, COLUMNS, "the replica's answer about the truth"),
        key="source_id",
    )


SURVEY = Survey("truth", fetch, is_simulated=True, tables=(TRUTH,))
