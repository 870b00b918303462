"""Scores with their history, and how good the models are that gave them."""

import pyarrow as pa

from schemas.column import Column
from schemas.table import DATASET, SOURCE_ID, TILE, TableSpec

MODEL_ID = Column("model_id", pa.string(), "Model that gave the value.", ucd="meta.id;meta.modelled")
RUN_ID = Column("run_id", pa.string(), "Run that wrote the row.", ucd="meta.id")
SCORED_AT = Column("scored_at", pa.timestamp("us", "UTC"), "When it was scored.", ucd="time.processing")
FEATURE_HASH = Column("feature_hash", pa.int64(), "input_hash of the features that were scored.", ucd="meta.checksum")
TARGET = Column("target", pa.string(), "What is predicted: class, or a quantity with its unit.", ucd="meta.id")
RECIPE = Column("recipe", pa.string(), "Recipe the model was trained by.", ucd="meta.id;meta.modelled")

SCORE__VALUE = TableSpec(
    name="score__value",
    version=1,
    doc="Every score ever given: the probability of each class, and each quantity with its interval.",
    columns=(
        DATASET, TILE, SOURCE_ID, TARGET,
        Column("name", pa.string(), "Class whose probability it is, or the quantity.", ucd="meta.id"),
        Column("value", pa.float64(), "Probability, or value in the unit of the quantity.", ucd="stat.value"),
        Column("lo", pa.float64(), "Lower end of the interval.", ucd="stat.value;stat.min", nullable=True),
        Column("hi", pa.float64(), "Upper end of the interval.", ucd="stat.value;stat.max", nullable=True),
        MODEL_ID, RUN_ID, SCORED_AT,
        FEATURE_HASH,
        Column("is_training", pa.bool_(), "True where the source trained the recipe: the score is out of fold.",
               ucd="meta.code"),
    ),
    key=("dataset", "source_id", "target", "name", "model_id", "feature_hash"),
)  # fmt: skip

SCORE_MODEL__METRIC = TableSpec(
    name="score_model__metric",
    version=1,
    doc="Metrics of every recipe and baseline, with 95 % bootstrap intervals over objects.",
    columns=(
        DATASET, TARGET, RECIPE, MODEL_ID,
        Column("split", pa.string(), "oof: out of fold; test: held out, scored once; truth: embedded sky only.",
               ucd="meta.id"),
        Column("metric", pa.string(), "Name of the metric.", ucd="meta.id"),
        Column("class", pa.string(), "Class it is about, or all.", ucd="src.class"),
        Column("value", pa.float64(), "Its value.", ucd="stat.value", nullable=True),
        Column("lo", pa.float64(), "Lower end of the 95 % interval.", ucd="stat.value;stat.min", nullable=True),
        Column("hi", pa.float64(), "Upper end of the 95 % interval.", ucd="stat.value;stat.max", nullable=True),
        Column("n", pa.int64(), "Objects it was measured on.", ucd="meta.number", range=(0, None)),
        Column("note", pa.string(), "What a reader must know about it.", ucd="meta.note", nullable=True),
        Column("is_chosen", pa.bool_(), "True for the recipe that the catalogue uses.", ucd="meta.code"),
    ),
    key=("dataset", "target", "recipe", "model_id", "split", "metric", "class"),
    partition=("dataset",),
)  # fmt: skip

SCORE_MODEL__CARD = TableSpec(
    name="score_model__card",
    version=2,
    doc="Every trained model: a copy of the cards in the lake's folder `models`.",
    columns=(
        DATASET, TARGET, MODEL_ID,
        Column("is_current", pa.bool_(), "True where it is the model that scores its target now.", ucd="meta.code"),
        Column("recipe", pa.string(), "Recipe that it was trained by.", ucd="meta.id;meta.modelled"),
        Column("model", pa.string(), "Kind of model: forest, lstm, ...", ucd="meta.code.class;meta.modelled"),
        Column("run_id", pa.string(), "Run that trained it.", ucd="meta.id"),
        Column("trained_at", pa.timestamp("us", "UTC"), "When it was trained; null of cards of older programs.",
               ucd="time.processing", nullable=True),
        Column("n_labelled", pa.int64(), "Labelled sources, the held-out ones among them.", ucd="meta.number",
               nullable=True, range=(0, None)),
        Column("n_test", pa.int64(), "Sources held out of training and choice.", ucd="meta.number", nullable=True,
               range=(0, None)),
        Column("fingerprint", pa.string(), "Hash of labels, features, recipes and splits.", ucd="meta.checksum"),
        Column("features", pa.list_(pa.string()), "Columns of feature_sample__source that it reads.", ucd="meta.id"),
        Column("classes", pa.list_(pa.string()), "Classes that it tells apart; none for a quantity.",
               ucd="src.class"),
        Column("runner_up", pa.string(), "The best of the other recipes.", ucd="meta.id;meta.modelled", nullable=True),
        Column("margin", pa.float64(),
               "Out of fold, by how much the recipe is better than the runner-up: macro F1, or RMSE in the unit of the "
               "quantity.", ucd="stat.value;arith.diff", nullable=True),
        Column("margin_err", pa.float64(), "Standard error of the margin, of a paired bootstrap over objects.",
               ucd="stat.error;arith.diff", nullable=True, range=(0, None)),
        Column("card", pa.string(), "The whole card as JSON: recipe, splits and calibration too.", ucd="meta.note"),
    ),
    key=("dataset", "target", "model_id"),
    partition=("dataset",),
)  # fmt: skip
