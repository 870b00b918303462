"""Learning: recipes, splits, the one fit, predictions, calibration, metrics. Plain functions on arrays; no storage."""

LEARNING_VERSION = 1  # raise it when the same recipe and examples give another model: stored models are then stale
