"""Clean: the good epochs of every light curve."""
