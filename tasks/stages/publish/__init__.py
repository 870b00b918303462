"""Publish: a release of the catalogue, and a report that says how good it is."""
