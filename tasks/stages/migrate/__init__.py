"""Migrate: labels, folds, models and scores of a dataset follow its sources into one of a later data release."""
