"""The catalogue: one row per source, from the newest chosen models."""

from collections.abc import Iterable

import pyarrow as pa

from schemas.column import Column
from schemas.table import DATASET, SOURCE_ID, TILE, TableSpec
from schemas.tables.sample import CORE_SAMPLE__SOURCE
from schemas.tables.score import FEATURE_HASH, RUN_ID, SCORED_AT

_SOURCE = CORE_SAMPLE__SOURCE.columns_by_name

PROBABILITY = Column(
    "prob_{class}",
    pa.float32(),
    "Calibrated probability of the class.",
    ucd="stat.probability;src.class",
    nullable=True,
    range=(0, 1),
)
QUANTITY = Column("{quantity}", pa.float32(), "Predicted value.", ucd="stat.value", nullable=True)
QUANTITY_LO = Column(
    "{quantity}_lo", pa.float32(), "Lower end of the interval.", ucd="stat.value;stat.min", nullable=True
)
QUANTITY_HI = Column(
    "{quantity}_hi", pa.float32(), "Upper end of the interval.", ucd="stat.value;stat.max", nullable=True
)
QUANTITY_LO95 = Column(
    "{quantity}_lo95", pa.float32(), "Lower end of the 95 % interval.", ucd="stat.value;stat.min", nullable=True
)
QUANTITY_HI95 = Column(
    "{quantity}_hi95", pa.float32(), "Upper end of the 95 % interval.", ucd="stat.value;stat.max", nullable=True
)
OF_QUANTITY = (QUANTITY, QUANTITY_LO, QUANTITY_HI, QUANTITY_LO95, QUANTITY_HI95)
SET_SEPARATOR = ";"  # between the classes of a set, which every format holds as text

# What a model of classes says beside the probabilities; a model of an older program leaves some of it null.
OF_CLASS = (
    Column("class_pred", pa.string(),
           "Predicted class: that of the largest probability / share^a; a is chosen out of fold, 0: most probable.",
           ucd="src.class;src.var", nullable=True),
    Column("class_set", pa.string(),
           "Classes that the star may be of, the most probable first, joined by ;. The true one is among them for 90 % "
           "(training.class_set_level) of the members of every class with 50 labels; empty: like few members of any.",
           ucd="src.class", nullable=True),
    Column("class_set_size", pa.int16(), "Classes in class_set.", ucd="meta.number;src.class", nullable=True,
           range=(0, None)),
    Column("class_smp", pa.float32(), "1 - the largest probability of a class: how unsure the models are together.",
           ucd="stat.probability", nullable=True, range=(0, 1)),
    Column("class_bald", pa.float32(),
           "What the models disagree about, in nats: entropy of their mean probabilities less their mean entropy. Null "
           "where a single model gave the score, as for stars that trained it.",
           ucd="stat.value;src.class", nullable=True, range=(0, None)),
)  # fmt: skip

OUT__CATALOGUE = TableSpec(
    name="out__catalogue",
    version=4,
    doc="The scored catalogue: every source of the sample with the scores of the chosen models.",
    columns=(
        DATASET, TILE, SOURCE_ID,
        _SOURCE["object_id"], _SOURCE["ra"], _SOURCE["dec"],
        Column("n_epoch", pa.int32(), "Epochs that survived the cuts.", ucd="meta.number;obs", range=(0, None)),
        Column("period_day", pa.float64(), "Period found in the light curve.", unit="d", ucd="src.var;time.period",
               nullable=True, range=(0, None)),
        Column("period_error_day", pa.float32(),
               "Error of the period: 68 % are off by less, if it is right within 1 %.", unit="d",
               ucd="stat.error;time.period", nullable=True, range=(0, None)),
        Column("period_prob", pa.float32(), "Probability that the period is right within 1 %.",
               ucd="stat.probability;time.period", nullable=True, range=(0, 1)),
        *OF_CLASS,
        Column("novelty_rank", pa.float32(),
               "Share of the training stars that are less strange among the others than this one is among them, by "
               "its features; 1: stranger than all.",
               ucd="stat.rank", nullable=True, range=(0, 1)),
        Column("unscored_reason", pa.string(),
               "Why the row has no scores: no_epoch (the cuts left none) or no_model; null where it has.",
               ucd="meta.code", nullable=True),
        Column("is_training", pa.bool_(), "True where the source trained a model: its scores are out of fold.",
               ucd="meta.code"),
        Column("model_id", pa.string(),
               "Models behind the row, one per target, joined by a space; empty where there is none.",
               ucd="meta.id;meta.modelled"),
        FEATURE_HASH, RUN_ID, SCORED_AT,
        PROBABILITY, *OF_QUANTITY,
    ),
    key=("dataset", "source_id"),
)  # fmt: skip

OTHERS = ("class", "fold", "prediction", "row")  # the target beside quantities, and columns of labels in training


def find_collision(quantities: Iterable[str]) -> str | None:
    """The first of the `quantities` that cannot be learnt, as its columns would be those of something else, or None."""
    taken = {column.name for column in OUT__CATALOGUE.columns if not column.is_family} | {*OTHERS}
    for name in quantities:
        own = {template.name.format(quantity=name) for template in OF_QUANTITY}
        if own & taken or name.startswith(PROBABILITY.name.partition("{")[0]):
            return name
        taken |= own
    return None
