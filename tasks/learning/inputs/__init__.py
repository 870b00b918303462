"""What models read: pure functions from light curves and feature columns to arrays, for all objects at once."""
