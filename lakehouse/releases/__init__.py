"""Releases: files that any tool opens, with units, a dictionary and the run that made them."""
