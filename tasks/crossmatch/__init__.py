"""Crossmatch: positions moved to an epoch, all pairs within a radius, catalogues on disk by partition."""
