"""Acquire: the sample and its photometry, from the archives or from a folder, into the lake."""
