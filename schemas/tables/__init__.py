"""Every table of the lake; a new one is a file here and a name below."""

from schemas.table import TableSpec
from schemas.tables.catalogue import OUT__CATALOGUE
from schemas.tables.epoch import CORE_SAMPLE__EPOCH, RAW_SAMPLE__EPOCH
from schemas.tables.feature import FEATURE_SAMPLE__NULL, FEATURE_SAMPLE__SOURCE
from schemas.tables.input import CORE_SAMPLE__INPUT
from schemas.tables.label import LABEL_SAMPLE__CLASS, LABEL_SAMPLE__PARAMETER, LABEL_TRUTH__SOURCE
from schemas.tables.match import ASSN_SAMPLE__MATCH
from schemas.tables.quality import CORE_CUT__LEDGER, CORE_QUARANTINE__ROW
from schemas.tables.quantity import CORE_DATASET__QUANTITY
from schemas.tables.request import RAW_ARCHIVE__REQUEST
from schemas.tables.run import RUN_REFRESH__STAGE
from schemas.tables.sample import CORE_DATASET__BAND, CORE_SAMPLE__PHOTOMETRY, CORE_SAMPLE__SOURCE
from schemas.tables.score import SCORE__VALUE, SCORE_MODEL__CARD, SCORE_MODEL__METRIC
from schemas.tables.survey import CORE_GAIA__SOURCE, CORE_TIC__SOURCE, CORE_ZTF__OBJECT

TABLES: dict[str, TableSpec] = {
    spec.name: spec
    for spec in (
        RAW_ARCHIVE__REQUEST,
        RAW_SAMPLE__EPOCH,
        CORE_SAMPLE__SOURCE,
        CORE_SAMPLE__EPOCH,
        CORE_SAMPLE__PHOTOMETRY,
        CORE_SAMPLE__INPUT,
        CORE_GAIA__SOURCE,
        CORE_TIC__SOURCE,
        CORE_ZTF__OBJECT,
        ASSN_SAMPLE__MATCH,
        CORE_DATASET__BAND,
        CORE_DATASET__QUANTITY,
        CORE_CUT__LEDGER,
        CORE_QUARANTINE__ROW,
        FEATURE_SAMPLE__SOURCE,
        FEATURE_SAMPLE__NULL,
        LABEL_SAMPLE__CLASS,
        LABEL_SAMPLE__PARAMETER,
        LABEL_TRUTH__SOURCE,
        SCORE__VALUE,
        SCORE_MODEL__METRIC,
        SCORE_MODEL__CARD,
        RUN_REFRESH__STAGE,
        OUT__CATALOGUE,
    )
}
