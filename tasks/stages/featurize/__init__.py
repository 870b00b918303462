"""Featurize: features of every source."""
