"""Score: every source with the current models, in the lake or in a folder."""
